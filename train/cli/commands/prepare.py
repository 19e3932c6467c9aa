"""``python -m train prepare``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from live_emotion.cli.console import say
from live_emotion.cli.options import detector_option, max_megapixels_option, min_confidence_option


@click.command("prepare")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data"),
    show_default=True,
    metavar="DIR",
    help="The training folder; made if it is missing.",
)
@click.option(
    "--votes",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Microsoft's fer2013new.csv for fer2013.csv.  [default: the one beside it, if there is one]",
)
@click.option(
    "--split",
    default="train",
    show_default=True,
    type=click.Choice(("train", "val", "test")),
    help="What photos are for that don't lie in folders train, val and test.",
)
@detector_option
@min_confidence_option
@max_megapixels_option
@click.option("--force", is_flag=True, help="Put the new images in place of those in the training folder.")
def command(
    source: Path,
    output: Path,
    votes: Path | None,
    split: str,
    detector: str,
    min_confidence: float,
    most_megapixels: float,
    force: bool,
) -> None:
    """Make a training folder of Kaggle's fer2013.csv, or of a folder of photos.

    Of each photo in SOURCE/<class>/ the largest face is found, cut out as live use does it, and stored as 48x48
    grey PNG. JPEG, PNG, WebP, AVIF, GIF, TIFF and BMP are read, and HEIC by pip install 'live-emotion[heif]'. Photos
    without a face, broken ones and what is no photo are named and left out. Stopped among photos, it goes on where it
    was when given again; the training folder appears when all is done.

    \b
    python -m train prepare fer2013.csv
    python -m train prepare photos -o faces          photos/happy/*, photos/sad/* -> faces/train/...
    python -m train prepare more -o faces --split val
    """
    from train.data.sources import fer2013
    from train.data.sources import prepare as photos

    if source.is_file():
        beside = source.with_name(fer2013.VOTES_TABLE)
        votes = votes or (beside if beside.is_file() else None)
        counts = fer2013.prepare_table(source, output, votes, force)
    else:
        if votes:
            raise click.UsageError("--votes belongs to fer2013.csv; photos have none.")
        from live_emotion.faces.detection.detector import FaceDetector

        with FaceDetector(detector, min_confidence) as faces:
            counts = photos.prepare_photos(source, output, split, faces, force, most_megapixels)
    _report(counts, output)
    say(f"Next: python -m train --data {output}" + (f" --votes {output / fer2013.VOTES}" if votes else ""))


def _report(counts: Mapping[tuple[str, str], int], output: Path) -> None:
    for split in dict.fromkeys(split for split, _ in counts):
        classes = {name: count for (other, name), count in sorted(counts.items()) if other == split}
        listed = ", ".join(f"{name} {count}" for name, count in classes.items())
        say(f"{output / split}: {sum(classes.values())} faces ({listed})")
