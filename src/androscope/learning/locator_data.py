"""What the locator learns from: phantom fields, whose truth is known, and frames with boxes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from androscope.datasets.located_types import LocatedFrame
from androscope.imaging.contrast import DETECTOR_PX, contrast_view
from androscope.imaging.head_scale import HEAD_UM
from androscope.imaging.phantom_field import render_field
from androscope.imaging.phantom_optics import Polarity
from androscope.types import FloatArray

__all__ = ["POLARITIES", "Sample", "frame_sample", "phantom_field_samples", "turned"]

POLARITIES: tuple[Polarity, ...] = ("bright-field", "phase-positive", "phase-negative")

#: A phantom speck shorter than half a head is debris; a larger one is left to the network.
_OTHER = {"round-cell": 1, "debris": 2}


@dataclass(frozen=True, slots=True)
class Sample:
    """One field in the detector's geometry, and what is in it.

    Attributes
    ----------
    contrast
        ``(h, w)`` float32, see :class:`~androscope.imaging.contrast.ContrastView`.
    heads
        ``(N, 5)``: x, y, length, width (px) and angle (rad, anticlockwise) of each head.
    others
        ``(M, 3)``: x, y and class (1 round cell, 2 debris).
    unsure
        ``(K, 4)``: left, top, right, bottom of areas in which nothing is taught.
    whole
        Whether axes and others are known; a frame's boxes tell centres alone.
    source
        Where it comes from: a polarity, or a set's name.
    """

    contrast: FloatArray
    heads: NDArray[np.float64]
    others: NDArray[np.float64]
    unsure: NDArray[np.float64]
    whole: bool
    source: str


def phantom_field_samples(
    count: int, seed: int, *, size: int = 320, jitter: float = 1.25
) -> Iterator[Sample]:
    """Phantom fields of every polarity in turn: sparse and crowded, heads apart and touching.

    Parameters
    ----------
    count, seed
        How many; the same seed gives the same.
    size
        Side, px; a head is ``DETECTOR_PX`` long, up to ``jitter`` times more or less.
    """
    rng = np.random.default_rng([815, seed])
    for number in range(count):
        polarity = POLARITIES[number % len(POLARITIES)]
        factor = jitter ** rng.uniform(-1, 1)
        um = HEAD_UM / DETECTOR_PX / factor
        room = (size * um / 88) ** 2
        heads = int(rng.integers(0, 15) * room)
        yield _phantom(rng, size, um, heads, room, polarity)


def _phantom(
    rng: np.random.Generator, size: int, um: float, heads: int, room: float, polarity: Polarity
) -> Sample:
    debris, cells = int(rng.integers(0, 25) * room), int(rng.integers(0, 4) * room)
    seed, touching = int(rng.integers(2**31)), bool(rng.random() < 0.35)
    while True:
        try:
            field = render_field(
                size, size, heads, seed, pixel_size_um=um, touching=touching, debris=debris,
                round_cells=cells, polarity=polarity,
            )  # fmt: skip
            break
        except ValueError:  # no room for so many
            heads, debris, cells = heads * 2 // 3, debris // 2, cells // 2
    # The detector takes what it is given for heads of its own length.
    view = contrast_view(field.pixels, DETECTOR_PX)
    heads_seen = [
        (*sperm.centre, *sperm.axes, math.radians(sperm.angle_deg)) for sperm in field.sperm
    ]
    others = [(*other.centre, _OTHER[other.kind]) for other in field.others]
    return Sample(
        view.contrast, _table(heads_seen, 5), _table(others, 3), _table([], 4), True, polarity
    )


def frame_sample(frame: LocatedFrame, head_length: float, source: str) -> Sample:
    """A frame whose heads are taken for ``head_length`` px long; clusters teach nothing."""
    view = contrast_view(frame.pixels(), head_length)
    heads = [
        (*view.in_view(*box.centre), DETECTOR_PX, DETECTOR_PX, 0.0)
        for box in frame.of_kind(("sperm", "small-head"))
    ]
    unsure = [
        (
            *view.in_view(box.left - 0.5, box.top - 0.5),
            *view.in_view(box.right - 0.5, box.bottom - 0.5),
        )
        for box in frame.of_kind(("cluster",))
    ]
    return Sample(view.contrast, _table(heads, 5), _table([], 3), _table(unsure, 4), False, source)


def turned(sample: Sample, quarters: int, mirrored: bool) -> Sample:
    """The sample turned anticlockwise by so many right angles, then mirrored left to right."""
    heads, others, unsure = sample.heads.copy(), sample.others.copy(), sample.unsure.copy()
    contrast = sample.contrast
    for _ in range(quarters % 4):
        width = contrast.shape[1]
        contrast = np.rot90(contrast)
        for table in (heads, others):
            table[:, :2] = np.stack([table[:, 1], width - 1 - table[:, 0]], axis=1)
        heads[:, 4] += math.pi / 2
        left, top, right, bottom = unsure.T
        unsure = np.stack([top, width - 1 - right, bottom, width - 1 - left], axis=1)
    if mirrored:
        width = contrast.shape[1]
        contrast = contrast[:, ::-1]
        for table in (heads, others):
            table[:, 0] = width - 1 - table[:, 0]
        heads[:, 4] = math.pi - heads[:, 4]
        unsure[:, [0, 2]] = width - 1 - unsure[:, [2, 0]]
    return replace(
        sample, contrast=np.ascontiguousarray(contrast), heads=heads, others=others, unsure=unsure
    )


def cropped(sample: Sample, left: int, top: int, side: int) -> Sample:
    """A square of the sample; outside it nothing is seen. Centres outside stay in the tables."""
    crop = np.zeros((side, side), np.float32)
    part = sample.contrast[max(top, 0) : top + side, max(left, 0) : left + side]
    crop[max(-top, 0) :, max(-left, 0) :][: part.shape[0], : part.shape[1]] = part
    shift = np.array([left, top], np.float64)
    heads, others, unsure = sample.heads.copy(), sample.others.copy(), sample.unsure.copy()
    heads[:, :2] -= shift
    others[:, :2] -= shift
    unsure -= np.tile(shift, 2)
    return replace(sample, contrast=crop, heads=heads, others=others, unsure=unsure)


def _table(rows: Sequence[Sequence[float]], columns: int) -> NDArray[np.float64]:
    return np.array(rows, np.float64).reshape(-1, columns)
