"""Whether people keep their numbers: in videos of known people who come and go, pass each other, and are cut between.

    python benchmarks/identities.py group.jpg jaffe portrait.jpg ...

Cuts everyone out of the photos and composes videos of them: they leave for seconds and come back elsewhere, pass
behind each other, are seen in other arrangements after a cut, and stand in a crowd; sizes, light, walls and expressions
change. A folder holds portraits in <emotion>/, whose names begin with the two letters of the person (as JAFFE's do);
in other photos every face is somebody else's, and both portraits that come with live-emotion are always in. Everyone
wears a colour that others may wear, too. The product's own analyzer reads the videos. IDF1 (Ristani et al., 2016) is
the part of all faces that have the number of their person, in the best assignment of numbers to people; a switch is a
face whose number is another than the last time; a mixed number is one that two people had for half a second or longer.

Seeds below 1000 were looked at while the tracker was written; report others.
"""

from __future__ import annotations

import itertools
import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import click
import cv2
import lap
import numpy as np

from live_emotion.faces.appearance import HUES, SHADES, appearance
from live_emotion.faces.boxes import intersection_over_union
from live_emotion.faces.merging import unit
from live_emotion.faces.preprocessing import crop_face
from live_emotion.faces.tracker import Tracker
from live_emotion.io.files.atomic import atomic_write_text
from live_emotion.io.images import IMAGE_SUFFIXES, read_image
from live_emotion.io.video.demo_clip import read_portrait, read_smile
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.types import EMOTIONS, Face, Frame, TrackedFace
from train.metrics import area_under_curve

WIDTH, HEIGHT, FPS = 960, 540, 15
LENGTH_S = 20.0
SPACE = 1.0
"""How much of a portrait around the face is cut out to each side, in boxes."""

CUT_OUT = 160
"""Side of a face in a cut-out, in pixels."""

VISIBLE = 0.6
"""Part of a face that must be seen for it to count; less, and it may be found or not."""

SAME_BOX = 0.4
"""Intersection over union of a person's face and a box that is theirs."""

MIXED_S = 0.5

WAYS = ("place alone", "place and looks", "merged at the end")
"""How faces get their numbers: as a tracker does that knows no looks, as a camera's, and as a video's rows."""

CUES_EVERY = 10
"""Of so many frames one is used to tell cues from each other."""

COLOURS = SHADES * HUES * HUES
"""How many of the numbers that describe somebody are of the clothes, the last of them."""

Scene = tuple[Frame, dict[str, np.ndarray], set[str]]
"""A frame, the boxes of the faces in it by person, and those people of whom too little is seen to count."""


@dataclass(frozen=True)
class CutOut:
    """A person in one photo: uint8 BGR, opacity 0 to 1, and the face's box (x1, y1, x2, y2), in pixels."""

    image: np.ndarray
    opacity: np.ndarray
    box: np.ndarray


@dataclass(frozen=True)
class Place:
    """Where somebody is from a time on, in seconds: middle and side of the face in pixels; nearer ones hide others."""

    time_s: float
    x: float
    y: float
    side: float


@dataclass
class Actor:
    """Somebody in a video.

    Attributes:
        name: of the person.
        cut_outs: of the person; the expression changes between them.
        shirt: its colour, BGR.
        stretches: of presence: places that are walked along.
    """

    name: str
    cut_outs: list[CutOut]
    shirt: tuple[int, int, int]
    stretches: list[list[Place]]

    def place(self, time_s: float) -> Place | None:
        """Where the person is, or None."""
        for stretch in self.stretches:
            if stretch[0].time_s <= time_s < stretch[-1].time_s:
                a, b = next((a, b) for a, b in pairwise(stretch) if time_s < b.time_s)
                share = (time_s - a.time_s) / max(b.time_s - a.time_s, 1e-9)
                eased = share * share * (3 - 2 * share)
                values = [getattr(a, k) + eased * (getattr(b, k) - getattr(a, k)) for k in ("x", "y", "side")]
                return Place(time_s, *values)
        return None


