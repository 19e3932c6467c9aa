"""``live-emotion image``: faces and emotions in photos."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from live_emotion.cli.console import print_json, say
from live_emotion.cli.options import analysis_options, force_option, max_megapixels_option, profile_option
from live_emotion.errors import InputError, LiveEmotionError, one_line

if TYPE_CHECKING:
    from live_emotion.emotions.why import Why
    from live_emotion.pipelines.photos import ReadPhoto

PICTURES = Path("results")


@click.command("image")
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PHOTO...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help=f"Folder for the pictures; made if it is missing.  [default: {PICTURES}; none with --json or --data]",
)
@click.option("--no-pictures", is_flag=True, help="Print the faces and write no pictures.")
@click.option("--why", is_flag=True, help="Say what each face's emotion rests on: what it is with a part of it hidden.")
@click.option(
    "--heat-map", "heat", is_flag=True, help="That, and show in the pictures where on each face its emotion is seen."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a photo, in place of text.")
@click.option(
    "--data",
    multiple=True,
    metavar="FILE",
    help="Write a row for each face to a .csv, .jsonl or .parquet file: the photo's file and the columns of 'video "
    "--data'. - prints JSON Lines in place of text. May be given several times.",
)
@max_megapixels_option
@force_option
@profile_option
@analysis_options
def command(
    photos: tuple[Path, ...],
    output: Path | None,
    no_pictures: bool,
    why: bool,
    heat: bool,
    as_json: bool,
    data: tuple[str, ...],
    most_megapixels: float,
    force: bool,
    **analysis: Any,
) -> None:
    """Read the emotions of the faces in photos.

    Prints every face with its emotion and saves an annotated copy of each photo as <name>_annotated.png. One photo
    also gives <name>_example.png: the photo, the face as the network saw it, and the four probabilities.
    Several give batch_predictions.png: all of them in a grid. A folder stands for the photos in it.

    \b
    live-emotion image party.jpg
    live-emotion image holiday/ -o holiday-emotions --detector tiled
    live-emotion image holiday/ --data holiday.csv
    live-emotion image portrait.png --json
    live-emotion image portrait.png --why
    """
    from live_emotion.io.few_lines import FewLines
    from live_emotion.io.files.atomic import kept_if_whole
    from live_emotion.io.images import other_files
    from live_emotion.io.results_writer import STANDARD_OUTPUT, open_results_writer
    from live_emotion.pipelines.analyzer import EmotionAnalyzer
    from live_emotion.pipelines.config import AnalysisConfig
    from live_emotion.pipelines.photos import list_photos, read_photo, save_figure

    if no_pictures and output:
        raise click.UsageError("-o is the folder for pictures and --no-pictures writes none; give one of them.")
    if as_json and STANDARD_OUTPUT in data:
        raise click.UsageError("--json and --data - both print on standard output; give one of them.")
    files = list_photos(photos)
    for note in filter(None, (other_files(path) for path in photos if path.is_dir())):
        say(note, err=True)
    if output is None and not (no_pictures or as_json or data):
        output = PICTURES
    copies, figure_path = _outputs(files, output, data, force)
    done: list[ReadPhoto] = []
    failed = 0
    errors = FewLines(functools.partial(say, err=True))
    with contextlib.ExitStack() as stack:
        analyzer = stack.enter_context(EmotionAnalyzer(AnalysisConfig(**analysis)))
        class_names = analyzer.class_names
        tables = [
            kept_if_whole(stack, open_results_writer(path, class_names, of_photos=True)) for path in dict.fromkeys(data)
        ]
        for index, (file, copy) in enumerate(zip(files, copies)):
            try:
                heats = heat and copy is not None
                photo = read_photo(file, analyzer, copy, index, why or heat, heats, most_megapixels)
            except InputError as error:
                if len(files) == 1:
                    raise
                errors.say(f"Error: {error}")
                failed += 1
                continue
            done.append(photo)
            for table in tables:
                table.write_rows(photo.rows)
            if not as_json:
                _print_photo(photo, to_stderr=STANDARD_OUTPUT in data)
    figure = save_figure(done, class_names, figure_path) if figure_path else None
    if as_json:
        print_json([_as_json(photo, class_names) for photo in done])
    saved = [photo.annotated_file for photo in done if photo.annotated_file] + ([figure] if figure else [])
    saved += [Path(path) for path in dict.fromkeys(data) if path != STANDARD_OUTPUT]
    if saved:
        say(f"Saved {', '.join(one_line(str(path)) for path in saved)}", err=as_json or STANDARD_OUTPUT in data)
    if failed:
        if not done:
            raise LiveEmotionError(f"None of the {failed} photos could be read.")
        raise LiveEmotionError(f"{failed} of {len(files)} photos could not be read; the others are done.")


def _outputs(
    files: Sequence[Path], folder: Path | None, data: Sequence[str], force: bool
) -> tuple[list[Path | None], Path | None]:
    """What is written: each photo's annotated copy, and the figure of all; None where there are no pictures.

    Raises:
        OutputError: a file is there already, or cannot be written.
        MissingExtraError: Parquet without the package for it.
    """
    from live_emotion.io.files.atomic import check_writable, refuse_existing
    from live_emotion.io.files.folders import make_folder
    from live_emotion.io.files.names import output_names, refuse_clashes
    from live_emotion.io.results_writer import STANDARD_OUTPUT, check_data_path
    from live_emotion.pipelines.photos import figure_file

    names = output_names(files)
    copies = [folder / f"{name}_annotated.png" for name in names] if folder else []
    figure = figure_file(names, folder) if folder else None
    tables = [Path(path) for path in data if path != STANDARD_OUTPUT]
    outputs = [*copies, *filter(None, [figure]), *tables]
    for path in tables:
        check_data_path(path)
    for path in outputs:
        refuse_existing(path, force, "choose another name" if path in tables else "choose another folder with -o")
    refuse_clashes([*dict.fromkeys(outputs)], files)
    for parent in dict.fromkeys(path.parent for path in outputs):
        make_folder(parent)
    for path in outputs:
        check_writable(path)
    return [*copies] or [None] * len(files), figure


def _print_photo(photo: ReadPhoto, to_stderr: bool) -> None:
    from live_emotion.faces.quality import OTHER

    tell = functools.partial(say, err=to_stderr)
    count = len(photo.faces)
    tell(f"{one_line(str(photo.file))}: {count or 'no'} face{'' if count == 1 else 's'}")
    for number, face in enumerate(photo.faces, start=1):
        x1, y1, x2, y2 = (round(v) for v in face.box)
        note = f" ({face.note})" if face.note and face.note != OTHER else ""
        read = f"{OTHER} {face.other:.1%}" if face.note == OTHER else f"{face.emotion} {face.confidence:.1%}"
        who = f" {face.name}:" if face.name else ""
        tell(f"  {number}.{who} {read}{note}  at ({x1}, {y1})-({x2}, {y2})")
        if photo.whys and (why := photo.whys[number - 1]):
            tell(f"     {why}")
    if photo.notice:
        tell(f"  {photo.notice}")


def _as_json(photo: ReadPhoto, class_names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "file": str(photo.file),
        "width": photo.size[0],
        "height": photo.size[1],
        "faces_found": photo.found,
        "faces": [
            {
                "box": [round(v, 1) for v in face.box],
                "detection_score": round(face.score, 4),
                "name": face.name,
                "emotion": face.emotion,
                "confidence": round(face.confidence, 4),
                "other": round(face.other, 4),
                "note": face.note,
                "probabilities": {n: round(p, 4) for n, p in zip(class_names, face.probabilities)},
            }
            | ({"why": _why_as_json(photo.whys[i])} if photo.whys else {})
            for i, face in enumerate(photo.faces)
        ],
    }


def _why_as_json(why: Why | None) -> dict[str, Any] | None:
    if why is None:
        return None
    without = {name: round(p, 4) for name, p in why.without.items()}
    return {"text": str(why), "emotion": why.emotion, "confidence": round(why.confidence, 4), "without": without}
