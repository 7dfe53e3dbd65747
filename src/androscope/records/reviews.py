"""Reviews: each change a person makes is an entry of the log; nothing is overwritten."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, Integer, bindparam, select, update

from androscope.errors import RecordConflictError, RecordMissingError
from androscope.records.chain import parsed
from androscope.records.crops import crop_of, standing_values
from androscope.records.database import Database
from androscope.records.entries import Event, EventKind, Observation
from androscope.records.log import Appender, appending, event_of
from androscope.records.opinions import from_opinion
from androscope.records.standing import CHANGES, Change, Standing, standing
from androscope.records.states import refresh
from androscope.records.tables import CropRow, EventRow, StandingRow
from androscope.records.types import CropRecord, Find
from androscope.types import Verdict

__all__ = ["Reviews", "changes_of"]


class Reviews:
    """The area ``records.reviews``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def verdict(
        self,
        crop_id: int,
        part: str,
        to: Verdict,
        *,
        actor: str,
        why: str = "",
        expected: Verdict | None = None,
    ) -> CropRecord:
        """Change the verdict on a part; gives the crop as it stands then.

        Saying what stands already is an entry too: a person has looked.

        Parameters
        ----------
        expected
            What the person saw when they decided.

        Raises
        ------
        RecordMissingError
            If there is no such crop.
        RecordConflictError
            If another verdict than ``expected`` stands by now.
        ValueError
            If the model did not grade that part.
        """
        with appending(self._database) as log:
            opinion, stands = _stands(log.connection, crop_id)
            if part not in stands.verdicts:
                known = ", ".join(stands.verdicts) or "none: it was not graded"
                raise ValueError(f"{part!r} is no graded part of crop {crop_id}; those are {known}")
            before = stands.verdicts[part]
            if expected is not None and before != expected:
                raise RecordConflictError(
                    f"the {part} of crop {crop_id} is {before} by now, not {expected}",
                    advice="Somebody else reviewed it: look at it again",
                )
            data = {"part": part, "from": before.value, "to": to.value, "why": why}
            return _change(log, crop_id, opinion, EventKind.VERDICT, actor, data)

    def sperm(self, crop_id: int, is_sperm: bool, *, actor: str, why: str = "") -> CropRecord:
        """Say that a find is no sperm, or is one after all. Raises :class:`RecordMissingError`."""
        with appending(self._database) as log:
            opinion, stands = _stands(log.connection, crop_id)
            data = {"from": stands.is_sperm, "to": bool(is_sperm), "why": why}
            return _change(log, crop_id, opinion, EventKind.SPERM, actor, data)

    def accept(self, crop_id: int, *, actor: str, why: str = "") -> CropRecord:
        """Say that a person looked at the crop and agrees with what stands.

        Raises
        ------
        RecordMissingError
            If there is no such crop.
        """
        with appending(self._database) as log:
            opinion, stands = _stands(log.connection, crop_id)
            agreed = {part: verdict.value for part, verdict in stands.verdicts.items()}
            data = {"verdicts": agreed, "is_sperm": stands.is_sperm, "why": why}
            return _change(log, crop_id, opinion, EventKind.ACCEPT, actor, data)

    def undo(
        self, crop_id: int, *, actor: str, number: int | None = None, why: str = ""
    ) -> CropRecord:
        """Take back the last change of a crop that still stands, by a further entry.

        Parameters
        ----------
        number
            Number of the entry that is meant, so that another person's is not taken back unseen.

        Raises
        ------
        RecordMissingError
            If there is no such crop.
        RecordConflictError
            If there is nothing to take back, or ``number`` is not the last change.
        """
        with appending(self._database) as log:
            opinion, stands = _stands(log.connection, crop_id)
            if not stands.live:
                raise RecordConflictError(
                    f"nothing was said of crop {crop_id} that could be taken back"
                )
            last = stands.live[-1]
            if number is not None and last.number != number:
                raise RecordConflictError(
                    f"entry {number} is not the last change of crop {crop_id}: that is entry "
                    f"{last.number}",
                    advice="Look at it again: somebody else changed it, or it was taken back",
                )
            data: dict[str, object] = {"undoes": last.number, "what": last.kind.value, "why": why}
            for key in ("part", "from", "to"):
                if key in last.data:
                    other = {"from": "to", "to": "from"}.get(key, key)
                    data[other] = last.data[key]
            return _change(log, crop_id, opinion, EventKind.UNDO, actor, data)

    def observe(
        self,
        crop_id: int,
        verdicts: Mapping[str, Verdict],
        *,
        observer: str,
        is_sperm: bool = True,
    ) -> Event:
        """Record a blinded observer's own opinion; the crop's verdicts stay as they are.

        Raises
        ------
        RecordMissingError
            If there is no such crop.
        ValueError
            If the model did not grade one of the parts.
        """
        with appending(self._database) as log:
            crop = crop_of(log.connection, crop_id)
            unknown = [part for part in verdicts if part not in crop.verdicts]
            if unknown:
                raise ValueError(f"{', '.join(unknown)}: no graded part of crop {crop_id}")
            said = {part: verdict.value for part, verdict in verdicts.items()}
            event = log.add(
                EventKind.OBSERVE, observer, sample_id=crop.sample_id, crop_id=crop_id,
                data={"verdicts": said, "is_sperm": is_sperm},
            )  # fmt: skip
            refresh(log.connection, crop.sample_id)
            return event

    def observations(self, sample_id: int, observer: str | None = None) -> tuple[Observation, ...]:
        """Give each observer's last opinion on each crop of a sample, by observer and crop."""
        query = (
            select(*EventRow.__table__.c)
            .where(EventRow.sample_id == sample_id, EventRow.kind == EventKind.OBSERVE.value)
            .order_by(EventRow.number)
        )
        if observer is not None:
            query = query.where(EventRow.actor == observer)
        with self._database.read() as connection:
            events = [event_of(row) for row in connection.execute(query)]
        last = {(event.actor, event.crop_id or 0): event for event in events}
        return tuple(
            Observation(
                observer=who,
                crop_id=crop_id,
                verdicts=_verdicts(event.data["verdicts"]),
                is_sperm=bool(event.data["is_sperm"]),
                at=event.at,
            )
            for (who, crop_id), event in sorted(last.items())
        )

    def history(self, crop_id: int) -> tuple[Event, ...]:
        """Give all that was ever said of a crop, in order."""
        query = select(*EventRow.__table__.c).where(EventRow.crop_id == crop_id)
        with self._database.read() as connection:
            return tuple(map(event_of, connection.execute(query.order_by(EventRow.number))))


