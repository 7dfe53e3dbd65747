"""What stands of a crop: the model's opinion and what people said of it, replayed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from androscope.records.entries import EventKind
from androscope.records.types import Find
from androscope.types import PartVerdict, Verdict

__all__ = ["CHANGES", "Change", "Standing", "need_of", "outcome_by", "outcome_of", "standing"]

#: Kinds of entries that say something of a crop and can be taken back.
CHANGES = (EventKind.VERDICT, EventKind.SPERM, EventKind.ACCEPT)


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of the log as far as it matters here."""

    number: int
    kind: EventKind
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands of a crop.

    Attributes
    ----------
    verdicts
        By part, in the model's order.
    is_sperm
        Whether it counts as a sperm.
    live
        Changes that were not taken back, in order.
    last_event
        Number of the last entry about it that is a change or takes one back; 0: none.
    """

    verdicts: Mapping[str, Verdict]
    is_sperm: bool
    live: tuple[Change, ...] = ()
    last_event: int = 0

    @property
    def reviewed(self) -> bool:
        """Whether a person's word on it stands."""
        return bool(self.live)


def standing(opinion: Find, events: Iterable[Change]) -> Standing:
    """Replay what was said of a crop; ``events`` are all of its entries, in order.

    An entry that takes another back takes it out of the replay; observers' opinions are no part.
    """
    live: list[Change] = []
    last = 0
    for event in events:
        if event.kind in CHANGES:
            live.append(event)
        elif event.kind == EventKind.UNDO:
            live = [change for change in live if change.number != event.data["undoes"]]
        else:
            continue
        last = event.number
    verdicts = {part.label: part.verdict for part in opinion.parts}
    is_sperm = opinion.is_sperm
    for change in live:
        if change.kind == EventKind.VERDICT:
            verdicts[str(change.data["part"])] = Verdict(str(change.data["to"]))
        elif change.kind == EventKind.SPERM:
            is_sperm = bool(change.data["to"])
    return Standing(verdicts, is_sperm, tuple(live), last)


def outcome_of(opinion: Find, stands: Standing) -> str:
    """Give a crop's outcome: of a graded sperm by its parts, else ``excluded``.

    Abnormal if any part is, normal if all are, else undecided: as
    :func:`androscope.assessment.tally.overall` has it.
    """
    if opinion.excluded is not None:
        return "excluded"
    return outcome_by(stands.is_sperm, stands.verdicts)


def outcome_by(is_sperm: bool, verdicts: Mapping[str, Verdict]) -> str:
    """Give the outcome that verdicts make; ``excluded`` for no sperm and for what has none."""
    if not is_sperm or not verdicts:
        return "excluded"
    said = set(verdicts.values())
    if Verdict.ABNORMAL in said:
        return "abnormal"
    return "undecided" if Verdict.UNDECIDED in said else "normal"


def need_of(opinion: Find) -> float:
    """How much a person is needed, by the model's opinion alone.

    Below 1 by how near the closest probability is to its threshold, as a fraction of the way to
    certainty on its side; 2 more for the first undecided part or check not passed, 1 more for each
    further one. What was not graded needs nobody: 0.
    """
    if not opinion.parts:
        return 0.0
    doubt = max(1 - _margin(part) for part in opinion.parts)
    open_points = len(opinion.flags) + sum(p.verdict == Verdict.UNDECIDED for p in opinion.parts)
    return round(doubt + (1 + open_points if open_points else 0), 6)


def _margin(part: PartVerdict) -> float:
    p, t = part.probability, part.threshold
    way = t if p < t else 1 - t
    return 1.0 if way <= 0 else min(1.0, abs(p - t) / way)
