"""A folder of whole photos as a folder of faces."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from live_emotion.errors import DataError, InputError
from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.io.few_lines import FewLines
from live_emotion.io.files.folders import make_folder
from live_emotion.io.files.names import output_names
from live_emotion.io.image_size import MOST_MEGAPIXELS
from live_emotion.io.images import other_files, read_image, write_image
from train.console import progress, say
from train.data.dataset import find_classes, image_files
from train.data.folders import SPLITS, publish_folder
from train.data.sources.crops import crop_largest


def prepare_photos(
    source: Path,
    output: Path,
    split: str,
    detector: FaceDetector,
    force: bool = False,
    most_megapixels: float = MOST_MEGAPIXELS,
) -> Counter[tuple[str, str]]:
    """Makes ``output`` a training folder of the faces in photos.

    Args:
        source: holds a folder of photos for each class, or for each split a folder of those.
        output: its split's folders appear when all is done.
        split: that photos right in ``source`` are for.
        detector: finds the faces.
        force: put it in place of what is there already.
        most_megapixels: that a photo may have.

    Returns:
        how many faces each split and class has.

    Raises:
        DataError: there are no photos, or no photo of a class shows a face.
        OutputError: the folder can't be written, or is there already.
    """
    folders = split_folders(source, split)
    origin = {"photos": str(source.resolve()), "detector": [detector.kind, detector.min_confidence], "split": split}
    counts: Counter[tuple[str, str]] = Counter()
    with publish_folder(output, tuple(folders), origin, force, resumable=True) as unfinished:
        for name, folder in folders.items():
            faces = crop_photos(folder, unfinished / name, detector, most_megapixels)
            counts.update({(name, label): count for label, count in faces.items()})
    return counts


def split_folders(source: Path, split: str) -> dict[str, Path]:
    """Where each split's photos are: in ``source`` itself, or in its folders train, val and test.

    Args:
        source: holds a folder of photos for each class, or for each split a folder of those.
        split: that photos right in ``source`` are for.

    Raises:
        DataError: it is neither.
    """
    inside = {name: source / name for name in SPLITS if find_classes(source / name)}
    if inside:
        return inside
    if not find_classes(source):
        raise DataError(f"{source} should hold one folder of photos for each class, such as {source / 'happy'}.")
    return {split: source}


def crop_photos(
    folder: Path, target: Path, detector: FaceDetector, most_megapixels: float = MOST_MEGAPIXELS
) -> Counter[str]:
    """Writes the largest face of each photo in ``folder/<class>/`` to ``target/<class>/*.png``.

    Photos without a face, broken ones and what is no photo are named and left out. Faces that are in ``target``
    already and newer than their photo are kept as they are, and those of photos that are there no more are removed.

    Returns:
        how many faces each class has.

    Raises:
        DataError: a class has no photos, or no photo of a class shows a face.
        OutputError: ``target`` can't be written.
    """
    photos = {name: image_files(folder / name) for name in find_classes(folder)}
    outputs = {name: [target / name / f"{face}.png" for face in output_names(files)] for name, files in photos.items()}
    _remove_others(target, outputs)
    faces: Counter[str] = Counter(dict.fromkeys(photos, 0))
    left_out: Counter[str] = Counter()
    skipped = FewLines(say)
    with progress(total=sum(map(len, photos.values())), desc=folder.name, unit="photo") as bar:
        for name, files in photos.items():
            make_folder(target / name)
            if note := other_files(folder / name):
                say(note)
            for file, face in zip(files, outputs[name]):
                fault = "" if _is_done(file, face) else _crop(file, face, detector, most_megapixels, skipped)
                if fault:
                    left_out[fault] += 1
                else:
                    faces[name] += 1
                bar.update()
    for name, count in faces.items():
        if not count:
            raise DataError(f"No photo in {folder / name} shows a face; add some, or remove the folder.")
    for fault, count in left_out.items():
        say(f"Left out {count} of {left_out.total() + faces.total()} photos in {folder} that {fault}.")
    return faces


def _remove_others(target: Path, outputs: Mapping[str, Sequence[Path]]) -> None:
    """Removes faces and classes that a run before made of photos that are there no more."""
    for name in set(find_classes(target)) - set(outputs):
        shutil.rmtree(target / name)
    for name, faces in outputs.items():
        for face in set(image_files(target / name)) - set(faces):
            face.unlink()


def _is_done(photo: Path, face: Path) -> bool:
    return face.exists() and face.stat().st_mtime >= photo.stat().st_mtime


def _crop(photo: Path, face: Path, detector: FaceDetector, most_megapixels: float, skipped: FewLines) -> str:
    """Writes a photo's largest face; says why where there is none."""
    try:
        image = read_image(photo, most_megapixels)
    except InputError as error:
        skipped.say(f"Skipped: {error}")
        return "could not be read"
    crop = crop_largest(detector, image)
    if crop is None:
        skipped.say(f"Skipped: {photo} shows no face that the detector finds.")
        return "gave no face"
    if crop.faces > 1:
        skipped.say(f"{photo} shows {crop.faces} faces; took the largest.")
    write_image(face, crop.face)
    return ""
