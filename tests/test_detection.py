"""Face detection on real pixels."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from live_emotion.errors import LiveEmotionError, WeightsError
from live_emotion.faces.boxes import merge
from live_emotion.faces.detection.blazeface import MODELS, BlazeFace
from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.faces.detection.refinement import SEARCH_TURN_S, WEAK_TURN_S, RefinementMemory
from live_emotion.faces.detection.search import squares
from live_emotion.faces.detection.tiles import tiles
from live_emotion.types import DETECTORS, Face

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module", params=DETECTORS)
def detector(request):
    with FaceDetector(request.param) as detector:
        yield detector


def centre(face: Face) -> tuple[float, float]:
    x1, y1, x2, y2 = face.box
    return (x1 + x2) / 2, (y1 + y2) / 2


def test_finds_the_portraits_face(detector, portrait):
    (face,) = detector.detect(portrait)
    x, y = centre(face)
    assert x == pytest.approx(268, abs=25)
    assert y == pytest.approx(240, abs=30)
    assert face.score >= 0.5
    right_eye, left_eye, nose, mouth = face.keypoints[:4]
    assert face.keypoints.shape == (6, 2)
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_eye[1] < nose[1] < mouth[1]


def test_finds_nothing_where_nobody_is(detector, no_face):
    assert detector.detect(no_face) == []
    assert detector.detect(np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)) == []


def test_largest_first(portrait):
    picture = placed(portrait, 60, 300, 0.5)
    picture[60:660, 600:1112] = portrait
    with FaceDetector("full") as detector:
        large, small = detector.detect(picture)
    assert small.box[2] < 400 < 600 < large.box[0]


def test_tiles_find_a_face_too_small_for_the_whole_frame(portrait):
    frame = np.full((2160, 3840, 3), 110, np.uint8)
    frame[700:775, 1500:1564] = cv2.resize(portrait, (64, 75), interpolation=cv2.INTER_AREA)
    frame[900:2100, 2500:3524] = cv2.resize(portrait, (1024, 1200), interpolation=cv2.INTER_CUBIC)
    with FaceDetector("full") as full, FaceDetector("tiled") as tiled:
        assert len(full.detect(frame)) == 1
        _, face = tiled.detect(frame)
    assert centre(face) == (pytest.approx(1533, abs=5), pytest.approx(730, abs=6))


@pytest.mark.parametrize("form", ["grey", "grey_channel", "alpha", "strided"])
def test_every_form_of_picture(form, portrait):
    pictures = {
        "grey": cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY),
        "grey_channel": cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY)[:, :, None],
        "alpha": np.dstack([portrait, np.full(portrait.shape[:2], 255, np.uint8)]),
        "strided": np.repeat(portrait, 2, axis=1)[:, ::2],
    }
    with FaceDetector("short") as detector:
        assert len(detector.detect(pictures[form])) == 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (15, 400, 3), (400, 15, 3), (17, 17, 3)])
def test_tiny_pictures_show_no_face(detector, shape):
    assert detector.detect(np.full(shape, 128, np.uint8)) == []


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((50, 50, 3), np.float32),
        np.zeros(9, np.uint8),
        np.zeros((50, 50, 2), np.uint8),
        np.zeros((50, 50, 5), np.uint8),
        np.zeros((2, 50, 50, 3), np.uint8),
        None,
        [[1, 2], [3, 4]],
        "portrait.jpg",
    ],
    ids=lambda image: f"{getattr(image, 'dtype', '')}{getattr(image, 'shape', type(image).__name__)}",
)
def test_what_is_no_picture_is_an_error(detector, image):
    with pytest.raises(LiveEmotionError, match="uint8") as caught:
        detector.detect(image)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)


def test_unknown_kind_and_closed_detector(portrait):
    with pytest.raises(ValueError, match="full, short, tiled"):
        FaceDetector("other")
    detector = FaceDetector("short")
    detector.close()
    detector.close()
    with pytest.raises(ValueError, match="closed"):
        detector.detect(portrait)


def placed(portrait, left, top, scale=1.0):
    """The portrait somewhere in a grey picture of 1280x720."""
    picture = np.full((720, 1280, 3), 110, np.uint8)
    small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    part = small[: 720 - top, : 1280 - left]
    picture[top : top + part.shape[0], left : left + part.shape[1]] = part
    return picture


def test_following_gives_the_boxes_of_a_fresh_look_and_keeps_no_ghosts(portrait):
    pictures = [placed(portrait, 100 + 8 * i, 40 + 3 * i, 1 + 0.01 * i) for i in range(12)]
    nothing = np.full((720, 1280, 3), 110, np.uint8)
    memory = RefinementMemory()
    with FaceDetector() as detector:
        for i, picture in enumerate(pictures):
            (expected,), (face,) = detector.detect(picture), detector.detect(picture, memory=memory, time_s=i / 30)
            side = expected.box[2] - expected.box[0]
            assert face.box == pytest.approx(expected.box, abs=0.12 * side)
            np.testing.assert_allclose(face.keypoints, expected.keypoints, atol=0.12 * side)
        assert detector.detect(nothing, memory=memory, time_s=0.4) == []
        (far,) = detector.detect(placed(portrait, 700, 60), memory=memory, time_s=0.43)
        assert far.box == pytest.approx(detector.detect(placed(portrait, 700, 60))[0].box), "a new face is looked at"


def test_what_is_followed_turns_with_a_mirrored_picture(portrait):
    """Two people: each is followed where the mirror shows it, with the keypoints of the side that it shows."""
    picture = placed(portrait, 60, 80)
    picture[100:580, 760:1170] = cv2.resize(portrait[:, ::-1], (410, 480), interpolation=cv2.INTER_AREA)
    turned = np.ascontiguousarray(picture[:, ::-1])
    memory = RefinementMemory()
    with FaceDetector() as detector:
        for i in range(3):
            assert len(detector.detect(picture, memory=memory, time_s=i / 30)) == 2
        memory.mirror(picture.shape[1])
        expected = detector.detect(turned)
        for face in (known.seen for known in memory.faces):
            (same,) = [f for f in expected if abs(centre(f)[0] - centre(face)[0]) < 40]
            side = same.box[2] - same.box[0]
            assert face.box == pytest.approx(same.box, abs=0.12 * side)
            np.testing.assert_allclose(face.keypoints, same.keypoints, atol=0.12 * side)
        assert all(memory.last(proposal) for proposal in detector.propose(turned) if proposal.score > 0.5)


def test_following_comes_to_each_weak_proposal_in_turn(portrait):
    """Two faces of 30 pixels in 1280, which are proposed weakly, come in soon, and stay."""
    picture = placed(portrait, 40, 500, 0.15)
    small = cv2.resize(portrait, None, fx=0.15, fy=0.15, interpolation=cv2.INTER_AREA)
    picture[300 : 300 + small.shape[0], 900 : 900 + small.shape[1]] = small
    memory = RefinementMemory()
    with FaceDetector() as detector:
        wanted = len(detector.detect(picture))
        counts = [len(detector.detect(picture, memory=memory, time_s=i * WEAK_TURN_S / 4)) for i in range(16)]
    assert wanted >= 1
    assert counts[-1] == wanted
    assert counts == sorted(counts), "nothing that was found is lost"


def close_up(portrait, side=350):
    """The portrait's face from hair to chin and ear to ear: (side, side, 3) uint8 BGR."""
    return cv2.resize(portrait[140:335, 175:370], (side, side), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("kind", DETECTORS)
@pytest.mark.parametrize("shape", ["square", "upright", "large"])
def test_a_face_that_fills_the_picture_is_found(kind, shape, portrait):
    pictures = {
        "square": close_up(portrait),
        "upright": cv2.resize(portrait[130:345, 190:350], (720, 968), interpolation=cv2.INTER_CUBIC),
        "large": close_up(portrait, 1500),
    }
    picture = pictures[shape]
    with FaceDetector(kind) as detector:
        (face,) = detector.detect(picture)
    height, width = picture.shape[:2]
    assert centre(face) == (pytest.approx(width / 2, abs=0.15 * width), pytest.approx(0.55 * height, abs=0.15 * height))
    assert face.box[2] - face.box[0] > 0.6 * width


def test_a_face_that_fills_the_frames_of_a_camera_appears_at_once_and_stays(portrait):
    picture, memory = close_up(portrait), RefinementMemory()
    with FaceDetector() as detector:
        counts = [len(detector.detect(picture, memory=memory, time_s=i / 30)) for i in range(30)]
    assert 1 in counts[:6], "within 0.2 seconds"
    assert counts == sorted(counts), "nothing that was found is lost"


def test_where_there_is_no_face_a_camera_searches_one_more_view_now_and_then(no_face, monkeypatch):
    memory, areas = RefinementMemory(), []
    with FaceDetector() as detector:
        proposed_in = detector._proposed_in
        monkeypatch.setattr(
            detector, "_proposed_in", lambda image, area: areas.append(area) or proposed_in(image, area)
        )
        for i in range(60):
            assert detector.detect(no_face, memory=memory, time_s=i / 30) == []
    assert len(set(areas)) == 1 + len(squares(640, 480)), "all views get their turn"
    assert len(areas) <= 2 / SEARCH_TURN_S


def test_a_face_that_was_found_costs_no_search(portrait, monkeypatch):
    with FaceDetector() as detector:
        monkeypatch.setattr(detector, "_proposed_in", lambda *_: pytest.fail("searched though there is a face"))
        assert len(detector.detect(portrait)) == 1
        memory = RefinementMemory()
        assert len(detector.detect(portrait, memory=memory, time_s=0.0)) == 1, "a clear face is shown at once"


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (720, 1280), (640, 480), (1000, 1000), (3000, 500)])
def test_squares_cover_the_picture_and_overlap(width, height):
    covered = np.zeros((height, width), int)
    for x1, y1, x2, y2 in squares(width, height):
        assert x2 - x1 == y2 - y1 == min(width, height)
        covered[y1:y2, x1:x2] += 1
    assert (covered.min() >= 1) == (width != height), "a square picture has no other view"


