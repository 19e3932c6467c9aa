"""``live-emotion serve``: the page in a browser, and the API."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from live_emotion.cli.console import say
from live_emotion.cli.options import analysis_options, profile_option
from live_emotion.cli.sending import check_sending, open_senders, sending_options

if TYPE_CHECKING:
    from live_emotion.server.app import LiveApp

PORT = 8765

ANYWHERE = ("0.0.0.0", "::")
"""Addresses that stand for all of this machine's."""

ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]+")
NAME = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")


def _check_origins(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if not ORIGIN.fullmatch(value):
            raise click.BadParameter(f"{value!r} is no origin; write it as browsers do: https://example.org:8443.")
    return values


def _check_hosts(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(value.lower() for value in values)
    for name in names:
        if not NAME.fullmatch(name):
            raise click.BadParameter(f"{name!r} is no host's name; give it without http:// and port: studio.local.")
    return names


@click.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0: any that is free.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen at. The default is for this machine alone; 0.0.0.0 lets the network in, too.",
)
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open the page in the browser.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Take the token from this file, else from LIVE_EMOTION_TOKEN.  [default: a new one at each start]",
)
@click.option("--certificate", type=click.Path(path_type=Path), metavar="FILE", help="For HTTPS, as PEM.")
@click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="Of the certificate, as PEM.")
@click.option(
    "--allow-host",
    multiple=True,
    callback=_check_hosts,
    metavar="NAME",
    help="Another name by which browsers may call this machine, as studio.local. May be given several times.",
)
@click.option(
    "--cors",
    multiple=True,
    callback=_check_origins,
    metavar="ORIGIN",
    help="A page elsewhere that may ask the API, with the token. May be given several times.",
)
@click.option(
    "--max-upload",
    type=click.IntRange(1),
    default=2000,
    show_default=True,
    metavar="MB",
    help="The largest video that is taken.",
)
@sending_options
@profile_option
@analysis_options
def command(
    port: int,
    host: str,
    browser: bool,
    token_file: Path | None,
    certificate: Path | None,
    key: Path | None,
    allow_host: tuple[str, ...],
    cors: tuple[str, ...],
    max_upload: int,
    osc: str | None,
    lsl: bool,
    **analysis: Any,
) -> None:
    """Read emotions in the browser: a page with the live camera, and an API for other programs.

    Prints the page's address and opens it. The browser's camera is read here, on this machine, and nothing leaves it;
    what a session saw is in memory until it is forgotten, 15 minutes after its page has gone. Photos and videos can be
    dropped onto the page; what comes of a video is in a temporary folder, an hour at most. Ctrl-C ends it and removes
    that; what a killed server left there, the next start removes.

    The address holds a token, without which nobody gets in; programs send it as "Authorization: Bearer TOKEN". The API
    is described at /docs. Other machines reach it with --host 0.0.0.0 and --allow-host; their browsers give a page the
    camera over HTTPS alone, so give --certificate and --key, too.

    \b
    live-emotion serve
    live-emotion serve --profile anna --no-browser --port 9000
    live-emotion serve --host 0.0.0.0 --allow-host studio.local --certificate cert.pem --key key.pem
    curl -H "Authorization: Bearer $TOKEN" --data-binary @photo.jpg http://127.0.0.1:8765/v1/analyze
    """
    if bool(certificate) != bool(key):
        raise click.UsageError("--certificate and --key belong together; give both.")

    from live_emotion.server import check_installed

    check_installed()
    check_sending(osc, lsl)

    from live_emotion.io.files.temporary import sweep_temporary
    from live_emotion.server.access.tokens import find_token
    from live_emotion.server.run import LOOPBACK, check_certificate, open_port, run

    token = find_token(token_file)
    files = (certificate, key) if certificate and key else None
    if files:
        check_certificate(*files)
    with contextlib.ExitStack() as stack:
        opened = stack.enter_context(contextlib.closing(open_port(host, port)))
        sweep_temporary()
        from live_emotion.pipelines.config import AnalysisConfig
        from live_emotion.server.app import LiveApp
        from live_emotion.server.config import MB, Limits, ServerConfig

        named = f"[{host}]" if ":" in host else host.lower()
        hosts = (*ServerConfig.hosts, *allow_host, *([] if host in ANYWHERE else [named]))
        config = ServerConfig(token, AnalysisConfig(**analysis), hosts, cors, Limits(upload=max_upload * MB))
        app = LiveApp(config)
        app.send_to(open_senders(stack, osc, lsl, app.class_names))
        if host not in LOOPBACK:
            _warn(bool(files))
        shown = (allow_host[0] if allow_host else "127.0.0.1") if host in ANYWHERE else named
        address = f"{'https' if files else 'http'}://{shown}:{opened.getsockname()[1]}/"
        run(app, opened, files, lambda: _say(app, address, token, browser))


def _warn(is_encrypted: bool) -> None:
    """Says what it means to listen to the network."""
    say("Others can reach this server; whoever has its address with the token can use it.", err=True)
    if not is_encrypted:
        say(
            "Without --certificate and --key the token and the frames travel unencrypted, and browsers on other "
            "machines give no camera.",
            err=True,
        )


def _say(app: LiveApp, address: str, token: str, browser: bool) -> None:
    """Prints the address, and opens it by a token that is good once: other users see a browser's command line."""
    from live_emotion.io.display.screen import has_display

    say(f"{address}#token={token}")
    # without a screen, Python would open a browser for text in this terminal
    if browser and (has_display() or "BROWSER" in os.environ):
        threading.Thread(target=webbrowser.open, args=(f"{address}#token={app.new_ticket()}",), daemon=True).start()
