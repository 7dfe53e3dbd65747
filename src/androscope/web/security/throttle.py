"""How often a password may be tried."""

from __future__ import annotations

from starlette.exceptions import HTTPException

from androscope.records.store import Records
from androscope.web.texts import text

__all__ = ["MOST_FROM", "MOST_OF", "WITHIN_S", "check_rate"]

#: Failed attempts of one name, and from one address, within so many seconds.
MOST_OF, MOST_FROM, WITHIN_S = 10, 50, 900.0


def check_rate(records: Records, name: str, address: str) -> None:
    """Refuse a further attempt, whether its password be right or wrong.

    Raises
    ------
    HTTPException
        429, after too many failed attempts of late.
    """
    of, sent = records.attempts.count(name=name, address=address, within_s=WITHIN_S)
    if of >= MOST_OF or sent >= MOST_FROM:
        wait = int(WITHIN_S)
        raise HTTPException(
            429, text("login.slow", minutes=wait // 60), headers={"retry-after": str(wait)}
        )
