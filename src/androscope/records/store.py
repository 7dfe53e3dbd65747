"""The store opened: one object, with an area for each kind of thing that is kept.

Every call is one transaction. When it returns, what it wrote is on the disk (SQLite with WAL and
``synchronous=FULL``, or PostgreSQL) and survives a power cut; when it raises, nothing was written.
All methods may be called from several threads, and several processes may open the same store.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from androscope.assessment.findings import Findings
from androscope.errors import OutputError, RecordsError
from androscope.records.crops import Crops
from androscope.records.database import Database, make_private, url_of
from androscope.records.entries import Anchor
from androscope.records.export import Exported, export_labels
from androscope.records.findings import findings_of
from androscope.records.images import Images
from androscope.records.jobs import Jobs
from androscope.records.log import Log
from androscope.records.migrate import bring_up, copy_sqlite
from androscope.records.pictures import Pictures
from androscope.records.replies import Attempts, Replies
from androscope.records.reports import Reports
from androscope.records.reviews import Reviews
from androscope.records.samples import Samples
from androscope.records.sessions import Sessions
from androscope.records.tokens import Tokens
from androscope.records.users import Users
from androscope.settings import load_settings

__all__ = ["Records", "places"]


def places(url: str | None = None, images: Path | None = None) -> tuple[str, Path]:
    """Where records are kept: the database's URL and the folder of images.

    What is not given is taken from the settings ``records`` and ``home``.
    """
    settings = load_settings()
    home = settings.home.expanduser()
    url = url or settings.records or f"sqlite:///{home / 'records.db'}"
    return url, images or home / "images"


class Records:
    """A lab's records. Make one with :meth:`open`.

    Attributes
    ----------
    samples, images, jobs, crops, reviews, reports, log
        What is kept of the samples, and the log of all that happened.
    users, sessions, tokens, attempts, replies
        What is kept for the closed door.
    database, pictures
        What it stands on, for this package alone.
    """

    def __init__(self, database: Database, pictures: Pictures) -> None:
        self.database = database
        self.pictures = pictures
        self.samples = Samples(database)
        self.images = Images(database, pictures)
        self.jobs = Jobs(database)
        self.crops = Crops(database)
        self.reviews = Reviews(database)
        self.reports = Reports(database)
        self.log = Log(database)
        self.users = Users(database)
        self.sessions = Sessions(database)
        self.tokens = Tokens(database)
        self.attempts = Attempts(database)
        self.replies = Replies(database)

    @classmethod
    def open(
        cls, url: str | None = None, images: Path | None = None, *, make: bool = True
    ) -> Records:
        """Open a store, or make it; an older one is migrated after a backup.

        Parameters
        ----------
        url
            ``sqlite:///FILE`` or ``postgresql://...``; default: the setting ``records``, else
            ``records.db`` in the folder of the setting ``home``.
        images
            Folder of the pictures; default: ``images`` in the setting ``home``.
        make
            Whether to make a store where there is none.

        Raises
        ------
        RecordsError
            If it cannot be opened, is no store of ours, or is not there.
        RecordsNewerError
            If it belongs to a newer androscope.
        MissingExtraError
            If the database's driver is not installed.
        """
        where, folder = places(url, images)
        database = Database(url_of(where))
        try:
            _prepare(database, folder, make=make)
            bring_up(database, copy=lambda revision: _copy(database, folder, revision))
        except BaseException:
            database.close()
            raise
        return cls(database, Pictures(folder))

    def findings(self, sample_id: int, *, pictures: bool = True) -> tuple[Findings, Anchor]:
        """Give what a sample's report is made from, and the log it stands on, for signing.

        Verdicts are those that stand now.

        Raises
        ------
        RecordMissingError
            If there is no such sample.
        RecordConflictError
            If nothing of it was graded yet.
        """
        with self.database.read() as connection:
            return findings_of(connection, sample_id, pictures=pictures)

    def export(
        self, folder: Path, *, samples: list[str] | None = None, changed_only: bool = False
    ) -> Exported:
        """Write what people said of crops as a labelled set: see :func:`.export_labels`."""
        with self.database.read() as connection:
            return export_labels(connection, folder, samples=samples, changed_only=changed_only)

    def close(self) -> None:
        """Let go of every connection."""
        self.database.close()

    def __enter__(self) -> Records:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _prepare(database: Database, folder: Path, *, make: bool) -> None:
    file = database.file
    if not make and file is not None and not file.is_file():
        raise RecordsError(
            "there are no records", path=file, advice="Name their database: --records"
        )
    for needed in (*([] if file is None else [file.parent]), folder):
        try:
            needed.mkdir(mode=0o700, parents=True, exist_ok=True)
            if file is not None and needed == file.parent and not file.exists():
                make_private(file)
        except OSError as error:
            raise OutputError(
                f"cannot be made: {error.strerror or error}",
                path=needed,
                advice="Set ANDROSCOPE_HOME to a folder that may be written",
            ) from error


def _copy(database: Database, folder: Path, revision: str) -> None:
    if database.is_sqlite:
        copy_sqlite(database, revision)
        return
    from androscope.records.backup import backup_before_migrating

    backup_before_migrating(database, folder, revision)
