"""What the review page shows of a crop, and how observers of a sample agree."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from androscope.assessment.observers import UNDECIDED, Pair, compare_pair
from androscope.records.entries import Observation
from androscope.records.store import Records
from androscope.records.types import CropRecord
from androscope.types import Flag, PartVerdict, Verdict
from androscope.web.boxes import outcome_of

__all__ = ["Card", "Compared", "PartRow", "agreement", "card_of", "keys_of"]

#: Keys that mean something else on the page.
_TAKEN = frozenset("uxm?")

_PIECE = 5000

_CODE = {Verdict.NORMAL: 0, Verdict.ABNORMAL: 1, Verdict.UNDECIDED: UNDECIDED}


@dataclass(frozen=True, slots=True)
class PartRow:
    """One part of a crop: what stands, what the model said, the key that flips it."""

    opinion: PartVerdict
    stands: Verdict
    key: str

    @property
    def flipped(self) -> Verdict:
        """What the key makes of it."""
        return Verdict.NORMAL if self.stands is Verdict.ABNORMAL else Verdict.ABNORMAL

    @property
    def changed(self) -> bool:
        """Whether a person said otherwise than the model."""
        return self.stands is not self.opinion.verdict


@dataclass(frozen=True, slots=True)
class Card:
    """A crop on the review page; ``mine`` is a blinded observer's own opinion, if there is one."""

    record: CropRecord
    outcome: str
    parts: tuple[PartRow, ...]
    flags: tuple[Flag, ...]
    mine: Observation | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """An observer against the record's verdicts, by part and by whole sperm."""

    observer: str
    crops: int
    pairs: dict[str, Pair]


def keys_of(labels: tuple[str, ...]) -> dict[str, str]:
    """A key for each part: its first letter that is free, else its number."""
    keys: dict[str, str] = {}
    for number, label in enumerate(labels, start=1):
        free = (c for c in label.lower() if c.isalpha() and c.isascii())
        taken = _TAKEN | set(keys.values())
        keys[label] = next((c for c in free if c not in taken), str(number))
    return keys


def card_of(crop: CropRecord, mine: Observation | None = None) -> Card:
    """What is shown of a crop."""
    keys = keys_of(tuple(part.label for part in crop.opinion.parts))
    return Card(
        record=crop,
        outcome=outcome_of(crop),
        parts=tuple(
            PartRow(part, crop.verdicts[part.label], keys[part.label])
            for part in crop.opinion.parts
        ),
        flags=crop.opinion.flags,
        mine=mine,
    )


def agreement(records: Records, sample_id: int) -> list[Compared]:
    """Each blinded observer against what stands in the records.

    A sperm as a whole is normal if every part is and abnormal if any is; what either says is no
    sperm is left out, as are parts that either left undecided.
    """
    crops = {crop.id: crop for crop in _crops(records, sample_id)}
    by: dict[str, list[Observation]] = {}
    for seen in records.reviews.observations(sample_id):
        if seen.crop_id in crops:
            by.setdefault(seen.observer, []).append(seen)
    return [_compared(observer, seen, crops) for observer, seen in by.items()]


def _crops(records: Records, sample_id: int) -> Iterator[CropRecord]:
    for number in itertools.count(1):
        some = records.crops.list(sample_id, graded_only=True, page=number, per_page=_PIECE)
        yield from some.items
        if number >= some.pages:
            return


def _compared(observer: str, seen: list[Observation], crops: dict[int, CropRecord]) -> Compared:
    both = [(crops[o.crop_id], o) for o in seen if o.is_sperm and crops[o.crop_id].is_sperm]
    labels = tuple(dict.fromkeys(label for crop, _ in both for label in crop.verdicts))
    pairs = {}
    for label in labels:
        rows = [(c, o) for c, o in both if label in c.verdicts and label in o.verdicts]
        pairs[label] = _pair(
            [_CODE[c.verdicts[label]] for c, _ in rows], [_CODE[o.verdicts[label]] for _, o in rows]
        )
    pairs["every part"] = _pair(
        [_whole(c.verdicts.values()) for c, _ in both],
        [_whole(o.verdicts.values()) for _, o in both],
    )
    return Compared(observer, len(seen), pairs)


def _pair(first: list[int], second: list[int]) -> Pair:
    return compare_pair(np.array(first, np.int8), np.array(second, np.int8))


def _whole(verdicts: Iterable[Verdict]) -> int:
    said = {_CODE[verdict] for verdict in verdicts}
    return 1 if 1 in said else UNDECIDED if UNDECIDED in said else 0
