"""The Python interface, as the README shows it."""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import live_emotion
from live_emotion import EmotionClassifier, EmotionDetector, LiveEmotionError, errors, load_model, predict_image
from live_emotion.errors import InputError, WeightsError
from live_emotion.faces.preprocessing import face_pixels

PACKAGE = Path(live_emotion.__file__).parent


@pytest.fixture(scope="module")
def loaded():
    return load_model()


def test_the_readmes_lines(loaded, portrait, tmp_path):
    photo = tmp_path / "your_image.jpg"
    cv2.imwrite(str(photo), portrait)
    model, class_names = loaded
    emotion, confidence, probs = predict_image(model, photo, class_names)
    assert emotion in class_names
    assert 25 <= confidence <= 100
    assert confidence == pytest.approx(100 * max(probs), abs=1e-3)
    assert sum(probs) == pytest.approx(1, abs=1e-5)
    assert f"Detected: {emotion} ({confidence:.1f}% confident)".startswith("Detected: ")


def test_file_and_array_agree(loaded, portrait, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), portrait)
    model, class_names = loaded
    from_file = predict_image(model, str(tmp_path / "a.png"), class_names)
    from_array = predict_image(model, portrait, class_names)
    np.testing.assert_array_equal(from_file[2], from_array[2])


def test_a_face_of_48_pixels_is_taken_as_it_is(loaded, portrait):
    face = face_pixels(portrait[100:400, 130:400])
    model, class_names = loaded
    emotion, _, probs = predict_image(model, face, class_names)
    expected = EmotionClassifier().predict(face[None])[0]
    np.testing.assert_allclose(probs, expected, atol=1e-6)
    assert emotion == class_names[int(expected.argmax())]


def test_errors_are_one_clear_line(loaded, no_face, tmp_path):
    model, class_names = loaded
    (tmp_path / "text.jpg").write_text("hello")
    cases = [(no_face, "no face"), (tmp_path / "none.jpg", "no file"), (tmp_path / "text.jpg", "not an image")]
    for image, message in cases:
        with pytest.raises(InputError, match=message) as caught:
            predict_image(model, image, class_names)
        assert "\n" not in str(caught.value)
    with pytest.raises(WeightsError, match="no weights file"):
        load_model(tmp_path / "none.pth")


def test_detector_finds_faces_in_pixels(portrait, two_faces, no_face):
    with EmotionDetector(device="cpu") as detector:
        assert detector.class_names == ("angry", "happy", "neutral", "sad")
        assert detector.detect(no_face) == []
        (face,) = detector.detect(portrait)
        x1, y1, x2, y2 = face.box
        assert 100 < x1 < 230 and 320 < x2 < 420 and 80 < y1 < 200 and 280 < y2 < 400
        assert 0.25 <= face.confidence <= 1
        assert face.emotion == detector.class_names[int(np.argmax(face.probabilities))]
        assert face.track_id == 0
        assert len(detector.detect(two_faces)) == 2


def test_detector_keeps_identities_when_tracking(portrait):
    with EmotionDetector(device="cpu", track=True) as detector:
        ids = [detector.detect(np.roll(portrait, 4 * i, axis=1), time_s=i / 25)[0].track_id for i in range(4)]
    assert ids == [1, 1, 1, 1]


PUBLIC = {
    "CameraMode",
    "EMOTIONS",
    "EmotionClassifier",
    "EmotionDetector",
    "Face",
    "Frame",
    "Prediction",
    "Result",
    "TrackedFace",
    "__version__",
    "load_model",
    "predict_image",
    "stream",
} | {name for name, value in vars(errors).items() if isinstance(value, type)}


def test_the_public_names_are_these_for_people_programs_and_type_checkers():
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    imports = [alias for node in stub.body for alias in node.names]
    # "x as x" is how a stub says that a name is for others
    assert {alias.asname for alias in imports} == {alias.name for alias in imports} == PUBLIC
    assert set(live_emotion.__all__) == set(dir(live_emotion)) == PUBLIC
    assert len(imports) == len(live_emotion.__all__) == len(PUBLIC)
    assert (PACKAGE / "py.typed").exists()


def test_every_public_name_is_there_and_says_what_it_is():
    for name in PUBLIC:
        value = getattr(live_emotion, name)
        assert value is getattr(live_emotion, name)
        assert isinstance(value, (str, tuple)) or value.__doc__
    with pytest.raises(AttributeError, match="nothing_such"):
        live_emotion.nothing_such  # noqa: B018


def test_every_error_has_one_base():
    for name in PUBLIC:
        if name.endswith("Error"):
            assert issubclass(getattr(live_emotion, name), LiveEmotionError)


def test_the_version_is_the_installations(tmp_path, monkeypatch):
    (tmp_path / "live_emotion-7.8.9.dist-info").mkdir()
    (tmp_path / "live_emotion-7.8.9.dist-info" / "METADATA").write_text("Name: live-emotion\nVersion: 7.8.9\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert runpy.run_path(str(PACKAGE / "version.py"))["__version__"] == "7.8.9"
    monkeypatch.setattr(sys, "path", [])
    assert runpy.run_path(str(PACKAGE / "version.py"))["__version__"] == "0+unknown"
