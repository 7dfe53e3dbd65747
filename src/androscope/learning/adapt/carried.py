"""What of a parent's card still holds after adapting, and what is fitted anew or left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from androscope.learning.trust.fitting import FEWEST, fit_conformal
from androscope.model.card import CardDraft
from androscope.model.card_parent import How
from androscope.model.card_trust import Calibration, Conformal

__all__ = ["calibration_of", "conformal_of"]

Vector = NDArray[np.float64]


def calibration_of(
    parent: CardDraft,
    how: Mapping[str, How],
    fitted: Mapping[str, Calibration],
) -> dict[str, Calibration] | None:
    """The new card's calibration: fitted where a label was adapted, the parent's where kept.

    Parameters
    ----------
    how
        What was done to each label.
    fitted
        Of each label that was not kept.
    """
    before = parent.calibration or {}
    table = {}
    for label in parent.labels:
        if how[label] != "kept":
            table[label] = fitted[label]
        elif label in before:
            table[label] = before[label]
        else:
            facts = parent.training.splits
            crops = max(1, sum(split.crops for split in facts.values()))
            table[label] = Calibration(
                method="identity",
                data="none: kept as the network gives it",
                crops=crops,
                abnormal=0,
            )
    whole = any(calibration.method != "identity" for calibration in table.values())
    return table if whole or parent.calibration is not None else None


def conformal_of(
    parent: CardDraft,
    how: Mapping[str, How],
    labels: NDArray[np.int8],
    probabilities: NDArray[np.float64],
    *,
    data: str,
) -> tuple[dict[str, Conformal] | None, tuple[str, ...]]:
    """The new card's conformal data: of the lab's crops, for the parent's are of other images.

    Parameters
    ----------
    labels, probabilities
        ``(N, L)`` of all the lab's crops: 0, 1 or -1, and what the new bundle says of those that
        it was not fitted on (in cross-validation, and on the held part); NaN where nothing is said.
    data
        What the crops are, for the card.

    Returns
    -------
    conformal, notes
        ``None`` if a label that was adapted has too few crops; and what was done, in words.
    """
    found: dict[str, Conformal] = {}
    notes: list[str] = []
    for column, label in enumerate(parent.labels):
        said = np.isfinite(probabilities[:, column])
        own = fit_conformal(labels[said, column], probabilities[said, column], data=data)
        if own is not None:
            found[label] = own
        elif how[label] == "kept" and parent.conformal is not None:
            found[label] = parent.conformal[label]
            notes.append(
                f"{label}: its conformal data is the parent's still ({found[label].data}): "
                f"fewer than {FEWEST} crops of a class"
            )
        else:
            return None, (
                f"no conformal data, so no --error-rate: {label} has fewer than {FEWEST} crops of "
                "a class",
            )
    return found, (f"conformal data is of the crops adapted to: {_listed(found, data)}", *notes)


def _listed(found: Mapping[str, Conformal], data: str) -> str:
    own: Sequence[str] = [label for label, one in found.items() if one.data == data]
    return ", ".join(own)
