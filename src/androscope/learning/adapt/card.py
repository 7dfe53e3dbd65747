"""The card of an adapted bundle: its parent's, with what no longer holds taken out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from androscope.errors import AdaptError
from androscope.learning.adapt.carried import calibration_of, conformal_of
from androscope.learning.adapt.plan import Plan
from androscope.learning.record import software
from androscope.model.bundle import Bundle
from androscope.model.card import CardDraft
from androscope.model.card_checks import Checks
from androscope.model.card_interval import Interval
from androscope.model.card_parent import HOW, Adaptation, AdaptedData, Parent
from androscope.model.card_trust import Calibration

__all__ = ["adapted_draft"]


def adapted_draft(
    parent: Bundle,
    plan: Plan,
    data: AdaptedData,
    found: Mapping[str, Adaptation],
    labels: NDArray[np.int8],
    fit_rows: NDArray[np.intp],
    *,
    checks: Checks | None,
    notes: tuple[str, ...],
    name: str | None,
    version: str,
    seed: int,
) -> tuple[CardDraft, tuple[str, ...]]:
    """Fill in the card, and say what was dropped or fitted anew.

    Parameters
    ----------
    labels
        ``(N, L)`` of all crops.
    fit_rows
        Those that were fitted by.
    checks
        Of images before grading, fitted to the lab's, if they are.
    notes
        What was already dropped or fitted anew.

    Raises
    ------
    AdaptError
        If name or version are none.
    """
    card = parent.card
    whose = f"{data.name}, {data.fitted + data.held} crops adapted to"
    calibration = calibration_of(
        card, plan.how, _calibrations(parent, plan, data, labels, fit_rows)
    )
    conformal, more = conformal_of(card, plan.how, labels, plan.held_out, data=whose)
    notes += more
    if card.int8 is not None:
        notes += ("what int8 cost was measured on the parent, before adapting",)
    update: dict[str, object] = {
        "calibration": calibration,
        "conformal": conformal,
        "checks": checks,
        "name": f"{card.name}-adapted" if name is None else name,
        "version": version,
        "created": datetime.now(UTC),
        "thresholds": dict(plan.thresholds),
        "metrics": {"held": _metrics(found)},
        "protocol": _protocol(parent, plan, data, notes),
        "software": {**card.software, **{f"adapt:{k}": v for k, v in software().items()}},
        "limitations": (
            *card.limitations,
            f"Adapted to crops of {data.name}: its figures hold for images like those, and were "
            f"measured on {data.held} of them.",
        ),
        "parent": Parent(
            name=card.name,
            version=card.version,
            model_sha256=card.model_sha256,
            data=data,
            labels=dict(found),
            notes=notes,
            seed=seed,
        ),
    }
    known = card.model_dump(exclude={"model_sha256", "model_bytes"})
    try:
        return CardDraft.model_validate(known | update), notes
    except ValueError as error:
        raise AdaptError(
            f"the card cannot be written with name {update['name']!r} and version {version!r}",
            advice="A name is letters, digits, '.', '-' and '_'; a version is such as 0.1.0",
        ) from error


def _calibrations(
    parent: Bundle,
    plan: Plan,
    data: AdaptedData,
    labels: NDArray[np.int8],
    fit_rows: NDArray[np.intp],
) -> dict[str, Calibration]:
    table = {}
    for column, label in enumerate(plan.labels):
        truth = labels[fit_rows, column]
        crops, abnormal = int((truth >= 0).sum()), int((truth == 1).sum())
        if not crops:
            continue
        head = plan.calibration.get(label)
        tried = plan.losses[label]
        table[label] = Calibration(
            method="identity" if head is None else "platt",
            parameters={} if head is None else {"slope": head.slope, "intercept": head.intercept},
            data=f"{data.name}, {data.fitted} crops adapted to",
            crops=crops,
            abnormal=abnormal,
            # With a calibration before, what was kept was not the network's own probability.
            log_loss={"identity": tried["kept"], "platt": tried["recalibrated"]}
            if plan.how[label] == "recalibrated" and parent.card.calibration is None
            else {},
        )
    return table


def _metrics(found: Mapping[str, Adaptation]) -> dict[str, dict[str, Interval]]:
    return {
        label: {metric: change.after for metric, change in adapted.held.items()}
        for label, adapted in found.items()
        if adapted.held
    }


def _protocol(parent: Bundle, plan: Plan, data: AdaptedData, notes: tuple[str, ...]) -> str:
    card = parent.card
    done = "; ".join(f"{label} {HOW[plan.how[label]]}" for label in plan.labels)
    units = "crops" if data.patients is None else "patients"
    dropped = f" Beside that: {'; '.join(notes)}." if notes else ""
    return (
        f"Adapted from {card.name} {card.version} to {data.fitted + data.held} labelled crops of "
        f"{data.name}: {done}. What was done was chosen by log loss in repeated stratified "
        f"cross-validation on {data.fitted} of them. Metrics are of the {data.held} others, which "
        f"neither fitting nor choosing saw; 95 % percentile bootstrap over {units}. Those of the "
        f"parent's own test set are in its card and do not hold for this bundle.{dropped} The "
        f"parent's protocol was: {card.protocol}"
    )
