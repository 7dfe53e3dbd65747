"""Sets of phantoms: a realistic mix, and a folder of them with its labels."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from androscope.errors import OutputError
from androscope.files import write_text
from androscope.imaging.phantom import Phantom, render_crop
from androscope.imaging.phantom_optics import random_optics
from androscope.imaging.phantom_random import MHSMA_RATES, random_defects, random_spec
from androscope.imaging.sheet import write_png
from androscope.types import PARTS

__all__ = ["clear_phantoms", "phantom_set", "write_phantoms"]


def phantom_set(
    n: int, seed: int, *, rates: Mapping[str, float] = MHSMA_RATES, size: int = 64
) -> list[Phantom]:
    """``n`` phantoms whose parts are abnormal about as often as MHSMA's.

    The phantom at a place depends on ``seed`` and the place only: a larger set begins with the
    smaller one.
    """
    phantoms = []
    for number in range(n):
        rng = np.random.default_rng([17, seed, number])
        spec = random_spec(rng, random_defects(rng, rates))
        phantoms.append(render_crop(spec, int(rng.integers(2**31)), size))
    return phantoms


#: Textbook cases by part: the kinds of defect that MHSMA's labels mean by it, and whether the focus
#: that shows them is the bright one.
_CLEAR: Mapping[str, tuple[tuple[str, ...], bool]] = {
    "head": (("tapered-head", "pyriform-head"), True),
    "acrosome": (("no-acrosome",), False),
    "vacuole": (("many-vacuoles", "large-vacuole"), True),
    "tail": (("bent-neck", "coiled-tail", "double-tail", "no-tail"), False),
}


def clear_phantoms(part: str | None, n: int, seed: int, *, size: int = 64) -> list[Phantom]:
    """``n`` clear cases: sperm with one textbook defect of ``part`` and no other, well seen.

    What a trained model should call abnormal more often than not. Of the defects in ``DEFECTS``
    these are the kinds that MHSMA has many of and that show at 64 pixels; round or large heads and
    large acrosomes, for instance, are hardly among its abnormal ones.

    Parameters
    ----------
    part
        ``"head"``, ``"acrosome"``, ``"vacuole"`` or ``"tail"``; ``None`` for normal sperm without
        any vacuole, dark as most of MHSMA's normal ones are.
    n, seed, size
        How many, of which random numbers, how large in px.

    Raises
    ------
    ValueError
        For another part.
    """
    if part is not None and part not in _CLEAR:
        raise ValueError(f"expected one of {list(_CLEAR)} or None, got {part!r}")
    phantoms = []
    for number in range(n):
        rng = np.random.default_rng([19, seed, number])
        if part is None:
            spec, bright = replace(random_spec(rng), vacuoles=()), False
        else:
            kinds, bright = _CLEAR[part]
            spec = random_spec(rng, {kinds[number % len(kinds)]})
        optics = random_optics(rng, bright=bright)
        phantoms.append(render_crop(spec, int(rng.integers(2**31)), size, optics=optics))
    return phantoms


def write_phantoms(folder: str | Path, n: int, seed: int) -> Path:
    """Write ``n`` phantoms as PNG with their truth in ``labels.csv``.

    The table's columns are ``path,head,acrosome,vacuole,tail`` (0 normal, 1 abnormal), as
    ``androscope data check`` and training on own data read it.

    Returns
    -------
    Path
        The table's.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds another ``labels.csv``.
    """
    folder = Path(folder)
    phantoms = phantom_set(n, seed)
    names = [f"phantom-{seed}-{number:04d}.png" for number in range(n)]
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerow(["path", *PARTS])
    for name, phantom in zip(names, phantoms, strict=True):
        writer.writerow([name, *(phantom.labels[part] for part in PARTS)])
    table = folder / "labels.csv"
    if table.exists() and table.read_text(encoding="utf-8", errors="replace") != rows.getvalue():
        raise OutputError(
            "holds other labels already", path=table, advice="Choose another folder, or remove it"
        )
    for name, phantom in zip(names, phantoms, strict=True):
        write_png(folder / name, phantom.pixels)
    # Last: a table never names a picture that is not there.
    write_text(table, rows.getvalue())
    return table
