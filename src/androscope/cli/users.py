"""``androscope users``: who may come in at the page's door."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from androscope.records.people import Role
    from androscope.records.store import Records

__all__ = ["users"]

users = typer.Typer(help="Say who may use the lab's page, and what.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(metavar="NAME", help="A user.", show_default=False)]
_Role = Annotated[
    str,
    typer.Option(
        "--role",
        metavar="ROLE",
        help="viewer (sees), reviewer (uploads, corrects, signs) or admin (users, models).",
    ),
]
#: Whom the log names for what is done at this machine's shell.
_ACTOR = "command line"


@users.command()
def add(name: _Name, role: _Role = "reviewer") -> None:
    """Add a user; asks for the password, or reads it from standard input.

    With the first user, everybody has to log in.

    [bold]Example[/bold]

        $ androscope users add maria --role admin
    """
    wanted = _role(role)
    hashed = _hashed()
    with _records() as records:
        records.users.create(name.strip(), wanted, hashed, actor=_ACTOR)
    typer.echo(f"Added: {name.strip()} ({wanted.value})")


@users.command("list")
def list_users() -> None:
    """List users with what they may do.

    [bold]Example[/bold]

        $ androscope users list
    """
    with _records() as records:
        known = records.users.list()
    if not known:
        typer.echo("No users: the page serves this machine alone, and anyone at it.")
    for user in known:
        typer.echo(f"{user.name}  {user.role.value}{'  shut out' if user.disabled else ''}")


@users.command()
def change(
    name: _Name,
    role: Annotated[
        str | None,
        typer.Option(metavar="ROLE", help="viewer, reviewer or admin.", show_default=False),
    ] = None,
    password: Annotated[bool, typer.Option("--password", help="Ask for another one.")] = False,
    disabled: Annotated[
        bool | None, typer.Option("--shut-out/--let-in", help="Whether they may come in.")
    ] = None,
) -> None:
    """Change what a user may do, or their password.

    [bold]Example[/bold]

        $ androscope users change maria --role reviewer
    """
    hashed = _hashed() if password else None
    with _records() as records:
        user = records.users.change(
            name,
            actor=_ACTOR,
            role=None if role is None else _role(role),
            password_hash=hashed,
            disabled=disabled,
        )
    typer.echo(f"Changed: {user.name} ({user.role.value}){', shut out' if user.disabled else ''}")


@users.command()
def remove(name: _Name) -> None:
    """Shut a user out for good; what they did stays in the log under their name.

    [bold]Example[/bold]

        $ androscope users remove maria
    """
    with _records() as records:
        user = records.users.change(name, actor=_ACTOR, disabled=True)
    typer.echo(f"Shut out: {user.name}. Sessions and tokens of theirs open nothing any more.")


@users.command()
def token(
    name: _Name,
    purpose: Annotated[str, typer.Option("--for", help="What it is for.")] = "command line",
    role: _Role = "viewer",
) -> None:
    """Make an API token of a user, and print it this once.

    [bold]Example[/bold]

        $ androscope users token maria --for nightly-export
    """
    wanted = _role(role)
    with _records() as records:
        user = records.users.get(name)
        if user is None:
            from androscope.errors import RecordMissingError

            raise RecordMissingError(
                f"there is no user {name!r}", advice="See: androscope users list"
            )
        try:
            secret, _ = records.tokens.create(user.id, purpose, wanted, actor=_ACTOR)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    typer.echo(secret)


def _records() -> Records:
    from androscope.extras import require

    require("sqlalchemy", extra="web", why="keep records")
    from androscope.records.store import Records

    return Records.open()


def _hashed() -> str:
    from androscope.extras import require

    require("argon2", extra="web", why="hash passwords")
    from androscope.web.security.passwords import hash_password

    try:
        return hash_password(_password())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _role(given: str) -> Role:
    from androscope.records.people import Role

    try:
        return Role(given)
    except ValueError:
        known = ", ".join(role.value for role in Role)
        raise typer.BadParameter(f"expected a role ({known}), got {given!r}") from None


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return asked
