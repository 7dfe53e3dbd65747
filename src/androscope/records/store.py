"""The store opened: one object, with an area for each kind of thing that is kept.

Every call is one transaction. When it returns, what it wrote is on the disk (SQLite with WAL and
``synchronous=FULL``, or PostgreSQL) and survives a power cut; when it raises, nothing was written.
All methods may be called from several threads, and several processes may open the same store.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from androscope.records.crops import Crops
from androscope.records.images import Images
from androscope.records.jobs import Jobs
from androscope.records.log import Log
from androscope.records.replies import Attempts, Replies
from androscope.records.reports import Reports
from androscope.records.reviews import Reviews
from androscope.records.samples import Samples
from androscope.records.sessions import Sessions
from androscope.records.tokens import Tokens
from androscope.records.users import Users

__all__ = ["Records"]


class Records:
    """A lab's records. Make one with :meth:`open`.

    Attributes
    ----------
    samples, images, jobs, crops, reviews, reports, log
        What is kept of the samples, and the log of all that happened.
    users, sessions, tokens, attempts, replies
        What is kept for the closed door.
    """

    samples: Samples
    images: Images
    jobs: Jobs
    crops: Crops
    reviews: Reviews
    reports: Reports
    log: Log
    users: Users
    sessions: Sessions
    tokens: Tokens
    attempts: Attempts
    replies: Replies

    @classmethod
    def open(cls, url: str | None = None, images: Path | None = None) -> Records:
        """Open a store, or make it; an older one is migrated after a backup.

        Parameters
        ----------
        url
            ``sqlite:///FILE`` or ``postgresql://...``; default: the setting ``records``, else
            ``records.db`` in the folder of the setting ``home``.
        images
            Folder of the pictures; default: ``images`` in the setting ``home``.

        Raises
        ------
        RecordsError
            If it cannot be opened, is no store of ours or belongs to a newer androscope.
        MissingExtraError
            If SQLAlchemy or the database's driver is not installed.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Let go of every connection."""
        raise NotImplementedError

    def __enter__(self) -> Records:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
