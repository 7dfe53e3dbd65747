"""Phantoms: rendered sperm that look like unstained bright-field crops, with their ground truth.

They stand in for pictures that may not be shared: in tests, in the demo, in documentation, and as
training material for a detector. Everything follows from a seed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from androscope.imaging.phantom_optics import (
    Optics,
    Polarity,
    bright_rate,
    form_image,
    random_optics,
    to_camera,
)
from androscope.imaging.phantom_shapes import Anatomy, Plane64, anatomy
from androscope.imaging.phantom_spec import PhantomSperm, Vacuole
from androscope.types import Crop, UInt8Array

__all__ = [
    "PIXEL_SIZE_UM",
    "Optics",
    "Phantom",
    "PhantomSperm",
    "Polarity",
    "Vacuole",
    "render_crop",
]

#: Of a 64-pixel phantom crop: makes a normal head as many pixels long as MHSMA's are, um/px.
PIXEL_SIZE_UM = 0.115

_SUPERSAMPLING = 2
_TAIL_BLUR_UM = 0.38
#: Room around the crop for what shines in, and between a tail that leaves and its wrapped copy.
_MARGIN_UM = 1.6

# Phase of each part at its thickest, rad.
_HEAD, _VACUOLE, _TAIL, _CYTOPLASM = 0.95, 0.9, 0.28, 0.40


@dataclass(frozen=True, slots=True)
class Phantom:
    """One rendered sperm and the truth about it.

    Attributes
    ----------
    pixels
        ``(size, size)`` uint8.
    spec, optics, seed
        What was rendered, how it was seen, and with which random numbers.
    labels
        0 normal, 1 abnormal for head, acrosome, vacuole, tail.
    masks
        ``(size, size)`` bool for head, acrosome, vacuole and tail.
    centre
        ``(x, y)`` of the head's centre, px from the top left pixel's centre.
    axes
        Length and width of the head, px.
    angle_deg
        Where the head points: 0 right, 90 up, anticlockwise.
    pixel_size_um
        um/px.
    """

    pixels: UInt8Array
    spec: PhantomSperm
    optics: Optics
    seed: int
    labels: Mapping[str, int]
    masks: Mapping[str, NDArray[np.bool_]] = field(repr=False)
    centre: tuple[float, float] = (0.0, 0.0)
    axes: tuple[float, float] = (0.0, 0.0)
    angle_deg: float = 0.0
    pixel_size_um: float = PIXEL_SIZE_UM

    @property
    def crop(self) -> Crop:
        """The picture as a crop, named after its seed."""
        return Crop(self.pixels, f"phantom-{self.seed}")


def phase_and_loss(shapes: Anatomy, optics: Optics) -> tuple[Plane64, Plane64]:
    """Phase (rad) and lost share of the light of an anatomy, each ``(H, W)``."""
    inside = np.clip(1 - shapes.radius**2, 0, None)
    nucleus = np.where(shapes.radius <= 1, 1 - shapes.acrosome, 0.0)
    holes = 1 - _VACUOLE * shapes.vacuoles
    # A flat-topped disc; the acrosome is a watery cap, the nucleus behind it dense.
    phase = _HEAD * inside**0.4 * (0.6 + 0.4 * nucleus) * holes
    askew = np.clip(1 + optics.tilt * np.clip(shapes.across, -1, 1), 0, None)
    edge = np.exp(-(((shapes.radius - 0.82) / 0.2) ** 2)) * (0.22 + 0.78 * nucleus**0.8) * askew
    # Lost light follows the flat disc, gathered light the rounder core that acts as the lens.
    body = inside**0.5 if optics.absorption >= 0 else inside
    loss = optics.absorption * body * (0.4 + 0.6 * nucleus) * holes * askew
    loss = loss + optics.edge_loss * np.where(shapes.radius <= 1, edge, 0.0)
    # Where the cap is lost the head is thin: its front fades, outline and all.
    phase, loss = phase * (1 - 0.9 * shapes.bare), loss * (1 - shapes.bare)
    # Neck and tail lie a little out of the head's focus: wide and faint.
    seen = np.isfinite(shapes.tail_distance)
    distance = np.where(seen, shapes.tail_distance, 0.0) * shapes.tail_radius
    spread = (0.6 * shapes.tail_radius) ** 2 + _TAIL_BLUR_UM**2
    thickness = np.minimum(shapes.tail_radius / 0.375, 1.5)
    tail = np.where(seen, np.exp(-(distance**2) / (2 * spread)), 0.0)
    outside = np.clip((shapes.radius - 1) / 0.1, 0, 1)
    rest = np.maximum(_TAIL * tail * thickness, _CYTOPLASM * shapes.cytoplasm) * outside
    return phase + rest, loss + (0.6 * optics.absorption + 0.6 * optics.edge_loss) * rest


def render_crop(
    spec: PhantomSperm,
    seed: int,
    size: int = 64,
    *,
    pixel_size_um: float | None = None,
    optics: Optics | None = None,
    angle_deg: float | None = None,
    centre: tuple[float, float] | None = None,
) -> Phantom:
    """Render one sperm near the centre of a square crop.

    Parameters
    ----------
    spec
        The sperm.
    seed
        Of direction, place, optics (as far as not given) and noise. Same arguments, same picture.
    size
        Side, px.
    pixel_size_um
        um/px; default: such that the crop shows what 64 px of :data:`PIXEL_SIZE_UM` show.
    optics, angle_deg, centre
        See :class:`Phantom`; drawn if not given.
    """
    rng = np.random.default_rng([31337, seed])
    drawn_angle, jitter = float(rng.uniform(0, 360)), rng.normal(0, 0.02 * size, 2)
    drawn_optics = random_optics(rng, bright=bool(rng.random() < bright_rate(spec.labels)))
    optics = drawn_optics if optics is None else optics
    angle_deg = drawn_angle if angle_deg is None else angle_deg
    if pixel_size_um is None:
        pixel_size_um = PIXEL_SIZE_UM * 64 / size
    if centre is None:
        middle = (size - 1) / 2
        reach = 0.03 * size
        centre = (
            middle + float(np.clip(jitter[0], -reach, reach)),
            middle + float(np.clip(jitter[1], -reach, reach)),
        )
    fine = _SUPERSAMPLING
    step = 1 / fine
    margin = math.ceil(_MARGIN_UM / pixel_size_um)
    axis = (np.arange((size + 2 * margin) * fine) + 0.5) * step - 0.5 - margin
    x: Plane64 = ((axis - centre[0]) * pixel_size_um).astype(np.float64)
    y: Plane64 = ((centre[1] - axis) * pixel_size_um).astype(np.float64)
    shapes = anatomy(spec, x, y, math.radians(angle_deg))
    phase, loss = phase_and_loss(shapes, optics)
    seen = form_image(phase, loss, optics, pixel_size_um * step)
    inner = slice(margin * fine, -margin * fine)
    pixels = to_camera(_coarse(seen[inner, inner], fine), optics, rng)

    def seen_as(part: Plane64) -> Plane64:
        return _coarse(part[inner, inner], fine)

    head = seen_as(shapes.radius) <= 1
    masks = {
        "head": head,
        "acrosome": (seen_as(shapes.acrosome) >= 0.5) & head,
        "vacuole": (seen_as((shapes.vacuoles > 0).astype(np.float64)) > 0.5) & head,
        "tail": (seen_as(np.minimum(shapes.tail_distance, 9.0)) <= 1) & ~head,
    }
    return Phantom(
        pixels=pixels,
        spec=spec,
        optics=optics,
        seed=seed,
        labels=spec.labels,
        masks=masks,
        centre=centre,
        axes=(spec.head_length_um / pixel_size_um, spec.head_width_um / pixel_size_um),
        angle_deg=angle_deg % 360,
        pixel_size_um=pixel_size_um,
    )


def _coarse(fine: Plane64, factor: int) -> Plane64:
    height, width = fine.shape[0] // factor, fine.shape[1] // factor
    return np.asarray(fine.reshape(height, factor, width, factor).mean(axis=(1, 3)))
