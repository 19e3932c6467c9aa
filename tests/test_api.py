"""The Python interface, as the README shows it."""

from __future__ import annotations

import ast
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from videos import make_video

import live_emotion
from live_emotion import EmotionClassifier, EmotionDetector, LiveEmotionError, errors, load_model, predict_image
from live_emotion.errors import InputError, WeightsError
from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.faces.preprocessing import crop_face, face_pixels
from live_emotion.resources import weights_file

ROOT = Path(__file__).resolve().parent.parent

PACKAGE = Path(live_emotion.__file__).parent


@pytest.fixture(scope="module")
def loaded():
    return load_model()


def test_the_readmes_first_lines_of_python(portrait, tmp_path):
    cv2.imwrite(str(tmp_path / "your_image.jpg"), portrait)
    code = (ROOT / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert re.fullmatch(r"Detected: (happy|neutral) \([0-9.]+% confident\)\n", done.stdout), done.stdout + done.stderr


def test_what_predict_image_returns(loaded, portrait):
    model, class_names = loaded
    emotion, confidence, probabilities = predict_image(model, portrait, class_names)
    assert emotion == class_names[int(np.argmax(probabilities))]
    assert confidence == pytest.approx(100 * max(probabilities), abs=1e-3)
    assert sum(probabilities) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("as_file", [True, False])
def test_a_photo_is_read_as_its_largest_face(loaded, portrait, tmp_path, as_file):
    small = cv2.resize(portrait, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    photo = np.zeros((600, 850, 3), np.uint8)
    photo[:360, : small.shape[1]] = small
    photo[:, -512:] = portrait
    cv2.imwrite(str(tmp_path / "a.png"), photo)
    model, class_names = loaded
    _, _, probabilities = predict_image(model, str(tmp_path / "a.png") if as_file else photo, class_names)
    with FaceDetector() as detector:
        faces = sorted(detector.detect(photo), key=lambda face: face.box[2] - face.box[0])
    crops = np.stack([crop_face(photo, face.box) for face in faces])
    smaller, larger = EmotionClassifier().predict(crops)
    assert np.abs(smaller - larger).max() > 0.01, "these two must be told apart"
    np.testing.assert_allclose(probabilities, larger, atol=1e-5)


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


def test_one_detector_and_one_classifier_serve_every_image(loaded, portrait, monkeypatch):
    model, class_names = loaded
    first = predict_image(model, portrait, class_names)

    def made_again(*args, **options):
        raise AssertionError("made anew")

    monkeypatch.setattr("live_emotion.faces.detection.detector.BlazeFace.__init__", made_again)
    monkeypatch.setattr("live_emotion.models.torch_network.TorchNetwork.__init__", made_again)
    again = predict_image(model, portrait, class_names)
    assert again[:2] == first[:2]


def test_a_model_that_was_trained_on_is_read_anew(portrait):
    torch = pytest.importorskip("torch")
    from live_emotion.models.emotion_cnn import EmotionCNN, EmotionCNNConfig

    torch.manual_seed(0)
    model = EmotionCNN(EmotionCNNConfig(channels=(4, 8), hidden=(16,))).eval()
    before = predict_image(model, portrait, live_emotion.EMOTIONS)[2]
    with torch.no_grad():
        model.classifier[-1].bias += torch.tensor([0.0, 5.0, 0.0, 0.0])
    after = predict_image(model, portrait, live_emotion.EMOTIONS)[2]
    assert after[1] > before[1] + 0.3


@pytest.mark.parametrize(
    "image", [None, np.zeros((9, 9)), np.zeros((0, 5, 3), np.uint8), [1, 2], np.full((48, 48), np.nan)]
)
def test_what_is_no_image_is_one_line(image):
    with EmotionDetector(device="cpu") as detector, pytest.raises(LiveEmotionError) as caught:
        detector.detect(image)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)


def test_a_closed_detector_says_so(portrait):
    with EmotionDetector(device="cpu") as detector:
        assert detector.detect(portrait)
    with pytest.raises(LiveEmotionError, match="closed"):
        detector.detect(portrait[:48, :48])


def test_a_models_temperature_and_statistics_count(portrait):
    model, class_names = load_model(weights_file("emotion_cnn.pth"), device="cpu")
    first = predict_image(model, portrait, class_names)[1]
    model.temperature *= 4
    softer = predict_image(model, portrait, class_names)[1]
    assert softer < first - 5
    for module in model.modules():
        if hasattr(module, "running_mean"):
            module.running_mean += 1
    assert predict_image(model, portrait, class_names)[1] != softer


@pytest.mark.parametrize(
    "call",
    [
        lambda image: live_emotion.predict_image(None, image, live_emotion.EMOTIONS),
        lambda image: live_emotion.predict_image(load_model(device="cpu")[0], None, live_emotion.EMOTIONS),
        lambda image: load_model(5),
        lambda image: load_model(device=3),
        lambda image: EmotionDetector("model.pth"),
        lambda image: EmotionDetector(weights=5),
        lambda image: EmotionDetector(weights=[5]),
        lambda image: EmotionDetector(device=None),
        lambda image: EmotionDetector(min_confidence="0.5"),
        lambda image: EmotionDetector(min_confidence=np.nan),
        lambda image: EmotionDetector(max_faces="3"),
        lambda image: EmotionDetector(max_faces=1.5),
        lambda image: EmotionDetector(profile=5),
        lambda image: EmotionDetector(device="cpu").detect(image, "abc"),
        lambda image: EmotionClassifier(device="cpu").predict(np.zeros((1, 48, 48), np.float32)),
        lambda image: EmotionClassifier(device="cpu").predict([[1]]),
    ],
)
def test_what_makes_no_sense_is_one_line(call, portrait):
    with pytest.raises(LiveEmotionError) as caught:
        call(portrait)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)


def test_a_stream_is_always_tracked(portrait, tmp_path):
    video = make_video(tmp_path / "video.mp4", [portrait] * 2)
    assert next(live_emotion.stream(video, track=False, device="cpu")).faces[0].track_id == 1


@pytest.mark.parametrize("box", [(np.nan, 0, 10, 10), (0, 0, np.inf, 10), (900, 900, 950, 950)])
def test_a_box_that_is_none_is_one_line(box, portrait):
    with pytest.raises(LiveEmotionError, match="box"):
        crop_face(portrait, box)


@pytest.mark.parametrize("time_s", [np.nan, np.inf])
def test_a_time_that_is_none_is_one_line(time_s, no_face):
    with EmotionDetector(device="cpu", track=True) as detector, pytest.raises(LiveEmotionError, match="time_s"):
        detector.detect(no_face, time_s=time_s)


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
    "AnalysisConfig",
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
