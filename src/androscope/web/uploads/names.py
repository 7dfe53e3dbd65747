"""File names as they come from a browser: text to be shown, and never a path of ours."""

from __future__ import annotations

from androscope.report.names import printable

__all__ = ["LONGEST", "replicate_of", "shown_name"]

#: Characters kept of a name, the last ones: its ending says what it is.
LONGEST = 200


def shown_name(raw: bytes) -> str:
    """A name as it is kept and shown: printable, ``/`` between folders, without ``.`` and ``..``.

    Names of folders dropped in stay, as they say which replicate an image is of.
    """
    text = printable(raw.decode("utf-8", "surrogateescape").replace("\\", "/"))
    parts = [part for part in text.split("/") if part.strip() not in ("", ".", "..")]
    name = "/".join(parts)
    return name if len(name) <= LONGEST else "…" + name[-LONGEST + 1 :]


def replicate_of(name: str, given: str) -> str:
    """Which replicate a file is of: the one given, else the folder that it lies in, else ``1``.

    A folder dropped in whole stands first in every name: ``sample/a/1.png`` is of ``a``.
    """
    if given:
        return given
    folders = name.split("/")[:-1]
    return folders[min(1, len(folders) - 1)] if folders else "1"
