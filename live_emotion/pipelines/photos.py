"""Photos through the pipeline: which files, the annotated copies, and the figure that explains them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from live_emotion.emotions.why import Why
from live_emotion.faces.preprocessing import crop_face, shrunk
from live_emotion.io.files.folders import expand_folders
from live_emotion.io.image_size import MOST_MEGAPIXELS
from live_emotion.io.images import IMAGE_SUFFIXES, read_image, write_image
from live_emotion.io.results_writer import FILE_COLUMN
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.crowd import crowd_notice
from live_emotion.types import Frame, Row, TrackedFace
from live_emotion.visualization.figures import draw_batch, draw_example
from live_emotion.visualization.heat import lay_heat
from live_emotion.visualization.overlay import label

EXAMPLE_FILE = "{}_example.png"
"""Of a photo's name."""

BATCH_FILE = "batch_predictions.png"

PREVIEW_SIDE = 1000
"""In pixels; the pictures show no photo larger."""


@dataclass(frozen=True)
class ReadPhoto:
    """A photo and what was found in it.

    It holds no more pixels than the pictures of :func:`save_figure` need, so that many photos fit into memory.

    Attributes:
        file: it was read from.
        size: width and height in pixels.
        faces: that were read, by size, largest first; their ``track_id`` counts them in this order, from 1.
        rows: of them, with the columns of ``--data``.
        found: how many there were.
        notice: what to do where some were not read, or may not have been found; or nothing.
        whys: of them, in their order; None where one cannot be read, and all of it is empty unless asked for.
        crop: (48, 48) uint8, the largest face as the network saw it; None where there is none.
        annotated_file: where the annotated copy was written, if it was.
        preview: that copy, (H, W, 3) uint8 BGR with no side longer than :data:`PREVIEW_SIDE`.
    """

    file: Path
    size: tuple[int, int]
    faces: tuple[TrackedFace, ...]
    rows: tuple[Row, ...]
    found: int
    notice: str
    whys: tuple[Why | None, ...]
    crop: np.ndarray | None
    annotated_file: Path | None = None
    preview: np.ndarray | None = None


def list_photos(paths: Sequence[Path]) -> list[Path]:
    """The paths, with each folder replaced by the image files in it, sorted.

    Raises:
        InputError: a folder holds no images or cannot be read.
    """
    return expand_folders(paths, lambda path: path.suffix.lower() in IMAGE_SUFFIXES, "photos")


def read_photo(
    file: Path,
    analyzer: EmotionAnalyzer,
    annotated_file: Path | None = None,
    index: int = 0,
    why: bool = False,
    heat: bool = False,
    most_megapixels: float = MOST_MEGAPIXELS,
) -> ReadPhoto:
    """Reads a photo, finds its faces and writes the annotated copy.

    Args:
        file: the photo.
        analyzer: finds and reads the faces.
        annotated_file: where the copy is to be; None: there is none.
        index: the photo's among those that are read, from 0; its ``frame`` in rows.
        why: also say why each face is read as it is.
        heat: that, and lay the map of where its emotion is seen over each face.
        most_megapixels: that it may have.

    Raises:
        InputError: no such file, not an image, or one that is too large.
        LiveEmotionError: the network gives no such map.
        OutputError: the copy cannot be written.
    """
    image = read_image(file, most_megapixels)
    result = analyzer.analyze(Frame(index, 0.0, image))
    result = replace(result, faces=[replace(face, track_id=i) for i, face in enumerate(result.faces, start=1)])
    whys = tuple(analyzer.explain(image, face, heat) for face in result.faces) if why or heat else ()
    photo = ReadPhoto(
        file,
        (image.shape[1], image.shape[0]),
        tuple(result.faces),
        tuple({FILE_COLUMN: str(file)} | row for row in result.rows()),
        result.found,
        crowd_notice(result, analyzer.config.detector),
        whys,
        crop_face(image, result.faces[0].box) if result.faces else None,
    )
    if annotated_file is None:
        return photo
    for face, each in zip(result.faces, whys):
        if each and each.heat is not None:
            image = lay_heat(image, face.box, each.heat)
    annotated = replace(result, frame=replace(result.frame, image=image)).draw()
    write_image(annotated_file, annotated)
    return replace(photo, annotated_file=annotated_file, preview=shrunk(annotated, PREVIEW_SIDE))


def figure_file(names: Sequence[str], folder: Path) -> Path:
    """Where :func:`save_figure` draws photos of these names."""
    return folder / (EXAMPLE_FILE.format(names[0]) if len(names) == 1 else BATCH_FILE)


def save_figure(photos: Sequence[ReadPhoto], class_names: Sequence[str], path: Path) -> Path | None:
    """Draws the example of a single photo with a face, or the grid of several, to a PNG file.

    Photos without an annotated copy have nothing to draw.

    Returns:
        the file that was written, or None where there is nothing to show.

    Raises:
        OutputError: it cannot be written.
    """
    shown = [(photo, photo.preview) for photo in photos if photo.preview is not None]
    if len(shown) > 1:
        titles = [f"{photo.file.name}\n{_summary(photo.faces)}" for photo, _ in shown]
        draw_batch([preview for _, preview in shown], titles, path)
        return path
    for photo, preview in shown:
        if photo.crop is not None:
            face, why = photo.faces[0], photo.whys[0] if photo.whys else None
            whose = (face.name or f"Face {face.track_id}") if len(photo.faces) > 1 else ""
            draw_example(preview, photo.crop, face.prediction, class_names, path, why, whose)
            return path
    return None


def _summary(faces: Sequence[TrackedFace]) -> str:
    if not faces:
        return "no face"
    if len(faces) > 2:
        counts = Counter(face.note or face.emotion for face in faces)
        return ", ".join(f"{count} {name}" for name, count in counts.items())
    return ", ".join(map(label, faces))
