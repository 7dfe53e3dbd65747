"""The size of a picture's pixels: what a file says, what the user says, and which is believed."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["NOT_CREDIBLE", "SAID_OTHERWISE", "Stated", "believed", "disagreement", "stated_size"]

#: Microscopes at which sperm are looked at, um/px: a head is 147 to 4 px long. Sizes outside come
#: from screens, printers and photo editors, or from a slip of the unit.
_CREDIBLE_UM = (0.03, 1.0)

#: Resolutions that cameras and editors fill in without meaning them, dots per inch: nothing that a
#: reader should know of.
_CUSTOMARY_DPI = (1, 72, 90, 96, 100, 120, 144, 150, 180, 200, 240, 300, 350, 360, 400, 600, 1200)

#: Sizes that differ by more than this factor differ.
_DIFFERS = 1.02

#: How the notes begin, by which reports find them.
NOT_CREDIBLE = "the pixel size that the file states"
SAID_OTHERWISE = "the pixel size given"


@dataclass(frozen=True, slots=True)
class Stated:
    """What a file says of its pixels: um/px if it is believed, and a note if it is not."""

    um: float | None = None
    notes: tuple[str, ...] = ()


def stated_size(x_um: float, y_um: float) -> Stated:
    """Weigh the pixel size that a file states, um/px: it must be a microscope's, and square."""
    low, high = _CREDIBLE_UM
    if low <= x_um <= high and abs(x_um - y_um) <= 0.01 * x_um:
        return Stated(round((x_um + y_um) / 2, 6))
    if x_um == y_um and _is_customary(x_um):
        return Stated()
    size = f"{x_um:.4g}" if x_um == y_um else f"{x_um:.4g} x {y_um:.4g}"
    inside = all(low <= um <= high for um in (x_um, y_um))
    why = "is not square" if inside else f"can be no microscope's ({low:g} to {high:g} um)"
    return Stated(None, (f"{NOT_CREDIBLE}, {size} um, {why}: not used",))


def _is_customary(um: float) -> bool:
    # PNG and TIFF keep dots per metre or centimetre, so that 72 dpi comes back as 72.009.
    dpi = 25_400 / um if math.isfinite(um) and um > 0 else 0.0
    return any(abs(dpi - known) <= 0.002 * known for known in _CUSTOMARY_DPI)


def believed(stated: float | None, given: float | None) -> float | None:
    """The file's own size where it states one, else the user's, um/px."""
    return given if stated is None else stated


def disagreement(stated: float | None, given: float | None) -> str | None:
    """A note where file and user differ by more than 2 %."""
    if stated is None or given is None or 1 / _DIFFERS <= given / stated <= _DIFFERS:
        return None
    return (
        f"{SAID_OTHERWISE}, {given:g} um, is not the file's own, {stated:g} um, which is believed"
    )
