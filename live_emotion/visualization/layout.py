"""Where labels, charts and panels go, so that they cover no faces and not each other. Pure: rectangles in and out.

Everything is tried at a few places and put where it covers least. What stood somewhere in the frame before stays
there unless another place is clearly better, so that nothing jumps while people move.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from live_emotion.faces.boxes import area

Rect = tuple[int, int, int, int]
"""``x1 y1 x2 y2`` in whole pixels, half-open."""

Size = tuple[int, int]
"""Width and height in pixels."""

LABEL, FACE, OWN_FACE, HAIR = 4.0, 3.0, 2.0, 0.5
"""How bad it is to cover all of one's area with another label, another face, one's own, or somebody's hair."""

NEXT = 0.02
"""How bad it is to stand at the next place of the order instead."""

STAYS = 0.3
"""How much better another place must be before something moves there."""

ALONG = (0.0, 0.5, 1.0)
"""How far along a face's side a chart may stand, in parts of it."""

HAIR_ABOVE, HAIR_BESIDE = 0.4, 0.12
"""A head is higher and wider than the box of its face, by these parts of the box."""


def head(box: Rect) -> Rect:
    """About the whole head to a face's box, which goes from brow to chin."""
    x1, y1, x2, y2 = box
    up, aside = round(HAIR_ABOVE * (y2 - y1)), round(HAIR_BESIDE * (x2 - x1))
    return x1 - aside, y1 - up, x2 + aside, y2


def place_labels(
    boxes: Sequence[Rect],
    sizes: Sequence[Size],
    canvas: Size,
    taken: Sequence[Rect] = (),
    before: Sequence[int | None] = (),
) -> list[tuple[Rect, int]]:
    """Puts a label at each face, the first face's first.

    Args:
        boxes: N faces.
        sizes: of their labels.
        canvas: size of the image; labels lie inside it as far as they fit.
        taken: what else labels should not cover, such as a panel.
        before: N numbers of the places where the labels stood; None or missing: it is new.

    Returns:
        N areas, each with the number of its place.
    """
    faces, heads = _array(boxes), _array([head(box) for box in boxes])
    placed: list[tuple[Rect, int]] = []
    for i, (box, size) in enumerate(zip(boxes, sizes)):
        rects = list(_around(box, size, canvas))
        labels = [*taken, *(rect for rect, _ in placed)]
        is_other = np.arange(len(boxes)) != i
        costs = (
            LABEL * _covered(rects, _array(labels)).sum(axis=1)
            + FACE * _covered(rects, faces[is_other]).sum(axis=1)
            + OWN_FACE * _covered(rects, faces[~is_other]).sum(axis=1)
            + HAIR * _covered(rects, heads[is_other]).sum(axis=1)
            + NEXT * np.arange(len(rects))
        )
        place = _choose(costs, before[i] if i < len(before) else None)
        placed.append((rects[place], place))
    return placed


def place_chart(
    box: Rect, size: Size, gap: int, canvas: Size, taken: Sequence[Rect], before: int | None = None
) -> tuple[Rect, int] | None:
    """Finds room for a chart right of a face, left of it, below or above it, at its edge or further along it.

    Args:
        box: the face's.
        size: of the chart.
        gap: between box and chart, in pixels.
        canvas: size of the image; the chart lies inside it.
        taken: areas that it must not cover.
        before: number of the place where it stood.

    Returns:
        its area and the number of its place, or None where there is no room.
    """
    width, height = size
    x1, y1, x2, y2 = box
    corners: list[tuple[int, int]] = []
    for part in ALONG:
        beside = min(max(0, y1 + round(part * (y2 - y1 - height))), canvas[1] - height)
        along = min(max(0, x1 + round(part * (x2 - x1 - width))), canvas[0] - width)
        corners += ((x2 + gap, beside), (x1 - gap - width, beside), (along, y2 + gap), (along, y1 - gap - height))
    order = range(len(corners)) if before is None else (before, *(i for i in range(len(corners)) if i != before))
    for place in order:
        rect = _rect(corners[place], size)
        if _clamped(rect, canvas) == rect and not _shared([rect], _array(taken)).any():
            return rect, place
    return None


def place_panel(size: Size, canvas: Size, boxes: Sequence[Rect], before: int | None = None) -> tuple[Rect, int]:
    """Puts a panel into the corner where it covers least of people's heads; the top left one where all are as good.

    Args:
        size: of the panel; what does not fit into the image is cut off.
        canvas: size of the image.
        boxes: of the faces.
        before: number of the corner where it was.

    Returns:
        its area and the number of its corner.
    """
    right, bottom = max(0, canvas[0] - size[0]), max(0, canvas[1] - size[1])
    size = min(size[0], canvas[0]), min(size[1], canvas[1])
    rects = [_rect(corner, size) for corner in ((0, 0), (right, 0), (0, bottom), (right, bottom))]
    heads = [head(box) for box in boxes]
    # in parts of a head, not of the panel: a small face below a large panel is hidden all the same
    costs = (_shared(rects, _array(heads)) / np.maximum(1, [area(each) for each in heads])).sum(axis=1)
    corner = _choose(costs, before)
    return rects[corner], corner


def _choose(costs: np.ndarray, before: int | None) -> int:
    """The cheapest place, or the one before where that costs hardly more."""
    best = int(costs.argmin())
    return before if before is not None and costs[before] <= costs[best] + STAYS else best


def _around(box: Rect, size: Size, canvas: Size) -> Iterator[Rect]:
    """The places of a label, the best ones first: above and below, flush left, then right; beside; inside."""
    (x1, y1, x2, y2), (width, height) = box, size
    for corner in (
        (x1, y1 - height),
        (x1, y2),
        (x2 - width, y1 - height),
        (x2 - width, y2),
        (x2, y1),
        (x1 - width, y1),
        (x2, y2 - height),
        (x1 - width, y2 - height),
        (x1, y1),
        (x1, y2 - height),
    ):
        yield _clamped(_rect(corner, size), canvas)


def _rect(corner: tuple[int, int], size: Size) -> Rect:
    return corner[0], corner[1], corner[0] + size[0], corner[1] + size[1]


def _clamped(rect: Rect, canvas: Size) -> Rect:
    """Moved into the canvas; what is too large stands at its top or left edge."""
    x = max(0, min(rect[0], canvas[0] - (rect[2] - rect[0])))
    y = max(0, min(rect[1], canvas[1] - (rect[3] - rect[1])))
    return _rect((x, y), (rect[2] - rect[0], rect[3] - rect[1]))


def _covered(rects: Sequence[Rect], others: np.ndarray) -> np.ndarray:
    """Area that each shares with each of the others, (N, M), in parts of its own."""
    return _shared(rects, others) / np.maximum(1, [area(rect) for rect in rects])[:, None]


def _shared(rects: Sequence[Rect], others: np.ndarray) -> np.ndarray:
    """Areas of the intersections of N rectangles with M others, (M, 4), in pixels: (N, M)."""
    a, b = _array(rects)[:, None], others[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    return np.maximum(0, sides).prod(axis=2)


def _array(rects: Sequence[Rect]) -> np.ndarray:
    return np.array(rects, np.int64).reshape(-1, 4)
