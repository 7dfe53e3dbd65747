"""A field with what was found drawn on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from androscope.imaging.located import Located
from androscope.imaging.sheet import write_png
from androscope.types import UInt8Array

__all__ = ["COLOURS", "Mark", "draw_overlay", "write_overlay"]

#: Colours that differ for colour-blind readers too (Okabe and Ito's palette), red, green, blue.
COLOURS = {
    "normal": (0, 158, 115),
    "abnormal": (213, 94, 0),
    "not graded": (240, 228, 66),
    "no sperm": (86, 180, 233),
}

# Most models never abstain: named in the legend only where there is one.
_ALL = {**COLOURS, "undecided": (204, 121, 167)}

_SMALLEST_SIDE = 640
_LEGEND_PX = 18


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing to draw: where, what it counts as (of ``COLOURS``, or undecided), a caption."""

    located: Located
    kind: str
    caption: str = ""


def draw_overlay(pixels: UInt8Array, marks: Sequence[Mark]) -> UInt8Array:
    """Draw boxes, head axes and captions on a field, with a legend below it.

    Parameters
    ----------
    pixels
        ``(H, W)`` uint8.
    marks
        What to draw.

    Returns
    -------
    array
        ``(H', W', 3)`` uint8; small fields are enlarged two to four times.
    """
    height, width = pixels.shape
    scale = max(1, min(4, math.ceil(_SMALLEST_SIDE / max(height, width, 1))))
    grey = Image.fromarray(pixels).resize((width * scale, height * scale), Image.Resampling.BICUBIC)
    image = Image.new("RGB", (grey.width, grey.height + _LEGEND_PX), (0, 0, 0))
    image.paste(grey.convert("RGB"), (0, 0))
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(11)
    for mark in marks:
        colour = _ALL[mark.kind]
        left, top, right, bottom = (edge * scale for edge in mark.located.box)
        draw.rectangle((left - 3, top - 3, right + 2, bottom + 2), outline=colour)
        angle = math.radians(mark.located.angle_deg)
        dx = mark.located.length / 2 * scale * math.cos(angle)
        dy = -mark.located.length / 2 * scale * math.sin(angle)
        x, y = (mark.located.x + 0.5) * scale, (mark.located.y + 0.5) * scale
        draw.line((x - dx, y - dy, x + dx, y + dy), fill=colour)
        if mark.caption:
            draw.text((left - 2, bottom + 3), mark.caption, fill=colour, font=font)
    draw.rectangle((0, grey.height, grey.width, grey.height + _LEGEND_PX), fill=(0, 0, 0))
    place = 4.0
    for kind, colour in _ALL.items():
        count = sum(mark.kind == kind for mark in marks)
        if kind not in COLOURS and not count:
            continue
        text = f"{kind}: {count}"
        draw.text((place, grey.height + 2), text, fill=colour, font=font)
        place += draw.textlength(text, font=font) + 14
    return np.asarray(image)


def write_overlay(path: str | Path, pixels: UInt8Array, marks: Sequence[Mark]) -> None:
    """Write :func:`draw_overlay` as PNG. Raises :class:`~androscope.errors.OutputError`."""
    write_png(path, draw_overlay(pixels, marks))
