"""The typed client: one method for each thing a program does with a lab's server.

It needs no extra: ``pip install androscope``, and a server that runs (``androscope serve``).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import requests
from pydantic import TypeAdapter, ValidationError

from androscope.client.assessed import AssessedOut
from androscope.client.shapes import (
    CropOut,
    FailureOut,
    Listed,
    ModelOut,
    Problem,
    ProgressOut,
    QueuedOut,
    SampleOut,
    SignedOut,
)
from androscope.errors import AndroscopeError, EmptyInputError
from androscope.types import Verdict

__all__ = ["ApiError", "Client"]

T = TypeVar("T")

#: How often a request is sent again that was answered "too much waits already", or not at all.
_AGAIN = 5
_PAUSE_S = 0.5
_LOST = (requests.ConnectionError, requests.Timeout)

#: Of one upload of several.
_UPLOAD_FILES, _UPLOAD_BYTES = 500, 50_000_000


class ApiError(AndroscopeError):
    """The server said no, or could not be reached.

    Attributes
    ----------
    problem
        What it said, if it said anything.
    """

    code = "api"

    def __init__(self, reason: str, *, problem: Problem | None = None, advice: str | None = None):
        super().__init__(reason, advice=advice)
        self.problem = problem


class Client:
    """A lab's server.

    Parameters
    ----------
    url
        Where it listens.
    token
        An API token (``androscope users token``); none is needed on the server's own machine while
        there are no users.
    timeout
        Seconds that one answer may take.

    Examples
    --------
    >>> from androscope import Client
    >>> client = Client()  # doctest: +SKIP
    >>> client.assess(["crop.png"]).pictures[0].found[0].parts[0].verdict  # doctest: +SKIP
    <Verdict.NORMAL: 'normal'>
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8311",
        *,
        token: str | None = None,
        timeout: float = 300.0,
    ) -> None:
        self._base = url.rstrip("/") + "/api/v1"
        self._timeout = timeout
        self._session = requests.Session()
        # Not from ~/.netrc or a proxy of the environment: images go to the named machine alone.
        self._session.trust_env = False
        self._session.headers["x-androscope-client"] = "python"
        if token is not None:
            self._session.headers["authorization"] = f"Bearer {token}"

    def models(self) -> list[ModelOut]:
        """List the models that the server offers."""
        return self._get(list[ModelOut], "/models")

    def assess(
        self,
        files: Sequence[str | Path],
        *,
        model: str | None = None,
        pixel_size_um: float | None = None,
        taken_as: Literal["by size", "crops", "fields"] = "by size",
        error_rate: float | None = None,
        grade_anyway: bool = False,
    ) -> AssessedOut:
        """Grade files at once; nothing is kept. One that cannot be graded is in ``failures``."""
        given = {
            "model": model,
            "pixel_size_um": pixel_size_um,
            "taken_as": taken_as,
            "error_rate": error_rate,
            "grade_anyway": "true" if grade_anyway else None,
        }
        fields = {name: str(value) for name, value in given.items() if value is not None}
        if not files:
            raise EmptyInputError("no files were given", advice="Name one at least")
        return self._upload(AssessedOut, "/assess", files, fields)

    def samples(self, *, search: str = "", status: str | None = None) -> Iterator[SampleOut]:
        """Each sample, the newest first; pages are fetched as they are needed."""
        yield from self._pages(SampleOut, "/samples", {"search": search, "status": status})

    def create_sample(
        self,
        name: str,
        *,
        pixel_size_um: float | None = None,
        comment: str = "",
        taken_as: Literal["by size", "crops", "fields"] = "by size",
        model: str | None = None,
        error_rate: float | None = None,
        grade_anyway: bool = False,
    ) -> SampleOut:
        """Make a sample; its name is an id of the lab's, no patient's name."""
        given = {
            "name": name,
            "pixel_size_um": pixel_size_um,
            "comment": comment,
            "taken_as": taken_as,
            "model": model,
            "error_rate": error_rate, "grade_anyway": grade_anyway,
        }  # fmt: skip
        return self._post(SampleOut, "/samples", given)

    def sample(self, sample_id: int) -> SampleOut:
        """Give a sample as it stands."""
        return self._get(SampleOut, f"/samples/{sample_id}")

    def add_images(
        self, sample_id: int, files: Sequence[str | Path], *, replicate: str = ""
    ) -> list[QueuedOut]:
        """Add files to a sample, in as many uploads as their size needs; they are graded by and by.

        An upload whose answer was lost is sent again, and adds nothing twice.
        """
        fields = {"replicate": replicate} if replicate else {}
        path = f"/samples/{sample_id}/images"
        return [
            self._upload(QueuedOut, path, some, fields, key=uuid.uuid4().hex)
            for some in _uploads(files)
        ]

    def wait(self, sample_id: int, *, timeout: float = 3600.0, every: float = 0.5) -> ProgressOut:
        """Wait until everything of a sample is graded. Raises :class:`TimeoutError`."""
        until = time.monotonic() + timeout
        while not (now := self._get(ProgressOut, f"/samples/{sample_id}/progress")).over:
            if time.monotonic() > until:
                raise TimeoutError(f"{now.waiting} pictures of sample {sample_id} wait still")
            time.sleep(every)
        return now

    def failures(self, sample_id: int) -> list[FailureOut]:
        """List what could not be used, and why."""
        return self._get(list[FailureOut], f"/samples/{sample_id}/failures")

    def crops(
        self, sample_id: int, *, order: Literal["number", "need"] = "number"
    ) -> Iterator[CropOut]:
        """Each find of a sample: as found, or those first that need a person most."""
        yield from self._pages(CropOut, f"/samples/{sample_id}/crops", {"order": order})

    def heat(self, crop_id: int, part: str = "") -> bytes:
        """Where the model looked, as a PNG; default: for what it called abnormal the most."""
        return self._send("GET", f"/crops/{crop_id}/heat", params={"part": part}).content

    def change(self, crop_id: int, part: str, to: Verdict | str, *, why: str = "") -> CropOut:
        """Change the verdict on a part; the model's opinion stays beside it."""
        said = {"do": "verdict", "part": part, "to": str(to), "why": why}
        return self._post(CropOut, f"/crops/{crop_id}/reviews", said)

    def accept(self, crop_id: int, *, why: str = "") -> CropOut:
        """Say that a person looked and agrees with what stands."""
        return self._post(CropOut, f"/crops/{crop_id}/reviews", {"do": "accept", "why": why})

    def undo(self, crop_id: int, *, why: str = "") -> CropOut:
        """Take back the last change of a find that still stands."""
        return self._post(CropOut, f"/crops/{crop_id}/reviews", {"do": "undo", "why": why})

    def report(
        self, sample_id: int, ending: Literal["pdf", "html", "csv", "json"] = "pdf"
    ) -> bytes:
        """Give the report as it stands, as a file."""
        return self._send("GET", f"/samples/{sample_id}/report.{ending}").content

    def sign(self, sample_id: int, name: str, *, comment: str = "") -> SignedOut:
        """Sign the report as it stands."""
        path = f"/samples/{sample_id}/reports"
        return self._post(SignedOut, path, {"name": name, "comment": comment})

    def _pages(self, shape: type[T], path: str, query: dict[str, str | None]) -> Iterator[T]:
        page = pages = 1
        while page <= pages:
            answer = self._send("GET", path, params={**query, "page": page, "per_page": 200})
            found = _read(Listed[shape], answer)  # type: ignore[valid-type]
            yield from found.items
            page, pages = page + 1, found.pages

    def _get(self, shape: type[T], path: str) -> T:
        return _read(shape, self._send("GET", path))

    def _post(self, shape: type[T], path: str, body: dict[str, Any]) -> T:
        return _read(shape, self._send("POST", path, again=False, json=body))

    def _upload(
        self,
        shape: type[T],
        path: str,
        files: Sequence[str | Path],
        fields: dict[str, str],
        *,
        key: str | None = None,
    ) -> T:
        headers = {} if key is None else {"idempotency-key": key}
        parts = [("files", (Path(file).name, Path(file).read_bytes())) for file in files]
        again = key is not None
        answer = self._send("POST", path, again, data=fields, files=parts, headers=headers)
        return _read(shape, answer)

    def _send(self, method: str, path: str, again: bool = True, **given: Any) -> requests.Response:
        """Send a request; ``again`` says that it may be repeated if its answer is lost."""
        for left in range(_AGAIN, -1, -1):
            try:
                answer = self._session.request(
                    method, self._base + path, timeout=self._timeout, **given
                )
            except requests.RequestException as error:
                if again and left and isinstance(error, _LOST):
                    time.sleep(_PAUSE_S)
                    continue
                raise ApiError(
                    f"{self._base} cannot be reached: {error}",
                    advice="Start it with `androscope serve`, or name its address",
                ) from error
            if answer.status_code != 429 or not left:
                break
            time.sleep(min(60.0, float(answer.headers.get("retry-after", 1))))
        if answer.ok:
            return answer
        raise _refusal(answer)


def _uploads(files: Sequence[str | Path]) -> Iterator[list[str | Path]]:
    """Divide files: an upload is held in memory whole."""
    if not files:
        raise EmptyInputError("no files were given", advice="Name one at least")
    some: list[str | Path] = []
    size = 0
    for file in files:
        coming = Path(file).stat().st_size
        if some and (size + coming > _UPLOAD_BYTES or len(some) >= _UPLOAD_FILES):
            yield some
            some, size = [], 0
        some.append(file)
        size += coming
    yield some


def _read(shape: type[T], answer: requests.Response) -> T:
    try:
        return TypeAdapter(shape).validate_json(answer.content)
    except ValidationError as error:
        raise ApiError(
            f"{answer.url} answered something else than expected",
            advice="Is it an androscope server of this version?",
        ) from error


def _refusal(answer: requests.Response) -> ApiError:
    try:
        problem = Problem.model_validate_json(answer.content)
    except ValidationError:
        return ApiError(f"{answer.url} answered {answer.status_code} {answer.reason}")
    said = problem.detail or problem.title
    return ApiError(f"{said} ({problem.status})", problem=problem, advice=problem.advice)
