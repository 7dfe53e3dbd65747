"""Reading a heat map: where its peak lies, how strong it is, how much room the evidence takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from androscope.imaging.pose import HeadPose
from androscope.types import FloatArray, PartVerdict, Verdict

__all__ = ["FLOOR", "Look", "read_map", "side_of"]

#: Log odds below which a peak is no place, so that none is named or ringed. Chosen on validation.
FLOOR = 0.3


@dataclass(frozen=True, slots=True)
class Look:
    """Where a model looked for one verdict.

    Attributes
    ----------
    label
        The part.
    side
        What the evidence read here speaks for: the verdict, or where it is *undecided* the side of
        the threshold that the probability is on.
    x, y
        Its peak, px from the first pixel's centre; ``None`` if no one place in the crop speaks for
        ``side``, see :data:`FLOOR`.
    strength
        The map at its peak: log odds that hiding the place takes from ``side``; 0 if nothing in the
        crop speaks for it.
    half
        Smallest share of the crop's area that holds half of the evidence, 0 to 1; ``None`` if
        there is none. A few percent: one spot; a quarter: the whole crop.
    place
        Where on the head the peak lies, see :meth:`androscope.imaging.pose.HeadPose.place`;
        ``None`` if no head was found.
    """

    label: str
    side: Verdict
    x: int | None
    y: int | None
    strength: float
    half: float | None
    place: str | None

    @property
    def words(self) -> str:
        """The same in words, for people."""
        if not self.strength:
            return f"nothing in the crop speaks for {self.side.value}"
        if self.x is None:
            return (
                f"no one place speaks for {self.side.value}: hiding any takes {self.strength:.2f} "
                f"log odds at most, and a place takes {FLOOR:g}"
            )
        on = {
            None: "", "outside": ", outside the head", "end": ", front or back of the head",
        }.get(self.place, f", {self.place} of the head")  # fmt: skip
        return (
            f"speaks most for {self.side.value} at {self.x}, {self.y}{on}; "
            f"half of the evidence is in {self.half:.0%} of the crop"
        )


def side_of(part: PartVerdict) -> Verdict:
    """What a part's evidence is read for: see :attr:`Look.side`."""
    if part.verdict is not Verdict.UNDECIDED:
        return part.verdict
    return Verdict.ABNORMAL if part.probability >= part.threshold else Verdict.NORMAL


def read_map(heat: FloatArray, part: PartVerdict, pose: HeadPose | None) -> Look:
    """Read the map ``(S, S)`` of one label, log odds of abnormal, beside its verdict."""
    side = side_of(part)
    evidence: NDArray[np.float64] = np.asarray(heat, np.float64) * (
        1 if side is Verdict.ABNORMAL else -1
    )
    evidence = np.clip(evidence, 0, None)
    if not evidence.any():
        return Look(part.label, side, None, None, 0.0, None, None)
    y, x = (int(place) for place in np.unravel_index(int(evidence.argmax()), evidence.shape))
    held = np.cumsum(np.sort(evidence, axis=None)[::-1])
    needed = int(np.searchsorted(held, held[-1] / 2)) + 1
    strength, half = float(evidence[y, x]), needed / evidence.size
    if strength < FLOOR:
        return Look(part.label, side, None, None, strength, half, None)
    place = None if pose is None else pose.place(x, y)
    return Look(part.label, side, x, y, strength, half, place)
