"""Where labels, charts and panels go."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_emotion.visualization.layout import head, place_chart, place_labels, place_panel

CANVAS = (1280, 720)


def meet(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def inside(rect, canvas=CANVAS):
    return rect[0] >= 0 and rect[1] >= 0 and rect[2] <= canvas[0] and rect[3] <= canvas[1]


def rows_of_faces(rows, columns, side, gap):
    """A group as on the photo of the Solvay conference: rows of faces, each row between those of the one before."""
    step = side + gap
    return [
        (x, y, x + side, y + side)
        for row in range(rows)
        for column in range(columns)
        for x, y in [(60 + column * step + (row % 2) * step // 2, 80 + row * round(1.8 * side))]
    ]


def test_a_label_stands_on_its_face_where_nothing_is_in_the_way():
    (((x1, _, _, y2), place),) = place_labels([(100, 100, 200, 200)], [(120, 24)], CANVAS)
    assert (x1, y2, place) == (100, 100, 0)


def test_a_label_goes_below_where_above_there_is_another_face():
    lower = (110, 210, 210, 310)
    (rect, _), _ = place_labels([lower, (110, 100, 210, 208)], [(100, 24), (100, 24)], CANVAS)
    assert rect[1] == 310


@pytest.mark.parametrize(("rows", "columns", "side", "gap"), [(3, 9, 60, 70), (3, 10, 50, 66), (2, 5, 100, 100)])
def test_in_a_group_no_label_covers_a_face_or_another_label(rows, columns, side, gap):
    boxes = rows_of_faces(rows, columns, side, gap)
    labels = [rect for rect, _ in place_labels(boxes, [(side + 40, 20)] * len(boxes), CANVAS, [(0, 0, 200, 50)])]
    for rect in labels:
        assert inside(rect)
        assert not any(meet(rect, box) for box in boxes)
        assert not meet(rect, (0, 0, 200, 50))
    assert not any(meet(a, b) for a, b in itertools.combinations(labels, 2))


def test_a_label_keeps_off_the_panel():
    box = (20, 60, 120, 160)
    ((free, _),) = place_labels([box], [(120, 24)], CANVAS)
    panel = (0, 0, 300, 60)
    ((rect, _),) = place_labels([box], [(120, 24)], CANVAS, [panel])
    assert meet(free, panel) and not meet(rect, panel)


def test_a_label_stays_where_it_was_unless_another_place_is_clearly_better():
    box, below = (100, 100, 200, 200), 1
    ((_, place),) = place_labels([box], [(120, 24)], CANVAS, before=[below])
    assert place == below
    ((_, place),) = place_labels([box], [(120, 24)], CANVAS, [(100, 200, 300, 300)], before=[below])
    assert place == 0


corner = st.integers(-200, 1400)
side = st.integers(2, 500)


@given(st.lists(st.builds(lambda x, y, w: (x, y, x + w, y + w), corner, corner, side), max_size=6))
def test_labels_never_leave_the_image(boxes):
    placed = place_labels(boxes, [(150, 30)] * len(boxes), CANVAS)
    assert len(placed) == len(boxes)
    assert all(inside(rect) for rect, _ in placed)


def test_charts_keep_off_what_is_taken():
    box, size, canvas = (100, 100, 200, 200), (80, 60), (640, 480)
    taken = []
    for expected in ((205, 100, 285, 160), (15, 100, 95, 160), (100, 205, 180, 265), (100, 35, 180, 95)):
        rect, _ = place_chart(box, size, 5, canvas, taken)
        assert rect == expected
        taken.append(rect)
    assert place_chart(box, size, 5, canvas, taken) is None


def test_a_chart_moves_along_the_face_where_a_panel_is_in_its_way():
    box, size, canvas = (250, 100, 450, 300), (80, 60), (640, 480)
    assert place_chart(box, size, 5, canvas, []) == ((455, 100, 535, 160), 0)
    panel, face, left = (0, 0, 640, 180), box, (0, 0, 250, 480)
    rect, place = place_chart(box, size, 5, canvas, [panel, face, left, (250, 300, 640, 480)])
    assert rect == (455, 240, 535, 300)
    assert place_chart(box, size, 5, canvas, [], before=place) == (rect, place)


def test_a_chart_stays_where_it_was_as_long_as_there_is_room():
    box, size, canvas = (300, 100, 400, 200), (80, 60), (640, 480)
    assert place_chart(box, size, 5, canvas, [], before=2)[1] == 2
    assert place_chart(box, size, 5, canvas, [(300, 200, 400, 300)], before=2)[1] == 0


def test_the_panel_takes_the_first_corner_without_a_head():
    size = (400, 200)
    assert place_panel(size, CANVAS, []) == ((0, 0, 400, 200), 0)
    near = (50, 100, 350, 400)
    rect, corner = place_panel(size, CANVAS, [near])
    assert (rect, corner) == ((880, 0, 1280, 200), 1)
    rect, corner = place_panel(size, CANVAS, [near, (900, 150, 1000, 250)])
    assert corner == 2, "at the bottom nobody is hidden"
    assert not meet(rect, head(near))


def test_the_panel_does_not_go_to_and_fro():
    assert place_panel((400, 200), CANVAS, [], before=1)[1] == 1
    assert place_panel((400, 200), CANVAS, [(1000, 100, 1100, 200)], before=1)[1] == 0


def test_a_panel_larger_than_the_image_is_cut():
    assert place_panel((900, 900), (640, 480), [])[0] == (0, 0, 640, 480)
