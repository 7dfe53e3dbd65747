"""Published files to this machine: resumed where they broke off, checked, then moved into place.

pooch keeps the registry and does the renaming; :class:`ResumingDownloader` is the downloader it is
given, because pooch's own starts again from zero and cannot check git blob ids.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from androscope.datasets.published import Published, git_blob_id_of
from androscope.errors import (
    DatasetCorruptError,
    DatasetMissingError,
    DownloadError,
    OutputError,
)
from androscope.files import atomic_path

if TYPE_CHECKING:
    from requests import Response

__all__ = ["Fetched", "Report", "ResumingDownloader", "copy_from", "fetch"]

#: Told as bytes arrive: file name, bytes here so far, bytes in all (``None`` if not said).
Report = Callable[[str, int, int | None], None]

_CHUNK = 1 << 16
_TIMEOUT = (10.0, 60.0)
#: Answers that may be better a moment later (RFC 9110; 429 from RFC 6585).
_TEMPORARY = frozenset({408, 429, 500, 502, 503, 504})


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


class ResumingDownloader:
    """A pooch downloader that goes on where an earlier attempt broke off.

    Bytes go to ``part``, which outlives a failure. Only a complete file with the right git blob id
    becomes pooch's output file.

    Parameters
    ----------
    part
        File that holds what has come so far.
    blob_id
        Git blob id of the complete file.
    report
        Told of every chunk.
    attempts
        Tries in a row that bring not one byte before giving up.
    pause
        Seconds before the second try; doubles with each.
    """

    def __init__(
        self,
        part: Path,
        blob_id: str,
        *,
        report: Report | None = None,
        attempts: int = 4,
        pause: float = 1.0,
    ) -> None:
        self.part = part
        self.blob_id = blob_id
        self.report = report
        self.attempts = attempts
        self.pause = pause

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:  # noqa: ARG002
        """Download ``url`` to ``output_file``; the signature is pooch's.

        Raises
        ------
        DownloadError
            If the server refuses, the line stays broken, or what came is not the published file.
        """
        resumed = self._size() > 0
        self._complete(url)
        got = git_blob_id_of(self.part)
        if got != self.blob_id and resumed:
            # The older part may have been of another content, so the doubt is worth one restart.
            self.part.unlink()
            self._complete(url)
            got = git_blob_id_of(self.part)
        if got != self.blob_id:
            size = self._size()
            self.part.unlink()
            raise DownloadError(
                f"what came is not the published file: expected git blob {self.blob_id}, got {got} "
                f"({size} bytes)",
                path=url,
                advice="Try again; if it stays so, something between here and the server changes "
                "files (a proxy, a portal page)",
            )
        self.part.replace(output_file)

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0

    def _complete(self, url: str) -> None:
        from requests import RequestException

        fruitless = 0
        while True:
            before = self._size()
            try:
                if self._go_on(url):
                    return
                problem = "the connection closed early"
            except RequestException as error:
                status = getattr(error.response, "status_code", None)
                if status is not None and status not in _TEMPORARY:
                    raise DownloadError(
                        f"the server answered {status} {error.response.reason}",  # type: ignore[union-attr]
                        path=url,
                        advice="Check the address in a browser; a copy from elsewhere can be "
                        "taken with --from DIR",
                    ) from error
                problem = str(error)
            fruitless = fruitless + 1 if self._size() <= before else 0
            if fruitless >= self.attempts:
                raise DownloadError(
                    f"no answer in {self.attempts} tries: {problem}",
                    path=url,
                    advice="Check the network and run the command again: it goes on where it "
                    "stopped. Without a network, take a copy with --from DIR",
                )
            time.sleep(self.pause * 2 ** max(fruitless - 1, 0))

    def _go_on(self, url: str) -> bool:
        """One request for the rest of the file; whether the file is complete after it."""
        import requests

        start = self._size()
        # Compressed transfer would make offsets into the file meaningless.
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                # Nothing lies beyond what is here: complete, or longer than the file.
                if git_blob_id_of(self.part) == self.blob_id:
                    return True
                self.part.unlink()
                return False
            response.raise_for_status()
            if response.status_code != requests.codes.partial_content:
                start = 0  # The server sends all of it, asked for or not.
            elif _first_byte(response) != start:
                self.part.unlink()
                return False
            total = _length(response, start)
            with self.part.open("ab") as stream:
                stream.truncate(start)
                done = self._write(response, stream, url, start, total)
                os.fsync(stream.fileno())
        return total is None or done >= total

    def _write(
        self, response: Response, stream: IO[bytes], url: str, done: int, total: int | None
    ) -> int:
        name = url.rpartition("/")[2]
        for chunk in response.iter_content(_CHUNK):
            stream.write(chunk)
            # On disk before it is counted, so that a killed process loses none of it.
            stream.flush()
            done += len(chunk)
            if self.report is not None:
                self.report(name, done, total)
        return done


def _first_byte(response: Response) -> int | None:
    given = response.headers.get("Content-Range", "")  # "bytes 100-199/200"
    first = given.removeprefix("bytes").strip().partition("-")[0]
    return int(first) if first.isdecimal() else None


def _length(response: Response, start: int) -> int | None:
    given = response.headers.get("Content-Length", "")
    return start + int(given) if given.isdecimal() else None


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
