"""Open Sound Control: what is read in faces, for music, light and stage programs."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from typing import Any

from live_emotion.errors import InputError, MissingExtraError
from live_emotion.types import Frame, TrackedFace

ROOT = "/live_emotion"

RESERVED = re.compile(r"[\s#*,/?\[\]{}]|[^\x21-\x7e]")
"""What an address's part must not hold (OSC 1.0 specification)."""

ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:\[\]]+)):(\d{1,5})")


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``; an IPv6 address stands in brackets.

    Raises:
        InputError: it is none.

    Example:
        >>> parse_address("127.0.0.1:9000")
        ('127.0.0.1', 9000)
    """
    match = ADDRESS.fullmatch(text)
    if not match or not 0 < int(match[3]) < 1 << 16:
        raise InputError(f"{text} is no address to send to; write HOST:PORT, as 127.0.0.1:9000.")
    return match[1] or match[2], int(match[3])


class OscSender:
    """Sends each face of each frame in UDP packets, and does not mind whether anybody gets them.

    ``/live_emotion/<track>/<emotion>`` is a probability, one for each emotion and for ``other``;
    ``/live_emotion/<track>/label`` is what is shown: an emotion, or why there is none.

    Args:
        address: ``HOST:PORT``.
        class_names: in the order of the faces' probabilities.

    Raises:
        InputError: it is no address, or there is no such host.
        MissingExtraError: the package for it is not installed.
    """

    def __init__(self, address: str, class_names: Sequence[str]) -> None:
        host, port = parse_address(address)
        try:
            from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
            from pythonosc.osc_message_builder import OscMessageBuilder
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "--osc needs python-osc; install it with: pip install 'live-emotion[osc]'."
            ) from error
        self._bundle = lambda: OscBundleBuilder(IMMEDIATELY)
        self._message = OscMessageBuilder
        try:
            family, kind, protocol, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        except (OSError, UnicodeError) as error:  # the latter of what can be no host's name
            raise InputError(f"There is no host {host} to send to; check the name.") from error
        self._target: Any = target  # (host, port), or with more for IPv6
        self._socket = socket.socket(family, kind, protocol)
        self._socket.setblocking(False)
        self._names = [RESERVED.sub("_", name) for name in (*class_names, "other")]

    def write(self, frame: Frame, faces: Sequence[TrackedFace]) -> None:
        """Sends the faces of a frame, a packet each."""
        for face in faces:
            bundle = self._bundle()
            for name, value in zip(self._names, (*face.probabilities, face.other)):
                bundle.add_content(self._built(f"{ROOT}/{face.track_id}/{name}", float(value)))
            bundle.add_content(self._built(f"{ROOT}/{face.track_id}/label", face.note or face.emotion))
            try:
                self._socket.sendto(bundle.build().dgram, self._target)
            except OSError:
                continue  # nobody is there at the moment, or the network is busy

    def _built(self, address: str, value: float | str) -> Any:
        message = self._message(address=address)
        message.add_arg(value)
        return message.build()

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()
