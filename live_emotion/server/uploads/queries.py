"""Values that a URL's query may hold."""

from __future__ import annotations

from starlette.requests import Request

from live_emotion.server.problem import ProblemError
from live_emotion.types import DETECTORS


def ask_detector(request: Request, default: str) -> str:
    """``?detector=``.

    Raises:
        ProblemError: there is no such detector.
    """
    value = request.query_params.get("detector", default)
    if value not in DETECTORS:
        raise ProblemError(400, f"detector must be one of {', '.join(DETECTORS)}.")
    return value


def ask_number(request: Request, name: str, default: int, most: int) -> int:
    """A whole number from 1 on.

    Raises:
        ProblemError: it is none.
    """
    value = request.query_params.get(name, str(default))
    if not (value.isascii() and value.isdecimal() and len(value) < 10 and 1 <= int(value) <= most):
        raise ProblemError(400, f"{name} must be a whole number from 1 to {most}.")
    return int(value)
