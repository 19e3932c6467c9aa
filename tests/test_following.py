"""Which faces get a closer look, and where they go meanwhile."""

from __future__ import annotations

import numpy as np
import pytest

from live_emotion.faces.refinement import LOOK_AGAIN, Followed
from live_emotion.types import Face


def face(x, y, side):
    return Face((x, y, x + side, y + side), 0.9, np.array([[x, y]] * 6, np.float32))


def test_a_new_face_is_looked_at_again_soon_and_then_less_and_less():
    followed = Followed(face(0, 0, 100), face(10, 10, 80))
    looked = []
    for frame in range(1, 6 * LOOK_AGAIN):
        if followed.is_due:
            followed = Followed(followed.proposed, followed.seen, looks=followed.looks + 1)
            looked.append(frame)
        else:
            followed = followed.carried_to(followed.proposed)
    gaps = np.diff([0, *looked])
    assert gaps[0] == 1
    assert list(gaps) == sorted(gaps)
    assert gaps[-1] == LOOK_AGAIN


def test_a_face_goes_along_with_its_proposal():
    followed = Followed(face(100, 200, 100), face(110, 215, 80))
    moved = followed.carried_to(face(150, 180, 110))
    assert moved.seen.box == pytest.approx((161, 196.5, 249, 284.5))
    np.testing.assert_allclose(moved.seen.keypoints, [[161, 196.5]] * 6)
    assert (moved.age, moved.looks) == (1, 1)


@pytest.mark.parametrize(
    ("other", "continues"), [(face(5, 5, 100), True), (face(40, 40, 100), False), (face(20, 20, 40), False)]
)
def test_a_proposal_of_another_place_or_size_is_another_face(other, continues):
    assert Followed(face(0, 0, 100), face(0, 0, 100)).continues_in(other) == continues
