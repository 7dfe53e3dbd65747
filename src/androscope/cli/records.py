"""``androscope records``: prove that nothing was altered; back up, restore, export corrections."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from androscope.records.entries import Anchor
    from androscope.records.store import Records

__all__ = ["records"]

records = typer.Typer(
    help="Prove that a lab's records were not altered; back up, restore, export corrections.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

_Database = Annotated[
    str | None,
    typer.Option(
        "--records",
        metavar="URL",
        help="The records' database: sqlite:///FILE or postgresql://USER@HOST/NAME.",
        show_default="ANDROSCOPE_RECORDS, else records.db in ANDROSCOPE_HOME",
    ),
]
_Images = Annotated[
    Path | None,
    typer.Option(
        "--images",
        metavar="DIR",
        help="Folder of the records' pictures.",
        show_default="images in ANDROSCOPE_HOME",
    ),
]
_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print faults and errors alone.")]


@records.command("verify")
def verify(
    anchor: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COUNT:HASH",
            help="The log as it was once, from a printed report. May be given several times.",
            show_default=False,
        ),
    ] = None,
    backup: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A backup, whose anchor is held against the log. May be given several times.",
            show_default=False,
        ),
    ] = None,
    database: _Database = None,
    images: _Images = None,
    quiet: _Quiet = False,
) -> None:
    """Recompute the log's chain and every hash, and say exactly what is not as recorded.

    Without an anchor from outside, a log that somebody rewrote whole, with
    everything that hangs on it, is not told from the first one: keep what
    is printed here elsewhere, or give a backup.

    Exit code: 0 nothing was altered; 1 something was; 2 nothing was done.

    [bold]Examples[/bold]

        $ androscope records verify

        $ androscope records verify --backup monday.zip
    """
    _require()
    from androscope.records.verify import parse_anchor
    from androscope.records.verify import verify as verify_store
    from androscope.report.names import printable

    anchors = [(f"the anchor {text[:24]}...", parse_anchor(text)) for text in anchor or ()]
    anchors += [_of_backup(path) for path in backup or ()]
    with _opened(database, images) as store, _bar(quiet, "Pictures") as progress:
        with store.database.read() as connection:
            found = verify_store(connection, store.pictures, anchors=anchors, progress=progress)
        name = store.database.name
    for fault in found.faults:
        typer.echo(printable(f"{fault.record}: {fault.reason}"))
    if not quiet:
        typer.echo(
            f"{name}: {found.events} entries of the log, {found.crops} crops, {found.images} "
            f"pictures and {found.reports} signed reports looked at."
        )
        typer.echo(
            "Nothing was altered." if found.ok else f"Not as recorded: {len(found.faults)} things."
        )
        typer.echo(f"Anchor, to be kept elsewhere: {found.anchor}")
    if not found.ok:
        raise typer.Exit(1)


@records.command("backup")
def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A new .zip file.", show_default=False)
    ],
    database: _Database = None,
    images: _Images = None,
    quiet: _Quiet = False,
) -> None:
    """Write all records and pictures into one file, while the page goes on.

    The file is read back whole and checked before it gets its name. It
    restores to SQLite and to PostgreSQL, whichever it is from. It holds
    images and names: keep it as you keep those.

    [bold]Example[/bold]

        $ androscope records backup records.zip
    """
    _require()
    from androscope.records.backup import backup as write_backup

    with _opened(database, images) as store, _bar(quiet, "Pictures") as progress:
        made = write_backup(store.database, store.pictures, file, progress=progress)
    if not quiet:
        rows = sum(table.rows for table in made.tables.values())
        typer.echo(f"{file}: {rows} rows and {len(made.images or ())} pictures, checked.")
        typer.echo(f"Anchor, to be kept elsewhere: {made.anchor}")


@records.command("restore")
def restore(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What backup wrote.", show_default=False)
    ],
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace the records that are there; they are kept aside."),
    ] = False,
    accept_faults: Annotated[
        bool,
        typer.Option(
            "--accept-faults", help="Restore records that had been altered before the backup."
        ),
    ] = False,
    database: _Database = None,
    images: _Images = None,
    quiet: _Quiet = False,
) -> None:
    """Put a backup in place, after everything in it was checked.

    Stop the page first. Records that are there are never overwritten
    without --force, and are kept beside the new ones with it.

    [bold]Example[/bold]

        $ androscope records restore records.zip --records sqlite:///again.db
    """
    _require()
    from androscope.records.restore import restore as restore_backup
    from androscope.records.store import places

    url, folder = places(database, images)
    found = restore_backup(
        file, url, folder, actor=_who(), force=force, accept_faults=accept_faults
    )
    if not quiet:
        typer.echo(
            f"Restored: {found.log_count} entries of the log, as of {found.created:%Y-%m-%d %H:%M} "
            "UTC; the log says so."
        )


@records.command("export")
def export(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A new or empty folder.", show_default=False)
    ],
    sample: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this sample. May be given several times.",
            show_default="all samples",
        ),
    ] = None,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only crops where a person differed from the model.")
    ] = False,
    database: _Database = None,
    images: _Images = None,
    quiet: _Quiet = False,
) -> None:
    """Write the crops that a person reviewed as a labelled set to learn from.

    labels.csv with the verdicts that stand, and the crops as PNG: what
    data check, adapt and train read. credits.csv says where each crop is
    from and who said it. A sample counts as one patient.

    [bold]Example[/bold]

        $ androscope records export corrections
    """
    _require()
    from androscope.errors import OutputError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError("is there and not empty", path=folder, advice="Name a new folder")
    with _opened(database, images) as store:
        done = store.export(folder, samples=sample, changed_only=changed)
    if not quiet:
        typer.echo(
            f"{folder}: {done.crops} crops of {done.samples} samples ({done.changed} changed by a "
            f"person), labels {', '.join(done.labels)}."
        )


def _require() -> None:
    from androscope.extras import require

    require("sqlalchemy", extra="web", why="keep records")
    require("alembic", extra="web", why="keep records")


@contextmanager
def _opened(database: str | None, images: Path | None) -> Iterator[Records]:
    from androscope.records.store import Records

    with Records.open(database, images, make=False) as store:
        yield store


def _of_backup(path: Path) -> tuple[str, Anchor]:
    from androscope.records.archive import check_archive

    return f"the backup {path.name}", check_archive(path).anchor


def _who() -> str:
    """Who restores, by the machine's account."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


@contextmanager
def _bar(quiet: bool, what: str) -> Iterator[Callable[[int, int], None] | None]:
    """Show on a terminal how far it is."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
