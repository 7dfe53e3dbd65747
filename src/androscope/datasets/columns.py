"""What the columns of a table are: labels, or names that are near those that mean something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from androscope.datasets.listing import LABEL_NAME, is_extra_label, is_part
from androscope.datasets.types import canonical_order
from androscope.spelling import closest
from androscope.types import PARTS

__all__ = ["RESERVED", "label_columns"]

#: Columns that are no labels, whatever they hold.
RESERVED = ("path", "patient", "split")

#: Other words for these, as laboratories head their tables; without what stands between the words.
_SAME: Mapping[str, str] = {
    **dict.fromkeys(
        ("patientid", "patientno", "patientnr", "patientnumber", "patientname", "subject",
         "subjectid", "donor", "donorid", "case", "caseid", "pid"),
        "patient",
    ),
    **dict.fromkeys(("fold", "set", "subset", "partition"), "split"),
    **dict.fromkeys(("file", "filename", "filepath", "image", "imagepath", "picture"), "path"),
}  # fmt: skip


def label_columns(
    header: Sequence[str], rows: Sequence[Mapping[str, str]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the columns that hold labels, and notes on those that do not or are in doubt.

    Parameters
    ----------
    header
        The columns' names, lower case.
    rows
        Their values, by name.
    """
    labels: list[str] = []
    unused: list[str] = []
    doubts: list[str] = []
    for name in header:
        if not name or name in RESERVED:
            continue
        if is_part(name):
            labels.append(name)
            continue
        meant = _meant(name)
        # A number of a patient may be 0 or 1: by its name it is none of the labels.
        holds = LABEL_NAME.fullmatch(name) and is_extra_label([row[name] for row in rows])
        label = bool(holds) and meant not in RESERVED
        (labels if label else unused).append(name)
        if meant is not None and meant not in header:
            doubts.append(_doubt(name, meant, label=label))
    notes = [f"columns not used: {', '.join(unused)}"] if unused else []
    return canonical_order(labels), (*notes, *doubts)


def _meant(name: str) -> str | None:
    """The column that ``name`` may have been meant for; ``None`` if it is like none."""
    plain = "".join(c for c in name if c.isalnum())
    same = _SAME.get(plain)
    if same is not None or plain in RESERVED:
        return same or plain
    near = closest(plain, (*PARTS, *RESERVED))
    # Short words are like one another: `heat` is near `head`, and `nail` near `tail`.
    return near if near is not None and len(plain) >= 4 else None


def _doubt(name: str, meant: str, *, label: bool) -> str:
    if meant == "patient":
        what = "is not used, so crops of one patient may come into train and into test"
    elif label:
        what = f"is a label of its own, and there is no label {meant}"
    else:
        what = "is not used"
    return f"the column {name!r} {what}; if it is meant to be {meant}, name it so"
