"""Whole phantom fields of view: many sperm, debris and round cells, with the truth about each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from androscope.imaging.phantom import phase_and_loss
from androscope.imaging.phantom_canvas import (
    CLEARANCE_UM,
    DEPTHS_UM,
    FINE,
    MARGIN_PX,
    TRIES,
    Canvas,
    FieldObject,
    distance,
    draw_others,
    mark,
)
from androscope.imaging.phantom_optics import (
    Optics,
    Polarity,
    form_image,
    random_optics,
    to_camera,
)
from androscope.imaging.phantom_random import MHSMA_RATES, random_defects, random_spec
from androscope.imaging.phantom_shapes import Plane64, anatomy, tail_path
from androscope.imaging.phantom_spec import PhantomSperm
from androscope.types import UInt8Array

__all__ = ["FieldObject", "FieldSperm", "PhantomField", "render_field"]


@dataclass(frozen=True, slots=True)
class FieldSperm:
    """One sperm of a field.

    Attributes
    ----------
    id
        Its number in the instance masks, from 1.
    centre
        ``(x, y)`` of the head's centre, px.
    axes
        Length and width of the head, px.
    angle_deg
        Where the head points: 0 right, 90 up, anticlockwise.
    box
        ``(left, top, right, bottom)`` of the visible head, px, right and bottom excluded.
    touches
        Whether it was placed against another one.
    """

    id: int
    spec: PhantomSperm
    labels: Mapping[str, int]
    centre: tuple[float, float]
    axes: tuple[float, float]
    angle_deg: float
    box: tuple[int, int, int, int]
    touches: bool = False


@dataclass(frozen=True, slots=True)
class PhantomField:
    """A rendered field and the truth about it.

    Attributes
    ----------
    pixels
        ``(height, width)`` uint8.
    sperm, others
        Everything in it.
    heads, tails
        ``(height, width)`` int32 instance masks: 0, or the sperm's ``id``.
    pixel_size_um
        um/px.
    """

    pixels: UInt8Array
    sperm: tuple[FieldSperm, ...]
    others: tuple[FieldObject, ...]
    heads: NDArray[np.int32] = field(repr=False)
    tails: NDArray[np.int32] = field(repr=False)
    optics: Optics
    pixel_size_um: float
    seed: int


@dataclass(slots=True)
class _Placed:
    spec: PhantomSperm
    centre_um: tuple[float, float]
    angle: float
    touches: bool
    skeleton: Plane64


def render_field(
    width: int,
    height: int,
    n: int,
    seed: int,
    *,
    pixel_size_um: float = 0.25,
    touching: bool = False,
    debris: int = 0,
    round_cells: int = 0,
    polarity: Polarity = "bright-field",
    optics: Optics | None = None,
    specs: Sequence[PhantomSperm] | None = None,
    rates: Mapping[str, float] = MHSMA_RATES,
) -> PhantomField:
    """Render a field of view.

    Parameters
    ----------
    width, height
        px.
    n
        Sperm in it; their heads lie inside the frame, their tails may leave it.
    seed
        Same arguments, same field.
    pixel_size_um
        um/px; 0.25 is about a 400x microscope's.
    touching
        Place every second sperm's head against another's. Otherwise no two cells come closer than
        1.6 um, tails included.
    debris, round_cells
        How many specks and round cells (7 to 10 um).
    polarity, optics
        Kind of microscope, or all of its parameters (these win).
    specs
        The sperm themselves, ``n`` of them; default: random ones by ``rates``.

    Raises
    ------
    ValueError
        If they do not fit, or ``specs`` are not ``n``.
    """
    rng = np.random.default_rng([4711, seed])
    if specs is None:
        specs = [random_spec(rng, random_defects(rng, rates)) for _ in range(n)]
    elif len(specs) != n:
        raise ValueError(f"expected {n} specs, got {len(specs)}")
    if optics is None:
        optics = random_optics(rng, polarity=polarity)
        # One focus for the field, near enough for every cell in it to show.
        optics = replace(optics, tilt=0.0, noise=min(optics.noise, 1.5))
    size_um = width * pixel_size_um, height * pixel_size_um
    placed: list[_Placed] = []
    for number, spec in enumerate(specs):
        against = placed[-1] if touching and number % 2 else None
        placed.append(_place(rng, spec, size_um, placed, against))
    canvas = Canvas(width, height, pixel_size_um)
    others = draw_others(
        rng, canvas, [cell.skeleton for cell in placed], size_um, debris, round_cells
    )
    sperm = tuple(
        _draw(rng, canvas, cell, number + 1, optics) for number, cell in enumerate(placed)
    )
    intensity = np.ones(canvas.shape)
    for layer, depth in enumerate(DEPTHS_UM):
        if canvas.phase[layer].any():
            seen = replace(optics, defocus_um=optics.defocus_um + depth)
            intensity += (
                form_image(canvas.phase[layer], canvas.loss[layer], seen, pixel_size_um / FINE) - 1
            )
    inner = slice(MARGIN_PX * FINE, -MARGIN_PX * FINE)
    fine = intensity[inner, inner]
    coarse = fine.reshape(height, FINE, width, FINE).mean(axis=(1, 3))
    return PhantomField(
        pixels=to_camera(coarse, optics, rng),
        sperm=sperm,
        others=others,
        heads=canvas.heads,
        tails=canvas.tails,
        optics=optics,
        pixel_size_um=pixel_size_um,
        seed=seed,
    )


def _skeleton(spec: PhantomSperm, angle: float) -> Plane64:
    """Points along head and tail, um, y downwards, from the head's centre."""
    half = spec.head_length_um / 2
    head = np.stack([np.linspace(-half, half, 9), np.zeros(9)], axis=1)
    tail, _ = tail_path(spec)
    points = np.concatenate([head, tail])
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.stack(
        [points[:, 0] * cosine - points[:, 1] * sine, -points[:, 0] * sine - points[:, 1] * cosine],
        axis=1,
    )


