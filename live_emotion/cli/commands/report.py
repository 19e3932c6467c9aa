"""``live-emotion report``: rows of data as a page to read."""

from __future__ import annotations

from pathlib import Path

import click

from live_emotion.cli.names import NamesType
from live_emotion.cli.options import force_option


@click.command("report")
@click.argument("rows", type=click.Path(path_type=Path), metavar="IN.csv")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for the report; made if it is missing.  [default: IN_report]",
)
@click.option(
    "--video",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The video that the rows are of, for a picture of each person; the page plays it, if it lies beside the page.",
)
@click.option(
    "--names",
    type=NamesType(),
    metavar="NAMES",
    help="Name people by their numbers, and merge those that are one person: 1=Anna,2+13+24=Ben.",
)
@force_option
def command(rows: Path, output: Path | None, video: Path | None, names: dict[int, str] | None, force: bool) -> None:
    """Show the emotions of each person in a video over time.

    Takes the rows that --data or --log wrote, as .csv, .jsonl or .parquet. Makes report.html, a page that holds all it
    shows and opens offline, timeline.png, and people.csv, a table with a row for each person.

    \b
    live-emotion report talk.csv --video talk.mov
    live-emotion report talk.csv --names "1=Anna,2+13+24=Ben"
    """
    from live_emotion.errors import InputError
    from live_emotion.io.atomic import refuse_existing
    from live_emotion.io.results_reader import read_table
    from live_emotion.visualization.report.player import player
    from live_emotion.visualization.report.report import REPORT_FILES, check_length, write_report

    if video is not None and not video.is_file():
        raise InputError(f"There is no video file {video}; check the name.")
    folder = output or Path(f"{rows.stem}_report")
    for name in REPORT_FILES:
        refuse_existing(folder / name, force)
    table = read_table(rows)
    if video:
        check_length(table, video)
    played = player(video, folder) if video else None
    page = write_report(table, folder, video.name if video else rows.stem, video, played, names=names)
    click.echo(f"Saved {page}")
