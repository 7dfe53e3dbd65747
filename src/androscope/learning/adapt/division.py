"""What is held out: three crops in ten, alike in every label, patients whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from androscope.datasets import LabelledCrops
from androscope.datasets.splitting import draw_splits
from androscope.learning.intervals import units

__all__ = ["HELD", "groups_of", "hold_out", "patients_of"]

#: Share of the crops that neither fitting nor choosing sees.
HELD = 0.3

Rows = NDArray[np.intp]


def groups_of(crops: LabelledCrops) -> Rows:
    """Number of each crop's patient, ``(N,)``; crops of unknown patients have one each."""
    return units(crops.patients or [""] * len(crops))


def patients_of(crops: LabelledCrops) -> int | None:
    """How many patients there are, or ``None`` if the patient of any crop is not known."""
    if crops.patients is None or not all(crops.patients):
        return None
    return len(set(crops.patients))


def hold_out(
    crops: LabelledCrops,
    *,
    share: float = HELD,
    given: NDArray[np.bool_] | None = None,
    seed: int = 0,
) -> tuple[Rows, Rows]:
    """Divide the crops into those to fit and choose by, and those held out.

    Parameters
    ----------
    share
        Of the crops that is held out, above 0 and below 1.
    given
        ``(N,)``: what the data itself holds out (its ``test``), which then is what is held out.
    seed
        Of the draw.

    Raises
    ------
    DataError
        If there are too few patients for two parts.
    """
    if given is not None and given.any():
        return np.flatnonzero(~given), np.flatnonzero(given)
    names = [f"g{number}" for number in groups_of(crops)]
    shares = {"fit": 1 - share, "held": share}
    drawn = np.array(draw_splits(crops.labels, names, seed=seed, shares=shares))
    return np.flatnonzero(drawn == "fit"), np.flatnonzero(drawn == "held")
