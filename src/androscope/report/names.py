"""File names as they may safely be shown: any byte is allowed in them, not everywhere else."""

from __future__ import annotations

from html import escape

__all__ = ["NOTICE", "html_safe", "printable", "spreadsheet_name", "spreadsheet_text"]

#: Goes with every result, whatever its format.
NOTICE = "For research use only: not a medical device."

# A spreadsheet takes a cell that begins so for a formula and runs it (OWASP, "CSV injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def printable(text: str) -> str:
    r"""Text that any terminal and any UTF-8 file takes, on one line.

    Bytes of a name that are no UTF-8 (Python holds them as lone surrogates) and control
    characters, with which a name could move a terminal's cursor or recolour it, appear as
    ``\\x..`` escapes.
    """
    whole = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in whole
    )


def html_safe(text: str) -> str:
    """Text of any origin, file names above all, safe in an HTML page and in its attributes."""
    return escape(printable(text), quote=True)


def spreadsheet_name(name: str) -> str:
    """Give a file name that no spreadsheet takes for a formula and that still names the file.

    ``=1+1.png`` becomes ``./=1+1.png``: the same file, and harmless. Text is made UTF-8 as in
    :func:`printable`, control characters stay: CSV quotes them.
    """
    name = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return f"./{name}" if name.startswith(_FORMULA) else name


def spreadsheet_text(text: str) -> str:
    """Give text that no spreadsheet takes for a formula; an apostrophe goes before one."""
    text = printable(text)
    return f"'{text}" if text.startswith(_FORMULA) else text
