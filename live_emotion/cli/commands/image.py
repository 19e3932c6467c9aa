"""``live-emotion image``: faces and emotions in photos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from live_emotion.cli.options import analysis_options, force_option, profile_option
from live_emotion.errors import InputError, LiveEmotionError

if TYPE_CHECKING:
    from live_emotion.pipelines.photos import ReadPhoto


@click.command("image")
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PHOTO...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results"),
    show_default=True,
    metavar="DIR",
    help="Folder for the images; made if it is missing.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a photo, in place of text.")
@force_option
@profile_option
@analysis_options
def command(photos: tuple[Path, ...], output: Path, as_json: bool, force: bool, **analysis: Any) -> None:
    """Read the emotions of the faces in photos.

    Prints every face with its emotion and saves an annotated copy of each photo as <name>_annotated.png. One photo
    also gives <name>_example.png: the photo, the face as the network saw it, and the four probabilities.
    Several give batch_predictions.png: all of them in a grid. A folder stands for the photos in it.

    \b
    live-emotion image party.jpg
    live-emotion image holiday/ -o holiday-emotions --detector tiled
    live-emotion image portrait.png --json
    """
    from live_emotion.io.atomic import make_folder, refuse_existing
    from live_emotion.io.images import other_files
    from live_emotion.pipelines.analyzer import AnalysisConfig, EmotionAnalyzer
    from live_emotion.pipelines.photos import figure_file, list_photos, read_photo, save_figure
    from live_emotion.pipelines.videos.planning import output_names

    files = list_photos(photos)
    for note in filter(None, (other_files(path) for path in photos if path.is_dir())):
        click.echo(note, err=True)
    make_folder(output)
    names = output_names(files)
    copies = [output / f"{name}_annotated.png" for name in names]
    explained = figure_file(names, output)
    for path in (*copies, explained):
        refuse_existing(path, force)
    done: list[ReadPhoto] = []
    failed = 0
    with EmotionAnalyzer(AnalysisConfig(**analysis)) as analyzer:
        class_names = analyzer.class_names
        for file, copy in zip(files, copies):
            try:
                photo = read_photo(file, analyzer, copy)
            except InputError as error:
                if len(files) == 1:
                    raise
                click.echo(f"Error: {error}", err=True)
                failed += 1
                continue
            done.append(photo)
            if not as_json:
                _print_photo(photo)
    figure = save_figure(done, class_names, explained)
    if as_json:
        click.echo(json.dumps([_as_json(photo, class_names) for photo in done], indent=2))
    saved = [photo.annotated_file for photo in done] + ([figure] if figure else [])
    if saved:
        click.echo(f"Saved {', '.join(str(path) for path in saved)}", err=as_json)
    if failed:
        raise LiveEmotionError(f"{failed} of {len(files)} photos could not be read; the others are done.")


def _print_photo(photo: ReadPhoto) -> None:
    count = len(photo.faces)
    click.echo(f"{photo.file}: {count or 'no'} face{'' if count == 1 else 's'}")
    for number, face in enumerate(photo.faces, start=1):
        x1, y1, x2, y2 = (round(v) for v in face.box)
        note = f" ({face.note})" if face.note else ""
        click.echo(f"  {number}. {face.emotion} {face.confidence:.1%}{note}  at ({x1}, {y1})-({x2}, {y2})")
    if photo.notice:
        click.echo(f"  {photo.notice}")


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
                "emotion": face.emotion,
                "confidence": round(face.confidence, 4),
                "other": round(face.other, 4),
                "note": face.note,
                "probabilities": {n: round(p, 4) for n, p in zip(class_names, face.probabilities)},
            }
            for face in photo.faces
        ],
    }
