"""The one analyzer: frames in, faces with their emotions out, for photos, cameras and videos alike."""

from __future__ import annotations

import contextlib
import itertools
import queue
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from live_emotion.concurrency.cpu import cores
from live_emotion.concurrency.prefetch import map_in_order
from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.emotions.profile import Profile
from live_emotion.emotions.recognition import Recognizer
from live_emotion.emotions.smoothing import EmotionSmoother, unsmoothed
from live_emotion.emotions.why import Why, explain
from live_emotion.errors import InputError
from live_emotion.faces.appearance import appearance
from live_emotion.faces.boxes import SAME_FACE, intersection_over_union, mirrored_boxes, overlap
from live_emotion.faces.crops import find_faces
from live_emotion.faces.detection.blazeface import check_image
from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.faces.detection.refinement import RefinementMemory
from live_emotion.faces.preprocessing import crop_face
from live_emotion.faces.quality import OTHER, is_readable
from live_emotion.faces.regions import crop_keypoints
from live_emotion.faces.scene import Scene
from live_emotion.faces.tracker import Tracker
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.result import FoundFaces, Result, looks_of
from live_emotion.types import NO_FACE, Box, Face, Frame, Prediction, TrackedFace

FRAMES_AT_ONCE = 4
"""Of so many frames the faces are read in one batch: one face alone costs half of what four do."""

LEAST_NO_FACE = 0.5
"""Probability of no face from which the network, where it knows such, is believed against a detector in doubt."""

DOUBTED_SCORE = 0.8
"""Of the detector, below which it is in doubt. What generated clutter gets is below, and blurred faces, in which the
network sees nothing, are above."""

SAME_PLACE = 0.3
"""Overlap with a face of the last frame from which a face is that one, whatever the network sees in it now."""


