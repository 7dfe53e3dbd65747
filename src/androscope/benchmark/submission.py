"""Checks that a file predicts every crop of a test split, in probabilities.

Every fault is found in one look. What passes can be scored; whether the model had seen the test
crops or the thresholds were chosen on them cannot be told from a file.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from androscope.benchmark.reasons import Reasons, listed, refused
from androscope.benchmark.submission_table import Row, Table, read_table
from androscope.datasets.listing import parse_label
from androscope.types import ABNORMAL, NORMAL

__all__ = ["DEFAULT_THRESHOLD", "Predictions", "read_predictions"]

#: In force where neither the file nor the command gives one.
DEFAULT_THRESHOLD = 0.5

#: A column of so few different values, or fewer, says no more than a verdict does.
_MOST_VERDICTS = 2

_EXPECTED = "expected a probability from 0 to 1"


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Predictions that passed.

    Attributes
    ----------
    sha256
        Hex SHA-256 of the file.
    digests
        Label to the hex SHA-256 of its probabilities, float64, little-endian, in the order of the
        data set's ids: the same however the file is written, whatever else stands in it.
    labels
        The ``L`` labels predicted, in the order of the data set's.
    probabilities
        ``(N, L)`` float64, of abnormal, 0 to 1; rows in the order of the data set's ids.
    thresholds
        Label to the probability from which the verdict is abnormal.
    """

    sha256: str
    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]
    thresholds: Mapping[str, float]
    digests: Mapping[str, str]


def read_predictions(
    path: str | Path,
    ids: Sequence[str],
    truth: Mapping[str, Sequence[int]],
    thresholds: Mapping[str, float] | None = None,
    *,
    what: str = "the data set",
    taken: Mapping[tuple[str, str], str] | None = None,
    reasons: Reasons | None = None,
) -> Predictions:
    """Read and check a file of predictions.

    Parameters
    ----------
    path
        A CSV: ``id``, and for each label predicted a column of the label's name or
        ``<label>_probability``; optionally ``<label>_threshold``, ``<label>_verdict`` and
        ``<label>_truth``, as ``androscope evaluate`` writes them.
    ids
        The ``N`` ids expected, in this order.
    truth
        Label to ``N`` labels, 0 or 1: those that can be predicted.
    thresholds
        Label to threshold, where the file does not say.
    what
        What the ids are of, for messages.
    taken
        Label and digest of what was entered before, to where it stands; it is refused.
    reasons
        What else speaks against it, to be said in the same breath.

    Raises
    ------
    SubmissionError
        Listing every reason for which the file is refused.
    """
    path, reasons = Path(path), Reasons() if reasons is None else reasons
    table = read_table(path, tuple(truth), reasons)
    known = {name: place for place, name in enumerate(ids)}
    _check_ids(table.rows, known, what, reasons)
    columns: dict[str, list[float]] = {}
    digests: dict[str, str] = {}
    limits: dict[str, float] = {}
    given = dict(thresholds or {})
    for label, value in given.items():
        if label not in table.labels:
            reasons.add(f"there is a threshold for {label}, and no column of that name")
        elif not 0 <= value <= 1:
            reasons.add(f"the threshold for {label}: expected 0 to 1", got=f"{value:g}")
    for label in table.labels:
        columns[label] = _probabilities(table, label, reasons)
        digests[label] = _digest(columns[label])
        where = (taken or {}).get((label, digests[label]))
        if where is not None:
            reasons.add(
                f"the probabilities of {label} are on the board {where}: predictions are entered "
                "once, with one threshold; leave out the labels that are there already"
            )
        limits[label] = _threshold(table, label, given.get(label), reasons)
        _check_verdicts(table, label, columns[label], limits[label], reasons)
        _check_truth(table, label, known, truth[label], reasons)
    if len(reasons):
        raise refused(reasons.texts(), path)
    labels = tuple(label for label in truth if label in columns)
    return Predictions(
        sha256=table.sha256,
        labels=labels,
        probabilities=np.array([columns[label] for label in labels], dtype=np.float64).T,
        thresholds={label: limits[label] for label in labels},
        digests={label: digests[label] for label in labels},
    )


def _check_ids(rows: Sequence[Row], known: Mapping[str, int], what: str, reasons: Reasons) -> None:
    """Every id of ``known`` once, in its order; ``known`` has the place of each."""
    ids = list(known)
    seen: set[str] = set()
    last = -1
    for row in rows:
        if row.id not in known:
            reasons.add(f"expected an id of {what}", row.line, got=row.id or "a blank")
        elif row.id in seen:
            reasons.add("an id is there twice", row.line, got=row.id)
        else:
            seen.add(row.id)
            if known[row.id] < last:
                reasons.add(
                    f"wrong order: expected the rows in the order of {what}, {ids[0]} first",
                    row.line,
                    got=f"{row.id} behind {ids[last]}",
                )
            last = known[row.id]
    missing = [name for name in ids if name not in seen]
    if missing:
        reasons.add(f"{len(missing)} of {len(ids)} ids are missing: {listed(missing)}")


