"""``live-emotion webcam``: emotions live in a window."""

from __future__ import annotations

import contextlib
import functools
import itertools
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from live_emotion.cli.console import say
from live_emotion.cli.options import analysis_options, camera_options, force_option, profile_option
from live_emotion.cli.sending import check_sending, open_senders, sending_options

if TYPE_CHECKING:
    from live_emotion.concurrency.interrupts import StopRequest
    from live_emotion.io.camera import CameraMode
    from live_emotion.io.display.window import Window
    from live_emotion.io.live_source import LiveSource
    from live_emotion.pipelines.analyzer import EmotionAnalyzer
    from live_emotion.pipelines.live.controls import Controls
    from live_emotion.types import Sink

tell = functools.partial(say, err=True)


@click.command("webcam")
@camera_options
@click.option(
    "--mirror/--no-mirror",
    default=None,
    help="Turn the frames left to right, as a mirror does.  [default: on for a camera, off for URLs and files]",
)
@click.option("--window/--no-window", default=True, show_default=True, help="Show the window.")
@click.option("--record", type=click.Path(path_type=Path), metavar="FILE.mp4", help="Record the annotated video.")
@click.option(
    "--log",
    metavar="FILE",
    help="Write a row for each face in each frame to a .csv or .jsonl file; - writes JSON Lines to standard output.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    metavar="DIR",
    help="Folder for screenshots and for recordings that a key starts.  [default: the current one]",
)
@click.option(
    "--publish",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Serve an overlay for OBS, and events for other programs, at this port of this machine; 0: any that is free.",
)
@sending_options
@force_option
@profile_option
@analysis_options
def command(
    camera: str,
    width: int,
    height: int,
    fps: float,
    mirror: bool | None,
    window: bool,
    record: Path | None,
    log: str | None,
    output: Path,
    publish: int | None,
    osc: str | None,
    lsl: bool,
    force: bool,
    profile: tuple[str, ...],
    **analysis: Any,
) -> None:
    """Read emotions live from a camera, in a window.

    Every face gets a box with its emotion and how sure that is, in percent; what cannot be read is grey and says why.
    Whoever is followed has a number, the same as in the column "track_id" of --log. Nothing is stored unless asked for.
    q, Esc, closing the window or Ctrl-C end it, and recordings and logs are complete then, too. In the end it says how
    long it took and what was seen. A screenshot or a recording that cannot be written is said, and the session goes
    on. Should it be killed, what was written lies beside them as NAME.part-....
    --no-window is for --record, --log and what sends: without them nothing is shown or written but that summary.
    --publish prints the address of an overlay, for OBS's browser source; LIVE_EMOTION_TOKEN keeps it the same.

    \b
    Keys: h lists them. f or F11 full screen, p pause, m mirror, c next camera, s screenshot, r record, b bars,
          t the last 30 seconds of emotions, of up to four people, w why the largest face is read so, then a heat map,
          e learn my face, i info, q quit.

    \b
    live-emotion webcam
    live-emotion webcam --record me.mp4 --log me.csv
    live-emotion webcam --camera rtsp://192.168.1.20/stream --no-window --log -
    live-emotion webcam --publish 8766 --osc 127.0.0.1:9000
    """
    from live_emotion.concurrency.interrupts import StopRequest
    from live_emotion.io.camera import CameraMode, is_camera, is_url
    from live_emotion.io.display.window import Window
    from live_emotion.io.files.atomic import refuse_existing
    from live_emotion.io.files.folders import make_folder
    from live_emotion.io.files.names import refuse_clashes
    from live_emotion.io.live_source import open_camera
    from live_emotion.io.results_writer import STANDARD_OUTPUT, check_data_path, open_results_writer
    from live_emotion.io.video.writer import check_video_path
    from live_emotion.pipelines.live.camera_ring import CameraRing

    if record:
        refuse_clashes([record], [] if is_camera(camera) or is_url(camera) else [Path(camera)])
        refuse_existing(record, force)
        check_video_path(record)
    if log and log != STANDARD_OUTPUT:
        refuse_existing(log, force)
        check_data_path(log)
    make_folder(output)
    check_sending(osc, lsl)
    with contextlib.ExitStack() as stack:
        publisher = _Publishing(stack, publish) if publish is not None else None
        # screen and camera first: what is missing is said before anything slow is loaded
        screen = stack.enter_context(Window()) if window else None
        asked = CameraMode(width, height, fps)
        if is_url(camera):
            tell(f"Connecting to {camera}")  # which may take half a minute
        cameras = CameraRing(camera, lambda name: open_camera(name, asked))
        sources = stack.enter_context(contextlib.closing(cameras.sources(lambda error: loop.controls.notice(error))))
        source = next(sources)
        _say_mode(camera, source.state.mode, asked)
        if not (window or record or log or publisher or osc or lsl):
            tell("Without a window nothing is shown, and without --record or --log nothing is written; Ctrl-C ends it.")

        from live_emotion.pipelines.analyzer import EmotionAnalyzer
        from live_emotion.pipelines.config import AnalysisConfig
        from live_emotion.pipelines.live.controls import Settings
        from live_emotion.pipelines.live.loop import LiveLoop
        from live_emotion.pipelines.live.recorder import Recorder

        analyzer = stack.enter_context(EmotionAnalyzer(AnalysisConfig(**analysis, profile=profile, track=True)))
        sinks = open_senders(stack, osc, lsl, analyzer.class_names)
        if log:
            sinks.append(stack.enter_context(open_results_writer(log, analyzer.class_names, live=True)))
        if publisher:
            sinks.append(publisher.begin(analyzer))
        recorder = stack.enter_context(Recorder(output))
        if record:
            recorder.start(record)
        settings = Settings(mirror=is_camera(camera) if mirror is None else mirror)
        about = [f"detector {analysis['detector']}"]
        loop = LiveLoop(analyzer, settings, recorder, screen, sinks, about, cameras, tell)
        stop = stack.enter_context(StopRequest())
        loop.run(source, lambda: stop.requested)
        for source in sources:
            if loop.controls.enrols and screen:
                loop.controls.enrols = False
                _enrol(screen, source, analyzer, loop.controls, settings.mirror, stop)
                cameras.again()
                continue
            _say_mode(cameras.camera, source.state.mode, asked)
            loop.run(source, lambda: stop.requested)
    tell(f"{loop.emotions}.\n{loop.statistics}.")
    for path in (*recorder.saved, *loop.controls.saved, *([Path(log)] if log and log != STANDARD_OUTPUT else [])):
        tell(f"Saved {path}")
    if log and log != STANDARD_OUTPUT and loop.emotions.people:
        tell(f"For a page to read: {shlex.join(['live-emotion', 'report', log])}")
    if recorder.failed:
        raise recorder.failed[0]


