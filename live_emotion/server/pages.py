"""The pages: files of a fixed table, read once, and the API's documentation, made of its description."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from importlib.resources import files
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
"""What a page may load: what this server has, and what it makes itself."""

MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""Of the files of the page, by their suffix; others are not served."""

PACKAGE = "live_emotion.server"
DESCRIPTION, TEMPLATE = "openapi.json", "docs.html.j2"

METHODS = ("get", "post", "delete")

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoutes:
    """The routes of the pages."""

    def __init__(self) -> None:
        folder = files(PACKAGE) / "page"
        self._table = {
            file.name: (file.read_bytes(), MEDIA_TYPES[suffix])
            for file in folder.iterdir()
            if (suffix := f".{file.name.rpartition('.')[2]}") in MEDIA_TYPES
        }
        self._description = (files(PACKAGE) / DESCRIPTION).read_bytes()
        self._docs: bytes = b""

    def page(self, name: str) -> Endpoint:
        """The route of a page of a name."""

        async def page(request: Request) -> Response:
            return self._file(name)

        return page

    async def file(self, request: Request) -> Response:
        """``GET /page/{name}``."""
        return self._file(request.path_params["name"])

    def _file(self, name: str) -> Response:
        if name not in self._table:
            raise HTTPException(404)
        content, media_type = self._table[name]
        return Response(content, media_type=media_type, headers={"Content-Security-Policy": POLICY})

    async def openapi(self, request: Request) -> Response:
        """``GET /openapi.json``."""
        return Response(self._description, media_type="application/json")

    async def docs(self, request: Request) -> Response:
        """``GET /docs``."""
        self._docs = self._docs or render_docs(json.loads(self._description)).encode()
        return Response(self._docs, media_type="text/html", headers={"Content-Security-Policy": POLICY})


def render_docs(description: dict[str, Any]) -> str:
    """A page that people can read, of an OpenAPI description."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("live_emotion", "server"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(description, methods=METHODS)