def cut_out(image: np.ndarray, box: tuple[float, ...]) -> CutOut:
    """Cuts a person out around a face."""
    x1, y1, x2, y2 = box
    side = max(x2 - x1, y2 - y1)
    scale = CUT_OUT / side
    left, top = x1 - SPACE * side, y1 - SPACE * side
    size = round(CUT_OUT * (1 + 2 * SPACE))
    matrix = np.array([[scale, 0, -scale * left], [0, scale, -scale * top]])
    piece = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.full(image.shape[:2], 255, np.uint8), matrix, (size, size)) > 127
    mask = np.full((size, size), cv2.GC_BGD, np.uint8)
    middle = size // 2, size // 2
    cv2.ellipse(
        mask,
        (middle[0], round(size * 0.44)),
        (round(0.95 * CUT_OUT), round(1.1 * CUT_OUT)),
        0,
        0,
        360,
        cv2.GC_PR_BGD,
        -1,
    )
    cv2.ellipse(
        mask,
        (middle[0], round(size * 0.45)),
        (round(0.62 * CUT_OUT), round(0.85 * CUT_OUT)),
        0,
        0,
        360,
        cv2.GC_PR_FGD,
        -1,
    )
    cv2.ellipse(mask, middle, (round(0.42 * CUT_OUT), round(0.55 * CUT_OUT)), 0, 0, 360, cv2.GC_FGD, -1)
    mask[~inside] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    cv2.grabCut(piece, mask, None, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    opacity = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    opacity = cv2.GaussianBlur(cv2.erode(opacity, np.ones((3, 3))), (0, 0), 1.5)
    return CutOut(piece, opacity, np.array([SPACE * CUT_OUT] * 2 + [(1 + SPACE) * CUT_OUT] * 2))


def read_people(paths: tuple[Path, ...], analyzer: EmotionAnalyzer) -> dict[str, list[CutOut]]:
    """Everyone in photos and folders, each with one or more cut-outs."""
    people: defaultdict[str, list[CutOut]] = defaultdict(list)

    def add(image: np.ndarray, name: str, all_faces: bool) -> None:
        faces = analyzer.find(Frame(0, 0.0, image)).faces
        for i, face in enumerate(faces if all_faces else faces[:1]):
            if face.box[2] - face.box[0] >= CUT_OUT / 3:
                people[f"{name} {i}" if all_faces else name].append(cut_out(image, face.box))

    for path in paths:
        if path.is_dir():
            for emotion in EMOTIONS:
                for file in sorted(f for f in (path / emotion).iterdir() if f.suffix.lower() in IMAGE_SUFFIXES):
                    add(read_image(file), file.name[:2], all_faces=False)
        else:
            add(read_image(path), path.stem, all_faces=True)
    add(read_portrait(), "hopper", all_faces=False)
    add(read_smile(), "collins", all_faces=False)
    return dict(people)


def compose(kind: str, people: Mapping[str, list[CutOut]], seed: int) -> Iterator[Scene]:
    """A video of a kind.

    Yields:
        its frames, with whom they show.
    """
    rng = random.Random(f"{kind} {seed}")
    numbers = np.random.default_rng(seed)
    names = rng.sample(sorted(people), {"crowd": 8, "cuts": 5}.get(kind, 4))
    shirts = [tuple(rng.randint(20, 235) for _ in range(3)) for _ in range(3)]
    stretches, cuts = SCRIPTS[kind](rng, len(names))
    actors = [Actor(n, people[n], rng.choice(shirts), s) for n, s in zip(names, stretches)]
    walls = [wall(numbers) for _ in range(4)]
    lights = [np.linspace(*numbers.uniform(0.65, 1.1, 2), WIDTH)[None, :, None] for _ in walls]
    lights = [np.ascontiguousarray(np.broadcast_to(each, (HEIGHT, WIDTH, 3)), np.float32) for each in lights]
    noise = numbers.normal(0, 4, (6, HEIGHT, WIDTH, 3)).astype(np.int16)
    phase = {actor.name: (rng.uniform(0, 6), rng.uniform(1.0, 2.5)) for actor in actors}
    for index in range(round(LENGTH_S * FPS)):
        time_s = index / FPS
        scene = sum(time_s >= cut for cut in cuts) % len(walls)
        canvas = walls[scene].copy()
        there = [(actor, place) for actor in actors if (place := actor.place(time_s))]
        boxes: dict[str, np.ndarray] = {}
        hidden: set[str] = set()
        coverage = np.zeros((HEIGHT, WIDTH), np.uint8)  # who is seen there, by the order in which they are drawn
        drawn: dict[str, int] = {}
        for number, (actor, place) in enumerate(sorted(there, key=lambda pair: pair[1].side), start=1):
            begin, every = phase[actor.name]
            which = actor.cut_outs[int((time_s + begin) / every) % len(actor.cut_outs)]
            turn = 5 * math.sin(1.7 * time_s + begin)
            boxes[actor.name] = paste(canvas, coverage, number, which, actor.shirt, place, turn)
            drawn[actor.name] = number
        for name, number in drawn.items():
            x1, y1, x2, y2 = (round(v) for v in boxes[name])
            area = coverage[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)]
            if (area == number).sum() < VISIBLE * (x2 - x1) * (y2 - y1):
                hidden.add(name)
        lit = cv2.multiply(canvas, lights[scene], scale=1 + 0.05 * math.sin(time_s), dtype=cv2.CV_16S)
        image = cv2.add(lit, noise[index % len(noise)], dtype=cv2.CV_8U)
        yield Frame(index, time_s, image), boxes, hidden