def test_what_leaves_the_picture_is_grey_and_a_mirrored_look_gives_the_same_face(portrait):
    with contextlib.closing(BlazeFace("short", 0.5)) as model:
        (face,) = model.find(close_up(portrait), (-90, -90, 440, 440))
        (turned,) = model.find(close_up(portrait), (-90, -90, 440, 440), is_mirrored=True)
        assert model.find(portrait, (600, 0, 900, 300)) == []
    assert turned.box == pytest.approx(face.box, abs=20)
    np.testing.assert_allclose(turned.keypoints, face.keypoints, atol=20)


def test_a_small_face_that_is_proposed_weakly_is_confirmed_close_up(portrait):
    picture = placed(portrait, 40, 500, 0.15)  # a face of 30 pixels in 1280
    with FaceDetector() as detector:
        (face,) = detector.detect(picture)
    assert centre(face) == (pytest.approx(40 + 0.15 * 264, abs=3), pytest.approx(500 + 0.15 * 244, abs=3))


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (720, 1280), (100, 100), (33, 500), (1921, 1081)])
def test_tiles_cover_the_picture_and_overlap(width, height):
    covered = np.zeros((height, width), int)
    for x1, y1, x2, y2 in tiles(width, height):
        assert 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height
        covered[y1:y2, x1:x2] += 1
    assert covered.min() >= 1
    assert covered.max() >= 2


