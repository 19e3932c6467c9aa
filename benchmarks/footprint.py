"""What it costs to have live-emotion and to run it: space, memory, seconds.

    python benchmarks/footprint.py             # memory and seconds of the commands
    python benchmarks/footprint.py --install   # also quick_start.sh in a fresh clone: seconds and installed size

1. Peak memory and seconds of commands, each a process of its own: one photo, one of 48 megapixels, the webcam loop on a
   clip of four faces, a 720p video with and without its annotated copy, the demo.
2. ``demo`` beside as many busy loops as there are cores, over ``demo`` alone: whether threads fight for the cores.
3. With ``--install``: ``bash quick_start.sh`` of a fresh clone with an empty home but pip's cache as it is, so that the
   second time tells what a warm cache gives.

Run it on an idle machine. This process imports little, since a child's peak counts what its parent had when it began.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent

FRAMES = 300
"""Of the video: ten seconds."""


def make_files(folder: Path) -> None:
    """Writes what the commands read: ``photo.jpg``, ``large.jpg`` of 48 megapixels and ``video.mp4`` of four faces."""
    import cv2
    import numpy as np
    from live import FPS, clip

    from live_emotion.io.images import write_image
    from live_emotion.io.video.demo_clip import read_portrait
    from live_emotion.io.video.writer import VideoWriter

    portrait = read_portrait()
    write_image(folder / "photo.jpg", portrait)
    noise = np.random.default_rng(0).integers(-9, 10, (6000, 8000, 3), np.int16)
    large = np.full((6000, 8000, 3), 120, np.uint8)
    for k, side in enumerate((400, 900, 1800, 3600)):
        face = cv2.resize(portrait, (side, side * portrait.shape[0] // portrait.shape[1]))
        large[200 : 200 + face.shape[0], (left := 200 + (0, 500, 1500, 3400)[k]) : left + side] = face
    write_image(folder / "large.jpg", np.clip(large + noise, 0, 255).astype(np.uint8))
    frames = clip(4)
    with VideoWriter(folder / "video.mp4") as video:
        for i in range(FRAMES):
            video.write(frames[i % len(frames)], i / FPS)


def run(*arguments: str | Path) -> dict:
    """Runs a command of live-emotion to its end.

    Returns:
        its peak memory in MB and how many seconds it took.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "live_emotion", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    told = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise click.ClickException(f"{arguments[0]} failed: {told.strip()}")
    kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return {"peak_mb": kilobytes / 1024, "seconds": time.perf_counter() - begin}


def measure_commands(folder: Path) -> dict:
    """Peak memory and seconds of each command."""
    video, out = folder / "video.mp4", folder / "out"
    commands: dict[str, tuple[str | Path, ...]] = {
        "image, one photo": ("image", folder / "photo.jpg", "-o", out / "photo"),
        "image, 48 megapixels": ("image", folder / "large.jpg", "-o", out / "large"),
        "webcam loop, 4 faces": ("webcam", "--no-window", "--camera", video),
        "video 720p, 4 faces": ("video", video, "-o", out / "annotated.mp4"),
        "video 720p, data only": ("video", video, "--data", out / "rows.csv"),
        "demo": ("demo", "-o", out / "demo"),
    }
    return {name: run(*arguments) for name, arguments in commands.items()}


def measure_company(folder: Path) -> dict:
    """Seconds of the demo alone and beside a busy loop on each core."""
    alone = run("demo", "-o", folder / "alone")["seconds"]
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        beside = run("demo", "-o", folder / "beside")["seconds"]
    finally:
        for process in busy:
            process.kill()
            process.wait()
    return {"alone_s": alone, "beside_s": beside, "ratio": beside / alone}


def measure_installation(folder: Path) -> dict:
    """Seconds of quick_start.sh, which ends with the demo, and the size of what it installs in MB."""
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    home = folder / "home"
    home.mkdir()
    cache = subprocess.run(
        [sys.executable, "-m", "pip", "cache", "dir"], check=True, capture_output=True, text=True
    ).stdout.strip()
    environment = os.environ | {"HOME": str(home), "PIP_CACHE_DIR": cache}
    environment.pop("DISPLAY", None)
    begin = time.perf_counter()
    nowhere = subprocess.DEVNULL
    subprocess.run(["bash", "quick_start.sh"], cwd=clone, env=environment, check=True, stdout=nowhere, stderr=nowhere)
    seconds = time.perf_counter() - begin
    packages = size_mb(clone / ".venv")
    return {"seconds": seconds, "packages_mb": packages, "clone_mb": size_mb(clone) - packages}


def size_mb(folder: Path) -> float:
    """What the files of a folder take on disk, in MB; a file under two names counts once."""
    found = {(s.st_dev, s.st_ino): s.st_blocks * 512 for p in folder.rglob("*") if (s := p.lstat())}
    return sum(found.values()) / 1e6


@click.command()
@click.option("--install", is_flag=True, help="Also set up a fresh clone by quick_start.sh.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(install: bool, json_file: Path | None) -> None:
    """Measure space, memory and seconds."""
    figures: dict = {}
    folder = Path(tempfile.mkdtemp())
    try:
        maker = multiprocessing.get_context("spawn").Process(target=make_files, args=(folder,))
        maker.start()
        maker.join()
        for name, f in measure_commands(folder).items():
            figures[name] = f
            click.echo(f"{name:22}  {f['peak_mb']:6.0f} MB  {f['seconds']:5.1f} s")
        f = figures["company"] = measure_company(folder)
        click.echo(f"demo beside busy loops {f['beside_s']:.1f} s, alone {f['alone_s']:.1f} s: {f['ratio']:.2f} times")
        if install:
            f = figures["installation"] = measure_installation(folder)
            click.echo(
                f"quick_start.sh with the demo {f['seconds']:.0f} s; .venv {f['packages_mb']:.0f} MB, "
                f"the clone itself {f['clone_mb']:.0f} MB"
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if json_file:
        json_file.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
