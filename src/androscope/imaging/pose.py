"""Where the head lies in a crop and which way it points, as far as the picture shows it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from androscope.imaging.filters import border_grey, gaussian
from androscope.imaging.locate import locate
from androscope.types import UInt8Array

__all__ = ["HeadPose", "head_pose"]

# In shares of the crop's side, for crops in which a normal head is 0.6 of it long. The length that
# is looked for is a little too large, which leaves room for the outline.
_LENGTH, _FROM_CENTRE = 50 / 64, 16 / 64
# Beyond each end of the head: where strips across the axis lie, how wide and how long they are.
_NEAREST, _FARTHEST, _STEP, _STRIP, _HALF_ACROSS = 2 / 64, 14 / 64, 1 / 64, 1.5 / 64, 9 / 64
_FEWEST_STRIPS, _FEWEST_PIXELS = 3, 8
#: One end must show so many times the line of the other to be called the tail's.
_CLEARLY = 2.0
#: A peak this far out, in half axes, still lies on the head: outlines are good to a few pixels.
_ON_HEAD = 1.25


@dataclass(frozen=True, slots=True)
class HeadPose:
    """A head's ellipse in a crop.

    Attributes
    ----------
    x, y
        Its centre, px from the first pixel's centre.
    length, width
        Its axes, px.
    angle_deg
        Direction of the long axis, anticlockwise from the right: where the head points, 0 to 360,
        if ``directed``; else one of the two ways, 0 to 180.
    directed
        Whether it is seen which end the tail leaves.
    """

    x: float
    y: float
    length: float
    width: float
    angle_deg: float
    directed: bool

    def place(self, x: float, y: float) -> str:
        """Where on the head a point of the crop lies, in a word.

        ``"front"``, ``"middle"`` or ``"back"`` third along the axis; ``"end"`` for front or back
        where they cannot be told apart; ``"outside"`` for a point off the head.
        """
        angle = math.radians(self.angle_deg)
        dx, dy = x - self.x, self.y - y
        along = (dx * math.cos(angle) + dy * math.sin(angle)) / (self.length / 2)
        across = (dy * math.cos(angle) - dx * math.sin(angle)) / (self.width / 2)
        if math.hypot(along, across) > _ON_HEAD:
            return "outside"
        if abs(along) <= 1 / 3:
            return "middle"
        if not self.directed:
            return "end"
        return "front" if along > 0 else "back"


def head_pose(pixels: UInt8Array) -> HeadPose | None:
    """Find the head of a crop ``(S, S)`` by classical means.

    The tail is looked for as a line that leaves the head at one end of its long axis; where both
    ends show about as much, the head is not directed.

    Returns
    -------
    HeadPose or None
        ``None`` if no head is found near the centre.
    """
    size = len(pixels)
    ground = border_grey(pixels)
    # Room on all sides: what is cut by the frame would be taken for something else.
    margin = size // 2
    wide = np.pad(pixels, margin, constant_values=np.uint8(round(ground)))
    middle = (size - 1) / 2
    near = []
    for item in locate(wide, _LENGTH * size).sperm:
        x, y = item.x - margin, item.y - margin
        distance = math.hypot(x - middle, y - middle)
        if distance < _FROM_CENTRE * size:
            near.append((distance, x, y, item))
    if not near:
        return None
    _, x, y, item = min(near, key=lambda found: found[0])
    ends = _lines(pixels, ground, (x, y), item.length, item.angle_deg)
    angle, directed = item.angle_deg, False
    if ends is not None:
        ahead, behind = ends
        directed = max(ahead, behind) >= _CLEARLY * min(ahead, behind)
        if directed and ahead > behind:
            angle += 180
    return HeadPose(x, y, item.length, item.width, angle, directed)


def _lines(
    pixels: UInt8Array,
    ground: float,
    centre: tuple[float, float],
    length: float,
    angle_deg: float,
) -> tuple[float, float] | None:
    """How much of a line is seen beyond either end of the long axis, grey levels; None: unseen."""
    size = len(pixels)
    contrast = np.abs(gaussian(pixels.astype(np.float32) - np.float32(ground), size / 64))
    y, x = np.indices(pixels.shape)
    angle = math.radians(angle_deg)
    along = (x - centre[0]) * math.cos(angle) - (y - centre[1]) * math.sin(angle)
    across = (x - centre[0]) * math.sin(angle) + (y - centre[1]) * math.cos(angle)
    within = np.abs(across) < _HALF_ACROSS * size
    found = []
    for sign in (1, -1):
        strips = []
        for start in np.arange(_NEAREST, _FARTHEST, _STEP) * size:
            out = sign * along - length / 2 - start
            strip: NDArray[np.float32] = contrast[within & (out >= 0) & (out < _STRIP * size)]
            if len(strip) >= _FEWEST_PIXELS:
                strips.append(float(np.quantile(strip, 0.9) - np.median(strip)))
        if len(strips) < _FEWEST_STRIPS:
            return None
        found.append(float(np.mean(strips)))
    return found[0], found[1]
