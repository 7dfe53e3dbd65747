"""What WHO's test of two replicates says of a sample, in numbers and in words."""

from __future__ import annotations

from collections.abc import Sequence

from androscope.assessment.agreement import SPERM_OF_THE_TABLE, Comparison, compare
from androscope.assessment.findings import Findings
from androscope.assessment.tally import tally
from androscope.report.sample.document import AgreementReport, AgreementRow

__all__ = ["agreement_of"]


def agreement_of(findings: Findings) -> AgreementReport:
    """Test two replicates; say why not if there are not two, or one of them is empty."""
    names = list(findings.replicates)
    if len(names) != 2:
        given = "one was given" if len(names) == 1 else f"{len(names)} were given"
        verdict = f"Not tested: WHO's test compares two replicates, and {given}."
        return AgreementReport(replicates=names, accepted=None, verdict=verdict, rows=[], notes=[])
    first, second = (tally(findings.of(name), findings.card.labels) for name in names)
    empty = [n for n, t in zip(names, (first, second), strict=True) if not t.whole.decided]
    if empty:
        verdict = f"Not tested: no sperm was graded in replicate {' and '.join(empty)}."
        return AgreementReport(replicates=names, accepted=None, verdict=verdict, rows=[], notes=[])
    normal = compare(
        (first.whole.normal, first.whole.decided), (second.whole.normal, second.whole.decided)
    )
    rows = [_row("normal in every graded part", normal)]
    for label in findings.card.labels:
        a, b = first.parts[label], second.parts[label]
        if a.decided and b.decided:
            found = compare((a.abnormal, a.decided), (b.abnormal, b.decided))
            rows.append(_row(f"{label} abnormal", found))
    if normal.agree:
        verdict = (
            f"The replicates agree: {float(normal.first):.1f}% and {float(normal.second):.1f}% "
            f"normal differ by {float(normal.difference):.1f} points, at most {normal.limit} "
            f"for an average of {normal.average}%."
        )
    else:
        verdict = (
            f"The replicates do not agree: {float(normal.first):.1f}% and "
            f"{float(normal.second):.1f}% normal differ by {float(normal.difference):.1f} points, "
            f"more than the {normal.limit} that chance explains for an average of "
            f"{normal.average}%. Assess two new replicates."
        )
    sizes = [first.whole.decided, second.whole.decided]
    return AgreementReport(
        replicates=names,
        accepted=normal.agree,
        verdict=verdict,
        rows=rows,
        notes=_notes(sizes),
    )


def _row(what: str, found: Comparison) -> AgreementRow:
    return AgreementRow(
        what=what, first=float(found.first), second=float(found.second), average=found.average,
        difference=float(found.difference), limit=found.limit, within=found.agree,
    )  # fmt: skip


def _notes(sizes: Sequence[int]) -> list[str]:
    notes = [
        "WHO laboratory manual, 5th ed. 2010, table 2.1. The percentage normal decides; the other "
        "rows are there to show where a difference lies."
    ]
    table = SPERM_OF_THE_TABLE
    if min(sizes) < table:
        notes.append(
            f"The table was made for {table} sperm in each replicate; here are {sizes[0]} and "
            f"{sizes[1]}. With fewer, chance alone leads to larger differences than it allows."
        )
    elif max(sizes) > 1.25 * table:
        notes.append(
            f"The table was made for {table} sperm in each replicate; here are {sizes[0]} and "
            f"{sizes[1]}. With more, it allows larger differences than chance alone leads to."
        )
    return notes
