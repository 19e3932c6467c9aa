"""Which videos are read, what is written for each, and what is there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from live_emotion.errors import OutputError
from live_emotion.io.files.atomic import PART, check_writable, refuse_existing
from live_emotion.io.files.folders import expand_folders, make_folder
from live_emotion.io.files.names import output_names, refuse_clashes
from live_emotion.io.results_writer import STANDARD_OUTPUT, WRITERS, check_data_path
from live_emotion.io.video.writer import VIDEO_SUFFIX, check_video_path
from live_emotion.visualization.report.report import PAGE_FILE, REPORT_FILES

VIDEO_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("3gp", "asf", "avi", "flv", "gif", "m2ts", "m4v", "mkv", "mov"),
        *("mp4", "mpeg", "mpg", "mts", "ogv", "ts", "vob", "webm", "wmv"),
    )
)
"""What a folder's files must end with to count as videos."""

DATA_FORMATS = tuple(suffix.removeprefix(".") for suffix in WRITERS)

REPORT_DATA = "faces.csv"
"""The rows in a report's folder where no other file holds them."""


@dataclass(frozen=True)
class VideoTask:
    """A video and what is to be written for it.

    Attributes:
        source: the video.
        annotated: the annotated copy, or None.
        data: files for rows; ``-`` is standard output.
        report: folder for a report, or None.
        in_folder: the files have names of our own choice in a folder. Then what a stop leaves, and what there is of a
            video that breaks off, is named ``.part``, so that every file without it is complete.
    """

    source: Path
    annotated: Path | None = None
    data: tuple[Path, ...] = ()
    report: Path | None = None
    in_folder: bool = False

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The files that show that the task is done."""
        pages = (self.report / PAGE_FILE,) if self.report else ()
        return tuple(p for p in (self.annotated, *self.data, *pages) if p is not None and str(p) != STANDARD_OUTPUT)

    @property
    def pages(self) -> tuple[Path, ...]:
        """The files of the report."""
        return tuple(self.report / name for name in REPORT_FILES) if self.report else ()

    @property
    def is_done(self) -> bool:
        """Whether all files are there."""
        return all(path.exists() for path in self.outputs)


def plan(
    inputs: Sequence[Path],
    output: Path | None = None,
    data: Sequence[str] = (),
    report: Path | None = None,
    with_video: bool = True,
) -> list[VideoTask]:
    """Decides what is written for each video.

    Args:
        inputs: videos, and folders that stand for the videos in them.
        output: an ``.mp4`` for a single video, else a folder. None: no video.
        data: files for the rows of a single video, or formats (``csv``), for a file beside each annotated video, or
            beside the video where there is none.
        report: folder for reports; those of several videos lie in folders in it.
        with_video: also write annotated videos.

    Raises:
        InputError: a folder holds no videos.
        OutputError: these inputs and outputs do not go together, or a file's format cannot be told.
    """
    sources = list_videos(inputs)
    several = len(sources) > 1 or inputs[0].is_dir()
    in_folder = several or (output is not None and _is_folder(output))
    if several and output is not None and not _is_folder(output):
        raise OutputError(f"{output} is one file and these are several videos; name a folder.")
    if output is not None and not in_folder and not with_video:
        raise OutputError(f"--no-video writes no video {output}; name a file for the rows with --data.")
    if in_folder and not with_video and not data and report is None:
        data = DATA_FORMATS[:1]
    tasks = []
    for source, name in zip(sources, output_names(sources)):
        annotated = (output / (name + VIDEO_SUFFIX) if in_folder else output) if with_video and output else None
        base = (output / name if output else None) if in_folder else (output or source).with_suffix("")
        rows = list(dict.fromkeys(_data_path(text, base, in_folder) for text in data))
        folder = report / name if report and several else report
        if folder and all(str(path) == STANDARD_OUTPUT for path in rows):
            rows.append(folder / REPORT_DATA)
        tasks.append(VideoTask(source, annotated, tuple(rows), folder, in_folder))
    outputs = [path for task in tasks for path in (*task.outputs, *task.pages)]
    refuse_clashes([*dict.fromkeys(outputs)], sources)
    return tasks


def list_videos(paths: Sequence[Path]) -> list[Path]:
    """The paths, with each folder replaced by the videos in it, sorted.

    Raises:
        InputError: a folder holds no videos or cannot be read.
    """

    def is_video(path: Path) -> bool:
        is_ours = path.name.startswith(".") or path.stem.endswith(PART)
        return path.suffix.lower() in VIDEO_SUFFIXES and not is_ours

    return list(dict.fromkeys(expand_folders(paths, is_video, "videos")))


def refuse_done(tasks: Sequence[VideoTask]) -> None:
    """Protects what is there already.

    Raises:
        OutputError: a task's file exists.
    """
    outputs = [*(path for task in tasks for path in task.outputs), *(path for task in tasks for path in task.pages)]
    resume = ", go on with what is missing by --resume" if tasks[0].in_folder else ""
    for path in outputs:
        refuse_existing(path, instead=f"choose another name{resume}")


def prepare_outputs(tasks: Sequence[VideoTask]) -> None:
    """Makes the folders that the tasks write to, and finds out before the work whether files can be written there.

    For a video that is not there nothing is made.

    Raises:
        OutputError: it cannot be done.
    """
    outputs = [path for task in tasks if task.source.is_file() for path in task.outputs]
    for folder in dict.fromkeys(path.parent for path in outputs):
        make_folder(folder)
    for path in outputs:
        check_writable(path)


def _is_folder(output: Path) -> bool:
    """Whether ``-o`` means a folder.

    Raises:
        OutputError: it is the name of a video that we don't write.
    """
    if output.is_dir() or output.suffix.lower() not in VIDEO_SUFFIXES:
        return True
    check_video_path(output)
    return False


def _data_path(text: str, base: Path | None, in_folder: bool) -> Path:
    """The file that ``--data`` names: itself, or by a format's name a file beside the annotated video."""
    if text in DATA_FORMATS:
        if base is None:
            raise OutputError(f"There is no folder for the {text} files; name one with -o, or a file with --data.")
        path = base.with_name(f"{base.name}.{text}")
    elif in_folder:
        formats = ", ".join(DATA_FORMATS)
        raise OutputError(f"Each video in a folder gets rows of its own; use --data with one of {formats}, not {text}.")
    else:
        path = Path(text)
    if text != STANDARD_OUTPUT:
        check_data_path(path)
    return path
