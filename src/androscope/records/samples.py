"""Samples: made, listed, found."""

from __future__ import annotations

import builtins
import math
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select

from androscope.errors import RecordExistsError, RecordMissingError
from androscope.records.chain import canonical, from_text, now, parsed
from androscope.records.database import AnyRow, Database
from androscope.records.entries import EventKind
from androscope.records.log import appending, paged
from androscope.records.states import refresh
from androscope.records.tables import SampleRow, StateRow
from androscope.records.types import Page, SampleStatus, SampleSummary

__all__ = ["Samples", "sample_of"]

_STATE = [column for column in StateRow.__table__.c if column.name != "sample_id"]
_JOINED = select(*SampleRow.__table__.c, *_STATE).join_from(
    SampleRow, StateRow, StateRow.sample_id == SampleRow.id
)
_LONGEST = 200


class Samples:
    """The area ``records.samples``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        name: str,
        *,
        actor: str,
        pixel_size_um: float | None = None,
        comment: str = "",
        settings: Mapping[str, str] | None = None,
    ) -> SampleSummary:
        """Make a sample.

        Raises
        ------
        RecordExistsError
            If there is one of that name.
        ValueError
            If the name is blank, longer than 200 characters or holds control characters, or the
            pixel size is not above 0.
        """
        name = name.strip()
        if not name or len(name) > _LONGEST or not name.isprintable():
            raise ValueError(f"a sample's name is 1 to {_LONGEST} printable characters")
        if pixel_size_um is not None and not (math.isfinite(pixel_size_um) and pixel_size_um > 0):
            raise ValueError(f"a pixel size is above 0 um, got {pixel_size_um}")
        values = {
            "name": name,
            "created": now(),
            "created_by": actor,
            "pixel_size_um": None if pixel_size_um is None else float(pixel_size_um),
            "comment": comment,
            "settings": dict(settings or {}),
        }
        with appending(self._database) as log:
            same = select(SampleRow.id).where(SampleRow.name == name)
            if log.connection.scalar(same) is not None:
                raise RecordExistsError(
                    f"there is a sample {name!r} already", advice="Give it another name"
                )
            made = log.connection.execute(
                insert(SampleRow).values({**values, "settings": canonical(values["settings"])})
            )
            (sample_id,) = made.inserted_primary_key or (0,)
            zeros = {column.name: 0 for column in _STATE if column.name != "status"}
            log.connection.execute(
                insert(StateRow).values(
                    sample_id=sample_id, status=SampleStatus.EMPTY.value, **zeros
                )
            )
            log.add(EventKind.SAMPLE, actor, sample_id=sample_id, data=values)
            refresh(log.connection, sample_id)
            return sample_of(log.connection, sample_id)

    def get(self, sample_id: int) -> SampleSummary:
        """Give a sample as it stands. Raises :class:`RecordMissingError`."""
        with self._database.read() as connection:
            return sample_of(connection, sample_id)

    def named(self, name: str) -> SampleSummary | None:
        """Give the sample of that name, if there is one."""
        with self._database.read() as connection:
            row = connection.execute(_JOINED.where(SampleRow.name == name)).one_or_none()
        return None if row is None else _summary(row)

    def list(
        self,
        *,
        search: str = "",
        status: SampleStatus | None = None,
        page: int = 1,
        per_page: int = 25,
    ) -> Page[SampleSummary]:
        """List samples, the newest first; ``search`` is looked for in names and comments."""
        page, per_page, start = paged(page, per_page)
        where: builtins.list[Any] = []
        if search.strip():
            text = search.strip()
            where.append(
                or_(
                    SampleRow.name.icontains(text, autoescape=True),
                    SampleRow.comment.icontains(text, autoescape=True),
                )
            )
        if status is not None:
            where.append(StateRow.status == status.value)
        counted = (
            select(func.count())
            .select_from(SampleRow)
            .join(StateRow, StateRow.sample_id == SampleRow.id)
        )
        with self._database.read() as connection:
            total = connection.scalar(counted.where(*where)) or 0
            rows = connection.execute(
                _JOINED.where(*where).order_by(SampleRow.id.desc()).limit(per_page).offset(start)
            ).all()
        return Page(tuple(map(_summary, rows)), page, per_page, total)


def sample_of(connection: Connection, sample_id: int) -> SampleSummary:
    """Give a sample. Raises :class:`RecordMissingError`."""
    row = connection.execute(_JOINED.where(SampleRow.id == sample_id)).one_or_none()
    if row is None:
        raise RecordMissingError(f"there is no sample {sample_id}")
    return _summary(row)


def _summary(row: AnyRow) -> SampleSummary:
    values = dict(row._mapping)
    values["created"] = from_text(values["created"])
    values["settings"] = parsed(values["settings"])
    values["status"] = SampleStatus(values["status"])
    return SampleSummary(**values)
