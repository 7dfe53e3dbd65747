"""One file over HTTP, resumed where it broke off and checked against its git blob id."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from androscope.datasets.published import git_blob_id_of
from androscope.errors import DownloadError

if TYPE_CHECKING:
    from requests import Response

__all__ = ["Report", "ResumingDownloader"]

#: Told as bytes arrive: file name, bytes here so far, bytes in all (``None`` if not said).
Report = Callable[[str, int, int | None], None]

_CHUNK = 1 << 16
_TIMEOUT = (10.0, 60.0)
#: Answers that may be better a moment later (RFC 9110; 429 from RFC 6585).
_TEMPORARY = frozenset({408, 429, 500, 502, 503, 504})


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
