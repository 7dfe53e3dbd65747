"""Where a phantom field is drawn: a fine grid in layers of focus, and what is no sperm on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from androscope.imaging.phantom_shapes import Plane64

__all__ = [
    "CLEARANCE_UM",
    "DEPTHS_UM",
    "FINE",
    "MARGIN_PX",
    "TRIES",
    "Canvas",
    "FieldObject",
    "distance",
    "draw_others",
    "mark",
]

FINE = 2
MARGIN_PX = 16
#: Room between any two cells that shall not touch, um.
CLEARANCE_UM = 1.6
#: Places tried for one cell before there is said to be no room.
TRIES = 400
#: Focus steps over a field's depth; each is one more Fourier transform.
DEPTHS_UM = (-0.5, 0.0, 0.5)


@dataclass(frozen=True, slots=True)
class FieldObject:
    """Something that is no sperm: ``kind`` is ``"debris"`` or ``"round-cell"``; lengths in px."""

    kind: str
    centre: tuple[float, float]
    radius: float


class Canvas:
    """Phase and loss of everything, on a fine grid with a margin, in layers of focus."""

    def __init__(self, width: int, height: int, pixel_size_um: float) -> None:
        self.pixel_size_um = pixel_size_um
        self.shape = ((height + 2 * MARGIN_PX) * FINE, (width + 2 * MARGIN_PX) * FINE)
        self.phase = np.zeros((len(DEPTHS_UM), *self.shape))
        self.loss = np.zeros((len(DEPTHS_UM), *self.shape))
        self.heads = np.zeros((height, width), np.int32)
        self.tails = np.zeros((height, width), np.int32)
        step = pixel_size_um / FINE
        # um from the top left corner, y downwards.
        margin_um = MARGIN_PX * pixel_size_um
        self.x: Plane64 = np.arange(self.shape[1], dtype=np.float64) * step + (step / 2 - margin_um)
        self.y: Plane64 = np.arange(self.shape[0], dtype=np.float64) * step + (step / 2 - margin_um)

    def window(self, points: Plane64, margin_um: float) -> tuple[slice, slice]:
        """Rows and columns around points ``(P, 2)`` in um, on whole coarse pixels."""
        low, high = points.min(axis=0) - margin_um, points.max(axis=0) + margin_um
        result = []
        for axis, ticks in ((1, self.y), (0, self.x)):
            first = int(np.searchsorted(ticks, low[axis])) // FINE * FINE
            last = -(-int(np.searchsorted(ticks, high[axis])) // FINE) * FINE
            result.append(slice(first, max(last, first)))
        return result[0], result[1]


def distance(a: Plane64, b: Plane64) -> float:
    """Smallest distance between two sets of points ``(P, 2)`` and ``(Q, 2)``."""
    return float(np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2).min()))


def mark(
    target: NDArray[np.int32],
    rows: slice,
    columns: slice,
    fine: NDArray[np.bool_],
    number: int,
) -> NDArray[np.bool_]:
    """Write ``number`` where at least half of a coarse pixel is covered; returns the new mask."""
    height, width = fine.shape[0] // FINE, fine.shape[1] // FINE
    share = fine.reshape(height, FINE, width, FINE).mean(axis=(1, 3)) >= 0.5
    full = np.zeros((target.shape[0] + 2 * MARGIN_PX, target.shape[1] + 2 * MARGIN_PX), bool)
    top, left = rows.start // FINE, columns.start // FINE
    full[top : top + height, left : left + width] = share
    seen = full[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
    target[seen & (target == 0)] = number
    return seen


def draw_others(
    rng: np.random.Generator,
    canvas: Canvas,
    skeletons: Sequence[Plane64],
    size_um: tuple[float, float],
    debris: int,
    round_cells: int,
) -> tuple[FieldObject, ...]:
    """Draw round cells and specks clear of everything in ``skeletons``; raises ``ValueError``."""
    taken = list(skeletons)
    others: list[FieldObject] = []
    for kind, count, radii, strength in (
        ("round-cell", round_cells, (3.5, 5.0), 1.1),
        ("debris", debris, (0.4, 1.5), 0.7),
    ):
        for _ in range(count):
            radius = float(rng.uniform(*radii))
            centre = _free_spot(rng, size_um, taken, radius)
            taken.append(np.array([centre]))
            rows, columns = canvas.window(np.array([centre]), radius * 1.5 + 0.5)
            x = canvas.x[columns][None, :] - centre[0]
            y = canvas.y[rows][:, None] - centre[1]
            angle, phases = np.arctan2(y, x), rng.uniform(0, 2 * math.pi, 3)
            # A round cell is nearly a disc; a speck has any outline.
            ripple = 0.05 if kind == "round-cell" else 0.5
            weights = rng.dirichlet([1.0, 1.0, 1.0])
            outline = 1 + ripple * sum(
                w * np.cos((k + 2) * angle + p)
                for k, (w, p) in enumerate(zip(weights, phases, strict=True))
            )
            inside = np.clip(1 - (np.hypot(x, y) / (radius * outline)) ** 2, 0, None)
            grain = 1.0
            if kind == "round-cell":
                waves = rng.normal(0, 1.6, (16, 2))
                grain = 1 + 0.05 * sum(
                    np.cos(kx * x + ky * y + p)
                    for (kx, ky), p in zip(waves, rng.uniform(0, 2 * math.pi, 16), strict=True)
                )
            layer = int(rng.integers(len(DEPTHS_UM)))
            canvas.phase[layer, rows, columns] += strength * np.sqrt(inside) * grain
            canvas.loss[layer, rows, columns] += 0.12 * strength * np.sqrt(inside) * grain
            um = canvas.pixel_size_um
            spot = (centre[0] / um - 0.5, centre[1] / um - 0.5)
            others.append(FieldObject(kind, spot, radius / um))
    return tuple(others)


def _free_spot(
    rng: np.random.Generator,
    size_um: tuple[float, float],
    taken: Sequence[Plane64],
    radius: float,
) -> tuple[float, float]:
    for _ in range(TRIES):
        spot = float(rng.uniform(0, size_um[0])), float(rng.uniform(0, size_um[1]))
        gap = radius + 2.5 + CLEARANCE_UM
        if all(distance(np.array([spot]), points) > gap for points in taken):
            return spot
    raise ValueError("no room for so much debris: ask for less, or for a larger field")
