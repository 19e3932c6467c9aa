"""What annotating a video costs beside its parts, how quick data alone is, and whether memory grows.

    python benchmarks/video.py

Makes clips of 1280x720 in H.264 from the portrait that matplotlib ships, with one face and with four, and measures in
one run, on an otherwise idle machine:

- The ideal: CPU seconds of bare decoding (PyAV), detection, the network and bare encoding (libx264 as the video is
  written), each alone, divided by the cores. The wall time of the whole is at most 1.25 times that. The CPU seconds of
  the whole stand beside them: they tell work that is too much from cores that stand idle.
- Data alone (``--no-video``), as a multiple of real time; at least 3 on two cores.
- Peak memory of a process that annotates a long video, beside one that annotates a short one; at most 50 MB more.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import click
import cv2
import numpy as np

from live_emotion.concurrency.cpu import cores
from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.io.files.atomic import atomic_write_text
from live_emotion.io.video.demo_clip import read_portrait
from live_emotion.io.video.reader import VideoFile
from live_emotion.io.video.writer import DEFAULT_QUALITY, ENCODER_OPTIONS, VideoWriter
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.videos.video import VideoOptions, annotate_video
from live_emotion.types import Frame

WIDTH, HEIGHT, FPS = 1280, 720, 25
SAMPLE = 60
"""Of so many frames the costs of the parts are measured; they are held in memory."""

REAL_TIME, RATIO, GROWTH_MB = 3.0, 1.25, 50


@click.command()
@click.option("--seconds", default=10.0, show_default=True, help="Length of the clips.")
@click.option("--long", "long_s", default=600.0, show_default=True, help="Length of the long video; 0: leave it out.")
@click.option("--repeat", default=3, show_default=True, help="The best of so many runs counts.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures here.")
def main(seconds: float, long_s: float, repeat: int, json_file: Path | None) -> None:
    """Measure videos."""
    figures: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("faces  decode  detect  network  encode  whole, CPU s  ideal s  wall s  ratio  no video, times real time")
        with EmotionAnalyzer(AnalysisConfig(track=True), cores()) as analyzer:
            for count in (1, 4):
                clip = make_clip(folder / f"{count}.mp4", count, seconds)
                figures[f"{count} faces"] = f = measure(clip, analyzer, folder, repeat)
                print(
                    f"{count:5}  {f['decode']:6.2f}  {f['detect']:6.2f}  {f['network']:7.2f}  {f['encode']:6.2f}"
                    f"  {f['whole']:12.2f}  {f['ideal']:7.2f}  {f['wall']:6.2f}  {f['ratio']:5.2f}"
                    f"  {f['real_time']:10.2f}"
                )
        print(f"ratio at most {RATIO}, real time at least {REAL_TIME:g}, on {cores()} cores")
        if long_s:
            short = folder / "1.mp4"
            long = repeat_video(short, folder / "long.mp4", round(long_s / seconds))
            peaks = [peak_memory(video, folder) for video in (short, long)]
            figures["memory"] = {"short_mb": peaks[0], "long_mb": peaks[1], "growth_mb": peaks[1] - peaks[0]}
            print(f"memory: {peaks[0]:.0f} MB for {seconds:g} s, {peaks[1]:.0f} MB for {long_s:g} s,", end=" ")
            print(f"{peaks[1] - peaks[0]:+.0f} MB; at most {GROWTH_MB} more")
    if json_file:
        atomic_write_text(json_file, json.dumps(figures, indent=2))


def make_clip(path: Path, count: int, seconds: float) -> Path:
    """Writes a clip of portraits that move about before a wall with grain."""
    portrait = read_portrait()
    side = 420 if count == 1 else 300
    face = cv2.resize(portrait, (side * 512 // 600, side), interpolation=cv2.INTER_AREA)
    rng = np.random.default_rng(0)
    walls = [rng.normal(120, 4, (HEIGHT, WIDTH, 3)).clip(0, 255).astype(np.uint8) for _ in range(5)]
    with VideoWriter(path) as video:
        for index in range(round(seconds * FPS)):
            image = walls[index % len(walls)].copy()
            for number in range(count):
                left = round((number + 0.5) * WIDTH / count - face.shape[1] / 2 + 30 * np.sin(index / 20 + number))
                top = round((HEIGHT - side) / 2 + 60 * np.sin(index / 33 + 2 * number))
                image[top : top + side, left : left + face.shape[1]] = face
            video.write(image, index / FPS)
    return path


def measure(clip: Path, analyzer: EmotionAnalyzer, folder: Path, repeat: int) -> dict[str, float]:
    """Figures of one clip, in seconds of the whole of it."""
    with VideoFile(clip) as video:
        sample = [frame for frame, _ in zip(video, range(SAMPLE))]
        frames, length_s = video.frame_count, video.frame_count / video.fps
    scale = frames / len(sample)
    with FaceDetector() as detector:
        detect = cpu_seconds(lambda: [detector.detect(frame.image) for frame in sample], repeat)
    crops, annotated = read_sample(analyzer, sample)
    network = cpu_seconds(lambda: [analyzer.classifier.predict(faces) for faces in crops], repeat)
    parts = {
        "decode": cpu_seconds(lambda: decode(clip), repeat),
        "detect": scale * detect,
        "network": scale * network,
        "encode": scale * cpu_seconds(lambda: encode(annotated, folder / "encoded.mp4"), repeat),
    }
    ideal, walls = sum(parts.values()) / cores(), []
    whole = cpu_seconds(lambda: walls.append(annotate_video(clip, analyzer, folder / "out.mp4").seconds), repeat)
    data = min(annotate_video(clip, analyzer, None, [folder / "out.csv"]).seconds for _ in range(repeat))
    wall = min(walls)
    return {**parts, "whole": whole, "ideal": ideal, "wall": wall, "ratio": wall / ideal, "real_time": length_s / data}


def read_sample(analyzer: EmotionAnalyzer, sample: list[Frame]) -> tuple[list[np.ndarray], list[av.VideoFrame]]:
    """The crops of each frame, and the annotated frames as the encoder takes them."""
    crops, annotated = [], []
    analyzer.restart()
    for frame in sample:
        found = analyzer.find(frame)
        crops.append(found.crops)
        raw = av.VideoFrame.from_ndarray(analyzer.read([found])[0].draw(), format="bgr24")
        annotated.append(raw.reformat(format="yuv420p"))
    return crops, annotated


def decode(path: Path) -> None:
    """Decodes a video and does nothing with it."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for _ in container.decode(video=0):
            pass


