"""Users: kept and logged; passwords are hashed by the page, and never come here."""

from __future__ import annotations

from androscope.records.people import Role, User

__all__ = ["Users"]


class Users:
    """The area ``records.users``."""

    def create(self, name: str, role: Role, password_hash: str, *, actor: str) -> User:
        """Make a user. Raises :class:`RecordExistsError` if there is one of that name."""
        raise NotImplementedError

    def get(self, name: str) -> User | None:
        """Give the user of that name, whatever its case."""
        raise NotImplementedError

    def list(self) -> tuple[User, ...]:
        """List users by name."""
        raise NotImplementedError

    def change(
        self,
        name: str,
        *,
        actor: str,
        role: Role | None = None,
        password_hash: str | None = None,
        disabled: bool | None = None,
    ) -> User:
        """Change what is given. Shutting out, and another password, end the user's sessions.

        Raises
        ------
        RecordMissingError
            If there is no such user.
        """
        raise NotImplementedError
