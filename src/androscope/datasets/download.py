"""Published files to this machine: checked, then moved into place.

pooch keeps the registry and does the renaming. The downloader it is given is
:class:`~androscope.datasets.resume.ResumingDownloader`, because pooch's own starts again from zero
and cannot check git blob ids.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from androscope.datasets.published import Published, git_blob_id_of
from androscope.datasets.resume import Report, ResumingDownloader
from androscope.errors import (
    DatasetCorruptError,
    DatasetMissingError,
    DownloadError,
    OutputError,
)
from androscope.files import atomic_path

__all__ = ["Fetched", "Report", "copy_from", "fetch"]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a download or a copy did.

    Attributes
    ----------
    folder
        Where new files went.
    added
        Names that are new there.
    kept
        Names that were on this machine already, and right.
    missing
        Names of large files that were left out or that the copied folder lacks.
    """

    folder: Path
    added: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def fetch(
    published: Published,
    into: Path,
    *,
    elsewhere: Sequence[Path] = (),
    large: bool = True,
    report: Report | None = None,
    attempts: int = 4,
    pause: float = 1.0,
) -> Fetched:
    """Download the files of ``published`` that are not on this machine yet.

    Parameters
    ----------
    into
        Folder the files go to. A file there that is not the published one is replaced, once its
        successor has come and been checked.
    elsewhere
        Other folders whose right files need not be fetched.
    large
        False leaves out the large files.
    report, attempts, pause
        As for :class:`ResumingDownloader`.

    Raises
    ------
    DownloadError
        At the first file that cannot be had; the files before it stay, and a second call goes on.
    OutputError
        If ``into`` cannot be written.
    """
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    incoming = into / ".incoming"
    registry = pooch.create(
        path=incoming, base_url=published.base_url, registry=dict.fromkeys(published.blob_ids)
    )
    added: list[str] = []
    kept: list[str] = []
    names = published.names(large=large)
    for name in names:
        if any(published.is_right(folder / name) for folder in (*elsewhere, into)):
            kept.append(name)
            continue
        downloader = ResumingDownloader(
            incoming / f"{name}.part",
            published.blob_ids[name],
            report=report,
            attempts=attempts,
            pause=pause,
        )
        try:
            incoming.mkdir(parents=True, exist_ok=True)
            if not published.is_right(incoming / name):
                (incoming / name).unlink(missing_ok=True)
                registry.fetch(name, downloader=downloader)
            (incoming / name).replace(into / name)
        except DownloadError as error:
            here = f"{len(added) + len(kept)} of {len(names)} files are here"
            raise DownloadError(
                error.reason, path=error.path, advice=f"{error.advice}. {here}"
            ) from error
        except OSError as error:
            raise OutputError(
                f"cannot be written: {error.strerror or error}",
                path=into / name,
                advice="Set ANDROSCOPE_CACHE to a folder that may be written and has room",
            ) from error
        added.append(name)
    if incoming.is_dir() and not any(incoming.iterdir()):
        incoming.rmdir()
    missing = tuple(name for name in sorted(published.large) if name not in added + kept)
    return Fetched(into, tuple(added), tuple(kept), missing)


def copy_from(
    published: Published,
    folder: Path,
    into: Path,
    *,
    elsewhere: Sequence[Path] = (),
    large: bool = True,
    report: Report | None = None,
) -> Fetched:
    """Take the files from a local ``folder`` (or its subfolder of the data set's name).

    Every file is checked before anything is copied, and again after. Large files may be missing.

    Raises
    ------
    DatasetMissingError
        If the folder lacks files that are not on this machine either; all are named.
    DatasetCorruptError
        If files differ from the published ones; all are named.
    OutputError
        If ``into`` cannot be written.
    """
    if not folder.is_dir():
        raise DatasetMissingError("no such folder", path=folder)
    inner = folder / published.name
    origin = inner if inner.is_dir() else folder
    names = published.names(large=large)
    kept = [n for n in names if any(published.is_right(f / n) for f in (*elsewhere, into))]
    wanted = [name for name in names if name not in kept]
    absent = [name for name in wanted if not (origin / name).is_file()]
    wrong = [
        name for name in wanted if name not in absent and not published.is_right(origin / name)
    ]
    if wrong:
        raise DatasetCorruptError(
            "not the published files (their git blob ids differ): " + ", ".join(wrong),
            path=origin,
            advice=f"Get them again from {published.base_url}",
        )
    needed = [name for name in absent if name not in published.large]
    if needed:
        raise DatasetMissingError(
            "lacks " + ", ".join(needed),
            path=origin,
            advice=f"Get them from {published.base_url}",
        )
    added = [name for name in wanted if name not in absent]
    for name in added:
        content = (origin / name).read_bytes()
        with atomic_path(into / name) as temporary:
            temporary.write_bytes(content)
            if git_blob_id_of(temporary) != published.blob_ids[name]:
                raise DatasetCorruptError("changed while it was copied", path=origin / name)
        if report is not None:
            report(name, len(content), len(content))
    missing = tuple(name for name in sorted(published.large) if name not in added + kept)
    return Fetched(into, tuple(added), tuple(kept), missing)
