"""Bodies of requests, read within limits while they come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from live_emotion.server.config import Limits
from live_emotion.server.problem import ProblemError

MULTIPART = b"multipart/form-data"


async def chunks(request: Request, most: int, wait_s: float, total_s: float | None = None) -> AsyncIterator[bytes]:
    """The parts of a body as they come.

    Args:
        request: that has it.
        most: bytes that it may have.
        wait_s: for how long the next part may not come.
        total_s: for how long all of it; None: no limit.

    Raises:
        ProblemError: it is too large, too slow, or breaks off.
    """
    too_large = ProblemError(413, f"This has more than {most:,} bytes; send less.")
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > most:
        raise too_large
    size = 0
    stream = request.stream().__aiter__()
    ends = anyio.current_time() + total_s if total_s else float("inf")
    while True:
        try:
            with anyio.fail_at(min(ends, anyio.current_time() + wait_s)):
                part = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise ProblemError(408, "The body did not come in time; send it at once.") from error
        except ClientDisconnect as error:
            raise ProblemError(400, "The body breaks off; send it whole.") from error
        size += len(part)
        if size > most:
            raise too_large
        yield part


async def read_images(request: Request, limits: Limits) -> list[bytes]:
    """The images of a request: its body, or the files of a form; what they are called is not looked at.

    Raises:
        ProblemError: there is none, or there are too many, too large or too slow ones.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind == MULTIPART:
        images = await _read_form(request, options.get(b"boundary", b""), limits)
    else:
        images = [b"".join([part async for part in chunks(request, limits.image, limits.body_s, limits.body_s)])]
    if not any(images):
        raise ProblemError(400, "There is no image; send one as the body, or several as multipart/form-data.")
    return images


async def _read_form(request: Request, boundary: bytes, limits: Limits) -> list[bytes]:
    files: list[bytearray] = []

    def begin() -> None:
        if len(files) >= limits.images:
            raise ProblemError(413, f"There are more than {limits.images} images; send less at once.")
        files.append(bytearray())

    def data(content: bytes, start: int, end: int) -> None:
        files[-1] += content[start:end]
        if len(files[-1]) > limits.image:
            raise ProblemError(413, f"An image has more than {limits.image:,} bytes; send a smaller one.")

    try:
        parser = MultipartParser(boundary, {"on_part_begin": begin, "on_part_data": data})
        async for part in chunks(request, limits.batch, limits.body_s, limits.body_s):
            parser.write(part)
        parser.finalize()
    except FormParserError as error:
        raise ProblemError(400, "The form is damaged; send multipart/form-data.") from error
    return [bytes(file) for file in files]


async def save_body(request: Request, path: Path, limits: Limits) -> None:
    """Writes the body of a request to a file.

    Raises:
        ProblemError: it is too large, too slow, or breaks off.
    """
    async with await anyio.open_file(path, "wb") as file:
        async for part in chunks(request, limits.upload, limits.body_s):
            await file.write(part)
