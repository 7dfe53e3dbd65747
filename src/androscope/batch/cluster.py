"""Parts graded on a Ray cluster: the same parts, the same worker, and so the same rows.

Sources are cut into parts by Ray Data's read tasks, one per source; a pool of actors, each with a
session of one thread, grades them. Ray Data holds reading back while actors are busy, starts an
actor anew that died, and gives its part to another. Rows come home as small Parquet files and are
committed here as on one machine: the cluster keeps no state.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from androscope.batch.cluster_tables import WHY, done_table, part_table, read_done, read_part
from androscope.batch.key import Facts, Options, facts_of
from androscope.batch.parts import Part
from androscope.batch.remote import is_url
from androscope.batch.sources import Source, parts_of
from androscope.batch.work import Done, Worker, grader_of, same_software
from androscope.errors import AndroscopeError, BatchError, SourceError
from androscope.extras import require
from androscope.model.bundle import load_bundle

if TYPE_CHECKING:
    from androscope.batch.run import Batch

__all__ = ["by_ray"]

#: Bytes of shared memory of a cluster started here; parts wait in it.
_STORE = 200_000_000


def by_ray(batch: Batch, run: str, batch_size: int, known: frozenset[str]) -> Iterator[Done]:
    """Grade a batch's parts on its cluster, each in the order they are done.

    Raises
    ------
    BatchError
        If the cluster cannot be reached or gives up, or a node has other software.
    SourceError
        If a node cannot read a source.
    """
    ray = _quiet_ray()
    data = require("ray.data", extra="cluster", why=WHY)
    assert batch.ray is not None
    _connect(ray, batch.ray, batch.workers)
    context = data.DataContext.get_current()
    before = context.enable_progress_bars, context.target_max_block_size
    try:
        # Ray Data joins small blocks to large ones; a block here is a part, to be lost alone.
        context.enable_progress_bars, context.target_max_block_size = False, 1
        workers = batch.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        bundle = load_bundle(batch.model)
        graded = data.read_datasource(
            _datasource(data, batch.sources, batch.part_size),
            override_num_blocks=len(batch.sources),
            num_cpus=0,  # it waits more than it works, and the actors may hold every CPU there is
        ).map_batches(
            _Actor,
            batch_size=1,
            batch_format="pyarrow",
            compute=data.ActorPoolStrategy(size=workers),
            num_cpus=1,
            fn_constructor_args=(
                ray.put(bundle.files()), batch.options, dict(batch.facts), batch.part_size, run,
                batch_size, ray.put(known), _working_folder(batch.sources),
            ),
        )  # fmt: skip
        for table in graded.iter_batches(
            batch_size=None, batch_format="pyarrow", prefetch_batches=1
        ):
            yield from read_done(table)
    except ray.exceptions.RayError as error:
        raise BatchError(
            f"the cluster gave up: {(str(error).strip().splitlines() or [''])[-1][:200]}",
            path=batch.ray,
            advice="See its logs (`ray status`), then run the same command: what was graded is "
            "kept",
        ) from error
    finally:
        context.enable_progress_bars, context.target_max_block_size = before
        ray.shutdown()


def _quiet_ray() -> Any:
    # It reports usage to its makers unless told not to; images and their traces stay here.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # What it says while it works is in its own logs; here errors come as exceptions.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_DATA_LOG_LEVEL", "ERROR")
    ray = require("ray", extra="cluster", why=WHY)
    warnings.filterwarnings("ignore", module=r"ray\.data\b")
    return ray


def _connect(ray: Any, address: str, workers: int | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address == "local":
            ray.init(
                address="local",
                num_cpus=workers or os.cpu_count() or 1,
                object_store_memory=_STORE,
                include_dashboard=False,
                **quiet,
            )
        else:
            ray.init(address=address, **quiet)
    except (ConnectionError, RuntimeError, ValueError, OSError, TimeoutError) as error:
        raise BatchError(
            f"no Ray cluster can be reached ({' '.join(str(error).split())[:160]})",
            path=address,
            advice="Give HOST:PORT of its head, 'auto' on one of its nodes, or 'local'",
        ) from error


def _datasource(data: Any, sources: Iterable[Source], part_size: int) -> Any:
    """A Ray Data source whose read tasks cut one of ours each; a row is a part."""
    block = require("ray.data.block", extra="cluster", why=WHY)
    folder = _working_folder(sources)

    class Parts(data.Datasource):  # type: ignore[misc]
        """Our sources as Ray Data's."""

        def estimate_inmemory_data_size(self) -> int | None:
            return None

        def get_read_tasks(self, *_: Any, **__: Any) -> list[Any]:
            def task(number: int, source: Source) -> Any:
                metadata = block.BlockMetadata(num_rows=None, size_bytes=None, exec_stats=None)
                return data.ReadTask(lambda: _cut(source, number, part_size, folder), metadata)

            return [task(number, source) for number, source in enumerate(sources)]

    return Parts()


def _working_folder(sources: Iterable[Source]) -> str | None:
    """Where relative names are meant from; rows keep them as they were written."""
    local = [source.where for source in sources if not is_url(source.where)]
    return None if all(Path(where).is_absolute() for where in local) else str(Path.cwd())


def _go_to(folder: str | None) -> None:
    try:
        if folder is not None:
            os.chdir(folder)
    except OSError as error:
        raise SourceError(
            "a node of the cluster does not have the folder that names are relative to",
            path=folder,
            advice="Name sources by absolute paths on a shared drive, or by URLs",
        ) from error


def _cut(source: Source, number: int, part_size: int, folder: str | None) -> Iterator[Any]:
    # An error is a row too: raised, Ray would try again and then wrap it beyond recognition.
    try:
        _go_to(folder)
        for part in parts_of(source, number, part_size):
            yield part_table([part])
    except AndroscopeError as error:
        yield part_table([], error)


class _Actor:
    """A worker on a node: the model comes with it, so that no node needs a copy."""

    def __init__(
        self,
        files: Any,
        options: Options,
        facts: Facts,
        part_size: int,
        run: str,
        batch_size: int,
        known: Any,
        folder: str | None,
    ) -> None:
        ray = require("ray", extra="cluster", why=WHY)
        self.error: AndroscopeError | None = None
        try:
            _go_to(folder)
            with tempfile.TemporaryDirectory(prefix="androscope-") as temporary:
                for name, content in ray.get(files).items():
                    (Path(temporary) / name).write_bytes(content)
                grader = grader_of(temporary, options)
            same_software(facts_of(grader.card, options, part_size), facts)
            self.worker = Worker(grader, options, run, batch_size, ray.get(known))
        except AndroscopeError as error:
            self.error = error

    def __call__(self, table: Any) -> Any:
        try:
            if self.error is not None:
                raise self.error
            part = read_part(table)
            return done_table(self.worker(part) if isinstance(part, Part) else part)
        except AndroscopeError as error:
            return done_table(error)
