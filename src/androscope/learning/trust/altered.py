"""Labelled crops spoilt on purpose: what the checks named for it are to find.

Each is a good crop of one sperm but for one thing, so that what the embedding makes of it is seldom
far off: here the checks that measure the picture have to do it. Limits are fitted on none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from androscope.imaging.filters import border_grey, gaussian
from androscope.types import FloatArray, UInt8Array

__all__ = ["ALTERATIONS", "Alteration", "altered"]

_SEED = 62
Alter = Callable[[UInt8Array, np.random.Generator], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Alteration:
    """One way to spoil crops.

    Attributes
    ----------
    what
        In words, such as ``"blurred by 4 px"``.
    strong
        Whether it is so strong that nearly all are to be refused; milder ones are shown beside it.
    alter
        Crops ``(N, 64, 64)`` and a generator to grey levels ``(N, 64, 64)``.
    """

    what: str
    strong: bool
    alter: Alter


def altered(crops: UInt8Array, kind: Alteration) -> UInt8Array:
    """All ``crops`` ``(N, S, S)`` spoilt in one way, the same every time."""
    number = [one.what for one in ALTERATIONS].index(kind.what)
    grey = kind.alter(crops, np.random.default_rng([_SEED, number]))
    return np.asarray(np.clip(np.rint(grey), 0, 255), np.uint8)


def _blurred(sigma: float, noise: float = 0.0) -> Alter:
    def alter(crops: UInt8Array, rng: np.random.Generator) -> NDArray[np.float64]:
        soft = np.stack([gaussian(crop.astype(np.float32), sigma) for crop in crops])
        return np.asarray(soft + rng.normal(0, noise, soft.shape), np.float64)

    return alter


def _moved(length: int) -> Alter:
    """Smeared along one axis, as when the sperm or the stage moves."""

    def alter(crops: UInt8Array, _: np.random.Generator) -> NDArray[np.float64]:
        half = length // 2
        padded = np.pad(crops.astype(np.float64), ((0, 0), (0, 0), (half, half)), mode="edge")
        width = crops.shape[2]
        passed = [padded[:, :, i : i + width] for i in range(length)]
        return np.asarray(np.mean(passed, axis=0), np.float64)

    return alter


def _shifted(distance: float) -> Alter:
    """The head moved away from the middle, any way; the crop's edge is repeated behind it."""

    def alter(crops: UInt8Array, rng: np.random.Generator) -> NDArray[np.float64]:
        moved = [_shift(crop.astype(np.float32), distance, rng) for crop in crops]
        return np.stack(moved).astype(np.float64)

    return alter


def _shift(crop: FloatArray, distance: float, rng: np.random.Generator) -> FloatArray:
    angle = rng.uniform(0, 2 * np.pi)
    x, y = round(distance * np.cos(angle)), round(distance * np.sin(angle))
    room = int(np.ceil(distance)) + 1
    padded = np.pad(crop, room, mode="edge")
    height, width = crop.shape
    return padded[room - y : room - y + height, room - x : room - x + width]


def _paired(crops: UInt8Array, rng: np.random.Generator) -> NDArray[np.float64]:
    """A second head, of the next crop, 24 to 36 px from the first's middle."""
    grounds = np.array([border_grey(crop) for crop in crops])[:, None, None]
    standing = crops - grounds
    others = []
    for other in np.roll(standing, 1, axis=0):
        # What the other crop shows at its edge is not repeated: its background is.
        inside = np.pad(other[1:-1, 1:-1], 1).astype(np.float32)
        others.append(_shift(inside, rng.uniform(24, 36), rng))
    second = np.stack(others)
    both = np.where(abs(standing) > abs(second), standing, second)
    return np.asarray(grounds + both, np.float64)


def _contrast(factor: float) -> Alter:
    def alter(crops: UInt8Array, _: np.random.Generator) -> NDArray[np.float64]:
        grounds = np.array([border_grey(crop) for crop in crops])[:, None, None]
        return np.asarray(grounds + factor * (crops - grounds), np.float64)

    return alter


def _inverted(crops: UInt8Array, _: np.random.Generator) -> NDArray[np.float64]:
    return np.asarray(255.0 - crops, np.float64)


ALTERATIONS: tuple[Alteration, ...] = (
    Alteration("blurred by 2 px", False, _blurred(2)),
    Alteration("blurred by 3 px", False, _blurred(3)),
    Alteration("blurred by 4 px", True, _blurred(4)),
    # A camera's noise comes after the blur: about as much as the crops of MHSMA have.
    Alteration("blurred by 4 px, then noise of 1 grey level", True, _blurred(4, 1.0)),
    Alteration("smeared along 9 px", False, _moved(9)),
    Alteration("head moved by 16 px", False, _shifted(16)),
    Alteration("head moved by 24 px", True, _shifted(24)),
    Alteration("a second head 24 to 36 px away", True, _paired),
    Alteration("grey inverted", True, _inverted),
    Alteration("contrast x 0.5", False, _contrast(0.5)),
    Alteration("contrast x 0.35", True, _contrast(0.35)),
)
