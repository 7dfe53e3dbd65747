"""What is to be done to every label together: the new graph, its calibration, what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from androscope.datasets import LabelledCrops
from androscope.extras import require
from androscope.learning.adapt.choose import Choice, Graded, reason_for
from androscope.learning.adapt.configuration import configuration
from androscope.learning.adapt.graph import with_heads
from androscope.learning.adapt.heads import Head
from androscope.learning.adapt.losses import gain
from androscope.model.bundle import Bundle
from androscope.model.card_parent import How
from androscope.types import UInt8Array

__all__ = ["THRESHOLD", "Plan", "plan_of", "with_everything"]

Vector = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Of a label that was adapted: its probability is calibrated, and so errs least often from here.
#: A searched threshold follows the few crops it is searched on.
THRESHOLD = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The new model, and what it says of all crops.

    Attributes
    ----------
    labels
        In the order of the columns.
    model
        The new graph.
    how, reasons, losses
        Per label: what was done, why, and each candidate's log loss in cross-validation.
    calibration
        Slope and intercept, of those labels whose probability is calibrated by the card.
    before, thresholds
        Thresholds of parent and child.
    after
        ``(N, L)`` probabilities that the new bundle gives all crops.
    held_out
        ``(N, L)``: the same, but of crops it was fitted on what cross-validation gave.
    kept, column
        ``(F,)`` log losses of the fitted crops, means over the labels: as it was, as planned.
    """

    labels: tuple[str, ...]
    model: bytes = field(repr=False)
    how: Mapping[str, How]
    reasons: Mapping[str, str]
    losses: Mapping[str, Mapping[How, float]]
    calibration: Mapping[str, Head]
    before: Mapping[str, float]
    thresholds: Mapping[str, float]
    after: Vector
    held_out: Vector
    kept: Vector
    column: Vector

    @property
    def changed(self) -> bool:
        """Whether anything is done at all."""
        return any(how != "kept" for how in self.how.values())


def plan_of(parent: Bundle, choices: Mapping[str, Choice], graded: Graded, fit_rows: Rows) -> Plan:
    """Plan what was chosen label by label; the trunk stays as it is."""
    labels = parent.card.labels
    after = np.array(graded.current, np.float64)
    held_out = after.copy()
    calibration: dict[str, Head] = {}
    branches: dict[str, Head] = {}
    for column, label in enumerate(labels):
        choice = choices[label]
        if choice.head is None:
            continue
        (branches if choice.how == "branch" else calibration)[label] = choice.head
        raw = graded.raw[:, column].astype(np.float64)
        after[:, column] = choice.head.probabilities(raw, graded.embeddings)
        held_out[:, column] = after[:, column]
        held_out[fit_rows, column] = choice.held_out
    kept = np.stack([_kept(graded, column)[fit_rows] for column in range(len(labels))], axis=1)
    column_of = np.stack([choices[label].column for label in labels], axis=1)
    how = {label: choices[label].how for label in labels}
    return Plan(
        labels=labels,
        model=with_heads(parent.model, labels, branches) if branches else parent.model,
        how=how,
        reasons={label: choices[label].reason for label in labels},
        losses={label: choices[label].losses for label in labels},
        calibration=calibration,
        before=parent.card.thresholds,
        thresholds={
            label: parent.card.thresholds[label] if how[label] == "kept" else THRESHOLD
            for label in labels
        },
        after=after,
        held_out=held_out,
        kept=_mean(kept),
        column=_mean(column_of),
    )


