"""Sketched fields: heads of any look, without optics, so that the locator learns size and shape.

Phantom fields are what physics makes of a sperm in focus. Videos show much else: heads out of focus
or end on, in a halo or hollow, tails that are not to be seen, the two half-frames of an interlaced
camera. Sketches vary all of that far beyond what is real; what they have in common is what a
locator shall go by (J. Tobin et al., "Domain Randomization", 2017, arXiv:1703.06907).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from androscope.imaging.contrast import DETECTOR_PX
from androscope.imaging.filters import gaussian
from androscope.learning.locator_data import Sample
from androscope.types import FloatArray

__all__ = ["sketched_sample"]

#: Heads weaker than this share of the field's strongest are neither taught nor denied.
_FAINT = 0.3


@dataclass(frozen=True, slots=True)
class _Look:
    """How the heads of one field look: all of one field have much in common."""

    soft: float
    halo: float
    hollow: float
    lean: float
    tails: float
    flat_share: float
    combed: float


def sketched_sample(rng: np.random.Generator, size: int, jitter: float) -> Sample:
    """One field of ``size`` px a side, with heads of about ``DETECTOR_PX`` px."""
    length = DETECTOR_PX * jitter ** rng.uniform(-1, 1)
    room = (size / 320) ** 2
    canvas = np.zeros((size, size), np.float32)
    look = _Look(
        soft=float(rng.uniform(0.05, 0.5)),
        halo=float(rng.choice([0.0, rng.uniform(0.1, 0.7)])),
        hollow=float(rng.choice([0.0, 0.0, rng.uniform(0.3, 1.6)])),
        lean=float(rng.uniform(0, 0.6)),
        tails=float(rng.choice([0.0, rng.uniform(0.03, 0.6)])),
        flat_share=float(rng.uniform(0.3, 1.0)),
        combed=float(rng.choice([0.0, 0.0, rng.uniform(0.5, 3.0)])),
    )
    _background(canvas, rng, room, length)
    places = _places(rng, size, int(rng.integers(0, 26) * room), length)
    heads, unsure = [], []
    for x, y, _ in places:
        head = _head(canvas, rng, look, x, y, length)
        strength = head[5]
        half = 0.75 * length
        if strength < _FAINT:
            unsure.append((x - half, y - half, x + half, y + half))
        else:
            heads.append(head[:5])
    others = _others(canvas, rng, places, room, length, unsure)
    blur = float(rng.choice([0.0, rng.uniform(0.4, 1.5)]))
    return Sample(
        gaussian(canvas, blur),
        np.array(heads, np.float64).reshape(-1, 5),
        np.array(others, np.float64).reshape(-1, 3),
        np.array(unsure, np.float64).reshape(-1, 4),
        True,
        "sketch",
    )


def _places(
    rng: np.random.Generator, size: int, count: int, length: float
) -> list[tuple[float, float, bool]]:
    """Centres of heads; some touch another one, the others stand apart."""
    places: list[tuple[float, float, bool]] = []
    touch = rng.uniform(0, 0.35)
    for _ in range(count):
        for _ in range(20):
            beside = bool(places) and rng.random() < touch
            if beside:
                x0, y0, _ = places[int(rng.integers(len(places)))]
                way, gap = rng.uniform(0, 2 * math.pi), rng.uniform(0.6, 1.0) * length
                x, y = x0 + gap * math.cos(way), y0 + gap * math.sin(way)
            else:
                x, y = rng.uniform(-4, size + 4, 2)
            least = 0.55 if beside else 1.3
            if all(math.hypot(x - a, y - b) > least * length for a, b, _ in places):
                places.append((float(x), float(y), beside))
                break
    return places


def _window(
    canvas: FloatArray, x: float, y: float, reach: float
) -> tuple[FloatArray, NDArray[np.float64], NDArray[np.float64]] | None:
    """A view of the canvas around a place, and its pixels' x and y from there."""
    height, width = canvas.shape
    left, right = max(0, int(x - reach)), min(width, int(x + reach) + 2)
    top, bottom = max(0, int(y - reach)), min(height, int(y + reach) + 2)
    if left >= right or top >= bottom:
        return None
    ys, xs = np.mgrid[top:bottom, left:right].astype(np.float64)
    return canvas[top:bottom, left:right], xs - x, ys - y


