"""The window that leads through an enrolment."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from live_emotion.io.display.letterbox import Letterbox
from live_emotion.io.display.window import Window
from live_emotion.io.live_source import LiveSource, mirrored
from live_emotion.pipelines.guide import Guide, Phase
from live_emotion.visualization.guide import draw_scene

POLL_S = 0.03
"""How long it waits for a frame before it looks for keys, in seconds."""


def guide_in_window(
    guide: Guide,
    source: LiveSource,
    window: Window,
    mirror: bool,
    stopped: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Shows a guide what the camera sees, and somebody what the guide says, until all was shown.

    Args:
        guide: says what to do.
        source: of the frames.
        window: to show it in.
        mirror: show the frames turned left to right; the guide gets them as they are.
        stopped: asked a few times a second.
        clock: gives seconds.

    Returns:
        whether it came to its end; False where somebody ended it, or the frames did.

    Raises:
        CameraError: the camera gives no frames.
    """
    names = guide.enrolment.analyzer.class_names
    image: np.ndarray | None = None
    while guide.phase is not Phase.DONE:
        frame = source.take(POLL_S)
        if stopped() or (frame is None and source.ended):
            return False
        scene = guide.step(frame, clock(), window.key)
        if frame is not None:
            image = (mirrored(frame) if mirror else frame).image
        if image is None:
            continue
        size = image.shape[1], image.shape[0]
        if not window.show(draw_scene(Letterbox(size, window.fit(*size)).apply(image), scene, names)):
            return False
    return True
