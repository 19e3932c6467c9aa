"""The loop: real portrait, real detector, the weights that come with live-emotion."""

from __future__ import annotations

import numpy as np
import pytest

from live_emotion.faces.detector import FaceDetector
from live_emotion.faces.preprocessing import crop_face
from live_emotion.pipelines.analyzer import EmotionAnalyzer, find_faces, read
from live_emotion.types import Frame


@pytest.fixture(scope="module")
def analyzer():
    with EmotionAnalyzer.open(device="cpu") as analyzer:
        yield analyzer


@pytest.fixture
def batches(analyzer, monkeypatch):
    """Sizes of the batches that reach the network."""
    sizes = []
    network = analyzer.classifier._networks[0]
    hook = network.model.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    yield sizes
    hook.remove()


def test_two_faces_are_one_batch_of_two(analyzer, batches, two_faces):
    faces = analyzer.analyze(Frame(0, 0.0, two_faces))
    assert len(faces) == 2
    assert batches == [2]


def test_no_face_costs_no_network_call(analyzer, batches, no_face):
    assert analyzer.analyze(Frame(0, 0.0, no_face)) == []
    assert batches == []


def test_each_face_has_the_reading_of_its_own_crop(analyzer, two_faces):
    left, right = sorted(analyzer.analyze(Frame(0, 0.0, two_faces)), key=lambda f: f.box[0])
    crops = np.stack([crop_face(two_faces, face.box) for face in (left, right)])
    expected = analyzer.classifier.predict(crops)
    assert np.abs(expected[0] - expected[1]).max() > 0.01, "these two must be told apart"
    np.testing.assert_allclose([left.probabilities, right.probabilities], expected, atol=1e-5)


def test_crops_are_those_of_the_one_preprocessing(portrait):
    with FaceDetector() as detector:
        faces, crops = find_faces(detector, portrait)
    assert len(faces) == 1
    assert np.array_equal(crops[0], crop_face(portrait, faces[0].box))


def test_results_keep_frames_and_are_drawn_on_copies(analyzer, portrait, no_face):
    frames = [Frame(0, 0.0, portrait), Frame(1, 0.04, no_face)]
    results = list(read(frames, analyzer))
    assert [r.frame for r in results] == frames
    assert [len(r.faces) for r in results] == [1, 0]
    annotated = results[0].draw()
    assert annotated.shape == portrait.shape
    assert not np.array_equal(annotated, portrait)
    assert np.array_equal(results[1].draw(), no_face)
    x1, y1, x2, y2 = (round(v) for v in results[0].faces[0].box)
    middle = slice(y1 + 20, y2 - 20), slice(x1 + 20, x2 - 20)
    assert np.array_equal(annotated[middle], portrait[middle]), "the face itself stays free"
