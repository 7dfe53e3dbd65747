"""A card given calibration and conformal data, from labelled crops and its own ONNX session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from androscope.assessment.decide import decide
from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.learning.trust.bare import bare_session
from androscope.learning.trust.checks import with_checks
from androscope.learning.trust.fitting import FEWEST, fit_calibration, fit_conformal
from androscope.model.bundle import Bundle, load_bundle
from androscope.model.bundle_writing import write_bundle
from androscope.model.calibrate import calibrate as apply
from androscope.model.calibrate import moved_threshold
from androscope.model.card import CardDraft
from androscope.model.card_trust import Calibration, Conformal
from androscope.types import FloatArray

__all__ = ["calibrate_bundle", "too_few", "with_trust"]


def with_trust(
    draft: CardDraft,
    model: bytes,
    crops: LabelledCrops,
    data: str,
    *,
    seed: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> CardDraft:
    """Fit calibration and conformal data and put them into a card.

    Thresholds are moved to the new scale, so that every verdict stays what it was: they, and every
    score in the card, were chosen and measured as verdicts, and calibrating must not change those
    behind the reader's back.

    Parameters
    ----------
    draft
        The card as it is; a calibration in it is replaced.
    model
        The ONNX model's bytes.
    crops
        Labelled crops that the network did not learn from, with every label of the card.
    data
        What they are, such as ``"mhsma valid"``.
    seed
        Of the cross-validation.
    report
        Called with what was chosen, label by label.

    Returns
    -------
    CardDraft
        Without conformal data, and a line about it to ``report``, where a label has too few crops
        of a class.

    Raises
    ------
    TrainingError
        If the crops lack a label, or are of another size.
    """
    missing = [label for label in draft.labels if label not in crops.label_names]
    if missing or not len(crops):
        raise TrainingError(
            f"cannot calibrate on {data}: expected crops labelled for {', '.join(draft.labels)}, "
            f"got {len(crops)} labelled for {', '.join(crops.label_names)}",
            advice="Name the data's label columns as the model's",
        )
    own = _own_probabilities(draft, model, crops)
    truth = crops.with_labels(draft.labels).labels
    table: dict[str, Calibration] = {}
    for i, label in enumerate(draft.labels):
        table[label] = fit_calibration(truth[:, i], own[:, i], data=data, seed=seed)
        report(f"{label}: {_told(table[label])}")
    found = apply(own, table, draft.labels)
    scores: dict[str, Conformal] = {}
    for i, label in enumerate(draft.labels):
        gathered = fit_conformal(truth[:, i], found[:, i], data=data)
        if gathered is None:
            report(f"no conformal data: {too_few(crops, label)}")
            break
        scores[label] = gathered
    before = draft.calibration or {}
    thresholds = {
        label: moved_threshold(threshold, before.get(label), table[label])
        for label, threshold in draft.thresholds.items()
    }
    _unchanged(draft, own, thresholds, found)
    whole = len(scores) == len(draft.labels)
    return draft.model_copy(
        update={
            "calibration": table,
            "conformal": scores if whole else None,
            "thresholds": thresholds,
        }
    )


def calibrate_bundle(
    bundle: Bundle,
    crops: LabelledCrops,
    data: str,
    out: str | Path,
    *,
    learned: LabelledCrops | None = None,
    name: str | None = None,
    version: str | None = None,
    seed: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Write a new bundle: the same model, its probabilities calibrated on these crops.

    Parameters
    ----------
    bundle
        What is calibrated; it is left as it is.
    crops, data, seed, report
        As for :func:`with_trust`.
    out
        Must not exist yet, or be an empty folder.
    learned
        The crops that the network learned from, if these are validation crops of the same data
        set: the checks before grading are then fitted anew. Otherwise they stay as they are.
    name, version
        Of the new bundle; default: those of the old one.

    Raises
    ------
    TrainingError
        If the crops lack a label or are too few, or name and version are none.
    OutputError
        If ``out`` cannot be written.
    """
    few = [
        label
        for label in bundle.card.labels
        if label in crops.label_names and _fewest(crops, label) < FEWEST
    ]
    if few:
        raise TrainingError(
            f"cannot calibrate on {data}: {'; '.join(too_few(crops, label) for label in few)}",
            advice="Label more crops, of the rarer class above all",
        )
    card = with_trust(bundle.card, bundle.model, crops, data, seed=seed, report=report)
    parent = f"{bundle.card.name} {bundle.card.version}"
    update = {
        "name": bundle.card.name if name is None else name,
        "version": bundle.card.version if version is None else version,
        "protocol": f"{card.protocol} Calibrated anew from {parent}, on {len(crops)} crops of "
        f"{data}; the metrics below were measured before, and calibration changed no verdict.",
    }
    try:
        changed = CardDraft.model_validate(
            card.model_dump(exclude={"model_sha256", "model_bytes"}) | update
        )
    except ValueError as error:
        raise TrainingError(
            f"the card cannot be written with name {update['name']!r} and version "
            f"{update['version']!r}",
            advice="A name is letters, digits, '.', '-' and '_'; a version is such as 0.1.0",
        ) from error
    domain = bundle.domain
    if learned is not None:
        changed, domain = with_checks(
            changed, bundle.model, learned, crops, changed.training.name, report=report
        )
    write_bundle(out, bundle.model, changed, domain)
    return load_bundle(Path(out).absolute())


def too_few(crops: LabelledCrops, label: str) -> str:
    """Say how many crops of each class there are of a label, and how many it takes."""
    counts = crops.counts()[label]
    return (
        f"{label} has {counts.normal} normal and {counts.abnormal} abnormal crops, and each class "
        f"needs {FEWEST} at least"
    )


def _fewest(crops: LabelledCrops, label: str) -> int:
    counts = crops.counts()[label]
    return min(counts.normal, counts.abnormal)


def _own_probabilities(draft: CardDraft, model: bytes, crops: LabelledCrops) -> FloatArray:
    """What the graph gives, before any calibration."""
    return bare_session(draft, model).predict(crops.crops).probabilities


def _unchanged(
    draft: CardDraft, own: FloatArray, thresholds: dict[str, float], found: FloatArray
) -> None:
    """Make sure that every crop's verdict is what it was.

    Raises
    ------
    TrainingError
        If one is not.
    """
    labels = draft.labels
    before = decide(apply(own, draft.calibration, labels), labels, draft.thresholds)
    after = decide(found, labels, thresholds)
    moved = sum(
        one.verdict is not other.verdict
        for row, others in zip(before, after, strict=True)
        for one, other in zip(row, others, strict=True)
    )
    if moved:
        raise TrainingError(
            f"calibration would change {moved} of {np.size(found)} verdicts",
            advice="Report this: thresholds are moved so that none changes",
        )


def _told(calibration: Calibration) -> str:
    if not calibration.log_loss:
        return f"left as it is: fewer than {FEWEST} crops of a class"
    tried = ", ".join(f"{name} {loss:.4f}" for name, loss in calibration.log_loss.items())
    return f"{calibration.method} of log loss {tried}"
