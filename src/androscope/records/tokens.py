"""API tokens: shown once, kept hashed."""

from __future__ import annotations

from androscope.records.people import ApiToken, Role, User

__all__ = ["Tokens"]


class Tokens:
    """The area ``records.tokens``."""

    def create(self, user_id: int, name: str, role: Role, *, actor: str) -> tuple[str, ApiToken]:
        """Make a token; gives the token itself, which is not kept, and what is listed of it.

        Raises
        ------
        ValueError
            If its role is above its user's.
        """
        raise NotImplementedError

    def user(self, token: str) -> tuple[User, ApiToken] | None:
        """Give whose token it is; ``None`` if unknown, revoked or its user shut out."""
        raise NotImplementedError

    def list(self, user_id: int) -> tuple[ApiToken, ...]:
        """List a user's tokens, the newest first."""
        raise NotImplementedError

    def revoke(self, token_id: int, *, actor: str) -> None:
        """Revoke a token for good. Raises :class:`RecordMissingError`."""
        raise NotImplementedError
