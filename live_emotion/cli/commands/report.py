"""``live-emotion report``: rows of data as a page to read."""

from __future__ import annotations

import contextlib
import functools
import sys
from pathlib import Path

import click

from live_emotion.cli.console import say
from live_emotion.cli.names import NamesType
from live_emotion.cli.options import force_option, weights_option


@click.command("report")
@click.argument("rows", type=click.Path(path_type=Path), metavar="IN.csv|DIR")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for the report; made if it is missing.  [default: IN_report; for a folder: the same]",
)
@click.option(
    "--video",
    type=click.Path(path_type=Path),
    metavar="FILE|DIR",
    help="The video that the rows are of, or the part that --clip cut out of it, for a picture of each person; the "
    "page plays it, if it lies beside the page. For a folder of rows: the folder of the videos, named like the rows.",
)
@click.option(
    "--names",
    type=NamesType(),
    metavar="NAMES",
    help="Name people by their numbers, and merge those that are one person: 1=Anna,2+13+24=Ben.",
)
@click.option(
    "--why",
    is_flag=True,
    help="With --video: say at each person's emotions what they rest on, as 'image --why' does. It runs the network.",
)
@weights_option
@force_option
def command(
    rows: Path,
    output: Path | None,
    video: Path | None,
    names: dict[int, str] | None,
    why: bool,
    weights: tuple[str, ...],
    force: bool,
) -> None:
    """Show the emotions of each person in a video over time.

    Takes the rows that --data or --log wrote, as .csv, .jsonl or .parquet. Makes report.html, a page that holds all it
    shows and opens offline, timeline.png, and people.csv, a table with a row for each person.

    Of a folder, it makes the reports of all rows in it that are missing, and index.html, a page that lists all reports.

    \b
    live-emotion report talk.csv --video talk.mov
    live-emotion report talk.csv --video talk.mov --why
    live-emotion report talk.csv --names "1=Anna,2+13+24=Ben"
    live-emotion report annotated/ --video lessons/
    """
    from live_emotion.errors import InputError
    from live_emotion.io.files.atomic import refuse_existing
    from live_emotion.io.files.names import refuse_clashes
    from live_emotion.pipelines.reports import report_folder, write_report_of
    from live_emotion.visualization.report.report import REPORT_FILES

    if (why or weights) and (rows.is_dir() or not (why and video)):
        raise click.UsageError("--why is for the rows of one video and needs --video; --weights is for --why.")
    if rows.is_dir():
        if names:
            raise click.UsageError("--names is for the rows of one video; people have other numbers in each.")
        _report_folder(rows, output or rows, video, force)
        return
    if video is not None and not video.is_file():
        raise InputError(f"There is no video file {video}; check the name.")
    folder = output or Path(report_folder(rows))
    refuse_clashes([folder / name for name in REPORT_FILES], [rows, *([video] if video else [])])
    for name in REPORT_FILES:
        refuse_existing(folder / name, force)
    with contextlib.ExitStack() as stack:
        explain = None
        if why:
            from live_emotion.pipelines.analyzer import EmotionAnalyzer
            from live_emotion.pipelines.config import AnalysisConfig

            explain = stack.enter_context(EmotionAnalyzer(AnalysisConfig(weights=weights))).explain_box
        tell = functools.partial(say, err=True)
        say(f"Saved {write_report_of(rows, folder, rows.stem, video, names, explain, tell)}")


def _report_folder(folder: Path, output: Path, videos: Path | None, force: bool) -> None:
    """Makes the reports of a folder and the page that lists them.

    Raises:
        LiveEmotionError: there are none, or not all of them could be made.
    """
    from tqdm import tqdm

    from live_emotion.errors import InputError, LiveEmotionError
    from live_emotion.io.few_lines import FewLines
    from live_emotion.pipelines.reports import make_reports, plan_reports
    from live_emotion.visualization.report.index import check_index, write_index

    if videos is not None and not videos.is_dir():
        raise InputError(f"{videos} is no folder; give the folder of the videos, or the rows of this one alone.")
    check_index(output, force)
    tasks = plan_reports(folder, output, videos)
    failed, errors = 0, FewLines(functools.partial(tqdm.write, file=sys.stderr))
    made = make_reports(tasks, force, errors.say)
    for error in tqdm(made, total=len(tasks), unit=" reports", disable=None, leave=False):
        if error:
            failed += 1
            errors.say(f"Error: {error}")
    page = write_index(output)
    if page:
        say(f"Saved {page}")
    elif not tasks:
        raise InputError(f"There are no rows in the folder {folder}; make them with: live-emotion video --data csv.")
    if failed:
        raise LiveEmotionError(f"{failed} of {len(tasks)} reports could not be made.")
