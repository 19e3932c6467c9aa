"""Options that several commands share, so that they read and mean the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from live_emotion.types import DETECTORS

Command = TypeVar("Command", bound=Callable[..., object])

DEVICES = ("auto", "cpu", "cuda", "mps")

weights_option = click.option(
    "--weights",
    multiple=True,
    metavar="NAME",
    help="A .onnx or .pth file, or the name of a network that comes with live-emotion, as 'live-emotion weights' lists "
    "them. Given several times, the networks' probabilities are averaged.",
)
device_option = click.option(
    "--device",
    type=click.Choice(DEVICES),
    default="auto",
    show_default=True,
    help="Where the network runs; auto takes CUDA, else MPS, else the CPU.",
)
detector_option = click.option(
    "--detector",
    type=click.Choice(DETECTORS),
    default="full",
    show_default=True,
    help="full: faces near and a few metres away; short: fastest, for a face nearby; "
    "tiled: groups and faces far away, many times slower.",
)
min_confidence_option = click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    metavar="P",
    help="How sure the detector must be that something is a face.",
)
max_faces_option = click.option(
    "--max-faces",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    metavar="N",
    help="Most faces to read in an image: the largest. If there are more, their number is said.",
)
max_megapixels_option = click.option(
    "--max-megapixels",
    "most_megapixels",
    type=click.FloatRange(0.001, 10_000),
    default=100,
    show_default=True,
    metavar="N",
    help="Largest photo to read: small files may hold pictures that fill the memory. One takes 15 bytes a pixel.",
)
force_option = click.option("--force", is_flag=True, help="Overwrite files that exist.")

profile_option = click.option(
    "--profile",
    multiple=True,
    metavar="NAME",
    help="Use what 'live-emotion enrol' learnt of a person, where a face looks like theirs. May be given several "
    "times, for several people.",
)
camera_option = click.option(
    "--camera",
    default="0",
    show_default=True,
    metavar="SOURCE",
    help="Number of a camera or a part of its name ('live-emotion cameras' lists them), a URL such as "
    "rtsp://host/stream, or a video file, which plays at its own speed.",
)


def camera_options(command: Command) -> Command:
    """The options that say which camera, and the mode to ask of it."""
    for name, kind, text in (
        ("--fps", click.FloatRange(0), "Frames a second to ask of the camera."),
        ("--height", click.IntRange(0), "Height in pixels to ask of the camera."),
        ("--width", click.IntRange(0), "Width in pixels to ask of the camera; it may give another size."),
    ):
        command = click.option(name, type=kind, default=0, metavar="N", help=text)(command)
    return camera_option(command)


def analysis_options(command: Command) -> Command:
    """The options that are fields of ``AnalysisConfig``, by its names for them."""
    for option in (max_faces_option, min_confidence_option, detector_option, device_option, weights_option):
        command = option(command)
    return command
