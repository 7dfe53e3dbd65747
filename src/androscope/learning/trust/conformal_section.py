"""Is the promise of an error rate kept: coverage of each class, and what is left undecided."""

from __future__ import annotations

from typing import Any

import numpy as np

from androscope.assessment.conformal import cuts_of, unreachable
from androscope.assessment.decide import decide
from androscope.assessment.sample import proportion
from androscope.assessment.tally import overall
from androscope.errors import BundleError
from androscope.learning.trust.sections import Row, Section, Trial
from androscope.types import Assessment, Cuts, PartVerdict, Verdict

__all__ = ["RATES", "measure"]

RATES = (0.05, 0.1, 0.2)


def measure(trial: Trial) -> Section:
    """Measure coverage at :data:`RATES`.

    Coverage of a class is the share of its crops of which that class is not ruled out; what is
    promised is one minus the error rate, in each class.
    """
    title = "Undecided: is the promised error rate kept"
    try:
        cuts_of(trial.card, RATES[0])
    except BundleError as error:
        return Section(title, (), remarks=(str(error),))
    rows: list[Row] = []
    details: dict[str, Any] = {}
    for rate in RATES:
        cuts = cuts_of(trial.card, rate)
        verdicts = decide(
            trial.predictions.probabilities, trial.card.labels, trial.card.thresholds, cuts
        )
        for label in trial.labels:
            column = [row[trial.card.labels.index(label)] for row in verdicts]
            found, told = _label(label, rate, trial.column(label)[0], column, cuts[label])
            rows += found
            details.setdefault(f"{rate:g}", {})[label] = told
        whole = [Assessment("", None, row) for row in verdicts]
        undecided = sum(overall(one, trial.card.labels) == "undecided" for one in whole)
        rows.append(_share(f"at {rate:g}, whole sperm: undecided", undecided, len(whole)))
    never = {rate: unreachable(trial.card, rate) for rate in RATES}
    remarks = [
        "Coverage is promised on average over validation sets, so that it is taken as kept where "
        "its interval reaches the promise.",
        *(
            f"At {rate:g} these can never be ruled out: {', '.join(names)}."
            for rate, names in never.items()
            if names
        ),
    ]
    return Section(title, tuple(rows), remarks=tuple(remarks), details=details)


def _label(
    label: str, rate: float, truth: np.ndarray, column: list[PartVerdict], cuts: Cuts
) -> tuple[list[Row], dict[str, Any]]:
    rows: list[Row] = []
    told: dict[str, Any] = {
        "abnormal_from": cuts.abnormal_from, "normal_to": cuts.normal_to
    }  # fmt: skip
    known = [(int(true), part) for true, part in zip(truth, column, strict=True) if true >= 0]
    for kind, name in enumerate(("normal", "abnormal")):
        of = [part for true, part in known if true == kind]
        kept = sum(
            part.probability >= cuts.abnormal_from if kind else part.probability <= cuts.normal_to
            for part in of
        )
        other = Verdict.NORMAL if kind else Verdict.ABNORMAL
        wrong = sum(part.verdict is other for part in of)
        covered = proportion(kept, len(of))
        rows.append(
            Row(
                f"at {rate:g}, {label}: coverage of truly {name}",
                covered.fraction,
                covered.low,
                covered.high,
                goal=1 - rate,
                unit="%",
                within_interval=True,
                note=f"{kept} of {len(of)}; {wrong} called {other.value}",
            )
        )
        told[name] = {"crops": len(of), "covered": kept, "decided_wrongly": wrong}
    undecided = sum(part.verdict is Verdict.UNDECIDED for _, part in known)
    rows.append(_share(f"at {rate:g}, {label}: undecided", undecided, len(known)))
    decided = [(true, part) for true, part in known if part.verdict is not Verdict.UNDECIDED]
    right = sum((part.verdict is Verdict.ABNORMAL) == bool(true) for true, part in decided)
    rows.append(_share(f"at {rate:g}, {label}: right of what is decided", right, len(decided)))
    told |= {"undecided": undecided, "decided": len(decided), "right": right}
    return rows, told


def _share(what: str, count: int, of: int) -> Row:
    found = proportion(count, of)
    note = f"{count} of {of}"
    return Row(what, found.fraction, found.low, found.high, unit="%", note=note)
