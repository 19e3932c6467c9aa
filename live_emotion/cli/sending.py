"""Options that send what is read in faces to other programs, and what does it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from live_emotion.cli.options import Command

if TYPE_CHECKING:
    from live_emotion.types import Sink


def sending_options(command: Command) -> Command:
    """``--osc`` and ``--lsl``."""
    command = click.option(
        "--lsl",
        is_flag=True,
        help="Offer the probabilities and changes of emotion as Lab Streaming Layer streams, on the network.",
    )(command)
    return click.option(
        "--osc",
        metavar="HOST:PORT",
        help="Send every face by Open Sound Control: floats at /live_emotion/<track>/<emotion>, a text at .../label.",
    )(command)


def check_sending(osc: str | None, lsl: bool) -> None:
    """Finds out before anything slow is loaded whether it can be sent.

    Raises:
        InputError: ``--osc`` is no address.
        MissingExtraError: a package is not installed.
    """
    if osc:
        from live_emotion.io.osc import OscSender

        OscSender(osc, ()).close()
    if lsl:
        from live_emotion.io.lsl import import_pylsl

        import_pylsl()


def open_senders(stack: contextlib.ExitStack, osc: str | None, lsl: bool, class_names: Sequence[str]) -> list[Sink]:
    """What sends; ``stack`` closes it.

    Raises:
        LiveEmotionError: it cannot be opened.
    """
    senders: list[Sink] = []
    if osc:
        from live_emotion.io.osc import OscSender

        senders.append(stack.enter_context(contextlib.closing(OscSender(osc, class_names))))
    if lsl:
        from live_emotion.io.lsl import LslSender

        senders.append(stack.enter_context(contextlib.closing(LslSender(class_names))))
    return senders
