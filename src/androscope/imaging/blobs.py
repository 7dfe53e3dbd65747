"""The blob filter that finds heads: a background-subtracted Gaussian and its peaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from androscope.imaging.filters import background, gaussian, peaks, resample
from androscope.types import FloatArray, UInt8Array

__all__ = ["BLOCK", "DEFAULT", "BlobOptions", "Blobs", "blobs"]

#: Side of the blocks whose medians are the background, head lengths.
BLOCK = 6.0

# The filter sees heads 8 px long, enough for a Gaussian of 2.4 px.
_BLOB_PX = 8.0
#: Strongest peaks of one sign over those of either, below which cells are bright and dark at once.
_ONE_SIGN = 0.7


@dataclass(frozen=True, slots=True)
class BlobOptions:
    """The filter's setting; lengths in head lengths.

    Attributes
    ----------
    sigma
        Of the Gaussian: 5 px for heads of 16 px.
    apart
        Peaks closer than this are one.
    relative
        A peak counts from this share of the mean of the field's ten strongest.
    absolute
        And from this share of the background's grey: in an empty field the strongest peaks are
        noise.
    top
        How many strongest peaks set the scale.
    """

    sigma: float = 0.30
    apart: float = 0.5
    relative: float = 0.40
    absolute: float = 0.025
    top: int = 10


DEFAULT = BlobOptions()


@dataclass(frozen=True, slots=True)
class Blobs:
    """Peaks of the filter over one field.

    Attributes
    ----------
    points
        ``(N, 3)``: x, y (px from the first pixel's centre) and height (grey levels), the highest
        first.
    sign
        1 if what stands out is brighter than the background, -1 if darker, 0 if it is both.
    strong
        Mean height of the strongest peaks, grey levels; 0 if there is none.
    grey
        Median of the background, grey levels.
    """

    points: NDArray[np.float64]
    sign: int
    strong: float
    grey: float

    def above(self, options: BlobOptions = DEFAULT) -> NDArray[np.float64]:
        """The points that count under ``options``."""
        least = max(options.relative * self.strong, options.absolute * max(self.grey, 1.0))
        return self.points[self.points[:, 2] >= least]


def blobs(pixels: UInt8Array, head_length: float, options: BlobOptions = DEFAULT) -> Blobs:
    """Peaks of the background-subtracted Gaussian over a field ``(H, W)`` uint8.

    The sign, dark or bright, is the one whose strongest peaks are higher: cells are dark in bright
    field, bright in negative phase contrast. In some focus they are bright inside a dark rim; then
    both cancel under the Gaussian, and the size of the difference is taken instead of it.
    """
    small = resample(pixels.astype(np.float32), _BLOB_PX / head_length)
    length = head_length * small.shape[1] / pixels.shape[1]
    ground = background(small, BLOCK * length)
    stands_out = small - ground
    blur = options.sigma * length
    response = gaussian(stands_out, blur)
    either = gaussian(np.abs(stands_out), blur)
    either -= np.median(either)
    least = _least(ground, options)
    dark, bright, both = (
        _peaks_of(field, options, length, least) for field in (-response, response, either)
    )
    (points, strong), sign = (dark, -1) if dark[1] >= bright[1] else (bright, 1)
    if strong < _ONE_SIGN * both[1]:
        (points, strong), sign = both, 0
    scale = pixels.shape[1] / small.shape[1], pixels.shape[0] / small.shape[0]
    placed = points.copy()
    placed[:, 0] = (points[:, 0] + 0.5) * scale[0] - 0.5
    placed[:, 1] = (points[:, 1] + 0.5) * scale[1] - 0.5
    return Blobs(placed, sign, strong, float(np.median(ground)))


def _peaks_of(
    field: FloatArray, options: BlobOptions, length: float, least: float
) -> tuple[NDArray[np.float64], float]:
    points = peaks(field, options.apart * length, least)
    return points, float(points[: options.top, 2].mean()) if len(points) else 0.0


def _least(ground: FloatArray, options: BlobOptions) -> float:
    # Half of what will count: the strongest ten may be few, and thresholds are tried out on these.
    return 0.5 * options.absolute * max(float(np.median(ground)), 1.0)