def _place(
    rng: np.random.Generator,
    spec: PhantomSperm,
    size_um: tuple[float, float],
    placed: Sequence[_Placed],
    against: _Placed | None,
) -> _Placed:
    border = 0.75 * spec.head_length_um
    room = spec.head_width_um / 2 + CLEARANCE_UM
    # A double head's second one lies beside the axis.
    room += 0.9 * spec.head_width_um * (spec.head_shape == "double")
    for _ in range(TRIES):
        angle = rng.uniform(0, 2 * math.pi)
        if against is None:
            x = rng.uniform(border, max(border, size_um[0] - border))
            y = rng.uniform(border, max(border, size_um[1] - border))
        else:
            # Heads side by side, half a width closer than they would just touch.
            way = against.angle + math.pi / 2 * rng.choice([-1, 1]) + rng.uniform(-0.4, 0.4)
            apart = 0.95 * (spec.head_width_um + against.spec.head_width_um) / 2
            x = against.centre_um[0] + apart * math.cos(way)
            y = against.centre_um[1] - apart * math.sin(way)
            angle = against.angle + rng.uniform(-0.6, 0.6)
        inside = border <= x <= size_um[0] - border and border <= y <= size_um[1] - border
        if not inside:
            continue
        skeleton = _skeleton(spec, angle) + np.array([x, y])
        rivals = [other for other in placed if other is not against]
        if all(distance(skeleton, o.skeleton) > room + o.spec.head_width_um / 2 for o in rivals):
            return _Placed(spec, (x, y), angle, against is not None, skeleton)
    if against is not None:
        return _place(rng, spec, size_um, placed, None)
    raise ValueError(
        f"no room for {len(placed) + 1} sperm apart from one another in "
        f"{size_um[0]:.0f} x {size_um[1]:.0f} um: ask for fewer, or for a larger field"
    )


def _draw(
    rng: np.random.Generator, canvas: Canvas, cell: _Placed, number: int, optics: Optics
) -> FieldSperm:
    spec, (x, y) = cell.spec, cell.centre_um
    rows, columns = canvas.window(cell.skeleton, spec.head_width_um * 1.6 + 2.5)
    shapes = anatomy(
        spec, np.subtract(canvas.x[columns], x), np.subtract(y, canvas.y[rows]), cell.angle
    )
    tilt = float(np.clip(rng.normal(0, 0.3), -0.8, 0.8))
    phase, loss = phase_and_loss(shapes, replace(optics, tilt=tilt))
    layer = int(rng.integers(len(DEPTHS_UM)))
    canvas.phase[layer, rows, columns] += phase
    canvas.loss[layer, rows, columns] += loss
    head = mark(canvas.heads, rows, columns, shapes.radius <= 1, number)
    on_tail = (shapes.tail_distance <= 1) & (shapes.radius > 1)
    mark(canvas.tails, rows, columns, on_tail, number)
    ys, xs = np.nonzero(head)
    box = (0, 0, 0, 0)
    if len(ys):
        box = (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)
    um = canvas.pixel_size_um
    return FieldSperm(
        id=number,
        spec=spec,
        labels=spec.labels,
        centre=(x / um - 0.5, y / um - 0.5),
        axes=(spec.head_length_um / um, spec.head_width_um / um),
        angle_deg=math.degrees(cell.angle) % 360,
        box=box,
        touches=cell.touches,
    )
