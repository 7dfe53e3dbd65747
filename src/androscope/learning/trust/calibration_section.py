"""Does 0.3 mean 3 in 10: calibration error, Brier score, log loss, reliability plot."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from androscope.learning.calibration_bins import calibration_bins
from androscope.learning.evaluation_plots import plot_calibration
from androscope.learning.metrics import labelled
from androscope.learning.trust.calibration_error import BINS, CalibrationScores, calibration_scores
from androscope.learning.trust.fitting import log_loss
from androscope.learning.trust.sections import Row, Section, Trial
from androscope.model.calibrate import uncalibrated
from androscope.model.card_trust import Calibration

__all__ = ["GOAL", "measure"]

#: Largest expected calibration error that is wanted of any label.
GOAL = 0.05


def measure(trial: Trial) -> Section:
    """Measure every label's calibration."""
    rows: list[Row] = []
    found: dict[str, CalibrationScores] = {}
    details = {}
    for label in trial.labels:
        truth, given = trial.column(label)
        scores = calibration_scores(
            truth,
            given,
            patients=trial.crops.patients,
            resamples=trial.resamples,
            seed=trial.seed,
        )
        found[label] = scores
        fitted = (trial.card.calibration or {}).get(label)
        rows += [*_rows(label, scores), *_losses(label, fitted, truth, given)]
        details[label] = asdict(scores) | {
            "bins": [
                {"predicted": b.predicted, "observed": b.observed, "crops": b.count}
                for b in calibration_bins(truth, given, BINS)
            ],
            "fitted": None if fitted is None else fitted.model_dump(mode="json"),
        }
    return Section(
        "Calibration: does 0.3 mean 3 in 10",
        tuple(rows),
        remarks=_remarks(trial, found),
        details=details,
        plots={"reliability.png": lambda path: _plot(path, trial)},
    )


def _rows(label: str, scores: CalibrationScores) -> tuple[Row, ...]:
    return (
        Row(
            f"{label}: expected calibration error",
            scores.error,
            *scores.error_interval,
            goal=GOAL,
            wanted="at most",
            note=f"{BINS} bins of equal mass, {scores.n} crops",
        ),
        Row(
            f"{label}: the same if every probability were exact",
            scores.if_exact,
            *scores.if_exact_interval,
            note=f"as large as measured in {scores.p_value:.1%} of draws",
        ),
        Row(
            f"{label}: Brier score",
            scores.brier,
            *scores.brier_interval,
            note=f"{scores.brier_of_share:.3f} for giving all the share of abnormal ones",
        ),
    )


def _losses(
    label: str, fitted: Calibration | None, truth: np.ndarray, given: np.ndarray
) -> tuple[Row, ...]:
    """Log loss as it is, and of the network's own probability where that is another."""
    known, shown, _ = labelled(truth, given)
    after = Row(f"{label}: log loss", log_loss(known, shown))
    if fitted is None or fitted.method == "identity":
        how = "not calibrated" if fitted is None else "calibration left it as it was: identity"
        return (Row(after.what, after.measured, note=how),)
    own = [uncalibrated(float(p), fitted) for p in shown]
    return (
        Row(f"{label}: log loss before calibration", log_loss(known, own)),
        Row(f"{label}: log loss after calibration", after.measured, note=fitted.method),
    )


def _remarks(trial: Trial, found: dict[str, CalibrationScores]) -> tuple[str, ...]:
    remarks = [
        "The interval of the calibration error is of the true one: what chance adds to the one "
        "measured is taken off, so that this can lie above it.",
    ]
    blind = [label for label, scores in found.items() if scores.if_exact > GOAL]
    if blind:
        counts = sorted({found[label].n for label in blind})
        remarks.append(
            f"{' and '.join(map(str, counts))} crops are too few to show a calibration error of "
            f"{GOAL:g} for {', '.join(blind)}: exact probabilities would measure more on average."
        )
    beyond = [label for label, scores in found.items() if scores.p_value < 0.05]
    remarks.append(
        "Worse than chance would make exact probabilities look: " + (", ".join(beyond) or "none.")
    )
    if trial.card.calibration is None:
        remarks.append("This bundle's card holds no calibration: see `androscope calibrate`.")
    return tuple(remarks)


def _plot(path: Path, trial: Trial) -> None:
    truth, given = zip(*(trial.column(label) for label in trial.labels), strict=True)
    plot_calibration(
        path,
        trial.labels,
        np.stack(truth, axis=1),
        np.stack(given, axis=1),
        title=f"Calibration: {trial.card.name} on {trial.data} {trial.split}",
    )
