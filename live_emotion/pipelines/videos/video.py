"""A whole video: decoded, analysed and encoded at the same time, in memory that does not grow with its length."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field

from live_emotion.concurrency.prefetch import prefetch
from live_emotion.errors import OutputError
from live_emotion.io.files.atomic import kept_if_whole
from live_emotion.io.results_writer import ResultsWriter, open_results_writer
from live_emotion.io.video.audio import Audio
from live_emotion.io.video.reader import VideoFile
from live_emotion.io.video.writer import DEFAULT_QUALITY, VideoWriter
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.crowd import crowd_notice
from live_emotion.pipelines.result import Result
from live_emotion.types import Frame, StrPath, TrackedFace
from live_emotion.visualization.overlay import Overlay

FRAMES_AHEAD = 4
"""How many frames may wait for the next stage of the work."""


@dataclass(frozen=True)
class VideoOptions:
    """How a video is read and written.

    Attributes:
        start_s: the part that is read begins here, in seconds.
        end_s: and ends here.
        every: every N-th frame is analysed; its faces stand for the frames up to the next.
        fps: at most so many frames a second are analysed; 0: no limit.
        quality: of the annotated video, H.264's constant rate factor, 0 (best) to 51.
    """

    start_s: float = 0.0
    end_s: float = math.inf
    every: int = 1
    fps: float = 0.0
    quality: int = DEFAULT_QUALITY


@dataclass
class VideoSummary:
    """What was read in a video.

    Attributes:
        frames: how many of its frames are done.
        faces: how many were found, over all frames.
        people: numbers of the tracks that they belong to.
        most_found: how many were found in the fullest frame, those that were not read, too.
        notice: what to do where some of that frame were not read, or may not have been found; or nothing.
        damaged_s: times where a frame is missing or shows damage, in seconds.
        breaks_off_s: how much of it is in the file and how long it should be, in seconds, where a part is missing.
        timing_doubts: why the times of its frames cannot be trusted, each in a phrase.
        recoded_audio: codecs of audio tracks that MP4 cannot hold and that were encoded as AAC.
        span_s: times of the first and the last frame that are done, in seconds.
        is_complete: whether the video was read to its end.
        seconds: that the work took.
    """

    frames: int = 0
    faces: int = 0
    people: set[int] = field(default_factory=set)
    most_found: int = 0
    notice: str = ""
    damaged_s: list[float] = field(default_factory=list)
    breaks_off_s: tuple[float, float] | None = None
    timing_doubts: list[str] = field(default_factory=list)
    recoded_audio: list[str] = field(default_factory=list)
    span_s: tuple[float, float] | None = None
    is_complete: bool = False
    seconds: float = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether the video was read to its end, and that is the end that it should have."""
        return self.is_complete and self.breaks_off_s is None

    def count(self, result: Result, detector: str) -> None:
        """Takes in a frame that was analysed, by the detector of this name."""
        self.faces += len(result.faces)
        self.people.update(face.track_id for face in result.faces)
        if result.found > self.most_found:
            self.most_found, self.notice = result.found, crowd_notice(result, detector)


class Sampler:
    """Chooses the frames that are analysed.

    Args:
        every: every N-th frame.
        fps: at most so many a second; 0: no limit.
    """

    def __init__(self, every: int = 1, fps: float = 0.0) -> None:
        self.every = every
        self.fps = fps
        self._due_s = -math.inf

    def __call__(self, index: int, time_s: float) -> bool:
        """Whether the next frame, of this index and time, is to be analysed."""
        if index % self.every or time_s < self._due_s:
            return False
        if self.fps:
            tolerance_s = 1e-6  # times of frames are rounded
            ticks = math.floor((time_s + tolerance_s) * self.fps) + 1  # a fixed clock, so that the rate holds
            self._due_s = ticks / self.fps - tolerance_s
        return True


