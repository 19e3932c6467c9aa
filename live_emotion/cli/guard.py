"""Runs a command line within bounds: whatever happens, people read one line and the exit code tells it."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import warnings
from types import FrameType
from typing import Any

import click

from live_emotion.cli.environment import prepare_environment
from live_emotion.concurrency.interrupts import TERMINATIONS, forget_terminal, is_ignored
from live_emotion.errors import LiveEmotionError, one_line

try:
    import resource
except ImportError:  # Windows, where nobody limits it
    resource = None  # type: ignore[assignment]

LONGEST_SHOWN = 200
"""Of a file in a message, in characters."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What the system says where nothing more can be written. Where it names no file, that is standard output, since
those of files come as OutputErrors."""

NO_MEMORY = (
    *("Insufficient memory", "bad_alloc", "bad allocation", "Failed to allocate memory", "not enough memory"),
    *("can't start new thread", "annot allocate memory", "failed to map segment"),
)
"""How libraries say that there is not enough memory, where they raise no MemoryError."""

HELP_ALONE: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""What newer releases of click raise where a group is called without a command; its message is the help."""

LEAST_ADDRESS_SPACE = 2_500_000_000
"""In bytes. MediaPipe and ONNX Runtime end the process where they do not get it."""

LEAST_FILES = 64
"""That a process may open; Python itself takes modules that it cannot open for missing ones."""

MEMORY_NEEDED = (
    "There is not enough memory. A photo takes about 0.3 GB, a video 0.5 GB, training 1 GB, and large pictures more; "
    "close other programs, or give it less at once."
)


def run_cli(command: click.Command, program: str) -> None:
    """Runs a command line and exits.

    With 0; 1 for an error that a user can fix; 2 for wrong usage; 130 for Ctrl-C; 143 for SIGTERM and 129 for SIGHUP,
    which end it as tidily. Where the reader of our output has gone, as in ``| head``, it ends with 1 and says nothing.
    """
    for kind in TERMINATIONS:
        if not is_ignored(kind):
            signal.signal(kind, _terminate)
    if sys.stdout is None and os.name == "posix":  # or the next file that is opened would take its place
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # standard input may be closed as well
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # not every console knows every letter
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # of libraries, for those who write programs
    prepare_environment()
    try:
        _check_limits()
        code = command.main(prog_name=program, standalone_mode=False) or 0
        if sys.stdout:
            sys.stdout.flush()
        sys.exit(code)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as error:
        if not isinstance(error, HELP_ALONE):
            vars(error)["message"] = one_line(error.message)
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except Exception as error:
        if has_no_reader(error):
            _write_nowhere()
            sys.exit(1)
        line = _explain(error)
        if not line:
            raise
        click.echo(f"Error: {line}", err=True)
        sys.exit(1)


def _check_limits() -> None:
    """Finds out before anything large is loaded whether it can be.

    Raises:
        LiveEmotionError: somebody allows this process too little.
    """
    if not resource or {"-h", "--help", "--version"} & set(sys.argv):
        return
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if 0 <= files < LEAST_FILES:
        raise LiveEmotionError(f"Only {files} files may be open at once, and {LEAST_FILES} are needed: ulimit -n.")
    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    if 0 <= allowed < LEAST_ADDRESS_SPACE:
        needed = LEAST_ADDRESS_SPACE / 1e9
        raise LiveEmotionError(
            f"This needs {needed:g} GB of address space, and {allowed / 1e9:.1f} GB are allowed; raise that: ulimit -v."
        )


def has_no_reader(error: Exception, is_windows: bool = os.name == "nt") -> bool:
    """Whether whoever read our standard output has gone, as Windows says it; what others say, click answers."""
    return is_windows and isinstance(error, OSError) and error.errno == errno.EINVAL and error.filename is None


def _write_nowhere() -> None:
    """Standard output goes nowhere from here on, or Python fails once more as it exits."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explain(error: Exception) -> str:
    """What people read of an error that they can do something about; empty for one that is ours."""
    if isinstance(error, LiveEmotionError):
        return str(error)
    is_short = isinstance(error, OSError) and error.errno in (errno.ENOMEM, errno.EAGAIN)
    if is_short or isinstance(error, MemoryError) or any(text in str(error) for text in NO_MEMORY):
        return MEMORY_NEEDED
    if not isinstance(error, OSError):
        return ""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "Too many files are open; allow more with ulimit -n, or close other programs."
    if error.filename is not None:  # such as a name that is too long for the system
        return f"Cannot use {_shortened(error.filename)}: {error.strerror}."
    if error.errno not in FULL:
        return ""
    _write_nowhere()
    return f"Cannot write to standard output: {error.strerror}."


def _shortened(name: object) -> str:
    """A file's name for a message, of any length and encoding."""
    text = os.fsdecode(name) if isinstance(name, bytes) else str(name)
    return one_line(text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}...")


def _terminate(number: int, _: FrameType | None) -> None:
    """Lets a signal unwind what is going on, so that no half of a file is left behind."""
    forget_terminal(number)
    sys.exit(128 + number)