def test_merge_keeps_the_best_of_each_face():
    points = np.zeros((6, 2), np.float32)
    best, same, inside, other = (
        Face((0, 0, 100, 100), 0.9, points),
        Face((10, 0, 110, 100), 0.7, points),
        Face((20, 20, 60, 60), 0.8, points),
        Face((300, 0, 400, 100), 0.6, points),
    )
    assert merge([other, same, inside, best]) == [best, other]


def test_mediapipe_stays_silent_even_if_nobody_closes_it():
    code = (
        "import numpy as np; from live_emotion.faces.detection.detector import FaceDetector; "
        "d = FaceDetector('tiled'); "
        "print(d.detect(np.zeros((200, 300, 3), np.uint8)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_opening_loads_no_matplotlib_and_leaves_what_others_import_alone():
    code = (
        "import sys, threading; from live_emotion.faces.detection.detector import FaceDetector\n"
        "opening = threading.Thread(target=FaceDetector); opening.start(); seen = set()\n"
        "while opening.is_alive(): seen.add('matplotlib' in sys.modules)\n"
        "from mediapipe.tasks.python.vision import drawing_utils\n"
        "print(seen, drawing_utils.DrawingSpec().thickness, 'matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("{False} 2 True\n", "")


def test_where_one_model_cannot_be_opened_the_other_is_closed(monkeypatch):
    closed = []
    close = BlazeFace.close
    monkeypatch.setattr(BlazeFace, "close", lambda model: (closed.append(model), close(model)))
    monkeypatch.setitem(MODELS, "full", "missing.tflite")
    with pytest.raises(WeightsError, match="missing"):
        FaceDetector()
    (model,) = closed
    with pytest.raises(ValueError, match="closed"):
        model.find(np.zeros((60, 60, 3), np.uint8))


def test_a_photo_of_many_megapixels_is_shrunk_for_detection_and_boxes_are_its_own(portrait):
    with FaceDetector() as detector:
        (expected,) = detector.detect(portrait)
        photo = np.full((6000, 5120, 3), 110, np.uint8)
        photo[1000:4600, 1500:4572] = cv2.resize(portrait, None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC)
        (face,) = detector.detect(photo)
    x1, y1, x2, y2 = expected.box
    assert face.box == pytest.approx((1500 + 6 * x1, 1000 + 6 * y1, 1500 + 6 * x2, 1000 + 6 * y2), abs=6 * 25)
    np.testing.assert_allclose(face.keypoints, 6 * expected.keypoints + [1500, 1000], atol=6 * 12)


def test_a_side_longer_than_mediapipe_takes_is_no_crash():
    code = (
        "import numpy as np; from live_emotion.faces.detection.detector import FaceDetector; "
        "print([d.detect(np.zeros((60, 40_000, 3), np.uint8)) for d in map(FaceDetector, ('short', 'full'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[[], []]\n", "")
