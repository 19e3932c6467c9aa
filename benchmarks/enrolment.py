"""What an enrolment gives, how often it is given to the wrong person, and what wrong labels do.

    python benchmarks/enrolment.py jaffe --data fer2013 --votes fer2013/ferplus_votes.csv

Reads portraits in DIR/<emotion>/, whose names begin with the two letters of the person (as JAFFE's do), by the whole
pipeline. Each draw enrols each person with a few portraits and reads all of the person's others. With ``--data`` four
faces of FER2013's training split are enrolled with random and with exchanged labels, and others of it are read.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import numpy as np

from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.emotions.profile import NEUTRAL, Profile, resting_doubt
from live_emotion.emotions.recognition import LEAST_LIKENESS
from live_emotion.errors import InputError
from live_emotion.faces.appearance import mean_direction
from live_emotion.io.files.atomic import atomic_write_text
from live_emotion.io.images import IMAGE_SUFFIXES, read_image
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.result import looks_of
from live_emotion.types import EMOTIONS, Frame

VOTES = {"angry": "anger", "happy": "happiness", "neutral": "neutral", "sad": "sadness"}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--weights", type=click.Path(path_type=Path), help="In place of those that come with live-emotion.")
@click.option("--draws", default=20, show_default=True, help="How often portraits are drawn to enrol with.")
@click.option("--seed", default=0, show_default=True)
@click.option("--data", type=click.Path(path_type=Path, exists=True), help="FER2013, with train/<emotion>/.")
@click.option("--votes", type=click.Path(path_type=Path, exists=True), help="FER+ votes, for --data.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(
    folder: Path,
    weights: Path | None,
    draws: int,
    seed: int,
    data: Path | None,
    votes: Path | None,
    json_file: Path | None,
) -> None:
    """Measure enrolment on people who are seen neutral and otherwise."""
    with EmotionAnalyzer(AnalysisConfig(weights or ())) as analyzer:
        classifier = analyzer.classifier
        faces, labels, people, looks, missed = read_portraits(folder, analyzer)
    click.echo(f"{len(set(people))} people, {len(faces)} portraits read, {missed} without a face")
    click.echo(f"{'':32}" + "".join(f"{emotion:>9}" for emotion in (*EMOTIONS, "mean")) + "  refused")
    figures = {"no profile": recalls(classifier.predict(faces).argmax(axis=1), labels)}
    show("no profile", figures["no profile"])
    for name, emotions, count in (
        ("one image of each emotion", EMOTIONS, 1),
        ("two images of each emotion", EMOTIONS, 2),
        ("one, without happy", ("angry", NEUTRAL, "sad"), 1),
        ("one of neutral alone", (NEUTRAL,), 1),
    ):
        rng = np.random.default_rng(seed)
        shown, truth, refused = [], [], 0
        for _ in range(draws):
            for person in sorted(set(people)):
                enrolled, read = draw(rng, labels, people == person, emotions, count)
                try:
                    profile = Profile.fit(faces[enrolled], [EMOTIONS[i] for i in labels[enrolled]], classifier)
                except InputError:
                    profile, refused = None, refused + 1
                shown.append(_read(classifier, profile, faces[read]))
                truth.append(labels[read])
        figures[name] = recalls(np.concatenate(shown), np.concatenate(truth))
        show(name, figures[name], refused / (draws * len(set(people))))
    figures["recognition"] = recognition(looks, labels, people, draws, seed)
    found = figures["recognition"]
    click.echo(
        f"Of the enrolled person's faces {found['missed']:.1%} are not known, of others' {found['wrong']:.1%} are"
    )
    click.echo(
        f"taken for this person (likeness {LEAST_LIKENESS}); of ten enrolled people {found['first']:.1%} get their own "
        "profile."
    )
    figures["no resting face"] = not_at_rest(classifier, faces, labels)
    click.echo(f"{'taken for no resting face':32}" + "".join(f"{v:9.1%}" for v in figures["no resting face"].values()))
    if data and votes:
        figures["harm"] = harm(classifier, data, votes, draws, seed)
        for name, (recall, refused) in figures["harm"].items():
            click.echo(f"FER2013, {name}: mean recall {recall:.1%}, refused {refused:.0%}")
    if json_file:
        atomic_write_text(json_file, json.dumps(figures, indent=2))


def read_portraits(
    folder: Path, analyzer: EmotionAnalyzer
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
    """Faces (N, 48, 48), labels (N,), people (N,) of two letters, looks (N, LOOK_SIZE), and how many portraits show no
    face.
    """
    faces, labels, people, looks, missed = [], [], [], [], 0
    for label, emotion in enumerate(EMOTIONS):
        for file in sorted(p for p in (folder / emotion).iterdir() if p.suffix.lower() in IMAGE_SUFFIXES):
            found = analyzer.find(Frame(0, 0.0, read_image(file)))
            missed += not found.faces
            if found.faces:
                faces.append(found.crops[0])
                labels.append(label)
                people.append(file.name[:2])
                looks.append(looks_of(found)[0])
    return np.stack(faces), np.array(labels), np.array(people), np.stack(looks), missed


def draw(
    rng: np.random.Generator, labels: np.ndarray, of_person: np.ndarray, emotions: Sequence[str], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Indices to enrol with, ``count`` of each emotion but never all, and of the person's others."""
    own = np.flatnonzero(of_person)
    enrolled = []
    for emotion in emotions:
        there = own[labels[own] == EMOTIONS.index(emotion)]
        enrolled += rng.choice(there, min(count, len(there) - 1), replace=False).tolist()
    return np.array(enrolled), np.setdiff1d(own, enrolled)


