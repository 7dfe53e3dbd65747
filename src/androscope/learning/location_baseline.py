"""The baseline that a detector must beat: a plain blob filter, tuned on the video it is scored on.

That flatters it: nobody has boxes of the video that is to be searched. What beats it with one
setting for all videos is better than a blob filter can be made by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from androscope.datasets.located_types import LocatedFrame
from androscope.imaging.filters import background, gaussian, peaks
from androscope.learning.location import Tally, pooled, tally
from androscope.types import UInt8Array

__all__ = ["SIGMA_PX", "Tuned", "plain_blobs", "tuned_on"]

#: Of the Gaussian, px of the frame.
SIGMA_PX = 5.0
#: Side of the blocks whose medians are the background, and least distance of two peaks, px.
_BLOCK_PX, _APART_PX = 96.0, 8.0
#: Thresholds tried for each sign.
_TRIED = 60


@dataclass(frozen=True, slots=True)
class Tuned:
    """The best that the filter can do on one video.

    Attributes
    ----------
    tally
        Its counts there.
    sign
        1: heads are brighter than the background, -1: darker.
    threshold
        Least height of a peak, grey levels.
    """

    tally: Tally
    sign: int
    threshold: float


def plain_blobs(pixels: UInt8Array, sign: int) -> NDArray[np.float64]:
    """Peaks ``(N, 3)`` (x, y, height) of the background-subtracted Gaussian; see ``filters``."""
    grey = pixels.astype(np.float32)
    response = gaussian(np.float32(sign) * (grey - background(grey, _BLOCK_PX)), SIGMA_PX)
    return peaks(response, _APART_PX, 0.0)


def tuned_on(frames: Sequence[LocatedFrame]) -> Tuned:
    """Sign and threshold with the best F1 over ``frames``, and the counts they give there.

    Thresholds are tried at the heights that leave from one to about four times as many peaks as
    there are boxes.
    """
    best = Tuned(Tally(), 1, 0.0)
    pixels = [frame.pixels() for frame in frames]
    boxes = sum(len(frame.boxes) for frame in frames)
    for sign in (1, -1) if frames else ():
        found = [plain_blobs(picture, sign) for picture in pixels]
        heights = np.sort(np.concatenate([points[:, 2] for points in found]))[::-1]
        if len(heights) == 0:
            continue
        ranks = np.geomspace(0.25 * max(boxes, 4), 4 * max(boxes, 4), _TRIED).astype(int)
        for threshold in np.unique(heights[np.minimum(ranks, len(heights) - 1)]):
            counts = pooled(
                tally([(x, y) for x, y, height in points if height >= threshold], frame.boxes)
                for points, frame in zip(found, frames, strict=True)
            )
            if not best.tally.found or counts.f1 > best.tally.f1:
                best = Tuned(counts, sign, float(threshold))
    return best
