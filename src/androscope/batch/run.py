"""A batch from beginning to end: what is there is taken, the rest graded, all of it joined."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from androscope.batch.key import Facts, Options, facts_of, key_of_run
from androscope.batch.local import by_processes, by_threads
from androscope.batch.measure import Speed, choose_batch_size
from androscope.batch.output import Finished, write_output
from androscope.batch.parts import PART_SIZE, Part
from androscope.batch.sources import Content, Source, contents, open_sources, parts_of
from androscope.batch.state import State, locked
from androscope.batch.work import Done, Tally, Worker, grader_of, schema_of
from androscope.errors import BatchError, EmptyInputError
from androscope.extras import require
from androscope.predict import Grader
from androscope.processes import available_threads
from androscope.report.outputs import check_outputs
from androscope.settings import load_settings

__all__ = ["Batch", "Outcome", "Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """How far a batch is.

    Attributes
    ----------
    rows
        Rows so far; ``kept`` of them were there already.
    images
        Images that the sources hold; ``None`` if one does not say.
    failed
        Rows without a verdict, by the error's code.
    """

    rows: int
    kept: int
    images: int | None
    failed: dict[str, int]


@dataclass(slots=True)
class Outcome:
    """What came of a batch."""

    rows: int = 0
    kept: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    #: Rows of pictures whose bit depth was guessed, by the guess.
    guessed: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    #: The output was whole already, of the very same images.
    unchanged: bool = False


class Batch:
    """Images of any number to one Parquet file; see docs/scale.md.

    Parameters
    ----------
    named
        Folders, archives, Parquet files of images, patterns, URLs.
    out
        The file to write.
    model
        A shipped name or a bundle's folder; default: the setting ``model``.
    options
        What changes answers.
    threads
        Threads that grade, sharing a session; 0: one per CPU that this process may use.
    workers
        Grade in so many processes of one thread each instead, here or on the cluster.
    ray
        Address of a Ray cluster to grade on; ``"local"`` starts one here.
    batch_size
        Crops per forward pass; default: the fastest here.
    part_size
        Images, about, that a kill costs at most per worker.
    restart
        Throw an unfinished batch away.

    Raises
    ------
    SourceError, EmptyInputError, OutputError, BundleError, MissingExtraError
        If it cannot be begun.
    ValueError
        If a number is outside its range.
    """

    def __init__(
        self,
        named: Sequence[str | os.PathLike[str]],
        out: str | Path,
        *,
        model: str | Path | None = None,
        options: Options | None = None,
        threads: int = 0,
        workers: int | None = None,
        ray: str | None = None,
        batch_size: int | None = None,
        part_size: int = PART_SIZE,
        restart: bool = False,
    ) -> None:
        for name, value, least in (
            ("threads", threads, 0), ("workers", workers, 1),
            ("batch_size", batch_size, 1), ("part_size", part_size, 1),
        ):  # fmt: skip
            if value is not None and value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        require("pyarrow.parquet", extra="batch", why="write the results of a long batch")
        self.sources: tuple[Source, ...] = open_sources(named)
        self.out = Path(out)
        files = [Path(s.where) for s in self.sources if s.kind not in ("folder", "image", "url")]
        files += [Path(file) for source in self.sources for file in source.files]
        check_outputs({"--out": self.out}, inputs=files)
        settings = load_settings()
        self.model = settings.model if model is None else model
        self.options = options or Options.of(settings)
        self.grader: Grader = grader_of(self.model, self.options)
        self.facts: Facts = facts_of(self.grader.card, self.options, part_size)
        self.part_size, self.restart, self.ray = part_size, restart, ray
        self.threads = threads or settings.threads or available_threads()
        self.workers = workers
        self._batch_size = batch_size
        if batch_size is None and "batch_size" in settings.model_fields_set:
            self._batch_size = settings.batch_size

    @property
    def schema(self) -> Any:
        """Arrow schema of the rows."""
        return schema_of(self.grader.card.labels)

    def contents(self) -> list[Content]:
        """Count what there is to grade. Raises as :func:`androscope.batch.sources.contents`."""
        return contents(self.sources)

    def speed(self) -> Speed:
        """Measure how fast one thread is here, and with how many crops per pass."""
        grader = grader_of(self.model, replace(self.options, grade_anyway=True))
        return choose_batch_size(grader, self._at_once, only=self._batch_size)

    @property
    def _at_once(self) -> int:
        """Threads that share one session."""
        return 1 if self.workers or self.ray else self.threads

    def run(self, watch: Callable[[Step], None] = lambda _: None) -> Outcome:
        """Grade what is not there yet, and write the output.

        Parameters
        ----------
        watch
            Called at the beginning and after each part.

        Raises
        ------
        BatchError
            If another batch writes the output, or an unfinished one was begun otherwise.
        SourceError
            If a source is gone or damaged. What was graded is kept, as with all errors.
        OutputError
            If the disk is full or cannot be written.
        """
        start = time.perf_counter()
        images = _sum(self.contents())
        with locked(self.out) as folder:
            state = State(folder, self.facts, restart=self.restart)
            before = Finished(self.out, self.facts)
            try:
                outcome = self._carried_out(state, before, images, watch)
            except BaseException:
                if not state.entries:
                    state.clear()
                raise
            finally:
                before.close()
            state.clear()
        outcome.seconds = time.perf_counter() - start
        return outcome

    def _carried_out(
        self, state: State, before: Finished, images: int | None, watch: Callable[[Step], None]
    ) -> Outcome:
        if state.batch_size is not None and self._batch_size not in (None, state.batch_size):
            raise BatchError(
                "an unfinished batch is kept there that was begun with --batch-size "
                f"{state.batch_size} (now --batch-size {self._batch_size})",
                path=state.folder,
                advice="Go on with that, throw it away with --restart, or choose another --out",
            )
        state.begin(state.batch_size or self._batch_size or self.speed().batch_size)
        places: dict[tuple[int, int], str] = {}
        outcome = Outcome()
        watch(Step(0, 0, images, {}))
        known = frozenset(state.entries) | frozenset(before.tallies)
        # Closed at once if this ends early: no thread goes on, no cluster stays connected.
        with closing(self._graded(state, known)) as graded:
            for done in graded:
                if done.place in places:
                    continue  # a cluster may do a part twice that it lost on the way home
                tally = self._kept(done, state, before)
                places[done.place] = done.key
                outcome.rows += tally.rows
                outcome.kept += tally.rows if done.data is None else 0
                outcome.failed.update(tally.failed)
                outcome.guessed.update(tally.guessed)
                watch(Step(outcome.rows, outcome.kept, images, dict(outcome.failed)))
        if not places:
            raise EmptyInputError("no image in it", path=self.sources[0].where)
        keys = [places[place] for place in sorted(places)]
        if keys == before.keys:
            outcome.unchanged = True
            return outcome
        self._write(keys, state, before)
        return outcome

    @staticmethod
    def _kept(done: Done, state: State, before: Finished) -> Tally:
        if done.data is not None and done.key not in state.entries:
            state.commit(done)
        if done.key in state.entries:
            return state.entries[done.key].tally
        return before.tallies[done.key]

    def _write(self, keys: Sequence[str], state: State, before: Finished) -> None:
        parquet = require("pyarrow.parquet", extra="batch", why="read Parquet files")

        def table_of(key: str) -> Any:
            if key in state.entries:
                return parquet.read_table(state.path(key), schema=self.schema)
            return before.table(key)

        parts = [
            (key, state.entries[key].tally if key in state.entries else before.tallies[key])
            for key in keys
        ]
        write_output(self.out, self.schema, self.facts, parts, table_of, release=before.close)

    def _parts(self) -> Iterator[Part]:
        for number, source in enumerate(self.sources):
            yield from parts_of(source, number, self.part_size)

    def _graded(self, state: State, known: frozenset[str]) -> Generator[Done]:
        run, batch_size = key_of_run(self.facts), state.batch_size
        assert batch_size is not None
        if self.ray is not None:
            from androscope.batch.cluster import by_ray

            yield from by_ray(self, run, batch_size, known)
        elif self.workers is not None:
            yield from by_processes(
                self._parts(),
                self.workers,
                model=str(self.model),
                options=self.options,
                run=run,
                batch_size=batch_size,
                known=known,
            )
        else:
            worker = Worker(self.grader, self.options, run, batch_size, known)
            yield from by_threads(self._parts(), worker, self.threads)


def _sum(found: Sequence[Content]) -> int | None:
    counts = [content.images for content in found]
    return None if any(count is None for count in counts) else sum(c or 0 for c in counts)