class _Publishing:
    """The port of ``--publish``, which is taken before anything slow is loaded, and the server at it."""

    def __init__(self, stack: contextlib.ExitStack, port: int) -> None:
        from live_emotion.server import check_installed

        check_installed()

        from live_emotion.server.access.tokens import find_token
        from live_emotion.server.run import LOOPBACK, open_port

        self._stack, self._token = stack, find_token()
        self._host = LOOPBACK[0]
        self._port = stack.enter_context(contextlib.closing(open_port(self._host, port)))

    def begin(self, analyzer: EmotionAnalyzer) -> Sink:
        """Starts the server, says its address, and gives what takes the frames."""
        from live_emotion.server.publisher import Publisher

        classifier = analyzer.classifier
        publisher = Publisher(self._port, self._token, classifier.class_names, classifier.title)
        self._stack.enter_context(publisher)
        tell(f"Overlay: http://{self._host}:{self._port.getsockname()[1]}/overlay#token={self._token}")
        return publisher


def _enrol(
    window: Window,
    source: LiveSource,
    analyzer: EmotionAnalyzer,
    controls: Controls,
    is_mirrored: bool,
    stop: StopRequest,
) -> None:
    """Leads somebody through an enrolment in the live window, whose analyzer then uses the profile."""
    from live_emotion.cli.enrolment import from_camera
    from live_emotion.emotions.profile import profile_names
    from live_emotion.errors import LiveEmotionError
    from live_emotion.pipelines.analyzer import EmotionAnalyzer
    from live_emotion.pipelines.learning import learn_and_save

    known = profile_names()
    names = itertools.chain(["me"], (f"me-{number}" for number in itertools.count(2)))
    name = next(name for name in names if name not in known)
    try:
        with EmotionAnalyzer(replace(analyzer.config, profile=None, track=False)) as untracked:
            worth = learn_and_save(from_camera(window, source, untracked, is_mirrored, stop), name, tell)
        analyzer.add_profile(name)
        controls.notice(f"profile {name}: {worth}")
    except LiveEmotionError as error:
        controls.notice(error)


def _say_mode(camera: str, given: CameraMode | None, asked: CameraMode) -> None:
    if given:
        tell(f"Camera {camera}: {given}" + (f", asked for {asked}" if asked else ""))