def recognition(looks: np.ndarray, labels: np.ndarray, people: np.ndarray, draws: int, seed: int) -> dict[str, float]:
    """How often an enrolled person's face is not known, another's is taken for it, and the right one is first."""
    rng = np.random.default_rng(seed)
    names = sorted(set(people))
    own, others, first = [], [], []
    for _ in range(draws):
        likeness = np.zeros((len(looks), len(names)))
        rest = np.zeros(len(looks), bool)
        for column, person in enumerate(names):
            enrolled, read = draw(rng, labels, people == person, EMOTIONS, 1)
            likeness[:, column] = looks @ mean_direction(looks[enrolled])
            rest[read] = True
        is_own = people[:, None] == np.array(names)
        own.append(likeness[rest][is_own[rest]])
        others.append(likeness[rest][~is_own[rest]])
        first.append(is_own[rest][range(int(rest.sum())), likeness[rest].argmax(axis=1)])
    return {
        "missed": float((np.concatenate(own) < LEAST_LIKENESS).mean()),
        "wrong": float((np.concatenate(others) >= LEAST_LIKENESS).mean()),
        "first": float(np.concatenate(first).mean()),
    }


def not_at_rest(classifier: EmotionClassifier, faces: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Of each emotion the part of the portraits that calibrate refuses as a resting face."""
    doubts = np.array([bool(resting_doubt(row[None], EMOTIONS)) for row in classifier.read(faces)[0]])
    return {name: float(doubts[labels == label].mean()) for label, name in enumerate(EMOTIONS)}


def harm(
    classifier: EmotionClassifier, data: Path, votes: Path, draws: int, seed: int, count: int = 800
) -> dict[str, tuple[float, float]]:
    """Mean recall on FER2013's training faces with no profile, and with such as were learnt from wrong labels."""
    rng = np.random.default_rng(seed)
    faces, labels = fer_faces(data, votes, rng, count)
    read = classifier.read(faces)

    def enrol(choose: Callable[[], tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
        scores, refused = [], 0
        for _ in range(5 * draws):
            chosen, given = choose()
            try:
                profile = Profile.fit(faces[chosen], [EMOTIONS[i] for i in given], classifier)
                shown = profile.correct(*read)[:, : len(EMOTIONS)].argmax(axis=1)
            except InputError:
                shown, refused = read[0][:, : len(EMOTIONS)].argmax(axis=1), refused + 1
            scores.append(recalls(shown, labels)["mean"])
        return float(np.mean(scores)), refused / (5 * draws)

    each = np.arange(len(EMOTIONS))

    def exchanged() -> tuple[np.ndarray, np.ndarray]:
        chosen = np.array([rng.choice(np.flatnonzero(labels == label)) for label in each])
        return chosen, np.roll(each, rng.integers(1, len(each)))

    return {
        "no profile": (recalls(read[0][:, : len(EMOTIONS)].argmax(axis=1), labels)["mean"], 0.0),
        "four random faces": enrol(lambda: (rng.integers(0, len(faces), len(each)), each)),
        "four faces with exchanged labels": enrol(exchanged),
    }


def fer_faces(data: Path, votes: Path, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Faces of the training split on which more than half of the people agree, with what they say."""
    faces, labels = [], []
    with votes.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
    for i in rng.permutation(len(rows)):
        said = [int(rows[i][VOTES[emotion]]) for emotion in EMOTIONS]
        total = sum(int(value) for name, value in rows[i].items() if name not in ("split", "file", "fer_label"))
        if max(said) > total / 2:
            image = read_image(data / "train" / rows[i]["file"])
            faces.append(image if image.ndim == 2 else image[:, :, 0])
            labels.append(int(np.argmax(said)))
        if len(faces) == count:
            break
    return np.stack(faces), np.array(labels)


def recalls(shown: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Of each emotion, and their mean."""
    values = {name: float((shown[truth == label] == label).mean()) for label, name in enumerate(EMOTIONS)}
    return values | {"mean": float(np.mean(list(values.values())))}


def show(name: str, row: dict[str, float], refused: float = 0.0) -> None:
    click.echo(f"{name:32}" + "".join(f"{value:9.1%}" for value in row.values()) + f"{refused:9.1%}")


def _read(classifier: EmotionClassifier, profile: Profile | None, faces: np.ndarray) -> np.ndarray:
    probabilities, embeddings = classifier.read(faces)
    if profile:
        probabilities = profile.correct(probabilities, embeddings)
    return probabilities[:, : len(EMOTIONS)].argmax(axis=1)


if __name__ == "__main__":
    main()