def paste(
    canvas: np.ndarray,
    coverage: np.ndarray,
    number: int,
    which: CutOut,
    shirt: tuple[int, int, int],
    place: Place,
    turn: float,
) -> np.ndarray:
    """Draws a person, and where in ``coverage``; the box of the face."""
    scale = place.side / CUT_OUT
    size = which.image.shape[0]
    # shrunk first, so that small faces do not alias
    small = max(8, round(size * scale))
    shape = (small, small)
    image = cv2.resize(which.image, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    opacity = cv2.resize(which.opacity, shape, interpolation=cv2.INTER_AREA)
    matrix = cv2.getRotationMatrix2D((small / 2, small / 2), turn, 1)
    body = np.array([[-0.45, 0.35], [0.45, 0.35], [1.25, 0.95], [1.4, 6], [-1.4, 6], [-1.25, 0.95]]) * place.side
    body = np.round(body + np.array([place.x, place.y])).astype(np.int32)
    cv2.fillPoly(canvas, [body], shirt, cv2.LINE_AA)
    cv2.fillPoly(coverage, [body], number)
    for k in range(1, 8):  # folds
        y = round(place.y + place.side * (0.9 + 0.35 * k))
        dark = tuple(int(0.85 * c) for c in shirt)
        cv2.line(canvas, (round(place.x - 0.8 * place.side), y), (round(place.x + 0.8 * place.side), y + 6), dark, 2)
    area = _inside(round(place.x - small / 2), round(place.y - small / 2), small)
    if area:
        here, there = area
        moved = cv2.warpAffine(image, matrix, shape, borderMode=cv2.BORDER_REPLICATE)[there]
        alpha = cv2.warpAffine(opacity, matrix, shape)[there]
        share = alpha[:, :, None]
        canvas[here] = moved * share + canvas[here] * (1 - share)
        coverage[here][alpha > 0.5] = number
    half = place.side / 2
    return np.array([place.x - half, place.y - half, place.x + half, place.y + half])


def _inside(left: int, top: int, size: int) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """The part of a square that lies in the picture: where there, and where in the square."""
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + size, WIDTH), min(top + size, HEIGHT)
    if x1 >= x2 or y1 >= y2:
        return None
    return (slice(y1, y2), slice(x1, x2)), (slice(y1 - top, y2 - top), slice(x1 - left, x2 - left))


