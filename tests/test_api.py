"""The Python interface, as the README shows it."""

from __future__ import annotations

import ast
import itertools
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from videos import make_video

import live_emotion
from live_emotion import (
    AnalysisConfig,
    ArgumentError,
    CameraMode,
    EmotionClassifier,
    EmotionDetector,
    LiveEmotionError,
    errors,
    load_model,
    predict_image,
    stream,
)
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
    assert 0.9 < sum(probabilities) <= 1 + 1e-5, "what is lacking is the probability of something else"


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


@pytest.mark.parametrize("weights", ["best_emotion_model.onnx", "emotion_cnn.pth"])
def test_one_detector_and_one_network_serve_every_image(portrait, monkeypatch, weights):
    model, class_names = load_model(weights_file(weights), device="cpu")
    first = predict_image(model, portrait, class_names)

    def made_again(*args, **options):
        raise AssertionError("made anew")

    monkeypatch.setattr("live_emotion.faces.detection.detector.BlazeFace.__init__", made_again)
    monkeypatch.setattr("live_emotion.models.torch_network.TorchNetwork.__init__", made_again)
    monkeypatch.setattr("live_emotion.emotions.onnx.OnnxNetwork.__init__", made_again)
    again = predict_image(model, portrait, class_names)
    assert again[:2] == first[:2]


def test_a_model_loaded_for_inference_alone_is_read(portrait):
    with torch.inference_mode():
        model, class_names = load_model(weights_file("emotion_cnn.pth"), device="cpu")
    plain, _ = load_model(weights_file("emotion_cnn.pth"), device="cpu")
    assert predict_image(model, portrait, class_names)[:2] == predict_image(plain, portrait, class_names)[:2]


def test_a_model_that_was_trained_on_is_read_anew(portrait):
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


def assert_one_line(call):
    """It raises an error of ours, whose message is one line and not long."""
    with pytest.raises(LiveEmotionError) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert 20 < len(str(caught.value)) < 250
    return caught.value


ARRAY = np.zeros((30, 30))
"""Its text has several lines, and it is neither true nor false."""


@pytest.mark.parametrize(
    "call",
    [
        lambda: load_model(5),
        lambda: load_model(ARRAY),
        lambda: load_model(device=3),
        lambda: EmotionDetector("model.pth"),
        lambda: EmotionDetector(ARRAY),
        lambda: EmotionDetector(weight="model.pth"),
        lambda: EmotionDetector(device=None),
        lambda: EmotionClassifier(5),
        lambda: EmotionClassifier([5]),
        lambda: EmotionClassifier(device=None),
        lambda: EmotionClassifier(device=3),
        lambda: EmotionClassifier(threads=-1),
        lambda: EmotionClassifier(threads="all"),
        lambda: EmotionClassifier(profile="me"),
        lambda: EmotionClassifier(device="cpu").predict(np.zeros((1, 48, 48), np.float32)),
        lambda: EmotionClassifier(device="cpu").predict(torch.zeros((1, 48, 48), dtype=torch.uint8)),
        lambda: EmotionClassifier(device="cpu").predict([[1]]),
        lambda: FaceDetector(min_confidence=np.nan),
        lambda: FaceDetector(min_confidence=5),
        lambda: CameraMode("a"),
        lambda: CameraMode(-1),
        lambda: CameraMode(10**400),
        lambda: CameraMode(fps=np.nan),
        lambda: next(stream(None)),
        lambda: next(stream(10**5000)),
        lambda: next(stream(0, mode=None)),
        lambda: next(stream(0, mirror="no")),
        lambda: next(stream(0, callback=5)),
        lambda: next(stream(0, weight="model.pth")),
    ],
)
def test_an_argument_that_makes_no_sense_is_one_line(call):
    assert isinstance(assert_one_line(call), ArgumentError)


@pytest.mark.parametrize("name", ["no\0file", "no\nfile", "n" * 300])
@pytest.mark.parametrize(
    "call",
    [
        lambda name: predict_image(load_model()[0], name, live_emotion.EMOTIONS),
        lambda name: load_model(name),
        lambda name: load_model(f"{name}.onnx"),
        lambda name: EmotionDetector(weights=name),
        lambda name: EmotionClassifier(name),
        lambda name: next(stream(name, device="cpu")),
    ],
)
def test_a_name_that_no_file_has_is_one_line(call, name):
    with pytest.raises(LiveEmotionError) as caught:
        call(name)
    assert not set("\0\n") & set(str(caught.value))


class NoPath:
    """What it gives names no file."""

    def __init__(self, given):
        self.given = given

    def __fspath__(self):
        return self.given


@pytest.mark.parametrize("path", [NoPath(3), NoPath(b"a.pth"), b"a.pth"], ids=["number", "bytes of a path", "bytes"])
def test_what_gives_no_name_of_a_file_is_one_line(path):
    model, class_names = load_model()
    for call in (
        lambda: load_model(path),
        lambda: predict_image(model, path, class_names),
        lambda: AnalysisConfig(weights=path),
        lambda: next(stream(path, device="cpu")),
    ):
        assert_one_line(call)