# Made once, as in states.py.
_CROP = bindparam("crop", type_=Integer)
_CHANGES = (
    select(EventRow.number, EventRow.kind, EventRow.data)
    .where(
        EventRow.crop_id == _CROP,
        EventRow.kind.in_([kind.value for kind in (*CHANGES, EventKind.UNDO)]),
    )
    .order_by(EventRow.number)
)
_OPINION = select(CropRow.opinion).where(CropRow.id == _CROP)


def changes_of(connection: Connection, crop_id: int) -> tuple[Change, ...]:
    """Entries that say something of a crop or take it back, in order."""
    return tuple(
        Change(number, EventKind(kind), parsed(data))
        for number, kind, data in connection.execute(_CHANGES, {"crop": crop_id})
    )


def _stands(connection: Connection, crop_id: int) -> tuple[Find, Standing]:
    opinion = connection.scalar(_OPINION, {"crop": crop_id})
    if opinion is None:
        raise RecordMissingError(f"there is no crop {crop_id}")
    find = from_opinion(json.loads(opinion))
    return find, standing(find, changes_of(connection, crop_id))


def _change(
    log: Appender,
    crop_id: int,
    opinion: Find,
    kind: EventKind,
    actor: str,
    data: Mapping[str, object],
) -> CropRecord:
    connection = log.connection
    sample_id = connection.scalar(select(CropRow.sample_id).where(CropRow.id == crop_id))
    assert sample_id is not None  # its opinion was read
    log.add(kind, actor, sample_id=sample_id, crop_id=crop_id, data=data)
    stands = standing(opinion, changes_of(connection, crop_id))
    connection.execute(
        update(StandingRow)
        .where(StandingRow.crop_id == crop_id)
        .values(**standing_values(opinion, stands))
    )
    refresh(connection, sample_id)
    return crop_of(connection, crop_id)


def _verdicts(said: object) -> Mapping[str, Verdict]:
    assert isinstance(said, dict)  # as observe wrote it
    return {str(part): Verdict(verdict) for part, verdict in said.items()}
