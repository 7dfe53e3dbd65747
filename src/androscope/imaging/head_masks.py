"""Outlines of heads in small windows of one size, many windows at a time: masks, axes, lobes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from androscope.imaging.filters import peaks
from androscope.types import FloatArray

__all__ = [
    "OUTLINE_BOTH",
    "OUTLINE_HIGH",
    "OUTLINE_LOW",
    "Ellipse",
    "Masks",
    "ellipse_of",
    "hanging_together",
    "head_masks",
    "lobes",
    "of_both_signs",
    "opened",
    "windows",
]

Masks = NDArray[np.bool_]

#: Shares of a head's contrast at which its outline is drawn: low, as an unstained acrosome is pale;
#: between for heads that are bright and dark at once, whose fringes would count; high for what
#: comes out too large, such as a head in a halo.
OUTLINE_LOW, OUTLINE_BOTH, OUTLINE_HIGH = 0.2, 0.4, 0.45
#: A head whose middle stands out this much to the other side too is seen by its rim and body.
_BOTH = 0.5
#: Radius of the opening that takes the tail off, in head lengths: a tail is 0.2 of one wide.
_TAIL_RADIUS = 0.14
#: How far from where it was found a head may lie, in head lengths.
_REACH = 0.45


@dataclass(frozen=True, slots=True)
class Ellipse:
    """The ellipse with a mask's area moments: centre, full axes (px) and angle of the long one.

    ``angle_deg`` is 0 to 180, anticlockwise from the right, as phantoms have it.
    """

    x: float
    y: float
    length: float
    width: float
    angle_deg: float
    area: float

    @property
    def solidity(self) -> float:
        """Area over that of the ellipse: 1 for an ellipse, less for what has bays or arms."""
        return self.area / (math.pi / 4 * self.length * self.width)


def windows(image: FloatArray, centres: NDArray[np.intp], half: int) -> FloatArray:
    """Square windows ``(N, 2 half + 1, 2 half + 1)`` around ``centres`` ``(N, 2)`` (x, y).

    Outside the image they are 0: no contrast.
    """
    padded = np.pad(image, half)
    side = 2 * half + 1
    view = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    return np.asarray(view[centres[:, 1], centres[:, 0]])


def of_both_signs(contrast: FloatArray, head_length: float) -> NDArray[np.bool_]:
    """Which windows ``(N, S, S)`` show a head that is bright and dark at once, ``(N,)``.

    In some focus a head is bright inside a dark rim: where cells are dark, its middle is not.
    """
    near = contrast[:, _distance(contrast.shape[1]) <= _REACH * head_length]
    high, low = np.quantile(near, (0.9, 0.1), axis=1)
    return np.asarray(-low > _BOTH * high)


def head_masks(
    contrast: FloatArray, head_length: float, outline: NDArray[np.float64]
) -> tuple[Masks, Masks]:
    """The head in the middle of each window, and a second one that touches it.

    Parameters
    ----------
    contrast
        ``(N, S, S)`` float32: how far each pixel stands out from the background, cells positive.
    head_length
        About how long a head is, px.
    outline
        ``(N,)``: share of the head's contrast at which its outline is drawn.

    Returns
    -------
    heads, neighbours
        ``(N, S, S)`` bool each: the piece nearest to the middle, holes filled, the tail cut off;
        and the piece, as thick as a head, that comes within a tail's width of it. Empty where there
        is none.
    """
    distance = _distance(contrast.shape[1])
    near = contrast[:, distance <= _REACH * head_length]
    # The strongest tenth of what lies near: a single bright pixel shall not set the outline.
    strength = np.quantile(near, 0.9, axis=1)
    level = np.where(strength > 0, outline * strength, np.inf)[:, None, None]
    solid = _filled(contrast > level)
    disc = _disc(max(1.0, _TAIL_RADIUS * head_length))
    cores = _eroded(solid, disc)
    # What is thinner than a tail everywhere is kept whole.
    within = distance <= _REACH * head_length
    thin = ~(cores & within).any(axis=(1, 2))
    cores[thin] = solid[thin]
    chosen = _piece_at(cores, np.where(cores & within, distance, np.inf))
    heads = _dilated(chosen, disc) & solid
    heads[thin] = chosen[thin]
    rest = _dilated(cores & ~chosen, disc) & solid & ~heads
    rest[thin] = False
    touching = rest & _dilated(heads, disc)
    return heads, _piece_at(rest, np.where(touching, distance, np.inf))


def _distance(side: int) -> NDArray[np.float64]:
    middle = side // 2
    y, x = np.mgrid[-middle : middle + 1, -middle : middle + 1]
    return np.asarray(np.hypot(x, y), np.float64)


def ellipse_of(mask: Masks) -> Ellipse | None:
    """Ellipse of one mask ``(S, S)``, px from its first pixel's centre; ``None`` if it is empty.

    An ellipse with full axes ``L`` and ``W`` has variances ``L^2 / 16`` and ``W^2 / 16`` along
    them; each pixel adds its own, 1/12.
    """
    ys, xs = np.nonzero(mask)
    if len(xs) == 0:
        return None
    x, y = float(xs.mean()), float(ys.mean())
    # y downwards on the picture, upwards in angles.
    dx, dy = xs - x, y - ys
    xx, yy = float((dx * dx).mean()) + 1 / 12, float((dy * dy).mean()) + 1 / 12
    xy = float((dx * dy).mean())
    half, spread = (xx + yy) / 2, float(np.hypot((xx - yy) / 2, xy))
    return Ellipse(
        x=x,
        y=y,
        length=4 * float(np.sqrt(half + spread)),
        width=4 * float(np.sqrt(max(half - spread, 1 / 12))),
        # Twice: what is hardly below 0 becomes 180 by rounding.
        angle_deg=float(np.degrees(np.arctan2(2 * xy, xx - yy)) / 2 % 180 % 180),
        area=float(len(xs)),
    )


def opened(masks: Masks, radius: float) -> Masks:
    """What of each mask ``(N, S, S)``, holes filled, is as thick as a disc of ``radius`` px."""
    solid = _filled(masks)
    disc = _disc(max(1.0, radius))
    return _dilated(_eroded(solid, disc), disc) & solid


def hanging_together(masks: Masks, seeds: Masks) -> Masks:
    """The pieces of each mask ``(N, S, S)`` that reach into its ``seeds`` ``(N, S, S)``."""
    return _spread(masks & seeds, masks)


def lobes(mask: Masks, head_length: float) -> list[Masks]:
    """The heads that a mask ``(S, S)`` is made of: itself, or its parts around each thick place.

    Two thick places are two heads if they lie half a head's width apart and the mask is clearly
    thinner between them.
    """
    depth = np.zeros(mask.shape, np.float32)
    left = mask[None]
    cross = _disc(1.0)
    while left.any():
        depth += left[0]
        left = _eroded(left, cross)
    found = peaks(_softened(depth), 0.33 * head_length, 0.5 * float(depth.max(initial=1.0)))
    seeds = [found[0]] if len(found) else []
    for seed in found[1:]:
        if all(_apart(depth, seed, other) for other in seeds):
            seeds.append(seed)
    if len(seeds) < 2:
        return [mask]
    y, x = np.indices(mask.shape)
    distances = np.stack([np.hypot(x - s[0], y - s[1]) for s in seeds])
    nearest = distances.argmin(axis=0)
    return [mask & (nearest == number) for number in range(len(seeds))]


def _softened(depth: FloatArray) -> FloatArray:
    # Depth has plateaus; a small average leaves one maximum on each.
    padded = np.pad(depth, 1)
    height, width = depth.shape
    total = sum(padded[dy : dy + height, dx : dx + width] for dy in range(3) for dx in range(3))
    return np.asarray(total, np.float32) / np.float32(9)


def _apart(depth: FloatArray, a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    steps = np.linspace(0, 1, 25)
    x = np.rint(a[0] + steps * (b[0] - a[0])).astype(int)
    y = np.rint(a[1] + steps * (b[1] - a[1])).astype(int)
    along = depth[y, x]
    return bool(along.min() <= 0.75 * min(along[0], along[-1]))


def _disc(radius: float) -> list[tuple[int, int]]:
    reach = int(radius)
    return [
        (dy, dx)
        for dy in range(-reach, reach + 1)
        for dx in range(-reach, reach + 1)
        if dy * dy + dx * dx <= radius * radius
    ]


def _shifted(masks: Masks, offsets: list[tuple[int, int]], outside: bool) -> Iterator[Masks]:
    reach = max(abs(step) for offset in offsets for step in offset)
    padded = np.pad(masks, ((0, 0), (reach, reach), (reach, reach)), constant_values=outside)
    height, width = masks.shape[1:]
    for dy, dx in offsets:
        yield padded[:, reach + dy : reach + dy + height, reach + dx : reach + dx + width]


def _eroded(masks: Masks, offsets: list[tuple[int, int]]) -> Masks:
    result = masks.copy()
    for shifted in _shifted(masks, offsets, outside=False):
        result &= shifted
    return result


def _dilated(masks: Masks, offsets: list[tuple[int, int]]) -> Masks:
    result = masks.copy()
    for shifted in _shifted(masks, offsets, outside=False):
        result |= shifted
    return result


def _spread(seeds: Masks, within: Masks) -> Masks:
    """Everything in ``within`` that hangs together with ``seeds``, over sides, not corners."""
    reached = seeds & within
    count = -1
    while True:
        # In place, from side to side: a front may cross a window in one sweep.
        for axis in (1, 2):
            length = reached.shape[axis]
            for order in (range(1, length), range(length - 2, -1, -1)):
                step = order.step
                for i in order:
                    here = reached[:, i] if axis == 1 else reached[:, :, i]
                    last = reached[:, i - step] if axis == 1 else reached[:, :, i - step]
                    allowed = within[:, i] if axis == 1 else within[:, :, i]
                    here |= last & allowed
        now = int(np.count_nonzero(reached))
        if now == count:
            return reached
        count = now


def _filled(masks: Masks) -> Masks:
    border = np.zeros_like(masks)
    border[:, [0, -1]] = True
    border[:, :, [0, -1]] = True
    return ~_spread(border, ~masks)


def _piece_at(masks: Masks, cost: NDArray[np.float64]) -> Masks:
    """The connected piece of each mask that has the pixel of least ``cost``; inf: no such pixel."""
    flat = cost.reshape(len(masks), -1)
    best = flat.argmin(axis=1)
    seeds = np.zeros(flat.shape, bool)
    rows = np.arange(len(masks))
    seeds[rows, best] = np.isfinite(flat[rows, best])
    return _spread(seeds.reshape(masks.shape), masks)
