"""Fills the templates of pages: each becomes one HTML file that holds all it shows and loads nothing else."""

from __future__ import annotations

import base64
import hashlib


def fill(template: str, script: str, **values: object) -> str:
    """A page as HTML, which can be written as UTF-8.

    Args:
        template: name of the file that says how it looks; its style is named there.
        script: name of the file with the one script that the page allows.
        values: what it says.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("live_emotion", "visualization/report"),
        autoescape=True,  # names of files and classes are anybody's
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    text = environment.loader.get_source(environment, script)[0] if environment.loader else ""
    page = environment.get_template(template).render(
        script=Markup(text),  # ours
        script_hash=base64.b64encode(hashlib.sha256(text.encode()).digest()).decode(),
        **values,
    )
    # what a file's name holds that is no text becomes a question mark
    return page.encode("utf-8", "replace").decode()
