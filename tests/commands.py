"""The commands that read faces or look at the machine, as tests of all of them run them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from videos import make_video, numbered_frames

COMMANDS = (
    ["demo", "-o", "{out}/demo"],
    ["image", "{files}/photo.png", "-o", "{out}/photos"],
    ["video", "{files}/clip.mp4", "-o", "{out}/clip.mp4", "--data", "csv", "--report", "{out}/report"],
    ["webcam", "--camera", "{files}/clip.mp4", "--no-window", "--log", "{out}/log.csv", "--record", "{out}/me.mp4"],
    ["report", "{files}/rows.csv", "-o", "{out}/page"],
    ["calibrate", "--photo", "{files}/photo.png"],
    ["profiles"],
    ["weights"],
    ["cameras"],
    ["doctor"],
)
"""``{files}`` is a folder as :func:`write_files` makes it, ``{out}`` one for what they write."""


def write_files(folder: Path, portrait: np.ndarray, count: int) -> Path:
    """Writes a photo, a video of ``count`` frames, and rows."""
    (folder / "rows.csv").write_text("time_s,track_id,emotion,p_sad,p_happy\n0.5,1,sad,0.75,0.25\n1.0,1,sad,0.7,0.3\n")
    cv2.imwrite(str(folder / "photo.png"), portrait)
    make_video(folder / "clip.mp4", numbered_frames(portrait, count))
    return folder