def _head(
    canvas: FloatArray, rng: np.random.Generator, look: _Look, x: float, y: float, length: float
) -> tuple[float, float, float, float, float, float]:
    """Draw one head; gives x, y, length, width, angle and its strength."""
    angle = rng.uniform(0, 2 * math.pi)
    long = length * rng.uniform(0.85, 1.15)
    wide = long * rng.uniform(0.5, 0.8)
    if rng.random() > look.flat_share:  # seen end on, or askew
        long *= rng.uniform(0.65, 0.9)
        wide = long * rng.uniform(0.75, 1.0)
    strength = float(rng.uniform(0.15, 1.0) if rng.random() < 0.3 else rng.uniform(0.6, 1.0))
    comb = rng.normal(0, look.combed, 2) if look.combed else np.zeros(2)
    if look.tails and rng.random() < 0.8:
        _tail(canvas, rng, x, y, angle + math.pi, long, strength * look.tails)
    seen = _window(canvas, x, y, 2.2 * length)
    if seen is not None:
        part, dx, dy = seen
        odd = (np.rint(dy[:, :1] + y) % 2).astype(bool)
        dx, dy = np.where(odd, dx - comb[0], dx), np.where(odd, dy - comb[1], dy)
        along = dx * math.cos(angle) - dy * math.sin(angle)
        across = dx * math.sin(angle) + dy * math.cos(angle)
        r = np.hypot(along / (long / 2), across / (wide / 2))
        soft = look.soft * rng.uniform(0.7, 1.4)
        body = 1 / (1 + np.exp(np.clip((r - 1) / soft * 2.5, -30, 30)))
        body *= 1 + look.lean * rng.uniform(-1, 1) * along / long
        if look.hollow:
            body -= look.hollow * rng.uniform(0.6, 1.2) * np.exp(-((r / 0.6) ** 2))
        if look.halo:
            body -= look.halo * np.exp(-(((r - 1.5) / 0.4) ** 2))
        part += (strength * body).astype(np.float32)
    return x + comb[0] / 2, y + comb[1] / 2, max(long, wide), min(long, wide), angle, strength


def _tail(
    canvas: FloatArray,
    rng: np.random.Generator,
    x: float,
    y: float,
    way: float,
    long: float,
    strength: float,
) -> None:
    """Draw a winding line from a head's back end."""
    x, y = x + long / 2 * math.cos(way), y - long / 2 * math.sin(way)
    bend, wave = rng.normal(0, 0.012), rng.uniform(0, 0.05)
    phase, period = rng.uniform(0, 2 * math.pi), rng.uniform(8, 25)
    thick = rng.uniform(0.7, 1.6)
    for step in range(int(rng.uniform(1.0, 8.0) * long)):
        seen = _window(canvas, x, y, 3.0)
        if seen is None:
            return
        part, dx, dy = seen
        fade = strength * (1.0 if step > long / 2 else 1.4)
        line = fade * np.exp(-(dx**2 + dy**2) / (2 * thick**2))
        np.copyto(part, np.maximum(part, line.astype(np.float32)))
        way += bend + wave * math.sin(step / period * 2 * math.pi + phase)
        x, y = x + math.cos(way), y - math.sin(way)


