"""What of a parent's card still holds after adapting, and what is fitted anew or left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from androscope.assessment.gate import check_crops, values_of
from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.learning.trust.checks import FEWEST_CROPS, with_checks
from androscope.learning.trust.fitting import FEWEST, fit_conformal
from androscope.model.card import Card, CardDraft
from androscope.model.card_checks import CheckLimits, CheckName, Checks
from androscope.model.card_parent import How
from androscope.model.card_trust import Calibration, Conformal
from androscope.model.domain import Domain
from androscope.types import Crop, FloatArray

__all__ = ["calibration_of", "checks_of", "conformal_of", "widened"]

Vector = NDArray[np.float64]

#: What a card takes as the name of the crops that limits are of.
_LONGEST = 500


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
    """The new card's checks before grading: fitted to the lab's images, or the parent's, widened.

    The parent's limits are those of its own images: kept as they are, they would go on refusing
    the very ones that the bundle was adapted to.

    Returns
    -------
    checks, domain, notes
        Fitted where there are enough crops, else as :func:`widened` gives them; none if the parent
        has none. And what was done, in words.
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
        checks, note = widened(parent.checks, fitted, held, data)
        return checks, None, (f"{note} ({why})",)
    assert draft.checks is not None
    passed = f"{draft.checks.passed:.1%}"
    note = f"checks of images before grading are of the crops adapted to; {passed} of those pass"
    return draft.checks, domain, (note,)


def widened(
    before: Checks, fitted: LabelledCrops, held: LabelledCrops, data: str
) -> tuple[Checks | None, str]:
    """A parent's checks, each limit moved as far out as the lab's own crops reach.

    What is refused is then like neither: noise, text, a stained sperm. The distance to the
    training data is left out: its reference is the parent's, and these crops are not of it.

    Parameters
    ----------
    before
        The parent's.
    fitted, held
        Crops that bear a label, and so are sperm that may be graded: the limits reach all of them.
        What share of crops like them passes is said by ``held`` and limits that reach ``fitted``.

    Returns
    -------
    checks, note
        ``None`` if the parent checked nothing but the distance; and what was done, in words.
    """
    kept: dict[CheckName, CheckLimits] = {
        name: limit for name, limit in before.ordered().items() if name != "domain"
    }
    if not kept:
        return None, "the parent's distance to its training data is left out: nothing is checked"
    first = _reaching(kept, fitted)
    limits = _reaching(first, held)
    wider = [name for name in kept if limits[name] != kept[name]]
    own = f", each as wide as the crops of {data} need" if wider else ""
    checks = Checks(
        limits=first,
        domain=None,
        data=f"{before.data}, the parent's{own}"[:_LONGEST],
        crops=before.crops,
        tail=before.tail,
        confirmed=f"{data}, held out" + (" while limits were widened to the others" if own else ""),
        confirmed_crops=len(held),
        passed=1.0,
    )
    flagged = check_crops(_crops(held), _no_embeddings(held), checks, None)
    passed = sum(not flags for flags in flagged) / len(held)
    note = (
        f"checks of images before grading are the parent's: {', '.join(limits)}; "
        f"{'widened to the crops adapted to: ' + ', '.join(wider) if wider else 'none widened'}; "
        f"left out: the distance to the training data; {passed:.1%} of {len(held)} held-out crops "
        "pass limits that the others alone were taken for"
    )
    return checks.model_copy(update={"limits": limits, "passed": passed}), note


def _reaching(
    limits: Mapping[CheckName, CheckLimits], crops: LabelledCrops
) -> dict[CheckName, CheckLimits]:
    values = values_of(_crops(crops), _no_embeddings(crops), None)
    found: dict[CheckName, CheckLimits] = {}
    for name, limit in limits.items():
        if name == "colour":  # labelled crops have lost theirs
            found[name] = limit
            continue
        # Four digits, as limits are shown and compared.
        low, high = (float(f"{float(end):.4g}") for end in (values[name].min(), values[name].max()))
        found[name] = CheckLimits(
            low=None if limit.low is None else min(limit.low, low),
            high=None if limit.high is None else max(limit.high, high),
        )
    return found


def _crops(crops: LabelledCrops) -> list[Crop]:
    return [Crop(pixels, name) for pixels, name in zip(crops.crops, crops.ids, strict=True)]


def _no_embeddings(crops: LabelledCrops) -> FloatArray:
    # They are asked for the distance alone.
    return np.zeros((len(crops), 0), np.float32)


def _listed(found: Mapping[str, Conformal], data: str) -> str:
    own: Sequence[str] = [label for label, one in found.items() if one.data == data]
    return ", ".join(own)
