"""``live-emotion cameras``: which cameras there are."""

from __future__ import annotations

import click


@click.command("cameras")
def command() -> None:
    """List the cameras of this machine with their number, name, resolution and frames a second.

    Number or name go to --camera. A camera that another program uses is listed without its mode.
    """
    from live_emotion.errors import CameraError
    from live_emotion.io.camera import Camera, list_cameras, open_capture

    there = list_cameras()
    if not there:
        raise CameraError(
            "Found no camera. Connect one, allow programs to use it in the system's settings, "
            "or give a video file or an rtsp:// address as --camera."
        )
    for number, name in there.items():
        camera = Camera(lambda number=number: open_capture(number))
        mode = str(camera.mode) if camera.open() else "cannot be opened: in use, or not allowed"
        camera.release()
        click.echo(f"{number}  {name}  {mode}")
