"""The report's tables: counts, replicates, regions, indices, the model's scores, files."""

from __future__ import annotations

from collections.abc import Sequence

from androscope.report.sample.document import RegionRow, SampleReport
from androscope.report.sample.view_types import Grid, no_abstention, percent_text

__all__ = [
    "agreement_grid",
    "counts_grid",
    "files_grid",
    "indices_grid",
    "measured_grid",
    "regions_grid",
    "replicates_grid",
]

#: Replicates that have room beside one another.
_SIDE_BY_SIDE = 4


def counts_grid(report: SampleReport) -> Grid:
    """What was found, assessed and left out, and why."""
    counts = report.counts
    undecided = (
        ("-", no_abstention(report)) if counts.undecided is None else (str(counts.undecided), "")
    )
    rows = [
        ("Sperm found", str(counts.found), ""),
        ("Sperm assessed", str(counts.assessed), ""),
        ("- normal in every graded part", str(counts.normal), ""),
        ("- abnormal in a part", str(counts.abnormal), ""),
        ("- undecided", *undecided),
    ]
    for sperm, what in ((True, "Sperm excluded"), (False, "Found, and no sperm")):
        rows += [(what, str(e.count), e.reason) for e in counts.excluded if e.sperm is sperm]
    rows.append(("Files or pictures not usable", str(counts.unreadable), ""))
    return Grid(("What", "Count", "Why"), tuple(rows))


def agreement_grid(report: SampleReport) -> Grid:
    """The percentages of two replicates beside WHO's limit."""
    agreement = report.agreement
    if not agreement.rows:
        return Grid((), (), tuple(agreement.notes))
    first, second = agreement.replicates
    rows = tuple(
        (
            row.what, f"{row.first:.1f}%", f"{row.second:.1f}%", f"{row.average}%",
            f"{row.difference:.1f}", str(row.limit), "within" if row.within else "beyond",
        )
        for row in agreement.rows
    )  # fmt: skip
    head = ("Percentage", first, second, "Average", "Difference", "At most", "")
    return Grid(head, rows, tuple(agreement.notes))


def replicates_grid(report: SampleReport) -> Grid:
    """A column for each replicate with all that is known; a row for each where there are many."""
    found = report.replicates
    if len(found) > _SIDE_BY_SIDE:
        return Grid(
            ("Replicate", "Files", "Found", "Assessed", "Normal in every graded part"),
            tuple(
                (r.name, str(r.files), str(r.found), str(r.assessed), percent_text(r.normal))
                for r in found
            ),
        )
    none = no_abstention(report)
    rows = [
        ("Files", *(str(r.files) for r in found)),
        ("Sperm found", *(str(r.found) for r in found)),
        ("Sperm assessed", *(str(r.assessed) for r in found)),
        ("- undecided", *(none if r.undecided is None else str(r.undecided) for r in found)),
        ("Normal in every graded part", *(percent_text(r.normal) for r in found)),
    ]
    rows += [
        (f"{label} abnormal", *(percent_text(r.parts[label]) for r in found))
        for label in report.model.labels
    ]
    return Grid(("Replicate", *(r.name for r in found)), tuple(rows))


def regions_grid(regions: Sequence[RegionRow]) -> Grid:
    """WHO's regions and the labels that stand for them."""
    return Grid(
        ("WHO's region", "Labels of the model", "Any defect"),
        tuple(
            (
                row.region,
                ", ".join(row.labels) or "-",
                percent_text(row.share)
                if row.share is not None
                else f"not assessed: {row.why_not}",
            )
            for row in regions
        ),
    )


def indices_grid(report: SampleReport) -> Grid:
    """TZI, SDI and MAI, or why not."""
    rows, notes = [], []
    for row in report.indices:
        reason = row.why_not or ""
        if row.value is not None:
            value = f"{row.value:.2f} ({row.defects} / {row.sperm})"
        else:
            value = reason.partition(":")[0]
            notes.append((row.short, reason))
        rows.append((f"{row.short}, {row.name}", value, f"{row.formula} ({row.source})"))
    by_reason: dict[str, list[str]] = {}
    for short, reason in notes:
        by_reason.setdefault(reason, []).append(short)
    return Grid(
        ("Index", "Value", "Definition"),
        tuple(rows),
        tuple(f"{', '.join(shorts)} {reason}." for reason, shorts in by_reason.items()),
    )


def measured_grid(report: SampleReport) -> Grid:
    """The model's scores, as its card has them."""
    found = report.model.measured
    metrics = list(dict.fromkeys(m.metric for m in found))
    value = {(m.label, m.metric): m for m in found}
    names = {"mcc": "MCC", "roc_auc": "ROC AUC"}
    rows = []
    for label in dict.fromkeys(m.label for m in found):
        cells = [label]
        for metric in metrics:
            m = value.get((label, metric))
            if m is None or m.value is None:
                cells.append("-")
            elif m.low is None or m.high is None:
                cells.append(f"{m.value:.2f}")
            else:
                cells.append(f"{m.value:.2f} ({m.low:.2f} to {m.high:.2f})")
        rows.append(tuple(cells))
    split = found[0].split if found else ""
    note = (
        f"On {report.model.data}, {split}, as its card has it, with 95% intervals. MCC is 0 for "
        "guessing and 1 for no error."
    )
    head = ("Part", *(names.get(metric, metric) for metric in metrics))
    return Grid(head, tuple(rows), (note,)) if found else Grid((), ())


def files_grid(report: SampleReport) -> Grid:
    """Every file: how it was taken, its scale, its hash."""
    rows = []
    for file in report.files:
        scale = [f"{size:g} um/px" for size in file.pixel_sizes_um]
        estimated = " (estimated)" if file.estimated else ""
        scale += [f"head {length:.1f} px{estimated}" for length in file.head_lengths_px]
        what = f"{', '.join(file.taken_as) or 'not read'}; {file.assessed} of {file.found} assessed"
        rows.append(
            (
                file.name, file.replicate, "; ".join((what, *scale)), "; ".join(file.notes),
                file.sha256 or "not readable",
            )
        )  # fmt: skip
    return Grid(("File", "Replicate", "Taken as, scale", "Notes", "SHA-256"), tuple(rows))
