"""Cost per crop of a long batch over its size: time, memory, files.

    python benchmarks/growth.py [--sizes 1000 10000 100000] [--million] [--kind parquet]
                                [--model NAME|DIR] [--threads 2] [--workers N] [--ray ADDRESS]
                                [--keep FOLDER]

Crops are 64 phantoms with new noise each, encoded as PNG, written once per size into one Parquet
file, ZIP archive or folder. Each run is `androscope batch` in a process of its own, timed from its
start to its end: wall seconds tell of whatever else the machine does, CPU seconds do not. Memory
is the peak of the largest process. The second run of each is the same command again: all images
are read and hashed, and none is graded.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from androscope.imaging.phantom_set import phantom_set

CODE = "from androscope.cli.main import main; main()"
GOAL_MB = 400
BASES, NOISE = 64, 6.0


def pictures(count: int) -> Iterator[tuple[str, bytes]]:
    """Names and PNG files; the first of a larger set are those of a smaller."""
    bases = [p.pixels.astype(np.int16) for p in phantom_set(BASES, seed=0)]
    rng = np.random.default_rng(0)
    noise = rng.normal(0, NOISE, (1 << 20) + 64 * 64).astype(np.int16)
    for number in range(count):
        start = int(rng.integers(1 << 20))
        drawn = noise[start : start + 64 * 64].reshape(64, 64)
        pixels = np.clip(bases[number % BASES] + drawn, 0, 255).astype(np.uint8)
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
        yield f"{number // 10_000:04d}/{number:08d}.png", stream.getvalue()


def write(path: Path, kind: str, count: int) -> None:
    """Write the pictures, unless they are there."""
    if path.exists():
        return
    partial = path.with_name(f"partial-{path.name}")
    if kind == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema([("path", pa.string()), ("bytes", pa.binary())])
        with pq.ParquetWriter(partial, schema, compression="none") as writer:
            rows: list[dict[str, object]] = []
            for name, data in pictures(count):
                rows.append({"path": name, "bytes": data})
                if len(rows) == 2000:
                    writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                    rows = []
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    elif kind == "zip":
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            for name, data in pictures(count):
                archive.writestr(name, data)
    else:
        for name, data in pictures(count):
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            (partial / name).write_bytes(data)
    partial.rename(path)


@dataclass
class Run:
    """What one command took."""

    wall: float
    cpu: float
    peak_mb: float
    files: int


def run(source: Path, out: Path, options: list[str]) -> Run:
    """Run the command and watch how many files it keeps meanwhile."""
    parts = out.with_name(out.name + ".parts") / "parts"
    most, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not ended.wait(0.5):
            try:
                most = max(most, sum(1 for _ in parts.iterdir()))
            except OSError:
                continue

    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, "batch", str(source), "--out", str(out), "--quiet", *options]
    )
    watcher = threading.Thread(target=watch)
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    ended.set()
    watcher.join()
    if process.returncode not in (0, 1):
        sys.exit(f"the command failed with {process.returncode}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, most)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--kind", choices=("parquet", "zip", "folder"), default="parquet")
    parser.add_argument("--model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--ray", help="address of a Ray cluster; its CPU time is not counted")
    parser.add_argument("--keep", type=Path, help="folder that pictures are kept in")
    arguments = parser.parse_args()
    options = ["--threads", str(arguments.threads)]
    options += ["--model", arguments.model] if arguments.model else []
    options += ["--workers", str(arguments.workers)] if arguments.workers else []
    options += ["--ray", arguments.ray] if arguments.ray else []
    hands = (
        f"{arguments.workers} worker process(es)"
        if arguments.workers
        else f"{arguments.threads} threads"
    )
    hands += " of Ray" if arguments.ray else ""
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}; "
        f"{arguments.kind}, {hands}, model {arguments.model or 'default'}"
    )
    print(
        f"{'crops':>9}{'wall, s':>10}{'wall, ms':>10}{'CPU, ms':>9}{'peak, MB':>10}"
        f"{'parts':>7}{'input, MB':>11}{'output, MB':>12}{'again, s':>10}{'again, ms':>11}",
        flush=True,
    )
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="growth-"))
    folder.mkdir(parents=True, exist_ok=True)
    peaks = []
    try:
        for count in [*arguments.sizes, *([1_000_000] if arguments.million else [])]:
            source = folder / f"crops-{count}{'' if arguments.kind == 'folder' else '.'}"
            source = source.with_name(
                source.name + ("" if arguments.kind == "folder" else arguments.kind)
            )
            write(source, arguments.kind, count)
            size = sum(f.stat().st_size for f in [source, *source.rglob("*")] if f.is_file())
            out = folder / f"results-{count}.parquet"
            out.unlink(missing_ok=True)
            first = run(source, out, options)
            again = run(source, out, options)
            peaks.append(max(first.peak_mb, again.peak_mb))
            print(
                f"{count:>9,}{first.wall:>10.1f}{first.wall / count * 1000:>10.2f}"
                f"{first.cpu / count * 1000:>9.2f}{peaks[-1]:>10.0f}{first.files:>7}"
                f"{size / 1e6:>11.1f}{out.stat().st_size / 1e6:>12.2f}{again.wall:>10.1f}"
                f"{again.wall / count * 1000:>11.3f}",
                flush=True,
            )
    finally:
        if arguments.keep is None:
            shutil.rmtree(folder)
    most = max(peaks)
    print(f"peak memory {most:.0f} MB; goal {GOAL_MB}: {'met' if most < GOAL_MB else 'NOT met'}")


if __name__ == "__main__":
    main()
