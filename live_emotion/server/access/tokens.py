"""The token that lets in, and the cookie that a browser gets for it."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from live_emotion.errors import InputError
from live_emotion.io.files.inputs import read_file

TOKEN = re.compile(r"[A-Za-z0-9._~-]{16,200}")
"""What a token is of, so that it needs no escaping in a URL's fragment."""

LARGEST_FILE = 1_000_000
"""In which somebody may keep a token, in bytes."""

TOKEN_VARIABLE = "LIVE_EMOTION_TOKEN"

COOKIE_S = 12 * 3600
"""How long a cookie is good for, in seconds."""

TICKET_S = 300
"""For how long a ticket is good that nobody has used, in seconds."""

PROGRAM = "bearer"
"""Whoever shows the token itself."""


def find_token(file: Path | None = None) -> str:
    """The token in a file, else in the environment, else a new one that nobody can guess.

    Raises:
        InputError: it cannot be read, or is too short or of other characters.
    """
    if file is not None:
        try:
            text, where = read_file(file, LARGEST_FILE).decode("ascii").strip(), str(file)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"Cannot read a token from {file}: {getattr(error, 'strerror', None) or error}."
            ) from error
    elif TOKEN_VARIABLE in os.environ:
        text, where = os.environ[TOKEN_VARIABLE], TOKEN_VARIABLE
    else:
        return secrets.token_urlsafe(32)
    if not TOKEN.fullmatch(text):
        raise InputError(f"The token in {where} must be 16 to 200 letters, digits, or - . _ ~ in one line.")
    return text


class Tokens:
    """Tells who holds the token, or a cookie that was made with it.

    A cookie says who its browser is and until when it is good, with a keyed hash (HMAC-SHA256) over both. So the
    server keeps no list, the token is in no cookie, and a server that starts again with the same token knows its
    browsers.

    Args:
        token: the token.
        clock: gives seconds since 1970.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.time) -> None:
        self._token, self._clock = token.encode(), clock
        self._tickets: dict[str, float] = {}

    def new_ticket(self) -> str:
        """A token that gets a cookie once: it may stand on a browser's command line, which other users can see."""
        ticket = secrets.token_urlsafe(32)
        self._tickets[ticket] = self._clock() + TICKET_S
        return ticket

    def take_ticket(self, text: str) -> bool:
        """Whether a text is a ticket that is still good; it is not any more then."""
        return self._tickets.pop(text, 0.0) > self._clock()

    def is_token(self, text: str) -> bool:
        """Whether a text is the token, in time that does not tell how much of it is right."""
        return hmac.compare_digest(text.encode(), self._token)

    def new_cookie(self, browser: str | None = None) -> str:
        """A cookie's value for a browser that is known, or for another one."""
        return self._signed(f"{browser or secrets.token_urlsafe(16)}.{int(self._clock()) + COOKIE_S}")

    def browser(self, cookie: str) -> str | None:
        """Whose cookie it is, or None where it is no good (any more)."""
        named, _, _ = cookie.rpartition(".")
        name, _, until = named.rpartition(".")
        if not named.isascii() or not hmac.compare_digest(cookie.encode(), self._signed(named).encode()):
            return None
        return name if int(until) > self._clock() else None

    def _signed(self, text: str) -> str:
        mark = hmac.new(self._token, f"cookie of live-emotion {text}".encode(), hashlib.sha256)
        return f"{text}.{mark.hexdigest()}"
