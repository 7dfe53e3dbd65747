"""Wall time of cold starts, and the size of a slim install.

    python benchmarks/cold_start.py [--install]

Every run is a fresh process; the first is not counted (file cache). The floor is the same
interpreter doing nothing. `--install` also makes an empty environment, installs the package's slim
core into it and prints its size without pip's and setuptools' own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def wall(command: list[str], runs: int) -> tuple[float, float]:
    """Median and largest wall seconds of ``command`` over ``runs`` fresh processes."""
    times = []
    for run in range(runs + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        if run:
            times.append(time.perf_counter() - start)
    return statistics.median(times), max(times)


def size_mb(folder: Path) -> float:
    """Size on disk of ``folder`` in MB (10^6 bytes), links not followed."""
    return sum(f.lstat().st_size for f in folder.rglob("*") if not f.is_dir()) / 1e6


def slim_install() -> None:
    """Install the core alone and print what it weighs."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "slim"
        venv.create(folder, with_pip=True)
        before = size_mb(folder)
        subprocess.run([folder / "bin" / "pip", "install", "-q", str(ROOT)], check=True)
        after = size_mb(folder)
        print(f"slim install: {after:.0f} MB in all, {after - before:.0f} MB without pip's own")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--install", action="store_true")
    arguments = parser.parse_args()
    command = str(Path(sys.executable).with_name("androscope"))
    with tempfile.TemporaryDirectory() as temporary:
        subprocess.run(
            [command, "data", "phantom", "--out", temporary, "--n", "1", "--seed", "0"],
            check=True,
            capture_output=True,
        )
        crop = str(next(Path(temporary).rglob("*.png")))
        print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, {arguments.runs} runs, s")
        for name, words, goal in (
            ("python -c pass", [sys.executable, "-c", "pass"], None),
            ("androscope --help", [command, "--help"], 0.3),
            ("androscope assess crop.png", [command, "assess", crop], 0.8),
        ):
            median, most = wall(words, arguments.runs)
            wanted = (
                "" if goal is None else f"  goal {goal}: {'met' if median < goal else 'NOT met'}"
            )
            print(f"{name:<28} median {median:.3f}  max {most:.3f}{wanted}")
    if arguments.install:
        slim_install()


if __name__ == "__main__":
    main()
