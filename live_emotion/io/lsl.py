"""Lab Streaming Layer: what is read in faces, for recordings beside other instruments."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from live_emotion.errors import MissingExtraError
from live_emotion.types import Frame, LiveFrame, TrackedFace

FACES, MARKERS = "live-emotion", "live-emotion markers"
"""Names of the two streams."""

CONFIGURATIONS = (
    Path("lsl_api.cfg"),
    Path("~/lsl_api/lsl_api.cfg").expanduser(),
    Path("/etc/lsl_api/lsl_api.cfg"),
)
"""Where liblsl looks for what a user wants of it."""

MOST_PEOPLE = 1_000
"""Whose last emotion is remembered."""


class LslSender:
    """Two streams, each sample at the time when its frame was taken.

    ``live-emotion`` has a sample a face a frame: the track's number, the probability of each emotion, and of ``other``.
    ``live-emotion markers`` has a text whenever what is shown of somebody changes: ``1 happy``.

    Args:
        class_names: in the order of the faces' probabilities.

    Raises:
        MissingExtraError: the package for it is not installed, or lacks its library.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        pylsl = import_pylsl()
        channels = ["track_id", *class_names, "other"]
        info = pylsl.StreamInfo(FACES, "Emotion", len(channels), pylsl.IRREGULAR_RATE, "float32", FACES)
        described = info.desc().append_child("channels")
        for channel in channels:
            described.append_child("channel").append_child_value("label", channel)
        markers = pylsl.StreamInfo(MARKERS, "Markers", 1, pylsl.IRREGULAR_RATE, "string", MARKERS)
        self._faces, self._markers = pylsl.StreamOutlet(info), pylsl.StreamOutlet(markers)
        self._clock = pylsl.local_clock
        self._shown: dict[int, str] = {}

    def write(self, frame: Frame, faces: Sequence[TrackedFace]) -> None:
        """Sends the faces of a frame."""
        age_s = time.monotonic() - frame.clock_s if isinstance(frame, LiveFrame) else 0.0
        taken_s = self._clock() - age_s
        for face in faces:
            self._faces.push_sample([face.track_id, *face.probabilities, face.other], taken_s)
            label = face.note or face.emotion
            if self._shown.get(face.track_id) != label:
                self._shown[face.track_id] = label
                self._markers.push_sample([f"{face.track_id} {label}"], taken_s)
        while len(self._shown) > MOST_PEOPLE:
            del self._shown[next(iter(self._shown))]

    def close(self) -> None:
        """Ends the streams."""
        del self._faces, self._markers


def import_pylsl() -> Any:
    """The module ``pylsl``, which says nothing but what goes wrong, unless somebody has a configuration for it.

    Raises:
        MissingExtraError: it is not there, or its library is not.
    """
    try:
        import pylsl
    except ModuleNotFoundError as error:
        raise MissingExtraError("--lsl needs pylsl; install it with: pip install 'live-emotion[lsl]'.") from error
    except (RuntimeError, OSError) as error:
        raise MissingExtraError("pylsl lacks liblsl; get it from https://github.com/sccn/liblsl/releases.") from error
    if "LSLAPICFG" not in os.environ and not any(file.exists() for file in CONFIGURATIONS):
        with contextlib.suppress(RuntimeError):  # an older liblsl, which is quieter
            pylsl.set_config_content("[log]\nlevel = -2\n")
    return pylsl
