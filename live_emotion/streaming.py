"""Live results as an iterator, for Python programs: no window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from live_emotion.io.camera import CameraMode
from live_emotion.io.live_source import open_camera
from live_emotion.pipelines.analyzer import EmotionAnalyzer, Result
from live_emotion.pipelines.controls import Settings
from live_emotion.pipelines.live import find_live, read_live
from live_emotion.types import Row, StrPath


def stream(
    source: int | StrPath = 0,
    *,
    weights: StrPath | Sequence[StrPath] | None = None,
    device: str = "auto",
    detector: str = "full",
    min_confidence: float = 0.5,
    max_faces: int = 10,
    mirror: bool = False,
    profile: str | None = None,
    mode: CameraMode = CameraMode(),
    callback: Callable[[Row], object] | None = None,
) -> Iterator[Result]:
    """Reads a camera, a stream or a video that plays at its own speed. Frames that come while you are busy are dropped.

    Args:
        source: number or name of a camera, a URL such as ``rtsp://...``, or a video file.
        weights: a checkpoint, several to average, or None for the one that comes with live-emotion.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        detector: ``full``, ``short`` or ``tiled``.
        min_confidence: of the face detector, 0 to 1.
        max_faces: most faces to read in a frame.
        mirror: turn the picture left to right.
        profile: of ``live-emotion calibrate``.
        mode: asked of a camera.
        callback: called with a row, a dictionary with the columns of ``--log``, for each face.

    Yields:
        results with ``frame`` (its ``image`` is (H, W, 3) uint8 BGR), ``faces``, ``rows()`` and ``draw()``. A video
        ends, a camera does not; leaving the loop frees it.

    Raises:
        LiveEmotionError: the camera or a model file is missing, or the camera gives no frames any more.

    Example:
        >>> for result in stream(0):  # doctest: +SKIP
        ...     for face in result.faces:
        ...         print(face.track_id, face.emotion, face.confidence)
    """
    with (
        EmotionAnalyzer.open(
            weights, device, detector, min_confidence, max_faces, track=True, profile=profile
        ) as analyzer,
        open_camera(str(source), mode) as newest,
    ):
        for result in read_live(find_live(newest, analyzer.detector, Settings(mirror=mirror)), analyzer):
            if callback:
                for row in result.rows():
                    callback(row)
            yield result
