"""What a session saw, as files: rows, markers and the report's page."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from live_emotion.io.files.temporary import temporary_folder
from live_emotion.io.results_reader import read_table
from live_emotion.io.results_writer import open_results_writer
from live_emotion.io.spreadsheets import as_text
from live_emotion.server.access.gate import CALLER
from live_emotion.server.live.session import Session
from live_emotion.server.live.sessions import Sessions
from live_emotion.types import Row
from live_emotion.visualization.report.report import write_report

TITLE = "Live session"

POLICY = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]*)"')


def report_headers(page: str) -> dict[str, str]:
    """Headers of a report's page, whose policy is its own: it names its script by a hash."""
    found = POLICY.search(page)
    assert found, "a report has a policy"
    policy = " ".join(found[1].replace("file:", "").split())
    return {"Content-Security-Policy": f"{policy}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"}


class ExportRoutes:
    """The routes of what sessions saw.

    Args:
        sessions: of all clients.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def rows_csv(self, request: Request) -> Response:
        """``GET /v1/sessions/{id}/rows.csv``."""
        return await self._export(request, lambda session: _rows(session, "rows.csv"), "text/csv")

    async def rows_jsonl(self, request: Request) -> Response:
        """``GET /v1/sessions/{id}/rows.jsonl``."""
        return await self._export(request, lambda session: _rows(session, "rows.jsonl"), "application/jsonl")

    async def markers_csv(self, request: Request) -> Response:
        """``GET /v1/sessions/{id}/markers.csv``."""
        return await self._export(request, _markers, "text/csv")

    async def report_html(self, request: Request) -> Response:
        """``GET /v1/sessions/{id}/report.html``."""
        response = await self._export(request, _report, "text/html")
        response.headers.update(report_headers(bytes(response.body).decode()))
        return response

    def _session(self, request: Request) -> Session:
        return self._sessions.of(request.scope[CALLER], request.path_params["id"])

    async def _export(self, request: Request, make: Callable[[Session], bytes], media_type: str) -> Response:
        content = await anyio.to_thread.run_sync(make, self._session(request))
        response = Response(content, media_type=media_type)
        if "download" in request.query_params:
            name = request.url.path.rpartition("/")[2]  # one of our own, since the route is
            response.headers["Content-Disposition"] = f'attachment; filename="live-emotion-{name}"'
        return response


def named_rows(session: Session) -> Iterator[Row]:
    """The rows of a session, with the names that were given."""
    names = dict(session.names)
    for row in session.rows:
        yield {**row, "name": names.get(row["track_id"], row["name"])}


def _rows(session: Session, name: str) -> bytes:
    with temporary_folder() as folder:
        path = folder / name
        with open_results_writer(path, session.analyzer.class_names) as writer:
            writer.write_rows(named_rows(session))
        return path.read_bytes()


def _markers(session: Session) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("time_s", "label"))
    table.writerows((time_s, as_text(label)) for time_s, label in session.markers)
    return text.getvalue().encode()


def _report(session: Session) -> bytes:
    with temporary_folder() as folder:
        path = folder / "rows.csv"
        path.write_bytes(_rows(session, path.name))
        table = read_table(path)
        seen = set(table.track_id.tolist())
        names = {number: name for number, name in session.names.items() if number in seen}
        return write_report(table, folder, TITLE, names=names or None).read_bytes()
