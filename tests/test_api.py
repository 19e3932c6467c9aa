"""The Python interface, as the README shows it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import live_emotion
from live_emotion import EmotionClassifier, EmotionDetector, LiveEmotionError, load_model, predict_image
from live_emotion.errors import InputError, WeightsError
from live_emotion.faces.preprocessing import face_pixels


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


def test_every_error_has_one_base():
    for name in ("InputError", "OutputError", "CameraError", "DisplayError", "WeightsError", "DeviceError"):
        assert issubclass(getattr(live_emotion.errors, name), LiveEmotionError)


def test_unknown_names_are_attribute_errors():
    assert "load_model" in dir(live_emotion)
    with pytest.raises(AttributeError, match="nothing_such"):
        live_emotion.nothing_such  # noqa: B018