def _probabilities(table: Table, label: str, reasons: Reasons) -> list[float]:
    """The column's numbers; NaN where a cell is none, which is then a reason."""
    cells = table.column(label, "probability") or ()
    filled = [cell for cell in cells if cell]
    values = [_number(cell) for cell in cells]
    words = {cell.lower() for cell in filled}
    if words and (words <= {"normal", "abnormal"} or {_number(cell) for cell in filled} <= {0, 1}):
        reasons.add(
            f"{label} holds verdicts or labels, {listed(sorted(words))} and nothing else: "
            "expected probabilities of abnormal, from which alone ROC AUC can be computed"
        )
        filled = []
    for row, cell, value in zip(table.rows, cells, values, strict=True):
        if not cell:
            reasons.add(f"{label} is blank: {_EXPECTED}", row.line)
        elif not filled:
            continue
        elif value is None:
            reasons.add(f"{label} is no number: {_EXPECTED}", row.line, got=repr(cell[:40]))
        elif not math.isfinite(value):
            reasons.add(f"{label} is not finite: {_EXPECTED}", row.line, got=cell)
        elif not 0 <= value <= 1:
            reasons.add(f"{label} is out of range: {_EXPECTED}", row.line, got=cell)
    found = [math.nan if value is None else value for value in values]
    if filled and len(found) > _MOST_VERDICTS and all(0 <= value <= 1 for value in found):
        distinct = sorted(set(found))
        if len(distinct) <= _MOST_VERDICTS:
            reasons.add(
                f"{label} holds {listed(f'{value:g}' for value in distinct)} and nothing else, "
                "which are verdicts in other words: expected the probabilities that the model "
                "gives, from which alone ROC AUC can be computed"
            )
    return found


def _digest(column: Sequence[float]) -> str:
    # Adding zero makes -0.0 the 0.0 that it equals.
    return hashlib.sha256((np.array(column, dtype="<f8") + 0.0).tobytes()).hexdigest()


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _threshold(table: Table, label: str, given: float | None, reasons: Reasons) -> float:
    """The one threshold of a label: the file's, the command's, or the default."""
    cells = table.column(label, "threshold")
    if not cells:
        return DEFAULT_THRESHOLD if given is None else given
    values = list(dict.fromkeys(cells))
    value = _number(values[0])
    if len(values) > 1:
        reasons.add(f"{label}_threshold: expected one for all crops", got=listed(values))
    elif value is None or not 0 <= value <= 1:
        reasons.add(f"{label}_threshold: expected 0 to 1", got=values[0] or "a blank")
    elif given is not None and given != value:
        reasons.add(
            f"the threshold for {label} was given as {given:g}, and is {value:g} in the file: "
            "leave one of the two out"
        )
    return DEFAULT_THRESHOLD if value is None else value


def _check_verdicts(
    table: Table, label: str, values: Sequence[float], limit: float, reasons: Reasons
) -> None:
    """The file's own verdicts must follow from its probabilities and the threshold."""
    cells = table.column(label, "verdict")
    if cells is None:
        return
    # Where the probability is none, that is the fault to report.
    graded = [
        (row.line, cell, parse_label(cell), value)
        for row, cell, value in zip(table.rows, cells, values, strict=True)
        if math.isfinite(value)
    ]
    wrong = [(line, cell) for line, cell, said, value in graded if said != int(value >= limit)]
    if not wrong:
        return
    low = max((value for _, _, said, value in graded if said == NORMAL), default=0.0)
    high = min((value for _, _, said, value in graded if said == ABNORMAL), default=1.0)
    advice = "from no threshold at all"
    if low < high:
        advice = (
            f"from one above {low:g} and up to {high:g}: give the one chosen on validation with "
            f"--threshold {label}=..."
        )
    for line, cell in wrong:
        reasons.add(
            f"{label}_verdict does not follow from the threshold {limit:g}, but {advice}",
            line,
            got=cell or "a blank",
        )


def _check_truth(
    table: Table,
    label: str,
    known: Mapping[str, int],
    truth: Sequence[int],
    reasons: Reasons,
) -> None:
    """A file that brings labels must bring the data set's, or its rows are of other crops."""
    cells = table.column(label, "truth")
    if cells is None:
        return
    for row, cell in zip(table.rows, cells, strict=True):
        if row.id in known and parse_label(cell) != truth[known[row.id]]:
            reasons.add(
                f"{label}_truth contradicts the data set's label: are the rows of these crops?",
                row.line,
                got=f"{cell or 'a blank'} for {row.id}",
            )
