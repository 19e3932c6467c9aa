"""``live-emotion cameras``: which cameras there are."""

from __future__ import annotations

import contextlib
import functools

import click

from live_emotion.cli.console import say


@click.command("cameras")
def command() -> None:
    """List the cameras of this machine with their number, name, resolution and frames a second.

    Number or name go to --camera. A camera that another program uses is listed without its mode.
    """
    from live_emotion.errors import CameraError
    from live_emotion.io.camera import Camera, list_cameras, open_capture

    devices = list_cameras()
    if not devices:
        raise CameraError(
            "Found no camera. Connect one, allow programs to use it in the system's settings, "
            "or give a video file or an rtsp:// address as --camera."
        )
    for device in devices:
        with contextlib.closing(Camera(functools.partial(open_capture, device))) as camera:
            mode = str(camera.mode) if camera.open() else "cannot be opened: in use, or not allowed"
        say(f"{device.number}  {device.name}  {mode}")
