"""Runs the scripts on the connection it is given; the transaction is the caller's."""

from __future__ import annotations

from alembic import context

from androscope.records import tables_door
from androscope.records.tables import Base

assert tables_door  # its tables belong to Base too

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