def _background(canvas: FloatArray, rng: np.random.Generator, room: float, length: float) -> None:
    """Draw what is out of focus, and lone lines: neither is a sperm."""
    size = len(canvas)
    for _ in range(int(rng.integers(0, 16) * room)):
        x, y = rng.uniform(0, size, 2)
        spread = rng.uniform(0.25, 0.8) * length
        seen = _window(canvas, x, y, 3 * spread)
        if seen is not None:
            part, dx, dy = seen
            height = rng.choice([-1, 1, 1]) * rng.uniform(0.03, 0.2)
            r = np.hypot(dx, dy * rng.uniform(0.7, 1.4)) / spread
            shape = np.exp(-0.5 * r**2) if rng.random() < 0.6 else np.exp(-((r - 1) ** 2) / 0.2)
            part += (height * shape).astype(np.float32)
    for _ in range(int(rng.integers(0, 4) * room)):
        x, y = rng.uniform(0, size, 2)
        _tail(canvas, rng, x, y, rng.uniform(0, 6.3), length, rng.uniform(0.05, 0.5))


def _others(
    canvas: FloatArray,
    rng: np.random.Generator,
    places: list[tuple[float, float, bool]],
    room: float,
    length: float,
    unsure: list[tuple[float, float, float, float]],
) -> list[tuple[float, float, int]]:
    """Draw specks, clumps of them and round cells away from heads; gives x, y and class."""
    size, others = len(canvas), []
    taken = [(x, y) for x, y, _ in places]

    def spot(gap: float) -> tuple[float, float] | None:
        for _ in range(10):
            x, y = rng.uniform(0, size, 2)
            if all(math.hypot(x - a, y - b) > gap for a, b in taken):
                return float(x), float(y)
        return None

    for _ in range(int(rng.integers(0, 5) * room)):
        radius = rng.uniform(0.75, 1.7) * length
        where = spot(radius + length)
        if where is not None:
            taken.append(where)
            _cell(canvas, rng, *where, radius)
            others.append((*where, 1))
    for _ in range(int(rng.integers(0, 45) * room)):
        where = spot(0.9 * length)
        if where is None:
            continue
        taken.append(where)
        clump = int(rng.integers(2, 6)) if rng.random() < 0.1 else 1
        for _ in range(clump):
            x, y = np.array(where) + (rng.normal(0, 0.3 * length, 2) if clump > 1 else 0)
            _speck(canvas, rng, x, y, length)
        if clump > 1:
            half = 0.9 * length
            unsure.append((where[0] - half, where[1] - half, where[0] + half, where[1] + half))
        else:
            others.append((*where, 2))
    return others


def _speck(canvas: FloatArray, rng: np.random.Generator, x: float, y: float, length: float) -> None:
    seen = _window(canvas, x, y, 0.9 * length)
    if seen is None:
        return
    part, dx, dy = seen
    radius = rng.uniform(0.06, 0.22) * length
    turn, aspect = rng.uniform(0, math.pi), rng.uniform(0.6, 1.0)
    along = dx * math.cos(turn) + dy * math.sin(turn)
    across = (dy * math.cos(turn) - dx * math.sin(turn)) / aspect
    r = np.hypot(along, across) / radius
    shape = (
        np.exp(-(r**2)) if rng.random() < 0.5 else 1 / (1 + np.exp(np.clip(6 * (r - 1), -30, 30)))
    )
    if rng.random() < 0.3:
        shape = shape - rng.uniform(0.2, 0.6) * np.exp(-(((r - 1.7) / 0.5) ** 2))
    part += (rng.choice([-1, 1, 1, 1]) * rng.uniform(0.15, 1.1) * shape).astype(np.float32)


def _cell(canvas: FloatArray, rng: np.random.Generator, x: float, y: float, radius: float) -> None:
    seen = _window(canvas, x, y, 1.6 * radius)
    if seen is None:
        return
    part, dx, dy = seen
    r = np.hypot(dx, dy) / radius
    body = 1 / (1 + np.exp(np.clip(12 * (r - 1), -30, 30)))
    rim = np.exp(-(((r - 1) / 0.12) ** 2))
    grain = gaussian(rng.standard_normal(r.shape).astype(np.float32), 1.5) * rng.uniform(0, 0.8)
    shape = rng.uniform(-0.3, 0.8) * body + rng.uniform(-1, 1) * rim + grain * body
    part += (rng.uniform(0.3, 1.0) * shape).astype(np.float32)
