"""Milliseconds per crop: from memory in batches, one alone, and from PNG files end to end.

    python benchmarks/grading.py [BUNDLE] [--threads 2] [--seconds 4] [--files 2000]

All parts are graded. `from memory` is the session alone; `from PNG files` is `androscope.assess` on
a folder of rendered sperm, reading, checking, cropping and verdicts included, in a process whose
largest memory is printed too. The bundle is measured as it is and, where it is float32, in int8
(quantised on the spot on rendered sperm: for the time it does not matter on which). Processor time
is of all threads together, and is what a busy machine can still be asked; at best the wall time is
that divided by the threads.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from machine import cores, describe
from PIL import Image
from profile_model import crops, in_int8

from androscope.model.bundle import load_bundle
from androscope.model.bundle_writing import write_bundle
from androscope.model.session import Session
from androscope.predict import Grader

BATCH = 32

#: Milliseconds per crop on two cores, and megabytes.
GOALS = {"memory, batch 32": 0.9, "PNG files": 1.5, "peak MB": 400.0}


def least(call: Callable[[], object], images: int, seconds: float) -> tuple[float, float]:
    """Least wall and least processor milliseconds per image of ``call``."""
    call()
    call()
    wall, cpu, count, end = float("inf"), float("inf"), 0, time.perf_counter() + seconds
    while count < 5 or time.perf_counter() < end:
        start, busy = time.perf_counter(), time.process_time()
        call()
        wall = min(wall, (time.perf_counter() - start) * 1e3 / images)
        cpu = min(cpu, (time.process_time() - busy) * 1e3 / images)
        count += 1
    return wall, cpu


def from_memory(bundle: Path, threads: int, seconds: float) -> dict[str, tuple[float, float]]:
    """The session alone."""
    session = Session(load_bundle(bundle), threads=threads)
    pixels = crops(BATCH, session.card.input.size)
    return {
        f"memory, batch {BATCH}": least(
            lambda: session.predict(pixels, batch_size=BATCH), BATCH, seconds
        ),
        "memory, single": least(lambda: session.predict(pixels[:1]), 1, seconds),
    }


def from_files(bundle: Path, folder: Path, threads: int) -> dict[str, object]:
    """A folder end to end; to be called in a fresh process."""
    grader = Grader(bundle, threads=threads, grade_anyway=True)
    grader.assess(folder / "warm")
    count = sum(1 for _ in grader.stream(folder / "crops"))
    wall, cpu = float("inf"), float("inf")
    for _ in range(3):
        start, busy = time.perf_counter(), time.process_time()
        for _ in grader.stream(folder / "crops"):
            pass
        wall = min(wall, time.perf_counter() - start)
        cpu = min(cpu, time.process_time() - busy)
    return {"PNG files": (wall * 1e3 / count, cpu * 1e3 / count), "peak MB": peak_mb()}


def peak_mb() -> float:
    """Largest memory of this process so far, since its program was started."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    # Not ru_maxrss, which on Linux goes on from that of the process that started this one.
    return int(status.partition("VmHWM:")[2].split()[0]) * 1.024e-3


def write_crops(folder: Path, count: int, size: int) -> None:
    """``count`` PNG files of rendered sperm, and a few to warm up on."""
    pixels = crops(64, size)
    for name, number in (("warm", 8), ("crops", count)):
        (folder / name).mkdir()
        for i in range(number):
            Image.fromarray(pixels[i % len(pixels)]).save(folder / name / f"{i:06d}.png")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", nargs="?", default="dmtl-lite0")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=4.0, help="per figure")
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--worker", nargs=2, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    threads = arguments.threads or cores()
    if arguments.worker:
        print(json.dumps(from_files(*arguments.worker, threads)))
        return
    print(describe())
    bundle = load_bundle(arguments.bundle)
    title = f"{bundle.card.name} {bundle.card.version}"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_crops(folder, arguments.files, bundle.card.input.size)
        kinds = {"as it is": bundle.model}
        if bundle.card.int8 is None:
            kinds = {"float32": bundle.model, "int8": in_int8(bundle)}
        print(f"{title}, {threads} threads, {arguments.files} files; ms per crop")
        print(f"{'':<26}{'wall':>8}{'processor':>11}  goal on 2 cores")
        for kind, model in kinds.items():
            place = folder / f"model-{kind}"
            write_bundle(place, model, bundle.card, bundle.domain)
            rows: dict[str, object] = dict(from_memory(place, threads, arguments.seconds))
            command = [sys.executable, __file__, "--threads", str(threads)]
            done = subprocess.run(
                [*command, "--worker", str(place), str(folder)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            rows |= json.loads(done.stdout.splitlines()[-1])
            for name, value in rows.items():
                goal = GOALS.get(name)
                wall, cpu = value if isinstance(value, tuple | list) else (value, None)
                told = "" if goal is None else f"  {goal:g}: {'met' if wall <= goal else 'NOT met'}"
                spent = "" if cpu is None else f"{cpu:.2f}"
                print(f"{f'{kind}, {name}':<26}{wall:>8.2f}{spent:>11}{told}")


if __name__ == "__main__":
    main()
