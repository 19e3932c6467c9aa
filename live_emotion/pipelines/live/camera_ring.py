"""One camera after the other, as a key asks for the next or for the same again."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager

from live_emotion.errors import CameraError
from live_emotion.io.camera import CameraDevice, is_camera, list_cameras
from live_emotion.io.live_source import LiveSource


class CameraRing:
    """Opens a camera, and each time a key has asked for it the next one of the machine.

    Args:
        camera: the first: its number or name, a URL, or a video file.
        open: opens one.
        listed: gives the cameras of the machine.
    """

    def __init__(
        self,
        camera: str,
        open: Callable[[str], AbstractContextManager[LiveSource]],
        listed: Callable[[], Sequence[CameraDevice]] = list_cameras,
    ) -> None:
        self.camera = camera
        self._open, self._listed = open, listed
        self._wanted: list[str] = []

    @property
    def is_asked(self) -> bool:
        """Whether another camera, or the same again, was asked for."""
        return bool(self._wanted)

    def ask(self) -> bool:
        """Asks for the next camera; False where there is none."""
        self._wanted = others(self.camera, self._listed())
        return self.is_asked

    def again(self) -> None:
        """Asks for this camera once more, for another use of it."""
        self._wanted = [self.camera]

    def sources(self, failed: Callable[[CameraError], object]) -> Generator[LiveSource]:
        """The first camera, and as long as that was asked for, the next that opens, or the same again.

        Args:
            failed: told why one did not open; the one after it is tried then, at last the one that there was.

        Raises:
            CameraError: the first does not open, or it does not open again after all others failed.
        """
        tried = [self.camera]
        while tried:
            self.camera, *rest = tried
            try:
                with self._open(self.camera) as source:
                    self._wanted, rest = [], []
                    current = self.camera
                    yield source
                    rest = [*self._wanted, current] if self._wanted else []
            except CameraError as error:
                if not rest:
                    raise
                failed(error)
            tried = rest


def others(camera: str, listed: Sequence[CameraDevice]) -> list[str]:
    """Numbers of the other cameras, beginning with the one after this.

    Example:
        >>> others("1", [CameraDevice(n, "", n) for n in (0, 1, 2, 4)])
        ['2', '4', '0']
        >>> others("rtsp://host/stream", [CameraDevice(0, "", 0)])
        ['0']
    """
    places = [i for i, device in enumerate(listed) if is_camera(camera) and device.is_called(camera)]
    start = places[0] + 1 if places else 0
    ring = [*listed[start:], *listed[:start]]
    return [str(device.number) for device in (ring[:-1] if places else ring)]
