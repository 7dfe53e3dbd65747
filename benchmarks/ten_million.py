"""From what one crop costs here to ten million on stated machines, and what limits comes next.

    python benchmarks/ten_million.py [--ms MS] [--price 0.05] [--model NAME|DIR] [--crops 2000]

What is measured, in CPU seconds of one process: grading a crop with everything around it (or given
by `--ms`, such as the table of growth.py has it), the share of it that holds Python's lock,
cutting a Parquet source into parts, committing a part to the disk, and joining the output. The rest
is arithmetic: hours are crops times CPU time over cores, costs are cores times hours times
`--price`, in any currency per core and hour.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pyarrow.parquet as pq
from growth import write

from androscope.batch.key import Options, facts_of, key_of_run
from androscope.batch.output import write_output
from androscope.batch.parts import Part
from androscope.batch.run import Batch
from androscope.batch.sources import open_sources, parts_of
from androscope.batch.state import State, folder_of
from androscope.batch.work import Done, Worker, grader_of

TEN_MILLION = 10_000_000
#: Cores that grade, and machines.
MACHINES = (
    ("office PC, 4 cores", 4, 1),
    ("workstation, 16 cores", 16, 1),
    ("8 nodes of 32 cores", 32, 8),
)


def cpu(what: Callable[[], object]) -> tuple[object, float]:
    """Result and CPU seconds of this process."""
    start = time.process_time()
    result = what()
    return result, time.process_time() - start


def wall(what: Callable[[], object]) -> float:
    """Wall seconds: for what waits for the disk."""
    start = time.perf_counter()
    what()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ms", type=float, help="CPU milliseconds per crop")
    parser.add_argument("--price", type=float, default=0.05, help="per core and hour")
    parser.add_argument("--model")
    parser.add_argument("--crops", type=int, default=2000)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ten-million-"))
    try:
        costs = measure(folder, arguments.crops, arguments.model)
    finally:
        shutil.rmtree(folder)
    each = arguments.ms or costs["grade"]
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")
    print("per crop, CPU ms")
    if arguments.ms:
        print(f"  all of it (given)                    {arguments.ms:>8.3f}")
    for name, text in (
        ("grade", "read, decode, grade, make the row"),
        ("python", "  of it without the network"),
        ("cut", "cut a Parquet source into parts"),
        ("commit", "commit to the disk (wall)"),
        ("join", "join and check the output"),
    ):
        print(f"  {text:<36} {costs[name]:>8.3f}")
    print(f"{TEN_MILLION:,} crops, {each:.3f} ms each, {arguments.price:g} per core and hour")
    print(f"  {'machines':<24}{'cores':>6}{'hours':>9}{'crops/s':>10}{'cost per million':>18}")
    for name, cores, nodes in MACHINES:
        rate = cores * nodes / (each / 1000)
        hours = TEN_MILLION / rate / 3600
        cost = each / 1000 * 1e6 / 3600 * arguments.price
        print(f"  {name:<24}{cores * nodes:>6}{hours:>9.2f}{rate:>10,.0f}{cost:>18.3f}")
    home = costs["commit"]
    print("what limits next, crops/s")
    print(f"  one process, by Python's lock (--threads)   {1000 / costs['python']:>9,.0f}")
    print(f"  one Parquet file or archive, read by one    {1000 / costs['cut']:>9,.0f}")
    print(f"  the one process that commits the rows       {1000 / home:>9,.0f}")
    print(
        f"so --workers pays from {costs['grade'] / costs['python']:.0f} cores on, and one writer "
        f"keeps up with {each / home:,.0f} cores; joining ten million takes "
        f"{costs['join'] * TEN_MILLION / 1000 / 60:.0f} min more"
    )


def measure(folder: Path, crops: int, model: str | None) -> dict[str, float]:
    """CPU milliseconds per crop by step; wall for the commit."""
    write(folder / "crops.parquet", "parquet", crops)
    batch = Batch([folder / "crops.parquet"], folder / "out.parquet", model=model)
    (source,) = open_sources([folder / "crops.parquet"])
    parts, cut = cpu(lambda: list(parts_of(source, 0, batch.part_size)))
    assert isinstance(parts, list)
    batch_size = batch.speed().batch_size
    run = key_of_run(batch.facts)

    def graded(worker: Worker) -> list[Done]:
        return [worker(part) for part in parts if isinstance(part, Part)]

    done, grade = cpu(lambda: graded(Worker(batch.grader, Options(), run, batch_size)))
    assert isinstance(done, list)
    # The network of the tests' bundle costs next to nothing: what is left is everything else.
    tiny = Path(__file__).resolve().parent.parent / "tests" / "data" / "tiny-bundle"
    small = grader_of(tiny, Options())
    _, python = cpu(lambda: graded(Worker(small, Options(), run, batch_size)))
    state_folder = folder_of(batch.out)
    state_folder.mkdir()
    state = State(state_folder, facts_of(batch.grader.card, Options(), batch.part_size))
    state.begin(batch_size)
    commit = wall(lambda: [state.commit(item) for item in done])
    tallies = [(item.key, item.tally) for item in done if item.tally is not None]

    def table_of(key: str) -> object:
        return pq.read_table(state.path(key))

    _, join = cpu(lambda: write_output(batch.out, batch.schema, batch.facts, tallies, table_of))
    steps = {"grade": grade, "python": python, "cut": cut, "commit": commit, "join": join}
    return {name: seconds / crops * 1000 for name, seconds in steps.items()}


if __name__ == "__main__":
    main()
