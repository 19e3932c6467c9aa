"""What a profile of a person's resting face gives, and what it costs.

    python benchmarks/calibration.py jaffe

Reads portraits in DIR/<emotion>/, whose names begin with the two letters of the person (as JAFFE's do). For each
person and each of their neutral portraits, makes the profile from that one alone and reads all of their others.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import click
import numpy as np

from live_emotion.emotions.profile import NEUTRAL, learn_profile
from live_emotion.io.atomic import atomic_write_text
from live_emotion.io.images import IMAGE_SUFFIXES, read_image
from live_emotion.pipelines.analyzer import AnalysisConfig, EmotionAnalyzer
from live_emotion.types import EMOTIONS, Frame


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--weights", type=click.Path(path_type=Path), help="In place of those that come with live-emotion.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(folder: Path, weights: Path | None, json_file: Path | None) -> None:
    """Measure profiles on people who are seen neutral and otherwise."""
    people: dict[str, list[tuple[int, np.ndarray]]] = defaultdict(list)
    missed = 0
    with EmotionAnalyzer(AnalysisConfig(weights)) as analyzer:
        for label, emotion in enumerate(EMOTIONS):
            for file in sorted(p for p in (folder / emotion).iterdir() if p.suffix.lower() in IMAGE_SUFFIXES):
                faces = analyzer.analyze(Frame(0, 0.0, read_image(file))).faces
                missed += not faces
                if faces:
                    people[file.name[:2]].append((label, np.array(faces[0].probabilities)))
    right: dict[str, list[list[bool]]] = {"before": [[] for _ in EMOTIONS], "after": [[] for _ in EMOTIONS]}
    neutral = EMOTIONS.index(NEUTRAL)
    for portraits in people.values():
        for own, (own_label, seen) in enumerate(portraits):
            if own_label != neutral:
                continue
            profile = learn_profile(seen[None], EMOTIONS)
            for i, (label, probabilities) in enumerate(portraits):
                if i != own:
                    right["before"][label].append(probabilities.argmax() == label)
                    right["after"][label].append(profile.correct(probabilities[None])[0].argmax() == label)
    figures = {when: {e: float(np.mean(r)) for e, r in zip(EMOTIONS, rows)} for when, rows in right.items()}
    click.echo(f"{len(people)} people, {sum(map(len, people.values()))} portraits read, {missed} without a face")
    click.echo(f"{'':7}" + "".join(f"{emotion:>9}" for emotion in EMOTIONS))
    for when, row in figures.items():
        click.echo(f"{when:7}" + "".join(f"{row[emotion]:9.1%}" for emotion in EMOTIONS))
    if json_file:
        atomic_write_text(json_file, json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
