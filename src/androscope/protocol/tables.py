"""The tables of a benchmark, made from ``benchmark.json`` alone: no data, no network, no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from androscope.benchmark.board import read_board
from androscope.benchmark.entries import Board
from androscope.learning.metrics import METRICS
from androscope.protocol.record import Baseline, Benchmark, Mean, Part, RecipeEntry

__all__ = ["FORMAT", "benchmark_document", "published", "tried_on_test"]

#: Its number is raised when a field changes its meaning or goes away.
FORMAT = "androscope.benchmark-tables/1"

#: The leaderboard's entries of the paper that is implemented here (doi 10.1016/j.compbiomed.2020.
#: 104121), which every table compares with.
PAPER = ("DTL", "DMTL")

#: A protocol's result is over so many seeds at least.
LEAST_SEEDS = 5

_TITLES: dict[Part, str] = {
    "valid": "validation",
    "test": "test",
    "distinct": "test without near-duplicates of train and valid",
}


def published(
    found: Benchmark, label: str, board: Board | None = None
) -> dict[str, dict[str, float | None]]:
    """The paper's scores on this very test set, by their rows' names; none for other data."""
    board = read_board() if board is None else board
    info = board.by_name.get(found.protocol.dataset)
    own = found.baseline.get("test", {}).get(label)
    if info is None or own is None or info.labels.get(label) != (own.normal, own.abnormal):
        return {}
    return {
        f"{entry.name}, paper": {
            name: measured.value if (measured := entry.scores[label].get(name)) else None
            for name in METRICS
        }
        for entry in board.of(info.name)
        if entry.name in PAPER and label in entry.scores
    }


def benchmark_document(found: Benchmark, split: str = "test") -> dict[str, Any]:
    """All tables as plain dictionaries and lists, scores from 0 to 1 (MCC -1 to 1).

    Parameters
    ----------
    split
        ``"test"``: a table per label, one without near-duplicates, one per cross-validation.
        ``"valid"``: validation in the place of the first two.
    """
    parts: tuple[Part, ...] = ("test", "distinct") if split == "test" else ("valid",)
    tables = [
        _part_table(found, part, label)
        for part in parts
        for label in found.protocol.labels
        if label in found.baseline.get(part, {})
    ]
    for name, entry in found.crossval.items():
        for label, scores in entry.scores.items():
            tables.append(
                {
                    "title": f"{label}, {entry.folds}-fold cross-validation over "
                    f"{'+'.join(entry.splits)}",
                    "part": "crossval",
                    "label": label,
                    **_counts(entry.baseline[label]),
                    "rows": [
                        _baseline_row(entry.baseline[label]),
                        {
                            "name": name,
                            "kind": "crossval",
                            "scores": {m: s._asdict() for m, s in scores.items()},
                        },
                    ],
                }
            )
    return {
        "format": FORMAT,
        "androscope": found.androscope,
        "updated": found.updated.isoformat(),
        "protocol": found.protocol.model_dump(mode="json"),
        "split": split,
        "tables": tables,
        "near_duplicates": None
        if found.near_duplicates is None
        else found.near_duplicates.model_dump(mode="json"),
        "tried_on_test": tried_on_test(found),
        "notes": _notes(found, split),
    }


def tried_on_test(found: Benchmark) -> list[str]:
    """Every recipe that test was read with, a sentence each: in the protocol, before it, or out."""
    lines = []
    for name, entry in found.recipes.items():
        read = [run for run in entry.runs if run.test_readings]
        if not read:
            continue
        counts = sorted({run.test_readings for run in read})
        times = "once" if counts == [1] else " or ".join(f"{n}" for n in counts) + " times"
        what = "run" if entry.ensemble is None else "ensemble"
        number = f"1 {what} read" if len(read) == 1 else f"{len(read)} {what}s, each read"
        lines.append(f"{name}: {number} test {times}{_gone(entry.in_protocol)}.")
    lines += [
        f"crossval/{name}: {entry.folds} folds over {'+'.join(entry.splits)}, each of whose test "
        f"crops the fold that held it out graded once{_gone(entry.in_protocol)}."
        for name, entry in found.crossval.items()
        if "test" in entry.splits
    ]
    return [*lines, *(f"Before this protocol: {text}" for text in found.tried_before)]


def _gone(in_protocol: bool) -> str:
    return "" if in_protocol else " (no longer in the protocol)"


def _counts(of: Baseline) -> dict[str, int]:
    return {"crops": of.normal + of.abnormal, "normal": of.normal, "abnormal": of.abnormal}


def _baseline_row(of: Baseline) -> dict[str, Any]:
    return {"name": "all called normal", "kind": "baseline", "scores": _values(of.scores)}


def _values(scores: Mapping[str, float | None]) -> dict[str, Any]:
    return {name: {"value": scores.get(name)} for name in METRICS}


def _part_table(found: Benchmark, part: Part, label: str) -> dict[str, Any]:
    of = found.baseline[part][label]
    rows = [_baseline_row(of)]
    paper = published(found, label) if part == "test" else {}
    rows += [
        {"name": name, "kind": "published", "scores": _values(scores)}
        for name, scores in paper.items()
    ]
    for name, entry in found.recipes.items():
        means = entry.means.get(part, {}).get(label)
        if means is None:
            continue
        rows.append(
            {
                "name": name,
                "kind": "recipe",
                "runs": _read(entry, part, label),
                "planned": _planned(entry),
                "in_protocol": entry.in_protocol,
                "scores": {metric: mean._asdict() for metric, mean in means.items()},
            }
        )
        if paper:
            rows.append(
                {
                    "name": f"{name} minus the paper's best",
                    "kind": "difference",
                    "scores": {m: _difference(means[m], m, paper) for m in METRICS},
                }
            )
    return {
        "title": f"{label}, {_TITLES[part]}",
        "part": part,
        "label": label,
        **_counts(of),
        "rows": rows,
    }


def _read(entry: RecipeEntry, part: Part, label: str) -> int:
    split: Part = "valid" if part == "valid" else "test"
    return sum(label in run.scores.get(split, {}) for run in entry.runs)


def _planned(entry: RecipeEntry) -> int:
    """Runs of one label that the protocol asks for."""
    if entry.ensemble is not None:
        return 1
    return len(entry.seeds)


def _difference(
    mean: Mean, metric: str, paper: Mapping[str, Mapping[str, float | None]]
) -> dict[str, Any]:
    values = [v for scores in paper.values() if (v := scores[metric]) is not None]
    if not values or mean.mean is None:
        return {"value": None, "low": None, "high": None, "best": None}
    best = max(values)
    ends = (None if end is None else round(end - best, 6) for end in (mean.low, mean.high))
    low, high = ends
    return {"value": round(mean.mean - best, 6), "low": low, "high": high, "best": best}


def _notes(found: Benchmark, split: str) -> list[str]:
    draws = found.protocol.resamples
    notes = [
        "Percent, MCC from -1 to 1. Normal is the positive class. A dash: undefined.",
        "Mean over runs (standard deviation over runs, n - 1) [95 % interval of the mean over "
        f"crops]. The interval: crops are drawn with replacement {draws} times, the same draw for "
        "every run; the runs' scores on a draw are averaged; its ends are the 2.5 and 97.5 "
        "percentiles. The runs themselves are not drawn anew: how much training again changes is "
        "the standard deviation.",
    ]
    if split == "test" and any(published(found, label) for label in found.protocol.labels):
        notes.append(
            "Minus the paper's best: the better of its DTL and DMTL, for each score by itself. "
            "Its predictions are not published, so its score is taken as a constant: the interval "
            "is of ours alone."
        )
    near = found.near_duplicates
    if split == "test" and near is not None:
        notes.append(
            f"{near.removed} of the {near.test_crops} test crops show a sperm that train or valid "
            f"shows too (similarity from {near.threshold:g}); they are left out where it says so."
        )
    if found.crossval:
        notes.append(
            "Cross-validation: mean (standard deviation) over folds, then all held-out crops "
            "pooled with their 95 % interval. Epochs and thresholds are chosen inside each fold."
        )
    few = [
        name
        for name, entry in found.recipes.items()
        if entry.ensemble is None and entry.runs and len(entry.seeds) < LEAST_SEEDS
    ]
    if few:
        notes.append(f"Fewer than {LEAST_SEEDS} seeds, so not a result yet: {', '.join(few)}.")
    for name, entry in found.recipes.items():
        seconds = [run.seconds for run in entry.runs if run.seconds is not None]
        memory = [run.peak_memory_mb for run in entry.runs if run.peak_memory_mb is not None]
        if seconds:
            peak = f", at most {max(memory) / 1000:.1f} GB of memory" if memory else ""
            minutes = sum(seconds) / len(seconds) / 60
            notes.append(f"{name}: {minutes:.1f} minutes of training a run{peak}.")
    return notes
