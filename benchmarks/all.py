"""Every table of speed and size, one after the other, under this machine's description.

    python benchmarks/all.py [--quick] [NAME ...]

`make bench` runs it. Without names all are made, in some ten minutes; at the first run the peers
are installed into environments under build/. A table that cannot be made says why, and the others
go on; the exit code is then 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from machine import describe

HERE = Path(__file__).resolve().parent

#: Name to the command, and to what it becomes with --quick.
TABLES: dict[str, tuple[list[str], list[str]]] = {
    "grading": (["grading.py"], ["--seconds", "1"]),
    "profile": (["profile_model.py"], ["--top", "5"]),
    "roofline": (["roofline.py"], []),
    "peers": (["peers.py"], ["--turns", "1", "--seconds", "0.5", "--without", "Keras"]),
    "cold start": (["cold_start.py", "--install"], []),
    "weight": (["weight.py"], []),
    "growth": (["growth.py"], []),
    "field": (["field_time.py"], ["--runs", "3"]),
    "training step": (["step_time.py"], ["--steps", "5"]),
}


def main() -> None:
    """Make the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TABLES))
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, no Keras")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in TABLES]
    if unknown:
        parser.error(f"no such table: {', '.join(unknown)}; there are {', '.join(TABLES)}")
    print(describe(), flush=True)
    failed = []
    for name in arguments.names or TABLES:
        command, quick = TABLES[name]
        words = [*command, *(quick if arguments.quick else [])]
        print(f"\n== {name}: python benchmarks/{' '.join(words)}", flush=True)
        start = time.perf_counter()
        done = subprocess.run([sys.executable, str(HERE / words[0]), *words[1:]], check=False)
        print(f"-- {time.perf_counter() - start:.0f} s", flush=True)
        if done.returncode:
            failed.append(name)
    if failed:
        print(f"\nnot made: {', '.join(failed)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