def wall(numbers: np.random.Generator) -> np.ndarray:
    """(540, 960, 3) uint8 BGR: a mottled wall with furniture."""
    base = numbers.uniform(50, 200, 3)
    grains = np.zeros((HEIGHT, WIDTH), np.float32)
    for size in (20, 90, 240):
        noise = numbers.normal(0, 12, (HEIGHT // size + 2, WIDTH // size + 2)).astype(np.float32)
        grains += cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    image = np.clip(base + grains[:, :, None], 0, 255).astype(np.uint8)
    for _ in range(5):
        x, y = int(numbers.integers(0, WIDTH)), int(numbers.integers(0, HEIGHT))
        w, h = (int(v) for v in numbers.integers(40, 260, 2))
        cv2.rectangle(image, (x, y), (x + w, y + h), tuple(int(v) for v in numbers.integers(30, 220, 3)), -1)
    return image


Script = tuple[list[list[list[Place]]], list[float]]
"""For each person the stretches of presence, and the times of the cuts."""


def come_and_go(rng: random.Random, count: int) -> Script:
    """They enter at one side, stay, leave, and come back seconds later, at another side and size."""
    everyone = []
    for k in range(count):
        stretches, time_s = [], 0.8 * k + rng.uniform(0, 1)
        while time_s < LENGTH_S - 3:
            side, y = rng.uniform(60, 130), rng.uniform(170, 300)
            inside = rng.uniform(0.12, 0.88) * WIDTH
            enters, leaves = (rng.choice((-1.2 * side, WIDTH + 1.2 * side)) for _ in range(2))
            stay_s = rng.uniform(2, 5)
            grown = side * rng.uniform(0.85, 1.2)
            stretches.append(
                [
                    Place(time_s, enters, y, side),
                    Place(time_s + 1.2, inside, y, side),
                    Place(time_s + 1.2 + stay_s, inside + rng.uniform(-60, 60), y, grown),
                    Place(time_s + 2.4 + stay_s, leaves, y, grown),
                ]
            )
            time_s += 2.4 + stay_s + rng.uniform(1.5, 6)
        everyone.append(stretches)
    return everyone, []


def pass_by(rng: random.Random, count: int) -> Script:
    """They walk to and fro and hide each other."""
    everyone = []
    for k in range(count):
        side = 70 + 22 * k + rng.uniform(-8, 8)
        y = 230 + 8 * k + rng.uniform(-10, 10)
        places, time_s, x = [], 0.0, rng.uniform(0.1, 0.9) * WIDTH
        while time_s < LENGTH_S + 4:
            places.append(Place(time_s, x, y, side * rng.uniform(0.92, 1.08)))
            if rng.random() < 0.3:
                time_s += rng.uniform(0.5, 2)
                places.append(Place(time_s, x, y, side))
            far = rng.uniform(0.55, 0.92) if x < WIDTH / 2 else rng.uniform(0.08, 0.45)
            time_s += abs(far * WIDTH - x) / rng.uniform(150, 320)
            x = far * WIDTH
        everyone.append([places])
    return everyone, []


def cut(rng: random.Random, count: int) -> Script:
    """Every few seconds other people are seen at other places, some of them close."""
    cuts, everyone = [0.0], [[] for _ in range(count)]
    while cuts[-1] < LENGTH_S:
        cuts.append(cuts[-1] + rng.uniform(1.5, 4))
    arrangements = []
    for _ in range(3):  # which are come back to
        who = rng.sample(range(count), rng.choice((1, 2, 3, 3)))
        spots = rng.sample([0.2, 0.5, 0.8], len(who))
        side = rng.uniform(75, 120) * (1.5 if len(who) == 1 else 1)
        arrangements.append(
            [(k, spot * WIDTH, rng.uniform(180, 260), side * rng.uniform(0.9, 1.1)) for k, spot in zip(who, spots)]
        )
    last = -1
    for begin, end in pairwise(cuts):
        last = rng.choice([i for i in range(3) if i != last])
        for k, x, y, side in arrangements[last]:
            drift = rng.uniform(-50, 50)
            everyone[k].append([Place(begin, x - drift, y, side), Place(end, x + drift, y, side)])
    return everyone, cuts[1:-1]


def stand_close(rng: random.Random, count: int) -> Script:
    """A crowd that sways, in which somebody walks along in front, and some leave and come back."""
    everyone = []
    for k in range(count - 1):
        x = (k + 0.5) * WIDTH / (count - 1)
        y, side = 200 + 60 * (k % 2) + rng.uniform(-15, 15), rng.uniform(52, 72) + 10 * (k % 2)
        away = (rng.uniform(5, 9), rng.uniform(11, 15)) if rng.random() < 0.4 else (LENGTH_S, LENGTH_S)
        places = [
            Place(i * 1.5, x + rng.uniform(-30, 30), y + rng.uniform(-8, 8), side)
            for i in range(round(LENGTH_S / 1.5) + 2)
        ]
        before = [p for p in places if p.time_s < away[0]]
        after = [p for p in places if p.time_s >= away[1]]
        everyone.append([part for part in (before, after) if len(part) > 1])
    places, time_s, x = [], 1.0, -200.0
    while time_s < LENGTH_S:
        places.append(Place(time_s, x, 300, 120))
        time_s += rng.uniform(3.5, 6)
        x = WIDTH + 200 if x < 0 else -200.0
    everyone.append([[*places, Place(time_s, x, 300, 120)]])
    return everyone, []


SCRIPTS = {"come and go": come_and_go, "pass by": pass_by, "cuts": cut, "crowd": stand_close}


class Score:
    """Compares numbers with people."""

    def __init__(self) -> None:
        self._together: Counter[tuple[str, int]] = Counter()
        self._of_person: Counter[str] = Counter()
        self._shown = self._switches = 0
        self._last: dict[str, int] = {}

    def count(self, names: Sequence[str | None], numbers: Sequence[int], there: set[str]) -> None:
        """Takes in the faces of a frame: whose each is, or None, its number, and who was there to be seen."""
        self._of_person.update(there)
        self._shown += len(numbers)
        for name, number in zip(names, numbers):
            if name is not None:
                self._together[name, number] += 1
                self._switches += self._last.get(name, number) != number
                self._last[name] = number

    def figures(self) -> Counter[str]:
        """Of all frames."""
        names, numbers = sorted(self._of_person), sorted({number for _, number in self._together})
        matrix = np.array([[self._together[name, number] for number in numbers] for name in names])
        _, columns, _ = lap.lapjv(float(matrix.max()) - matrix, extend_cost=True)
        mixed = ((matrix >= MIXED_S * FPS).sum(axis=0) > 1).sum()
        return Counter(
            right=int(sum(matrix[row, column] for row, column in enumerate(columns) if column >= 0)),
            faces=sum(self._of_person.values()),
            shown=self._shown,
            found=int(matrix.sum()),
            switches=self._switches,
            people=len(names),
            numbers=len(numbers),
            mixed=int(mixed),
        )


def whose(truth: Mapping[str, np.ndarray], faces: Sequence[TrackedFace]) -> list[str | None]:
    """Whose face each is, in the best assignment; None where it is nobody's."""
    found: list[str | None] = [None] * len(faces)
    if truth and faces:
        names = sorted(truth)
        overlap = intersection_over_union(np.array([truth[n] for n in names]), np.array([f.box for f in faces]))
        _, columns, _ = lap.lapjv(1 - overlap, extend_cost=True)
        for name, row, column in zip(names, overlap, columns):
            if column >= 0 and row[column] >= SAME_BOX:
                found[column] = name
    return found


class Cues:
    """How well what faces look like tells people apart, within videos."""

    def __init__(self) -> None:
        self._same: defaultdict[str, list[np.ndarray]] = defaultdict(list)
        self._different: defaultdict[str, list[np.ndarray]] = defaultdict(list)
        self.start()

    def start(self) -> None:
        """Begins a video."""
        self._names: list[str] = []
        self._vectors: defaultdict[str, list[np.ndarray]] = defaultdict(list)

    def add(self, name: str, vectors: Mapping[str, np.ndarray]) -> None:
        """Takes in a person's face, described by each cue in a vector of length 1."""
        self._names.append(name)
        for cue, vector in vectors.items():
            self._vectors[cue].append(vector)

    def end(self) -> None:
        """Compares all with all."""
        names = np.array(self._names)
        pairs = np.triu_indices(len(names), 1)
        is_same = (names[:, None] == names)[pairs]
        for cue, vectors in self._vectors.items():
            likeness = (np.array(vectors) @ np.array(vectors).T)[pairs]
            self._same[cue].append(likeness[is_same])
            self._different[cue].append(likeness[~is_same])

    def figures(self) -> dict[str, dict[str, float]]:
        """Area under the curve, and which part of the same are alike where one in a hundred of the others is."""
        table = {}
        for cue in self._same:
            same, different = np.concatenate(self._same[cue]), np.concatenate(self._different[cue])
            line = np.quantile(different, 0.99)
            table[cue] = {"auc": area_under_curve(same, different), "at_1_percent": float((same >= line).mean())}
        return table


def describe(analyzer: EmotionAnalyzer, image: np.ndarray, face: TrackedFace) -> dict[str, np.ndarray]:
    """What a face looks like, by each cue; nothing where that cannot be told."""
    look = appearance(image, face)
    if look is None:
        return {}
    _, embedding = analyzer.classifier.read(crop_face(image, face.box)[None])
    described = {"the network's embedding": embedding[0], "the face": look[:-COLOURS], "the clothes": look[-COLOURS:]}
    return {cue: unit(vector) for cue, vector in {**described, "both": look}.items()}


def measure(analyzer: EmotionAnalyzer, video: Iterable[Scene], cues: Cues) -> dict[str, Counter[str]]:
    """The figures of a video, by how the faces got their numbers."""
    analyzer.restart()
    cues.start()
    by_place, seen = Tracker(), []
    for frame, truth, hidden in video:
        faces = analyzer.analyze(frame).faces
        names = whose(truth, faces)
        places = by_place.update([Face(f.box, f.score, f.keypoints) for f in faces], frame.time_s)
        kept = [i for i, name in enumerate(names) if name not in hidden]
        numbers = [faces[i].track_id for i in kept]
        seen.append(([names[i] for i in kept], [places[i] for i in kept], numbers, set(truth) - hidden))
        for i in kept if frame.index % CUES_EVERY == 0 else ():
            if (name := names[i]) and (vectors := describe(analyzer, frame.image, faces[i])):
                cues.add(name, vectors)
    cues.end()
    merged = analyzer.merged_numbers()
    scores = {way: Score() for way in WAYS}
    for names, places, numbers, there in seen:
        ways = (places, numbers, [merged.get(number, number) for number in numbers])
        for score, given in zip(scores.values(), ways):
            score.count(names, given, there)
    return {way: score.figures() for way, score in scores.items()}


def rates(f: Mapping[str, int]) -> dict[str, float]:
    """What is told of figures."""
    return {
        "idf1": 2 * f["right"] / max(f["faces"] + f["shown"], 1),
        "recall": f["found"] / max(f["faces"], 1),
        "switches_a_minute": f["switches"] / max(f["faces"] / FPS / 60, 1e-9),
        "numbers_a_person": f["numbers"] / max(f["people"], 1),
        "mixed": f["mixed"],
        "people": f["people"],
    }


@click.command()
@click.argument("photos", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--seed", default=1000, show_default=True, help="Of the first video of each kind.")
@click.option("--videos", default=4, show_default=True, help="Of each kind.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(photos: tuple[Path, ...], seed: int, videos: int, json_file: Path | None) -> None:
    """Measure whether people keep their numbers."""
    totals: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    cues = Cues()
    with EmotionAnalyzer(AnalysisConfig(track=True)) as analyzer:
        people = read_people(photos, analyzer)
        click.echo(f"{len(people)} people in {sum(map(len, people.values()))} portraits; {videos} videos of each kind")
        for kind, number in itertools.product(SCRIPTS, range(videos)):
            for way, figures in measure(analyzer, compose(kind, people, seed + number), cues).items():
                totals[kind, way] += figures
                totals["all", way] += figures
    click.echo("videos       numbers by                IDF1   found  switches/min  numbers/person  mixed")
    for (kind, way), figures in sorted(totals.items(), key=lambda item: ["all", *SCRIPTS].index(item[0][0])):
        f = rates(figures)
        click.echo(
            f"{kind:12} {way:22} {f['idf1']:7.3f} {f['recall']:7.3f} {f['switches_a_minute']:13.1f}"
            f" {f['numbers_a_person']:15.2f} {f['mixed']:6}"
        )
    for cue, f in cues.figures().items():
        click.echo(
            f"{cue:24} area under the curve {f['auc']:.3f}; {f['at_1_percent']:.0%} known with 1 % of the others"
        )
    if json_file:
        found = {f"{kind}, {way}": rates(figures) for (kind, way), figures in totals.items()}
        atomic_write_text(json_file, json.dumps({**found, "cues": cues.figures()}, indent=2))


if __name__ == "__main__":
    main()
