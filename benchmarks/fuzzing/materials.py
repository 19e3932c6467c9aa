"""Whole files of every kind, which the fuzzer then damages: made of what comes with live-emotion, in half a minute."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image

from live_emotion.io.video.demo_clip import read_portrait
from live_emotion.io.video.writer import VideoWriter

SIDE = 200
"""Of the pictures, in pixels."""

VIDEOS = {
    **{"avi": "mpeg4", "mkv": "libx264", "mov": "libx264", "webm": "libvpx", "ts": "mpeg2video", "flv": "flv1"},
    **{"wmv": "wmv2", "gif": "gif"},
}
"""Codecs by container."""

FRAMES = 8

TRAIN = ("--network", "channels=4,8", "--network", "hidden=8", "--device", "cpu", "--epochs", "1")
"""Options of the smallest of runs."""


def pictures() -> dict[str, bytes]:
    """Files of a portrait in each format and kind of pixels, by a name with their suffix."""
    image = cv2.resize(read_portrait(), (SIDE, SIDE))
    alpha = np.dstack([image, np.linspace(0, 255, SIDE * SIDE).reshape(SIDE, SIDE).astype(np.uint8)])
    kinds = {
        **{"a.jpg": image, "grey.jpg": image[:, :, 1], "a.png": image, "deep.png": image.astype(np.uint16) * 257},
        **{"alpha.png": alpha, "a.bmp": image, "a.tif": image, "float.tiff": image.astype(np.float32) / 255},
        **{"deep.tif": image.astype(np.uint16) * 257, "a.webp": image, "a.pgm": image[:, :, 1]},
    }
    made = {name: cv2.imencode(Path(name).suffix, pixels)[1].tobytes() for name, pixels in kinds.items()}
    picture = Image.fromarray(image[:, :, ::-1])
    turned = Image.Exif()
    turned[0x0112] = 6
    for name, kind, options in (
        ("turned.jpg", picture, {"exif": turned}),
        ("progressive.jpg", picture, {"progressive": True}),
        ("cmyk.jpg", picture.convert("CMYK"), {}),
        ("palette.png", picture.convert("P"), {}),
        ("a.gif", picture, {"save_all": True, "append_images": [picture.rotate(9)]}),
        ("lzw.tif", picture, {"compression": "tiff_lzw"}),
        ("a.avif", picture, {}),
        ("a.heic", picture, {}),
    ):
        with contextlib.suppress(ImportError):
            import pillow_heif

            pillow_heif.register_heif_opener()
        file = io.BytesIO()
        with contextlib.suppress(ValueError, KeyError, OSError):  # not every build writes every format
            picture_format = Image.registered_extensions()[Path(name).suffix]
            kind.save(file, picture_format, **options)
            made[name] = file.getvalue()
    return made


def videos(folder: Path) -> dict[str, bytes]:
    """Files of a portrait that moves, one in each container, by name."""
    portrait = cv2.resize(read_portrait(), (SIDE, SIDE))
    frames = [np.roll(portrait, 2 * i, axis=1) for i in range(FRAMES)]
    with VideoWriter(folder / "a.mp4") as video:
        for i, frame in enumerate(frames):
            video.write(frame, i / 25)
    for suffix, codec in VIDEOS.items():
        with contextlib.suppress(av.FFmpegError, ValueError), av.open(str(folder / f"a.{suffix}"), "w") as container:
            stream = container.add_stream(codec, rate=25)
            stream.width = stream.height = SIDE
            stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
            for i, frame in enumerate(frames):
                picture = av.VideoFrame.from_ndarray(frame, format="bgr24")
                picture.pts, picture.time_base = i, Fraction(1, 25)
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def run(*arguments: str | Path, folder: Path) -> None:
    """Runs a Python module to its end."""
    subprocess.run([sys.executable, "-m", *map(str, arguments)], cwd=folder, check=True, capture_output=True)


def make_all(root: Path) -> None:
    """Writes whole files: ``pictures/``, ``videos/``, ``weights/``, ``tables/``, ``data/``, ``run/`` and a profile."""
    for name in ("pictures", "videos", "weights", "tables", "data"):
        (root / name).mkdir()
    for name, content in pictures().items():
        (root / "pictures" / name).write_bytes(content)
    videos(root / "videos")
    portrait = cv2.cvtColor(read_portrait(), cv2.COLOR_BGR2GRAY)
    for c, name in enumerate(("angry", "happy", "neutral", "sad")):
        (root / "data" / "train" / name).mkdir(parents=True)
        for i in range(4):
            face = cv2.resize(portrait[100 + 9 * c : 380 + 5 * i, 120 : 400 + 5 * i], (48, 48))
            cv2.imwrite(str(root / "data" / "train" / name / f"{i}.png"), face)
    video = root / "videos" / "a.mp4"
    rows = [part for suffix in ("csv", "jsonl", "parquet") for part in ("--data", root / "tables" / f"rows.{suffix}")]
    run("live_emotion", "video", video, "--no-video", *rows, folder=root)
    run("train", *TRAIN, "--data", "data", "-o", "run", folder=root)
    best = root / "run" / "best_emotion_model.pth"
    (root / "weights" / "small.pth").write_bytes(best.read_bytes())
    run("train", "export", "--weights", best, "-o", root / "weights" / "small.onnx", folder=root)
    (root / "profile.json").write_text(json.dumps(profile()))
    os.chmod(root, 0o755)  # for a user who is not root


def profile() -> dict:
    """A profile of the portrait at rest."""
    from live_emotion.emotions.classifier import EmotionClassifier
    from live_emotion.emotions.profile import Profile
    from live_emotion.faces.preprocessing import face_pixels

    face = face_pixels(read_portrait()[120:360, 150:390])
    classifier = EmotionClassifier()
    _, embeddings = classifier.read(face[None])
    direction = embeddings[0] / np.linalg.norm(embeddings[0])
    vector = tuple(round(float(v), 4) for v in direction)
    made = Profile(classifier.class_names, (0.5, 0.0, -0.5, 0.1), {"neutral": vector, "happy": vector[::-1]})
    return {**vars(made), "weights": classifier.fingerprint}