def encode(pictures: list[av.VideoFrame], path: Path) -> None:
    """Encodes pictures as videos are written, and nothing more."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": str(DEFAULT_QUALITY), **ENCODER_OPTIONS}
        for index, picture in enumerate(pictures):
            picture.pts, picture.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def cpu_seconds(work: Callable[[], object], repeat: int) -> float:
    """CPU time of all threads together, of the best of some runs."""

    def once() -> float:
        begin = time.process_time()
        work()
        return time.process_time() - begin

    return min(once() for _ in range(repeat))


def repeat_video(source: Path, path: Path, times: int) -> Path:
    """Joins a video to itself without encoding it anew."""
    with av.open(str(path), "w") as out:
        stream, shift = None, 0
        for _ in range(times):
            with av.open(str(source)) as container:
                stream = stream or out.add_stream_from_template(container.streams.video[0])
                for packet in container.demux(video=0):
                    if packet.size:
                        packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                        out.mux(packet)
                shift += container.streams.video[0].duration
    return path


def peak_memory(video: Path, folder: Path) -> float:
    """Peak memory in MB of a process that annotates a video."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_annotate_and_tell, (video, folder / "memory.mp4", folder / "memory.csv"))


def _annotate_and_tell(video: Path, out: Path, data: Path) -> float:
    with EmotionAnalyzer(AnalysisConfig(track=True), cores()) as analyzer:
        annotate_video(video, analyzer, out, [data], VideoOptions(every=5))  # so that the long video takes minutes
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    main()
