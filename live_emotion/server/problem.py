"""Errors as clients get them: ``application/problem+json`` (RFC 9457), in one sentence, without a traceback."""

from __future__ import annotations

import errno
import json
import tempfile
from http import HTTPStatus

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What systems say where a disk, or what one may use of it, is full, or takes no larger file."""


class ProblemError(Exception):
    """A request that cannot be answered.

    Args:
        status: of HTTP.
        detail: one sentence that says what is wrong and what to do.
        retry_s: when to try again, in seconds; None: it makes no difference.
    """

    def __init__(self, status: int, detail: str, retry_s: int | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.retry_s = status, detail, retry_s

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase

    @property
    def headers(self) -> dict[str, str]:
        """That go with the status."""
        headers = {"Content-Type": MEDIA_TYPE}
        if self.retry_s is not None:
            headers["Retry-After"] = str(self.retry_s)
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        return headers

    @property
    def body(self) -> bytes:
        """The problem as JSON."""
        content = {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}
        return json.dumps(content).encode()

    def response(self) -> Response:
        """The problem as a response."""
        return Response(self.body, self.status, self.headers)


def cause_of(error: BaseException) -> OSError | None:
    """What the system said, where that is at the bottom of an error."""
    while error.__cause__ is not None and not isinstance(error, OSError):
        error = error.__cause__
    return error if isinstance(error, OSError) else None


def problem_of(error: Exception) -> ProblemError:
    """What a client gets to know of an error that is none of its own."""
    cause = cause_of(error)
    if cause is not None and cause.errno in FULL:
        where = tempfile.gettempdir()  # all that the server writes while it answers lies there
        return ProblemError(
            507, f"There is no room for this in {where}: {cause.strerror}. Free some, or start with another TMPDIR."
        )
    return ProblemError(500, "Something went wrong here; the server's log says where.")
