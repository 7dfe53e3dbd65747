"""Triggers that refuse to change or delete what is written once. Used by migrations: do not edit.

They stop mistakes and programs, not an owner of the database, who can drop them: that is what the
chain and its anchors are for.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

__all__ = ["create_triggers", "missing_triggers", "trigger_names"]

_POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION androscope_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'androscope: % is append-only', TG_TABLE_NAME USING ERRCODE = '23514';
END $$
"""


def trigger_names(tables: Sequence[str]) -> tuple[str, ...]:
    """Names of the triggers of some tables."""
    return tuple(f"{table}_no_{what}" for table in tables for what in ("update", "delete"))


def create_triggers(connection: Connection, tables: Sequence[str]) -> None:
    """Make each of ``tables`` append-only."""
    if connection.dialect.name == "sqlite":
        for table in tables:
            for what in ("update", "delete"):
                connection.execute(
                    text(
                        f"CREATE TRIGGER {table}_no_{what} BEFORE {what.upper()} ON {table} BEGIN "
                        f"SELECT RAISE(ABORT, 'androscope: {table} is append-only'); END"
                    )
                )
        return
    connection.execute(text(_POSTGRES_FUNCTION))
    for table in tables:
        for what, each in (("update", "ROW"), ("delete", "ROW"), ("truncate", "STATEMENT")):
            connection.execute(
                text(
                    f"CREATE TRIGGER {table}_no_{what} BEFORE {what.upper()} ON {table} "
                    f"FOR EACH {each} EXECUTE FUNCTION androscope_refuse()"
                )
            )


def missing_triggers(connection: Connection, tables: Sequence[str]) -> tuple[str, ...]:
    """Names of triggers that somebody dropped or switched off."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
    there = set(connection.scalars(text(query)))
    return tuple(name for name in trigger_names(tables) if name not in there)
