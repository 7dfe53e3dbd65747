"""One part graded: bytes in, a small Parquet file out. The same wherever it runs."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from androscope.batch.content import Loaded, key_of, load
from androscope.batch.key import Options
from androscope.batch.parts import Part
from androscope.errors import BatchError
from androscope.extras import require
from androscope.imaging.read import failure_of, read_images
from androscope.imaging.values import guessed_bits
from androscope.predict import Grader
from androscope.report.parquet import parquet_fields, utf8
from androscope.report.rows import row
from androscope.settings import Settings, load_settings
from androscope.types import Failure, GreyImage

__all__ = ["Done", "Tally", "Worker", "grader_of", "schema_of"]

#: Rows written at a time: a file may be a stack of very many pictures.
_ROWS = 4096

#: Pixels held decoded at a time, so that a folder of large pictures does not fill memory.
_PIXELS = 4_000_000


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows a part has.

    Attributes
    ----------
    rows
        All of them.
    failed
        How many failed, by the error's code.
    guessed
        How many are of pictures whose bit depth was guessed, by the guess (``"12"``).
    """

    rows: int
    failed: Mapping[str, int] = field(default_factory=dict)
    guessed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """A part's outcome: ``data`` are its rows as Parquet; ``None`` if they were there already."""

    place: tuple[int, int]
    key: str
    data: bytes | None = field(default=None, repr=False)
    tally: Tally | None = None


class Stopped(Exception):  # noqa: N818  (no error: somebody else's is on its way)
    """The run ends; this part is not wanted any more."""


def grader_of(model: str | Path | None, options: Options) -> Grader:
    """Make the grader of one worker: a session of one thread, as workers are many."""
    return Grader(
        model,
        threads=1,
        error_rate=options.error_rate,
        grade_anyway=options.grade_anyway,
        backend=options.backend,
    )


def schema_of(labels: tuple[str, ...]) -> Any:
    """Arrow schema of the rows: those of a results file, and hashes."""
    pa = require("pyarrow", extra="batch", why="write the results of a long batch")
    hashes = [("image_sha256", pa.string()), ("model_sha256", pa.string())]
    return pa.schema([*parquet_fields(labels), *hashes])


class Worker:
    """Grades parts; may be called from several threads at once.

    Parameters
    ----------
    grader
        From :func:`grader_of`.
    options, run
        What answers depend on, and the key of it.
    batch_size
        Pictures per forward pass, counted from the beginning of a part: so a picture has the same
        neighbours in every run.
    known
        Keys of parts whose rows are there already.
    stopped
        Asked between batches; when it says so, :class:`Stopped` is raised.
    """

    def __init__(
        self,
        grader: Grader,
        options: Options,
        run: str,
        batch_size: int,
        known: Collection[str] = (),
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.grader, self.options, self.run = grader, options, run
        self.batch_size, self.known, self.stopped = batch_size, known, stopped
        self._schema = schema_of(grader.card.labels)
        self._settings: Settings = load_settings().model_copy(
            update={"max_pixels": options.max_pixels, "bit_depth": options.bit_depth}
        )

    def __call__(self, part: Part) -> Done:
        """Grade a part, or see that its rows are there already.

        Raises
        ------
        SourceError
            If its source is gone.
        BundleError
            If the model gives something that is no probability.
        """
        loaded = load(part)
        key = key_of(self.run, loaded)
        if key in self.known:
            return Done(part.place, key)
        pa = require("pyarrow", extra="batch", why="write the results of a long batch")
        parquet = require("pyarrow.parquet", extra="batch", why="write Parquet files")
        stream = io.BytesIO()
        count, failed, guessed = 0, Counter[str](), Counter[str]()
        with parquet.ParquetWriter(stream, self._schema, compression="zstd") as writer:
            waiting: list[dict[str, Any]] = []
            for made in self._rows(loaded):
                waiting.append(made)
                count += 1
                if made["status"] == "failed":
                    failed[made["error_code"]] += 1
                bits = guessed_bits(made["notes"])
                if bits is not None:
                    guessed[str(bits)] += 1
                if len(waiting) == _ROWS:
                    writer.write_table(pa.Table.from_pylist(waiting, schema=self._schema))
                    waiting = []
            if waiting or not count:
                writer.write_table(pa.Table.from_pylist(waiting, schema=self._schema))
        return Done(part.place, key, stream.getvalue(), Tally(count, dict(failed), dict(guessed)))

    def _rows(self, loaded: list[Loaded]) -> Iterator[dict[str, Any]]:
        waiting: list[tuple[GreyImage | Failure, str | None]] = []
        pictures = pixels = 0
        for picture, sha256 in self._pictures(loaded):
            waiting.append((picture, sha256))
            if isinstance(picture, GreyImage):
                pictures, pixels = pictures + 1, pixels + picture.pixels.size
            if pictures == self.batch_size or pixels > _PIXELS or len(waiting) >= _ROWS:
                yield from self._graded(waiting)
                waiting, pictures, pixels = [], 0, 0
        yield from self._graded(waiting)

    def _pictures(self, loaded: list[Loaded]) -> Iterator[tuple[GreyImage | Failure, str | None]]:
        for item in loaded:
            if item.source is None:
                assert item.error is not None
                yield failure_of(item.error, item.name), None
                continue
            for picture in read_images(item.source, name=item.name, settings=self._settings):
                yield picture, item.sha256

    def _graded(
        self, waiting: list[tuple[GreyImage | Failure, str | None]]
    ) -> Iterator[dict[str, Any]]:
        if self.stopped():
            raise Stopped
        pictures = [picture for picture, _ in waiting if isinstance(picture, GreyImage)]
        options = self.options
        graded = iter(
            list(self.grader.grade_images(pictures, pixel_size=options.pixel_size, fit=options.fit))
        )
        for picture, sha256 in waiting:
            if isinstance(picture, GreyImage):
                found = next(graded)
                item = found if isinstance(found, Failure) else found.assessment
            else:
                item = picture
            made = {name: utf8(value) for name, value in row(item, self.grader.error_rate).items()}
            yield made | {
                "image_sha256": sha256,
                "model_sha256": self.grader.card.model_sha256,
            }


def same_software(worker: Mapping[str, object], run: Mapping[str, object]) -> None:
    """See that a worker elsewhere is of the same versions. Raises :class:`BatchError` if not."""
    for name in ("androscope", "runtime", "model_sha256"):
        if worker[name] != run[name]:
            raise BatchError(
                f"a worker of the cluster has {name} {worker[name]}, expected {run[name]}: "
                "its rows could differ",
                advice="Install the same versions on every node",
            )
