"""The leaderboard as JSON: rankings ready to be shown, for programs and other pages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from androscope import __version__
from androscope.benchmark.entries import Board, Entry
from androscope.benchmark.ranking import best_over_time, rank
from androscope.report.names import NOTICE

__all__ = ["FORMAT", "leaderboard_document", "leaderboard_json"]

#: Its number is raised when a field changes its meaning or goes away.
FORMAT = "androscope.leaderboard-rankings/1"


def leaderboard_document(
    board: Board, dataset: str, labels: Sequence[str], metrics: Sequence[str]
) -> dict[str, Any]:
    """Give the rankings of one data set as plain dictionaries and lists.

    Scores are from 0 to 1, MCC from -1 to 1. ``entries`` holds each entry once, by its name;
    ``rankings`` has one table per label and metric, the best result first.
    """
    info = board.by_name[dataset]
    rankings = []
    for label in labels:
        for metric in metrics:
            ranked = rank(board, dataset, label, metric)
            rankings.append(
                {
                    "label": label,
                    "metric": metric,
                    "results": [
                        {
                            "rank": one.rank,
                            "name": one.entry.name,
                            "value": one.value,
                            "low": one.measured.low,
                            "high": one.measured.high,
                        }
                        for one in ranked
                    ],
                    "best_over_time": [
                        {"date": one.entry.date, "name": one.entry.name, "best": one.best}
                        for one in best_over_time(ranked)
                    ],
                }
            )
    return {
        "format": FORMAT,
        "notice": NOTICE,
        "androscope": __version__,
        "task": info.task,
        "dataset": info.model_dump(mode="json", exclude={"task"}),
        "entries": {entry.name: _facts(entry) for entry in board.of(dataset)},
        "rankings": rankings,
    }


def leaderboard_json(
    board: Board, dataset: str, labels: Sequence[str], metrics: Sequence[str]
) -> str:
    """Give :func:`leaderboard_document` as text."""
    document = leaderboard_document(board, dataset, labels, metrics)
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _facts(entry: Entry) -> dict[str, Any]:
    """All but the scores, which stand in the rankings, and the name, which is the key."""
    facts = entry.model_dump(mode="json", exclude={"name", "dataset", "scores", "decimals"})
    return {"status": entry.status, **facts}
