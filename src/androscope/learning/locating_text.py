"""The benchmark of locating in words: Markdown for pages, columns for terminals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["locating_lines"]

_HEADS = ("Video", "Method", "Precision", "Recall", "F1", "Found", "False", "Missed")


def locating_lines(document: Mapping[str, Any], *, markdown: bool) -> list[str]:
    """Lines of the table of :func:`~androscope.learning.locating.locating_document`.

    Scores are shares, 0 to 1; a dash where one is not defined.
    """
    rows = [_HEADS, *_rows(document)]
    lines = _as_markdown(rows) if markdown else _as_columns(rows)
    return [*lines, "", *_notes(document)]


def _rows(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for video in document["videos"]:
        unseen = "" if not video["known"] else ", other frames learned from"
        name = f"{video['dataset']} {video['video']}, {video['microscopy']}{unseen}"
        for method, scores in video["methods"].items():
            shares = (scores["precision"], scores["recall"], scores["f1"])
            counts = (scores["found"], scores["false"], scores["missed"])
            rows.append((name, method, *map(_share, shares), *map(str, counts)))
            name = ""
    for microscopy, means in document["mean_f1"].items():
        name = f"mean over videos, {microscopy}"
        for method, value in means.items():
            rows.append((name, method, "", "", _share(value), "", "", ""))
            name = ""
    return rows


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _notes(document: Mapping[str, Any]) -> list[str]:
    frames = sum(video["frames"] for video in document["videos"])
    left = sum(video["left_out"] for video in document["videos"])
    lines = [
        f"{frames} frames. A find is right within {document['match_px']:g} px of a box's centre, "
        f"one to one. Every method but the last is told a head of "
        f"{document['head_length_px']:g} px in all videos; the last, a background-subtracted "
        f"Gaussian of {document['baseline_sigma_px']:g} px, has its sign and threshold tuned on "
        "the very video."
    ]
    if left:
        lines.append(f"Left out for all: {left} frames that a method learned from.")
    return lines


def _as_markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return [head, "| --- | --- |" + " ---: |" * (len(rows[0]) - 2), *body]


def _as_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
