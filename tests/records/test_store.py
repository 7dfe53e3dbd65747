"""A store through its areas: what goes in comes out, and what must not happen is refused."""

from __future__ import annotations

from androscope.records.store import Records
from androscope.records.verify import verify

from .conftest import graded_sample


def test_smoke(records: Records) -> None:
    graded_sample(records, files=3)
    with records.database.read() as connection:
        assert verify(connection, records.pictures).faults == ()