class EmotionAnalyzer:
    """Finds the faces of frames, reads their emotions and, where the configuration says so, follows them.

    :meth:`analyze` reads one frame after the other. For a camera the two halves of that, :meth:`find` and
    :meth:`read`, may run in a thread each, and for a video :meth:`analyze_many` works on several frames at once.

    Args:
        config: says how.
        workers: how many frames :meth:`analyze_many` looks for faces in at once; each needs a detector.
        classifier: shared with other analyzers, whatever the configuration's weights are; None: one of its own.

    Raises:
        WeightsError: a model file is missing or damaged.
        DeviceError: the device is not available.
        InputError: there is no such profile, or it is for other weights.
    """

    def __init__(
        self,
        config: AnalysisConfig = AnalysisConfig(),
        workers: int = 1,
        classifier: EmotionClassifier | None = None,
    ) -> None:
        self.config = config
        profiles = [Profile.load(name) for name in config.profiles]
        # the cores that the network leaves find faces meanwhile: in frames that follow, or in several at once
        threads = 1 if workers > 1 else max(1, cores() // 2) if config.track else 0
        self.classifier = classifier or EmotionClassifier(config.weights, config.device, threads)
        self._profiles = [self._checked(profile) for profile in profiles]
        self._detectors = [FaceDetector(config.detector, config.min_confidence) for _ in range(workers)]
        self._idle: queue.SimpleQueue[FaceDetector] = queue.SimpleQueue()
        for detector in self._detectors:
            self._idle.put(detector)
        self.restart()

    @property
    def class_names(self) -> tuple[str, ...]:
        """In the order of the probabilities."""
        return self.classifier.class_names

    def restart(self) -> None:
        """Forgets who was seen: what comes next is another camera or video."""
        self._memory = RefinementMemory() if self.config.track else None
        self._tracker = Tracker() if self.config.track else None
        self._scene = Scene()
        self._names: defaultdict[int, Counter[str]] = defaultdict(Counter)  # by track id, how often which was known
        self._smoother = EmotionSmoother(self.class_names)
        self._recognizer = Recognizer(self._profiles) if self._profiles else None
        self._found_mirrored = self._read_mirrored = False
        self._seen = np.empty((0, 4))  # boxes of the last frame's faces

    def forget(self) -> None:
        """Forgets where everybody is, as another camera's frames come; unlike :meth:`restart`, the numbers go on."""
        tracker = self._tracker
        self.restart()
        if tracker:
            tracker.forget()
            self._tracker = tracker

    def change(self, detector: str, max_faces: int) -> None:
        """Looks for faces otherwise from now on; whoever is followed stays followed.

        Args:
            detector: and ``max_faces`` are those of :class:`AnalysisConfig`.

        Raises:
            ArgumentError: a value makes no sense.
        """
        config = replace(self.config, detector=detector, max_faces=max_faces)
        if detector != self.config.detector:
            opened = [FaceDetector(detector, config.min_confidence) for _ in self._detectors]
            for _ in self._detectors:
                self._idle.get().close()
            for each in opened:
                self._idle.put(each)
            self._detectors = opened
            self._memory = RefinementMemory() if config.track else None
        self.config = config

    def wait(self) -> None:
        """Frames of the same camera go on later, when somebody else has used it; people keep their numbers."""
        if self._tracker:
            self._memory = RefinementMemory()
            self._tracker.wait()
            self._scene = Scene()

    def add_profile(self, name: str) -> None:
        """Uses another person's profile from now on, or one that was made again in place of that of its name.

        Raises:
            InputError: there is no such profile, or it is for other weights.
        """
        profiles = dict(zip(self.config.profiles, self._profiles)) | {name: self._checked(Profile.load(name))}
        self._profiles = list(profiles.values())
        self.config = replace(self.config, profile=tuple(profiles))
        self._recognizer = Recognizer(self._profiles)

    def _checked(self, profile: Profile) -> Profile:
        self.classifier.check_profile(profile)
        return profile

    def analyze(self, frame: Frame) -> Result:
        """Reads a frame; one without faces costs no call of the network.

        Raises:
            ArgumentError: its image has another shape or dtype.
        """
        (result,) = self.read([self.find(frame)])
        return result

    def find(self, frame: Frame, is_mirrored: bool = False, proposed: list[Face] | None = None) -> FoundFaces:
        """The first half of :meth:`analyze`: detects and cuts out the faces.

        Args:
            frame: the next one.
            is_mirrored: whether it was turned left to right. It may change from frame to frame: what is remembered
                turns with it.
            proposed: by :meth:`FaceDetector.propose` for this frame, if it was asked before.
        """
        check_image(frame.image)
        if self._memory and is_mirrored != self._found_mirrored:
            self._memory.mirror(frame.image.shape[1])
        self._found_mirrored = is_mirrored
        with self._borrowed() as detector:
            faces, crops = find_faces(detector, frame.image, proposed, self._memory, frame.time_s)
        read = self.config.max_faces
        return FoundFaces(frame, faces[:read], crops[:read], is_mirrored, len(faces))

    def read(self, found: Sequence[FoundFaces]) -> list[Result]:
        """The second half of :meth:`analyze`: reads the faces of one or more frames, in order, in one batch."""
        crops = np.concatenate([each.crops for each in found])
        probabilities, embeddings = (
            self.classifier.read(crops) if self._recognizer else (self.classifier.predict_all(crops), None)
        )
        results, first = [], 0
        for each in found:
            self._turn_with(each)
            rows = slice(first, first := first + len(each.faces))
            kept = self._true_faces(each, probabilities[rows])
            of_people = None if embeddings is None else embeddings[rows][kept]
            results.append(self._result(each.only(kept), probabilities[rows][kept], of_people))
        return results

    def _turn_with(self, found: FoundFaces) -> None:
        """Turns left to right what :meth:`read` remembers, where the frames are so from now on, or no longer."""
        if found.is_mirrored != self._read_mirrored:
            width = found.frame.image.shape[1]
            self._seen = mirrored_boxes(self._seen, width)
            self._scene = Scene()
            if self._tracker:
                self._tracker.mirror(width)
        self._read_mirrored = found.is_mirrored

    def _true_faces(self, found: FoundFaces, probabilities: np.ndarray) -> np.ndarray:
        """Which of a frame's N faces are faces, by detector, network and the last frame: int (M,).

        Args:
            found: the frame with them.
            probabilities: (N, C + K), of all that the networks know.
        """
        if NO_FACE not in self.classifier.other_names:
            return np.arange(len(found.faces))
        column = len(self.class_names) + self.classifier.other_names.index(NO_FACE)
        boxes = np.array([face.box for face in found.faces]).reshape(-1, 4)
        goes_on = intersection_over_union(boxes, self._seen).max(axis=1, initial=0) >= SAME_PLACE
        is_sure = np.array([face.score >= DOUBTED_SCORE for face in found.faces], bool)
        kept = np.flatnonzero(goes_on | is_sure | (probabilities[:, column] < LEAST_NO_FACE))
        if self.config.track:
            self._seen = boxes[kept]
        return kept

    def _result(self, found: FoundFaces, probabilities: np.ndarray, embeddings: np.ndarray | None = None) -> Result:
        """What comes of a frame whose N faces were read.

        Args:
            found: the frame with them.
            probabilities: float32 (N, C + K), of the classes and of what the networks know beside them.
            embeddings: (N, D), where people are to be known.
        """
        ids: list[int] | None = None
        if self._tracker:
            ids = self._track(self._tracker, found)
        kept = self._tracker.track_ids if self._tracker else frozenset()
        names = [""] * len(found.faces)
        if self._recognizer and embeddings is not None and found.faces:
            owners = self._recognizer.assign(looks_of(found), ids, kept)
            probabilities = self._corrected(probabilities, embeddings, owners)
            names = ["" if owner is None else self.config.profiles[owner] for owner in owners]
            for track_id, name in zip(ids or (), names):
                self._names[track_id][name] += 1
        probabilities = probabilities[:, : len(self.class_names)]
        if ids is None:
            faces = [unsmoothed(face, row, self.class_names) for face, row in zip(found.faces, probabilities)]
        else:
            faces = self._smoother.update(found.faces, ids, probabilities, found.frame.time_s, kept)
        named = [replace(face, name=name) for face, name in zip(faces, names)]
        return Result(found.frame, named, self.class_names, found.found)

    def _track(self, tracker: Tracker, found: FoundFaces) -> list[int]:
        """Whose the faces of the next frame are."""

        def describe(index: int) -> np.ndarray | None:
            return appearance(found.frame.image, found.faces[index], found.is_mirrored)

        return tracker.update(found.faces, found.frame.time_s, describe, self._scene.is_cut(found.frame.image))

    def merged_numbers(self) -> dict[int, int]:
        """The numbers so far that turned out to be of somebody who had another before, each with that one."""
        names = {number: names.most_common(1)[0][0] for number, names in self._names.items()}
        return self._tracker.merged(names) if self._tracker else {}

    def _corrected(self, probabilities: np.ndarray, embeddings: np.ndarray, owners: Sequence[int | None]) -> np.ndarray:
        corrected = probabilities.copy()
        for i, owner in enumerate(owners):
            if owner is not None and self._recognizer:
                one = slice(i, i + 1)
                corrected[one] = self._recognizer.profiles[owner].correct(probabilities[one], embeddings[one])
        return corrected

    def analyze_many(self, frames: Iterable[tuple[Frame, bool]]) -> Generator[tuple[Frame, Result | None]]:
        """Reads the frames of a video, several at once.

        The first stage of detection looks at several frames at once; the second takes them in order, since it goes by
        what it found in the frame before; and the network reads the faces of several frames in one batch.

        Args:
            frames: in order, each with whether it is due.

        Yields:
            each frame with what came of it, or with None where it is not due.
        """

        def propose(marked: tuple[Frame, bool]) -> tuple[Frame, list[Face] | None]:
            frame, is_due = marked
            if not is_due:
                return frame, None
            with self._borrowed() as detector:
                return frame, detector.propose(frame.image)

        with contextlib.closing(map_in_order(propose, frames, len(self._detectors))) as proposals:
            while group := list(itertools.islice(proposals, FRAMES_AT_ONCE)):
                found = [self.find(frame, proposed=faces) for frame, faces in group if faces is not None]
                results = iter(self.read(found) if found else [])
                for frame, faces in group:
                    yield frame, None if faces is None else next(results)

    def explain(self, image: np.ndarray, face: TrackedFace, heat: bool = False) -> Why | None:
        """Why a face is read as it is: what becomes of its emotion when a part of the face is hidden.

        It is what the network reads in this image alone, before any smoothing. Another thread may call it meanwhile.

        Args:
            image: (H, W, 3) uint8 BGR, in which the face was found.
            face: of a :class:`Result`.
            heat: also a map of where on the face the emotion is seen.

        Returns:
            None where the face cannot be read.

        Raises:
            LiveEmotionError: the network gives no map.
        """
        if face.note != OTHER and not is_readable(face.note):
            return None
        profile = next((p for p, name in zip(self._profiles, self.config.profiles) if name == face.name), None)
        keypoints = crop_keypoints(face.keypoints, face.box)
        emotion = OTHER if face.note == OTHER else face.emotion
        return explain(self.classifier, crop_face(image, face.box), keypoints, emotion, profile, heat)

    def explain_box(self, image: np.ndarray, box: Box, emotion: str, name: str = "") -> str:
        """As :meth:`explain`, in words, for a face of which rows tell: its keypoints are found again.

        Args:
            image: (H, W, 3) uint8 BGR.
            box: of the face, in pixels.
            emotion: that was read.
            name: of the enrolled person, or nothing.

        Raises:
            InputError: the weights do not know the emotion.
        """
        if emotion not in self.class_names:
            raise InputError(
                f"The weights do not know {emotion}; give those that the rows were read by with --weights. "
                f"These know {', '.join(self.class_names)}."
            )
        with self._borrowed() as detector:
            near = max(detector.detect(image), key=lambda face: overlap(face.box, box), default=None)
        is_it = near is not None and overlap(near.box, box) >= SAME_FACE
        keypoints = near.keypoints if near and is_it else np.full((6, 2), np.nan, np.float32)
        return str(self.explain(image, TrackedFace(box, 1.0, keypoints, Prediction(emotion, 1.0, ()), name=name)) or "")

    @contextlib.contextmanager
    def _borrowed(self) -> Iterator[FaceDetector]:
        detector = self._idle.get()
        try:
            yield detector
        finally:
            self._idle.put(detector)

    def close(self) -> None:
        """Frees the detectors."""
        for detector in self._detectors:
            detector.close()

    def __enter__(self) -> EmotionAnalyzer:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
