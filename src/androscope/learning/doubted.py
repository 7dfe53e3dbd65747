"""Labels that confident learning doubts, left out of training.

The list is that of ``androscope audit-labels``. A listed label is masked, not turned round: the
networks that doubt it may be wrong, and then a crop less is learned, not a wrong label more. Of
validation and test every label counts as it stands: what leaving some out is worth shows there.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from androscope.datasets import UNLABELLED, LabelledCrops
from androscope.errors import TrainingError
from androscope.report.names import spreadsheet_name
from androscope.types import ABNORMAL, NORMAL, Verdict

__all__ = ["without_doubted"]

_GIVEN = {Verdict.NORMAL.value: NORMAL, Verdict.ABNORMAL.value: ABNORMAL}
_NEEDED = ("id", "label", "given")


def without_doubted(
    train: LabelledCrops, path: str | Path | None
) -> tuple[LabelledCrops, dict[str, Any] | None]:
    """``train`` without the labels that a list doubts, and crops that have none left.

    Parameters
    ----------
    train
        Real crops.
    path
        CSV with the columns ``id, label, given``; None for none. A label that is no longer as it
        was given has been looked at, and stays.

    Returns
    -------
    train, doubted
        For the run's record: the list and its hash, how many labels were left out by label.

    Raises
    ------
    TrainingError
        If the list cannot be read, is about other data, or leaves a class of a label empty.
    """
    if path is None:
        return train, None
    listed, digest = _read(Path(path))
    column = {label: place for place, label in enumerate(train.label_names)}
    row = {spreadsheet_name(name): place for place, name in enumerate(train.ids)}
    if not any(name in row for name, _, _ in listed):
        raise TrainingError(
            f"names none of the {len(train)} train crops, which are called such as {train.ids[0]}",
            path=Path(path),
            advice="Name the list that androscope audit-labels made of this data",
        )
    labels, left_out = train.labels.copy(), dict.fromkeys(train.label_names, 0)
    for name, label, given in listed:
        if name in row and label in column and labels[row[name], column[label]] == given:
            labels[row[name], column[label]] = UNLABELLED
            left_out[label] += 1
    kept = replace(train, labels=labels)
    kept = kept.select((labels != UNLABELLED).any(axis=1))
    for label, counts in kept.counts().items():
        if not (counts.normal and counts.abnormal):
            raise TrainingError(
                f"without the labels it lists, train has {counts.normal} normal and "
                f"{counts.abnormal} abnormal crops for {label}; one of each at least is needed",
                path=Path(path),
                advice="Leave data.doubted empty, or shorten the list",
            )
    return kept, {"file": Path(path).name, "sha256": digest, "labels_left_out": left_out}


def _read(path: Path) -> tuple[list[tuple[str, str, int]], str]:
    try:
        data = path.read_bytes()
        rows = csv.DictReader(data.decode("utf-8-sig").splitlines())
        missing = [name for name in _NEEDED if name not in (rows.fieldnames or ())]
        if missing:
            raise TrainingError(
                f"expected the columns {', '.join(_NEEDED)}; there is no {', '.join(missing)}",
                path=path,
                advice="Name the list that androscope audit-labels made",
            )
        listed = []
        for row in rows:
            if row["given"] not in _GIVEN:
                raise TrainingError(
                    f"line {rows.line_num}: expected given to be {' or '.join(_GIVEN)}, got "
                    f"{row['given']!r}",
                    path=path,
                )
            listed.append((row["id"], row["label"], int(_GIVEN[row["given"]])))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(
            f"cannot be read: {getattr(error, 'strerror', None) or error}",
            path=path,
            advice="Name the list that androscope audit-labels made",
        ) from error
    return listed, hashlib.sha256(data).hexdigest()