def with_everything(
    plan: Plan,
    parent: Bundle,
    crops: LabelledCrops,
    graded: Graded,
    fit_rows: Rows,
    tried: Mapping[str, tuple[How, ...]],
    *,
    run: str | Path | None = None,
    seed: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> tuple[Plan, tuple[str, ...]]:
    """Train the trunk on as well, and plan that instead if it is better beyond noise.

    It changes every label, and takes away what was known of the old embedding: it must better not
    only keeping everything but the plan with a frozen trunk too.

    Returns
    -------
    plan, notes
        The better plan; and why the other was not taken.

    Raises
    ------
    AdaptError, MissingExtraError
        If the network is not to be had; the plan stands.
    """
    few = [label for label in plan.labels if "everything" not in tried.get(label, ())]
    if few:
        why = (
            "the trunk was not trained on, which changes every label: too few crops for that of "
            f"{', '.join(few)}, or not to be adapted"
        )
        return plan, (why,)
    # Before torch is loaded: a card without a configuration is the commonest reason.
    config = configuration(parent) if run is None else None
    for module in ("torch", "timm", "lightning"):
        require(module, extra="train", why="train the trunk on")
    from androscope.learning.adapt.everything import try_everything
    from androscope.learning.adapt.network import network_of
    from androscope.learning.exported import Exported
    from androscope.learning.graph import check_graph, to_onnx
    from androscope.learning.run import Run

    loaded = None if run is None else Run.load(run)
    changes = loaded.config.augment if loaded is not None else config.augment  # type: ignore[union-attr]
    sample = slice(0, 64)
    network = network_of(parent, crops.crops[sample], graded.raw[sample], run=loaded)
    views = parent.card.network.views
    found = try_everything(
        network,
        crops.select(fit_rows),
        graded.select(fit_rows),
        changes,
        views=views,
        seed=seed,
        report=report,
    )
    losses = _mean(found.losses)
    groups = graded.groups[fit_rows]
    over_kept, over_plan = (gain(before, losses, groups) for before in (plan.kept, plan.column))
    means = np.nanmean(found.losses, axis=0)
    every = {
        label: {**plan.losses[label], "everything": float(means[i])}
        for i, label in enumerate(plan.labels)
    }
    if not (over_kept.beyond_noise and over_plan.beyond_noise):
        note = (
            "the trunk was trained on in cross-validation and left as it was: mean log loss over "
            f"the labels {np.mean(losses):.3f}, against {np.mean(plan.column):.3f} without "
            f"(standard error of the difference {over_plan.error:.3f})"
        )
        return replace(plan, losses=every), (note,)
    exported = Exported([found.network], views)
    model = to_onnx(exported)
    report(str(check_graph(exported, model, crops.crops)))
    raw = _graded_by(model, parent, crops.crops)
    after = np.stack(
        [
            found.heads[label].probabilities(raw[:, i], graded.embeddings)
            for i, label in enumerate(plan.labels)
        ],
        axis=1,
    )
    held_out = after.copy()
    held_out[fit_rows] = found.held_out
    reason = f"over all labels: {reason_for('everything', {'everything': over_kept})}"
    whole = Plan(
        labels=plan.labels,
        model=model,
        how=dict.fromkeys(plan.labels, "everything"),
        reasons=dict.fromkeys(plan.labels, reason),
        losses=every,
        calibration=found.heads,
        before=plan.before,
        thresholds=dict.fromkeys(plan.labels, THRESHOLD),
        after=after,
        held_out=held_out,
        kept=plan.kept,
        column=losses,
    )
    return whole, ()


def _kept(graded: Graded, column: int) -> Vector:
    from androscope.learning.adapt.losses import log_losses

    truth = graded.labels[:, column]
    losses = log_losses(graded.current[:, column], truth)
    return np.where(truth >= 0, losses, np.nan)


def _mean(losses: Vector) -> Vector:
    """Over the labels that each crop bears."""
    found: Vector = np.nanmean(losses, axis=1)
    return found


def _graded_by(model: bytes, parent: Bundle, crops: UInt8Array) -> Vector:
    import onnxruntime as ort

    from androscope.model.session import INPUT, PROBABILITIES

    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    step = max(1, 64 // parent.card.network.views)
    found = [
        session.run([PROBABILITIES], {INPUT: crops[start : start + step]})[0]
        for start in range(0, len(crops), step)
    ]
    return np.concatenate(found).astype(np.float64)
