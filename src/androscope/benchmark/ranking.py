"""Who is ahead on a label and a metric, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from androscope.benchmark.entries import Board, Entry, Kind
from androscope.learning.metrics import METRICS
from androscope.learning.summary import Measured

__all__ = ["Ranked", "Record", "best_over_time", "labels_of", "percent", "rank"]

#: Published tables round or cut after two decimals of a percentage: closer values are one value.
_SAME = 0.99e-4


@dataclass(frozen=True, slots=True)
class Ranked:
    """An entry at its place.

    Attributes
    ----------
    rank
        From 1; equal values share one. ``None`` for a baseline.
    value
        The score, 0 to 1 (MCC -1 to 1).
    measured
        The score with its interval, if there is one.
    """

    rank: int | None
    entry: Entry
    value: float
    measured: Measured


@dataclass(frozen=True, slots=True)
class Record:
    """A result in time. ``best``: the best value up to and with its date."""

    entry: Entry
    value: float
    best: float


def rank(board: Board, dataset: str, label: str, metric: str) -> tuple[Ranked, ...]:
    """Rank a data set's entries, the best first.

    Entries that do not have the score, or have it undefined, are left out. For all metrics more is
    better. Among equals the older comes first.
    """
    scored = [
        (found.value, entry, found)
        for entry in board.of(dataset)
        if (found := entry.scores.get(label, {}).get(metric)) is not None
        and found.value is not None
    ]
    scored.sort(key=lambda one: (-one[0], one[1].date, one[1].name))
    placed: list[Ranked] = []
    place, ahead, level = 0, 0, float("inf")
    for value, entry, found in scored:
        if entry.kind is Kind.BASELINE:
            placed.append(Ranked(None, entry, value, found))
            continue
        ahead += 1
        if level - value > _SAME:
            place, level = ahead, value
        placed.append(Ranked(place, entry, value, found))
    return tuple(placed)


def best_over_time(ranked: Sequence[Ranked]) -> tuple[Record, ...]:
    """Give the results in the order of their dates with the best so far; baselines are left out.

    A date that is known to the year alone comes before the days of that year.
    """
    results = sorted(
        (one for one in ranked if one.rank is not None),
        key=lambda one: (one.entry.date, one.value, one.entry.name),
    )
    found: list[Record] = []
    for one in results:
        best = max(one.value, found[-1].best) if found else one.value
        found.append(Record(one.entry, one.value, best))
    return tuple(found)


def labels_of(board: Board, dataset: str) -> tuple[str, ...]:
    """The data set's labels for which there is any result, baselines aside, in its order."""
    scored = {
        label for entry in board.of(dataset) if entry.kind is Kind.RESULT for label in entry.scores
    }
    return tuple(label for label in board.by_name[dataset].labels if label in scored)


def percent(metric: str, value: float | None, decimals: int = 2) -> str:
    """A score as tables show it: percent, but MCC from -1 to 1; a dash where there is none."""
    if metric not in METRICS:
        raise ValueError(f"expected one of {', '.join(METRICS)}, got {metric!r}")
    if value is None:
        return "-"
    return f"{value:.3f}" if metric == "mcc" else f"{100 * value:.{decimals}f}"
