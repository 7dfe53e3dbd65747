"""The geometry of a phantom: where the head, acrosome, vacuoles and tail are on a pixel grid.

Everything is analytic in the head's own frame: ``u`` towards the tip of the head, ``v`` to its
left, in um, with the head's centre at the origin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from androscope.imaging.phantom_spec import ACROSOME_RANGE, PhantomSperm

__all__ = ["Anatomy", "anatomy", "head_radius", "tail_path"]

Plane64 = NDArray[np.float64]

#: Share of the head under a textbook acrosome.
_NORMAL_ACROSOME = 0.55

#: How far from its axis a tail is drawn, in radii.
_STROKE_REACH = 4.0


@dataclass(frozen=True, slots=True)
class Anatomy:
    """Shapes on a grid; each array ``(H, W)`` float64.

    Attributes
    ----------
    radius
        Of the head: 0 at its centre, 1 on its outline; the smaller one of a double head's.
    across
        Position across the head, in half widths to its left.
    acrosome
        1 under the acrosome, 0 elsewhere; 0 outside the head.
    bare
        1 where a normal acrosome would be and there is none, 0 elsewhere.
    vacuoles
        Depth of the vacuoles, 0 to 1.
    tail_distance
        Distance from the axis of mid-piece or tail, in radii of it: up to 1 inside.
    tail_radius
        Radius of the nearest piece of it, um.
    cytoplasm
        Profile of residual cytoplasm, 0 to 1.
    """

    radius: Plane64
    across: Plane64
    acrosome: Plane64
    bare: Plane64
    vacuoles: Plane64
    tail_distance: Plane64
    tail_radius: Plane64
    cytoplasm: Plane64


def _waves(seed: int, count: int) -> tuple[Plane64, Plane64]:
    rng = np.random.default_rng([20210, seed])
    weights = rng.uniform(0.5, 1.0, count) / np.arange(1, count + 1) ** 0.5
    return weights / weights.sum(), rng.uniform(0, 2 * math.pi, count)


def head_radius(spec: PhantomSperm, u: Plane64, v: Plane64) -> Plane64:
    """Elliptic radius of the head: below 1 inside, 1 on the outline."""
    half_length, half_width = spec.head_length_um / 2, spec.head_width_um / 2
    along = u / half_length
    strength = spec.shape_strength
    width = np.full_like(u, half_width)
    if spec.head_shape == "pyriform":
        # Slanted, then scaled so that the widest place still has the stated width.
        slant = 0.75 * strength
        widest = (math.sqrt(1 + 8 * slant**2) - 1) / (4 * slant) if slant else 0.0
        most = (1 + slant * widest) * math.sqrt(1 - widest**2)
        width = half_width * (1 + slant * np.clip(along, -1, 1)) / most
    elif spec.head_shape == "tapered":
        width = half_width * (1 - 0.45 * strength * np.clip(along, -1, 1) ** 2)
    radius = np.hypot(along, v / width)
    if spec.head_shape == "amorphous":
        weights, phases = _waves(spec.outline, 4)
        angle = np.arctan2(v / half_width, along)
        ripple = sum(
            w * np.cos((k + 2) * angle + p)
            for k, (w, p) in enumerate(zip(weights, phases, strict=True))
        )
        radius = radius / (1 + 0.42 * strength * ripple)
    return np.asarray(radius)


def _acrosome(spec: PhantomSperm, u: Plane64, v: Plane64, radius: Plane64) -> Plane64:
    inside = radius <= 1
    if spec.acrosome <= 0 or not inside.any():
        return np.zeros_like(u)
    # The rear edge is an arc; the share of the head in front of it is exact on this grid.
    across = v / (spec.head_width_um / 2)
    front = u / (spec.head_length_um / 2) - 0.15 * across**2
    if spec.acrosome_irregularity > 0:
        weights, phases = _waves(spec.outline + 1, 3)
        askew = sum(
            w * np.sin((1.2 + 1.3 * k) * across + p)
            for k, (w, p) in enumerate(zip(weights, phases, strict=True))
        )
        front = front + spec.acrosome_irregularity * 1.5 * askew
    edge = float(np.quantile(front[inside], 1 - spec.acrosome))
    softness = 0.7
    ramp = np.clip((front - edge) / softness + 0.5, 0, 1)
    return np.where(inside, ramp, 0.0)


def _bare(
    spec: PhantomSperm, u: Plane64, v: Plane64, radius: Plane64, acrosome: Plane64
) -> Plane64:
    lack = min(max((ACROSOME_RANGE[0] - spec.acrosome) / 0.25, 0.0), 1.0)
    lack = max(lack, spec.acrosome_irregularity)
    if lack == 0:
        return np.zeros_like(u)
    normal = replace(spec, acrosome=_NORMAL_ACROSOME, acrosome_irregularity=0.0)
    return lack * np.clip(_acrosome(normal, u, v, radius) - acrosome, 0, 1)


def tail_path(spec: PhantomSperm) -> tuple[Plane64, Plane64]:
    """Centre line of neck, mid-piece and tail: points ``(P, 2)`` in um, and radii ``(P,)`` in um.

    Points step by 0.4 um from the head's rear end. The principal piece thins from half the
    mid-piece's width to a third of that; a coiled one winds up behind the neck.
    """
    if spec.tail == "absent":
        return np.zeros((0, 2)), np.zeros(0)
    step = 0.4
    length = {"short": 4.0, "coiled": 22.0}.get(spec.tail, 40.0)
    count = int((spec.midpiece_length_um + length) / step)
    distance = np.arange(count + 1) * step
    midpiece = distance <= spec.midpiece_length_um
    turn = np.deg2rad(spec.tail_curve_deg) * (distance / distance[-1])
    # Straight behind the head is 180 degrees; a bent neck turns within the first micrometre.
    heading = math.pi + np.deg2rad(spec.neck_bend_deg) * np.clip(distance / 1.0, 0.3, 1.0) + turn
    if spec.tail == "bent":
        heading = heading + math.radians(110) * (distance > 0.45 * spec.midpiece_length_um)
    elif spec.tail == "coiled":
        wound = np.clip(distance - 1.0, 0, None)
        heading = heading + wound / np.clip(1.9 - 0.05 * wound, 0.8, None)
    start = np.array(
        [-spec.head_length_um / 2 * 0.96, spec.neck_offset * spec.head_width_um / 2 * 0.9]
    )
    moves = np.stack([np.cos(heading), np.sin(heading)], axis=1) * step
    points = start + np.concatenate([np.zeros((1, 2)), np.cumsum(moves[:-1], axis=0)])
    thin = np.linspace(0.5, 0.2, count + 1)
    radii = spec.midpiece_width_um / 2 * np.where(midpiece, 1.0, thin)
    return points, radii


def _stroke(x: Plane64, y: Plane64, points: Plane64, radii: Plane64) -> tuple[Plane64, Plane64]:
    """Distance from a line of points in its radii (``inf`` far off), and the radius there, um.

    ``x`` ``(W,)`` increases and ``y`` ``(H,)`` decreases, both evenly; ``points`` are in the same
    frame.
    """
    distance, thickness = np.full((len(y), len(x)), np.inf), np.zeros((len(y), len(x)))
    if len(points) < 2 or len(x) < 2 or len(y) < 2:
        return distance, thickness
    step = float(x[1] - x[0])
    reach = _STROKE_REACH * float(radii.max())
    for a, b, radius in zip(points[:-1], points[1:], radii[:-1], strict=True):
        low, high = np.minimum(a, b) - reach, np.maximum(a, b) + reach
        columns = slice(max(0, int((low[0] - x[0]) / step)), max(0, int((high[0] - x[0]) / step)))
        rows = slice(max(0, int((y[0] - high[1]) / step)), max(0, int((y[0] - low[1]) / step)))
        window = distance[rows, columns]
        if window.size == 0:
            continue
        direction = b - a
        dx, dy = x[None, columns] - a[0], y[rows, None] - a[1]
        part = np.clip((dx * direction[0] + dy * direction[1]) / (direction @ direction), 0, 1)
        here = np.hypot(dx - part * direction[0], dy - part * direction[1]) / radius
        nearer = here < window
        window[nearer] = here[nearer]
        thickness[rows, columns][nearer] = radius
    return distance, thickness


def anatomy(spec: PhantomSperm, x: Plane64, y: Plane64, angle: float) -> Anatomy:
    """All shapes of a sperm on a grid.

    Parameters
    ----------
    spec
        The sperm.
    x, y
        ``(W,)`` to the right and ``(H,)`` upwards (so it decreases), um from the head's centre.
    angle
        Where the head points, rad, anticlockwise from the right.
    """
    cosine, sine = math.cos(angle), math.sin(angle)
    u = x[None, :] * cosine + y[:, None] * sine
    v = y[:, None] * cosine - x[None, :] * sine
    radius = head_radius(spec, u, v)
    acrosome = _acrosome(spec, u, v, radius)
    bare = _bare(spec, u, v, radius, acrosome)
    if spec.head_shape == "double":
        # The second head sits beside the first on the same neck, a little turned.
        turn, shift = math.radians(28), 0.82 * spec.head_width_um
        du, dv = u + 0.1 * spec.head_length_um, v - shift
        u2 = (du * math.cos(turn) + dv * math.sin(turn)) / 0.9
        v2 = (-du * math.sin(turn) + dv * math.cos(turn)) / 0.9
        second = head_radius(spec, u2, v2)
        cap = _acrosome(spec, u2, v2, second)
        bare = np.maximum(bare, _bare(spec, u2, v2, second, cap))
        acrosome = np.maximum(acrosome, cap)
        radius = np.minimum(radius, second)
    holes = np.zeros_like(u)
    for vacuole in spec.vacuoles:
        du = u - vacuole.along * spec.head_length_um / 2
        dv = v - vacuole.across * spec.head_width_um / 2
        square = (du**2 + dv**2) / (vacuole.diameter_um / 2) ** 2
        holes = np.maximum(holes, np.sqrt(np.clip(1 - square, 0, None)))
    holes = np.where(radius <= 1, holes, 0.0)
    rotate = np.array([[cosine, sine], [-sine, cosine]])
    points, radii = tail_path(spec)
    distance, thickness = _stroke(x, y, points @ rotate, radii)
    if spec.tail == "double":
        other, other_radius = _stroke(x, y, _fork(points) @ rotate, radii)
        thickness = np.where(other < distance, other_radius, thickness)
        distance = np.minimum(distance, other)
    across = v / (spec.head_width_um / 2)
    cytoplasm = _cytoplasm(spec, u, v)
    return Anatomy(radius, across, acrosome, bare, holes, distance, thickness, cytoplasm)


def _fork(points: Plane64) -> Plane64:
    turn = math.radians(38)
    rotate = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    return np.asarray((points - points[0]) @ rotate + points[0])


def _cytoplasm(spec: PhantomSperm, u: Plane64, v: Plane64) -> Plane64:
    if spec.cytoplasm <= 0:
        return np.zeros_like(u)
    # A droplet of the asked-for area beside the neck, a third longer than wide.
    area = spec.cytoplasm * spec.head_area_um2
    half = math.sqrt(area / math.pi / 1.33)
    centre_u, centre_v = -spec.head_length_um / 2 - 0.7 * half, 0.45 * half
    square = ((u - centre_u) / (1.33 * half)) ** 2 + ((v - centre_v) / half) ** 2
    return np.sqrt(np.clip(1 - square, 0, None))
