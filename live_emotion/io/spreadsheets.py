"""Texts in tables that spreadsheets open: what begins like a formula is marked as text, as OWASP advises.

owasp.org/www-community/attacks/CSV_Injection. What is marked can be told from what begins like that by itself.
"""

from __future__ import annotations

import re

FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""How a cell begins that spreadsheets may run, and how it begins once it is marked."""

MARK = "'"


def as_text(text: str) -> str:
    """A text as it stands in a cell.

    Example:
        >>> as_text("=1+2"), as_text("Anna"), as_text("'=1+2")
        ("'=1+2", 'Anna', "''=1+2")
    """
    return MARK + text if FORMULA.match(text) else text


def from_text(cell: str) -> str:
    """The text of a cell that :func:`as_text` made.

    Example:
        >>> from_text("'=1+2"), from_text("'Anna'")
        ('=1+2', "'Anna'")
    """
    return cell[1:] if cell.startswith(MARK) and FORMULA.match(cell) else cell
