"""What a sample's verdicts were made with: thresholds, or an error rate and what it promises."""

from __future__ import annotations

from androscope.assessment.conformal import cuts_of, promise
from androscope.assessment.findings import Findings
from androscope.report.sample.document import CutsRow, VerdictRule

__all__ = ["rule_of"]


def rule_of(findings: Findings) -> VerdictRule:
    """Give the rule, with the probabilities between which parts are undecided."""
    rate = findings.error_rate
    return VerdictRule(
        error_rate=rate,
        promise=None if rate is None else promise(rate),
        cuts={
            label: CutsRow(abnormal_from=cuts.abnormal_from, normal_to=cuts.normal_to)
            for label, cuts in cuts_of(findings.card, rate).items()
        },
        available=findings.card.conformal is not None,
    )
