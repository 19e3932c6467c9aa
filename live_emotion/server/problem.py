"""Errors as clients get them: ``application/problem+json`` (RFC 9457), in one sentence, without a traceback."""

from __future__ import annotations

import json
from http import HTTPStatus

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


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
