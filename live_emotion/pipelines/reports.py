"""Reports of all tables of rows in a folder, and the page that lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from live_emotion.errors import InputError, OutputError
from live_emotion.io.files.atomic import PART, refuse_existing
from live_emotion.io.files.names import output_names, portable_name, same_name, unique_names
from live_emotion.io.results_reader import read_table
from live_emotion.io.results_writer import WRITERS
from live_emotion.io.video.writer import VIDEO_SUFFIX
from live_emotion.pipelines.videos.planning import REPORT_DATA, list_videos
from live_emotion.types import StrPath
from live_emotion.visualization.report.player import player
from live_emotion.visualization.report.report import PAGE_FILE, PEOPLE_FILE, REPORT_FILES, fit_video, write_report
from live_emotion.visualization.report.summary import read_summary
from live_emotion.visualization.report.thumbnail import Explain


@dataclass(frozen=True)
class ReportTask:
    """A table of rows and the report to be made of it.

    Attributes:
        rows: the table.
        title: of the report, where there is no video.
        folder: for the report.
        video: that the rows are of, or None.
    """

    rows: Path
    title: str
    folder: Path
    video: Path | None = None


def report_folder(rows: StrPath) -> str:
    """Name of the folder for the report of a table."""
    return f"{portable_name(Path(rows).stem)}_report"


def plan_reports(folder: Path, output: Path, videos: Path | None = None) -> list[ReportTask]:
    """What is made of a folder: of each table in it, and of those that lie in the folders of reports in it.

    Of tables that differ in their format alone, the first counts.

    Args:
        folder: with the tables.
        output: the folder for the reports.
        videos: the folder of the videos; None: a video that lies beside a table, and is named like it, is its.

    Raises:
        InputError: a folder cannot be read, or there are no videos in theirs.
    """
    found = list_videos([videos]) if videos else []
    there = {same_name(name): video for name, video in zip(output_names(found), found)}
    try:
        tables = [path for suffix in WRITERS for path in sorted(folder.glob(f"*{suffix}"))]
        tables = [path for path in tables if path.name != PEOPLE_FILE and not path.stem.endswith(PART)]
        inside = sorted(folder.glob(f"*/{REPORT_DATA}"))
    except OSError as error:
        raise InputError(f"Cannot read the folder {folder}: {error.strerror}.") from error
    tasks: dict[str, ReportTask] = {}
    stems = list(dict.fromkeys(rows.stem for rows in tables))
    folders = dict(zip(stems, unique_names(stems)))
    for rows in tables:
        beside = rows.with_suffix(VIDEO_SUFFIX)
        video = there.get(same_name(rows.stem)) if videos else beside if beside.is_file() else None
        tasks.setdefault(rows.stem, ReportTask(rows, rows.stem, output / report_folder(folders[rows.stem]), video))
    for rows in inside:
        name = rows.parent.name
        tasks.setdefault(name, ReportTask(rows, name, output / name, there.get(same_name(name))))
    return list(tasks.values())


def make_reports(
    tasks: Sequence[ReportTask], force: bool = False, notice: Callable[[str], object] = lambda _: None
) -> Iterator[str]:
    """Makes the reports that are missing, one after the other.

    Args:
        tasks: what to make.
        force: make those that are there again.
        notice: is told in a line what of a table is left out.

    Yields:
        of each why it could not be made, in a line, or nothing.
    """
    for task in tasks:
        try:
            _make(task, force, notice)
        except (InputError, OutputError) as error:
            yield str(error)
        else:
            yield ""


def _make(task: ReportTask, force: bool, notice: Callable[[str], object]) -> None:
    if not force and read_summary(task.folder / PAGE_FILE):
        return
    for name in REPORT_FILES:
        refuse_existing(task.folder / name, force)
    write_report_of(task.rows, task.folder, task.title, task.video, notice=notice)


def write_report_of(
    rows: Path,
    folder: Path,
    title: str,
    video: Path | None = None,
    names: dict[int, str] | None = None,
    explain: Explain | None = None,
    notice: Callable[[str], object] = lambda _: None,
) -> Path:
    """Makes the report of a table and, where it is known, of the video that the rows are of; gives the page.

    Args:
        rows: the table.
        folder: for the report.
        title: where there is no video.
        video: the whole that was read, or the part that was cut out of it; None: none.
        names: those of :func:`live_emotion.visualization.report.report.write_report`.
        explain: the one of that, which needs the video.
        notice: is told in a line what of the table is left out.

    Raises:
        InputError: the rows cannot be read, they are not of the video, or a number in ``names`` is nobody's.
        OutputError: the report cannot be written.
    """
    table = read_table(rows, notice)
    if video is None:
        return write_report(table, folder, title, names=names)
    span_s = fit_video(table, video)
    played = player(video, folder, span_s[0])
    return write_report(table, folder, video.name, video, played, span_s, names, span_s[0], explain)
