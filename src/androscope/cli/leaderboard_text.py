"""What the commands of ``androscope leaderboard`` print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from androscope.benchmark.entries import Board, Entry

__all__ = ["entry_lines", "ranking_lines"]

#: Below this, probabilities are more likely of normal than of abnormal.
_CHANCE = 0.5


def ranking_lines(board: Board, dataset: str, label: str, metric: str) -> list[str]:
    """One ranking: a heading, then a line per entry, the best first."""
    from androscope.benchmark.ranking import percent, rank
    from androscope.learning.metrics import TITLES

    info = board.by_name[dataset]
    normal, abnormal = info.labels[label]
    unit = "-1 to 1" if metric == "mcc" else "percent"
    head = ("rank", TITLES[metric], "95 % interval", "method", "date", "protocol", "checked")
    rows = [(*head, "paper")]
    for one in rank(board, dataset, label, metric):
        entry, ends = one.entry, ""
        if one.measured.low is not None and one.measured.high is not None:
            ends = (
                f"[{percent(metric, one.measured.low, 1)}, {percent(metric, one.measured.high, 1)}]"
            )
        paper = "" if entry.paper is None else entry.paper.url or entry.paper.text
        rows.append(
            (
                "-" if one.rank is None else str(one.rank),
                percent(metric, one.value, entry.decimals),
                ends,
                entry.name,
                entry.date,
                entry.protocol.words,
                entry.status,
                paper,
            )
        )
    heading = (
        f"{info.title} {info.split}, {label}, {TITLES[metric]} ({unit}); "
        f"{normal} normal, {abnormal} abnormal"
    )
    return [heading, *_columns(rows)]


def entry_lines(board: Board, entry: Entry) -> list[str]:
    """A verified entry: every score with its interval, its ranks, and what to look at again."""
    from androscope.benchmark.ranking import percent, rank
    from androscope.learning.metrics import METRICS, TITLES

    seen = entry.verification
    assert seen is not None
    info = board.by_name[entry.dataset]
    lines = [
        f"{entry.name}: {info.title} {info.split}, {info.crops} crops, {entry.protocol.words}",
        f"SHA-256 of the predictions: {seen.predictions_sha256}",
    ]
    notes = []
    for label, scores in entry.scores.items():
        lines += ["", f"{label}  abnormal from {seen.thresholds[label]:g}"]
        for metric in METRICS:
            m = scores[metric]
            ends = f"[{percent(metric, m.low, 1)}, {percent(metric, m.high, 1)}]"
            places = rank(board, entry.dataset, label, metric)
            place = next((one.rank for one in places if one.entry.name == entry.name), None)
            of = sum(one.rank is not None for one in places)
            told = "" if place is None else f"rank {place} of {of}"
            line = f"  {TITLES[metric]:<10}{percent(metric, m.value):>8}  {ends:<16}{told}"
            lines.append(line.rstrip())
        area = scores["roc_auc"].value
        if area is not None and area < _CHANCE:
            notes.append(
                f"note: ROC AUC of {label} is below 50: a probability must be that of abnormal"
            )
    return [
        *lines,
        "",
        f"Percent, MCC from -1 to 1. Normal is positive. {seen.interval}.",
        "Thresholds must have been chosen on validation, never on the split that is scored.",
        *notes,
    ]


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns as wide as their widest cell; numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if i < 2 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
