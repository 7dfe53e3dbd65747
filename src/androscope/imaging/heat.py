"""A heat map over its crop, with a legend: what a person is shown."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from androscope.types import FloatArray, UInt8Array

__all__ = ["ABNORMAL_COLOUR", "FAINTEST", "NORMAL_COLOUR", "draw_heat"]

#: Two of Okabe and Ito's colours, which differ for colour-blind readers too: what speaks for
#: abnormal, and what speaks for normal. Red, green, blue.
ABNORMAL_COLOUR, NORMAL_COLOUR = (213, 94, 0), (0, 114, 178)

#: Log odds at full colour at least: a map that is faint everywhere shall look faint.
FAINTEST = 1.0

_SMALLEST_SIDE = 384
# Of the strongest colour over the grey picture: the sperm must stay visible.
_OPACITY = 0.6
_LINE_PX, _BAR_PX, _GAP = 15, 10, 6
_NARROWEST = 300


def draw_heat(
    pixels: UInt8Array,
    heat: FloatArray,
    *,
    lines: Sequence[str] = (),
    peak: tuple[int, int] | None = None,
) -> UInt8Array:
    """Lay a map over its crop.

    Parameters
    ----------
    pixels
        ``(S, S)`` uint8.
    heat
        ``(S, S)`` float32, log odds: positive speaks for abnormal, negative for normal. Full
        colour is at the largest of the map, or at :data:`FAINTEST` if that is more; the legend
        says which.
    lines
        Text below, a line each.
    peak
        ``(x, y)`` px to be ringed.

    Returns
    -------
    array
        ``(H, W, 3)`` uint8, the crop enlarged to 384 px a side or more.

    Raises
    ------
    ValueError
        If map and crop differ in shape, or the map is not finite.
    """
    if heat.shape != pixels.shape or not bool(np.isfinite(heat).all()):
        raise ValueError(
            f"expected a finite map of the crop's shape {pixels.shape}, got {heat.shape}"
        )
    scale = max(1, math.ceil(_SMALLEST_SIDE / len(pixels)))
    side = (pixels.shape[1] * scale, pixels.shape[0] * scale)
    grey = np.asarray(Image.fromarray(pixels).resize(side, Image.Resampling.BICUBIC), np.float32)
    fine = np.asarray(
        Image.fromarray(np.asarray(heat, np.float32)).resize(side, Image.Resampling.BILINEAR)
    )
    full = max(FAINTEST, float(np.abs(heat).max(initial=0.0)))
    blended = _blend(grey, np.asarray(fine / full, np.float32))
    text = [*lines]
    height = _GAP + _BAR_PX + _LINE_PX * (1 + len(text)) + _GAP
    image = Image.new("RGB", (max(side[0], _NARROWEST), side[1] + height), (0, 0, 0))
    image.paste(Image.fromarray(blended), (0, 0))
    draw = ImageDraw.Draw(image)
    if peak is not None:
        x, y = (peak[0] + 0.5) * scale, (peak[1] + 0.5) * scale
        radius = 2.0 * scale
        for grown, colour in ((1, (0, 0, 0)), (0, (255, 255, 255))):
            edge = radius + grown
            draw.ellipse((x - edge, y - edge, x + edge, y + edge), outline=colour)
    _legend(image, draw, side[1] + _GAP, full, text)
    return np.asarray(image)


def _blend(grey: FloatArray, share: FloatArray) -> UInt8Array:
    """Grey ``(H, W)`` under colour: ``share`` from -1 (normal's) to 1 (abnormal's)."""
    share = np.clip(share, -1, 1)
    colour = np.where(
        (share >= 0)[..., None],
        np.asarray(ABNORMAL_COLOUR, np.float32),
        np.asarray(NORMAL_COLOUR, np.float32),
    )
    opacity = (_OPACITY * np.abs(share))[..., None]
    mixed = grey[..., None] * (1 - opacity) + colour * opacity
    return np.asarray(np.clip(np.floor(mixed + 0.5), 0, 255), np.uint8)


def _legend(
    image: Image.Image, draw: ImageDraw.ImageDraw, top: int, full: float, lines: list[str]
) -> None:
    font = ImageFont.load_default(11)
    width = image.width - 2 * _GAP
    ramp = np.tile(np.linspace(-1, 1, width, dtype=np.float32), (_BAR_PX, 1))
    bar = _blend(np.full(ramp.shape, 128, np.float32), ramp)
    image.paste(Image.fromarray(bar), (_GAP, top))
    top += _BAR_PX + 1
    white = (255, 255, 255)
    draw.text((_GAP, top), f"speaks for normal -{full:.1f}", fill=white, font=font)
    right = f"+{full:.1f} for abnormal (log odds)"
    draw.text(
        (image.width - _GAP - draw.textlength(right, font=font), top), right, fill=white, font=font
    )
    for number, line in enumerate(lines, 1):
        draw.text((_GAP, top + number * _LINE_PX), line, fill=white, font=font)
