"""Which crops a model is scored on: a split of labelled data, or all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from androscope import datasets
from androscope.datasets import LabelledCrops
from androscope.datasets.whole import is_divided, load_whole, names_of
from androscope.errors import TrainingError
from androscope.learning.subject import Subject

__all__ = ["ALL", "Scored", "crops_to_score"]

#: In place of a split's name: every crop, divided or not.
ALL = "all"


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Crops to score models on.

    Attributes
    ----------
    name, split
        Of the data, and what of it; ``"all"`` for all.
    crops
        Them.
    test_sha256
        Hash of the test split among them, whose readings are counted; ``None`` if there is none.
    notes
        What a reader of the scores should know.
    """

    name: str
    split: str
    crops: LabelledCrops
    test_sha256: str | None
    notes: tuple[str, ...] = ()


def crops_to_score(subjects: Sequence[Subject], data: str, split: str | None) -> Scored:
    """Load the crops of ``split``, or those that suit the models where none is named.

    Without a name it is ``test``; but all crops of own data that says of no crop which split it
    is in, for bundles that learned from no data of its name.

    Parameters
    ----------
    subjects
        The models, which take crops of one size.
    data
        As :func:`androscope.datasets.load` takes it.
    split
        ``"train"``, ``"valid"``, ``"test"`` or ``"all"``.

    Raises
    ------
    DataError
        If the data is not there or has bad rows, which are all listed.
    TrainingError
        If it has no such split.
    """
    size = subjects[0].crop_size
    taught = [s.name for s in subjects if names_of(data) & set(s.learned)]
    if split is None:
        own = all(s.kind == "bundle" for s in subjects) and not taught and not is_divided(data)
        split = ALL if own else "test"
    if split == ALL:
        whole = load_whole(data, crop_size=size)
        test = None if whole.test is None else whole.crops.select(whole.test).sha256
        return Scored(
            whole.name, split, whole.crops, test, (*whole.notes, *_notes(whole.name, taught))
        )
    dataset = datasets.load(data, crop_size=size)
    if split not in dataset.splits:
        raise TrainingError(
            f"{dataset.name} has no {split} split; there are {', '.join(dataset.splits)}",
            advice=f"Choose one of these with --split, or {ALL}",
        )
    crops = dataset.splits[split]
    notes = dataset.notes if dataset.licence is None else ()
    return Scored(dataset.name, split, crops, crops.sha256 if split == "test" else None, notes)


def _notes(data: str, taught: Sequence[str]) -> tuple[str, ...]:
    if taught:
        return (
            f"{' and '.join(taught)} learned from data named {data}: if these are the same crops, "
            "the scores flatter, and --split test has those that it did not learn from",
        )
    return ("All crops are scored: that is fair if the model learned from none of them",)
