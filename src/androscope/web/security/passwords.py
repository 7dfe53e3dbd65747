"""Passwords: hashed with argon2id, a few at a time, and never told apart from a wrong name."""

from __future__ import annotations

import secrets
from functools import lru_cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

__all__ = ["SHORTEST", "check", "hash_password", "needs_rehash"]

#: Characters; length is what NIST SP 800-63B asks for, and no mixture of kinds.
SHORTEST = 10
_LONGEST = 1000

_HASHER = PasswordHasher()
# Each takes 64 MiB: forty logins at once must not take the machine's memory.
_FEW = BoundedSemaphore(2)


def hash_password(password: str) -> str:
    """Hash a password.

    Raises
    ------
    ValueError
        If it is shorter than :data:`SHORTEST` characters, or longer than a thousand.
    """
    if not SHORTEST <= len(password) <= _LONGEST:
        raise ValueError(
            f"expected a password of {SHORTEST} to {_LONGEST} characters, got {len(password)}"
        )
    with _FEW:
        return _HASHER.hash(password)


def check(password: str, password_hash: str | None) -> bool:
    """Whether it is the password; ``None`` (no such user) takes as long and is ``False``."""
    if len(password) > _LONGEST:
        return False
    try:
        with _FEW:
            _HASHER.verify(_nobodys() if password_hash is None else password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def needs_rehash(password_hash: str) -> bool:
    """Whether it was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_urlsafe(32))