@pytest.mark.parametrize(
    "field",
    [
        *({"weights": value} for value in (5, [5], 0, False, ARRAY, np.array(1))),
        *({"device": value} for value in (None, 3, ARRAY)),
        *({"detector": value} for value in (None, ["full"], "half", ARRAY)),
        *({"min_confidence": value} for value in ("0.5", np.nan, 1j, np.complex64(1), 10**400, True, ARRAY)),
        *({"max_faces": value} for value in ("3", 1.5, 0, True, 10**400, ARRAY)),
        *({"profile": value} for value in (5, 0, [5], ARRAY)),
        *({"track": value} for value in ("no", 5, None, ARRAY)),
    ],
)
def test_a_setting_that_makes_no_sense_is_one_line(field):
    (name,) = field
    assert str(assert_one_line(lambda: AnalysisConfig(**field))).startswith(f"{name} must be ")


def test_collections_of_names_become_tuples():
    config = AnalysisConfig(weights=(f"{name}.pth" for name in "ab"), profile=["anna", "ben"], track=np.bool_(True))
    assert config.weights == ("a.pth", "b.pth")
    assert config == AnalysisConfig(weights=["a.pth", "b.pth"], profile=("anna", "ben"), track=True)
    assert hash(config) == hash(AnalysisConfig(weights=("a.pth", "b.pth"), profile=("anna", "ben"), track=True))
    assert AnalysisConfig(weights="a.pth", profile="anna") == AnalysisConfig(weights=("a.pth",), profile=("anna",))
    assert AnalysisConfig(weights=None, profile=None) == AnalysisConfig(weights=[], profile=())
    with pytest.raises(WeightsError, match="no weights file none"):
        EmotionDetector(weights=(name for name in ["none.pth"]))


class Failing(torch.nn.Module):
    """Its first line says nothing."""

    def forward(self, faces):
        raise RuntimeError("\nfirst\nsecond")


class Deep(torch.nn.Module):
    """Logits with an axis too many."""

    def forward(self, faces):
        return torch.zeros(len(faces), 4, 1)


@pytest.mark.parametrize(
    "model",
    [
        *(None, 5, {}, dict, lambda faces: faces, torch.nn.Flatten, live_emotion.EmotionClassifier),
        *(torch.nn.Flatten(), torch.nn.Identity(), torch.nn.Linear(3, 3), torch.nn.Module(), Failing(), Deep()),
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(4)),
    ],
)
def test_what_is_no_model_is_one_line(model, portrait):
    assert_one_line(lambda: predict_image(model, portrait, live_emotion.EMOTIONS))


@pytest.mark.parametrize("weights", ["best_emotion_model.onnx", "emotion_cnn.pth"])
def test_names_and_a_temperature_that_make_no_sense_are_one_line(weights, portrait):
    model, class_names = load_model(weights_file(weights), device="cpu")
    for names in (None, 5, "abcd", [], [1, 2, 3, 4], ["a", "b", "c", ""], ["a", "b", "c", "d\ne"], class_names[:3]):
        assert_one_line(lambda: predict_image(model, portrait, names))  # noqa: B023
    for temperature in (0, -1, np.nan, None, "warm", ARRAY):
        model.temperature = temperature
        assert_one_line(lambda: predict_image(model, portrait, class_names))


def test_a_model_that_gives_no_numbers_is_one_line(portrait):
    model, class_names = load_model(weights_file("emotion_cnn.pth"), device="cpu")
    with torch.no_grad():
        next(model.parameters()).fill_(np.nan)
    assert "gives no numbers" in str(assert_one_line(lambda: predict_image(model, portrait, class_names)))


def test_what_is_no_picture_for_a_model_is_one_line(loaded):
    assert_one_line(lambda: predict_image(loaded[0], None, loaded[1]))


def test_a_stream_is_always_tracked(portrait, tmp_path):
    video = make_video(tmp_path / "video.mp4", [portrait] * 2)
    assert next(live_emotion.stream(video, track=False, device="cpu")).faces[0].track_id == 1


@pytest.mark.parametrize(
    "box",
    [
        *((np.nan, 0, 10, 10), (0, 0, np.inf, 10), (900, 900, 950, 950), (10, 10, 10, 10), (20, 20, 10, 10)),
        *((0, 0, 1e9, 1e9), (-1e300, -1e300, 1e300, 1e300), (50, 50, 51, 1e8)),
    ],
)
def test_a_box_that_is_none_is_one_line(box, portrait):
    with pytest.raises(LiveEmotionError, match="box"):
        crop_face(portrait, box)


@pytest.mark.parametrize("time_s", [np.nan, np.inf, pytest.param(10**400, id="huge"), "abc", True, 1j, ARRAY])
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
    "Why",
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


class Failing:
    """A collection that cannot be gone through."""

    def __iter__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "names", [range(10**9), itertools.repeat("happy"), Failing()], ids=["long", "endless", "failing"]
)
def test_collections_that_nobody_can_go_through_are_refused(loaded, portrait, names):
    with pytest.raises(ArgumentError, match="names of the classes"):
        predict_image(loaded[0], portrait, names)
