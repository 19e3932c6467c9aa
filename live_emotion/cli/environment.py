"""What the environment tells libraries: those that draw and read here end where it is no use to them."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import MutableMapping

import click

from live_emotion.errors import one_line

TEXTS = r"OPENCV_(\w+_)?(PATH|DIR|LIST|BACKEND|DEVICE|RUNTIME|OPTIONS|LOCATION|LEVEL|LOGLEVEL|CPU_DISABLE|DEFAULT|IPP)"
"""OpenCV's variables that may be any text; all others are numbers, sizes, or yes and no."""

FORMS = {
    TEXTS: r".*",
    r"OPENCV_\w+": r"\d{1,18}([KM]B|[KMkm]b)?|[Tt]rue|TRUE|[Ff]alse|FALSE",
    r"TQDM_(NCOLS|NROWS|POSITION|INITIAL)": r"\d{1,6}",
    r"TQDM_UNIT_DIVISOR": r"[1-9]\d{0,5}",
    r"TQDM_(DELAY|MAXINTERVAL|MININTERVAL|MINITERS|SMOOTHING|TOTAL)": r"\d{1,12}(\.\d{1,12})?",
    r"TQDM_ASCII": r"..+",
    r"TQDM_(FILE|WRITE_BYTES)": r"(?!)",  # what they need is no text
}
"""By names of variables, their values, beyond which OpenCV and tqdm fail; the first name that fits counts."""


def prepare_environment(environment: MutableMapping[str, str] = os.environ) -> None:
    """Sets what libraries are to do, and takes out, in a line, what would make them fail.

    Before any of them is imported; processes that are started get it, too.
    """
    environment["MPLBACKEND"] = "Agg"  # figures are files here, whatever window somebody's others are shown in
    environment.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # what is wrong with a file, we say in a line
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it says where it cannot keep its list of fonts
    wrong = {name: value for name, value in environment.items() if not _is_of_use(name, value)}
    for name in wrong:
        del environment[name]
    if wrong:
        told = ", ".join(f"{name}={value}" for name, value in wrong.items())
        click.echo(one_line(f"Left out of the environment, since it can be no such value: {told}"), err=True)


def _is_of_use(name: str, value: str) -> bool:
    form = next((form for known, form in FORMS.items() if re.fullmatch(known, name)), ".*")
    return re.fullmatch(form, value, re.DOTALL) is not None