def annotate_video(
    source: StrPath,
    analyzer: EmotionAnalyzer,
    annotated: StrPath | None = None,
    data: Sequence[StrPath] = (),
    options: VideoOptions = VideoOptions(),
    progress: Callable[[int, int], object] = lambda frames, expected: None,
    stop: Callable[[], bool] = lambda: False,
) -> VideoSummary:
    """Reads the faces of a video and writes an annotated copy and data.

    The copy has every frame at its own time, and the audio. Decoding, analysis and encoding overlap. Once all is seen,
    the rows of those who turned out to be one person get one number; the copy is drawn by then and keeps what it shows.

    Args:
        source: any file that FFmpeg reads.
        analyzer: reads the frames; it forgets whom it saw before.
        annotated: the annotated copy, an ``.mp4``; None: none.
        data: files for rows, ``.csv``, ``.jsonl`` or ``.parquet``; times in them are the source's.
        options: what is read, and how it is written.
        progress: called after each frame with how many are done and how many there should be; 0: unknown.
        stop: asked before each frame; once it says True, the work ends and the files are complete up to there. Before
            the first frame there is no video.

    Raises:
        InputError: the video is missing, holds no video or cannot be decoded.
        OutputError: a file cannot be written; what was written of it is thrown away, and the others are complete up to
            there.
    """
    began = time.monotonic()
    summary = VideoSummary()
    sinks: list[ResultsWriter] = []
    class_names = analyzer.class_names
    overlay = Overlay(class_names)
    with _telling_what_stays(sinks), contextlib.ExitStack() as stack:
        video = stack.enter_context(VideoFile(source, options.start_s, options.end_s))
        sinks += [kept_if_whole(stack, open_results_writer(path, class_names)) for path in data]
        writer = kept_if_whole(stack, _video_writer(annotated, video, options, summary)) if annotated else None
        results = stack.enter_context(contextlib.closing(_analyze(video, analyzer, options, keep_all=bool(annotated))))
        for frame, faces, fresh in results:
            if stop():
                break
            if fresh:
                summary.count(fresh, analyzer.config.detector)
                for sink in sinks:
                    sink.write(frame, faces)
            if writer:
                writer.write(overlay.draw(frame.image, faces), frame.time_s - options.start_s)
            summary.frames = frame.index + 1
            summary.span_s = (summary.span_s or (frame.time_s,))[0], frame.time_s
            progress(summary.frames, video.frame_count or 0)
        else:
            summary.is_complete = True
            summary.frames = video.frames_read
            if writer:
                writer.write_audio()
        numbers = analyzer.merged_numbers()
        for sink in sinks:
            sink.renumber(numbers)
        summary.people = {numbers.get(number, number) for number in summary.people}
        summary.damaged_s = video.damaged_s
        if video.breaks_off_s is not None and video.duration_s is not None:
            summary.breaks_off_s = video.breaks_off_s, video.duration_s
        summary.timing_doubts = video.timing_doubts
    summary.seconds = time.monotonic() - began
    return summary


@contextlib.contextmanager
def _telling_what_stays(sinks: Sequence[ResultsWriter]) -> Iterator[None]:
    """Adds to the error of a file that cannot be written where the rows until then are, if they are anywhere."""
    try:
        yield
    except OutputError as error:
        if kept := [str(sink.path) for sink in sinks if sink.is_complete]:
            raise OutputError(f"{str(error).rstrip('.')}; the rows until then are in {', '.join(kept)}.") from error
        raise


def _video_writer(annotated: StrPath, video: VideoFile, options: VideoOptions, summary: VideoSummary) -> VideoWriter:
    audio = Audio(video.path, options.start_s, options.end_s)
    summary.recoded_audio = audio.recoded
    return VideoWriter(annotated, options.quality, audio, video.sample_aspect_ratio, video.time_base, options.start_s)


def _analyze(
    video: VideoFile, analyzer: EmotionAnalyzer, options: VideoOptions, keep_all: bool
) -> Generator[tuple[Frame, list[TrackedFace], Result | None]]:
    """Frames with their faces, and what they are from where they were read in this very frame.

    Args:
        video: the video.
        analyzer: reads the frames; it forgets whom it saw before.
        options: say which frames are analysed.
        keep_all: give the other frames, too.
    """
    sampler = Sampler(options.every, options.fps)
    frames = (
        ((f, sampler(f.index, f.time_s)) for f in video) if keep_all else ((f, True) for f in video.frames(sampler))
    )
    analyzer.restart()
    faces: list[TrackedFace] = []
    with contextlib.ExitStack() as stack:
        decoded = stack.enter_context(contextlib.closing(prefetch(frames, FRAMES_AHEAD)))
        read = stack.enter_context(contextlib.closing(analyzer.analyze_many(decoded)))
        for frame, result in stack.enter_context(contextlib.closing(prefetch(read, FRAMES_AHEAD))):
            faces = result.faces if result else faces
            yield frame, faces, result
