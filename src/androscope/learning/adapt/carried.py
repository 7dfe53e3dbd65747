"""What of a parent's card still holds after adapting, and what is fitted anew or left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.learning.trust.checks import FEWEST_CROPS, with_checks
from androscope.learning.trust.fitting import FEWEST, fit_conformal
from androscope.model.card import Card, CardDraft
from androscope.model.card_checks import Checks
from androscope.model.card_parent import How
from androscope.model.card_trust import Calibration, Conformal
from androscope.model.domain import Domain

__all__ = ["calibration_of", "checks_of", "conformal_of"]

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


def checks_of(
    parent: Card, model: bytes, fitted: LabelledCrops, held: LabelledCrops, data: str
) -> tuple[Checks | None, Domain | None, tuple[str, ...]]:
    """The new card's checks before grading: of the lab's images, or none, if the parent has some.

    The parent's limits, and its distance to the training data, are those of its own images: kept,
    they would go on refusing the very ones that the bundle was adapted to.

    Returns
    -------
    checks, domain, notes
        Fitted where there are enough crops; and what was done, in words.
    """
    if parent.checks is None:
        return None, None, ()
    # The rendered sperm of the parent's configuration are none of this lab's.
    plain = parent.model_copy(update={"config": {}, "checks": None})
    try:
        draft, domain = with_checks(plain, model, fitted, held, data)
    except TrainingError as error:
        why = (
            f"{len(fitted)} crops to fit by and {len(held)} held out, and {FEWEST_CROPS} of each "
            "are needed to fit new ones"
            if min(len(fitted), len(held)) < FEWEST_CROPS
            else error.reason
        )
        return (
            None,
            None,
            (
                "the parent's checks of images before grading are left out, for their limits are "
                f"of its own training data: {why}. The new bundle grades whatever it is given",
            ),
        )
    assert draft.checks is not None
    passed = f"{draft.checks.passed:.1%}"
    note = f"checks of images before grading are of the crops adapted to; {passed} of those pass"
    return draft.checks, domain, (note,)


def _listed(found: Mapping[str, Conformal], data: str) -> str:
    own: Sequence[str] = [label for label, one in found.items() if one.data == data]
    return ", ".join(own)
