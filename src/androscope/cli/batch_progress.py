"""How far a long batch is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from androscope.batch.run import Step

__all__ = ["Rate", "duration", "line_of", "size_text", "watching"]

#: Seconds between two lines where no terminal is.
_BETWEEN = 10.0


def duration(seconds: float) -> str:
    """Seconds as ``4.2 s``, ``3 min 5 s``, ``2 h 7 min`` or ``3 d 4 h``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, smaller, size, step in (
        ("min", "s", 60, 1), ("h", "min", 3600, 60), ("d", "h", 86400, 3600)
    ):  # fmt: skip
        limit = {"min": 3600, "h": 2 * 86400, "d": float("inf")}[unit]
        if whole < limit:
            return f"{whole // size} {unit} {whole % size // step} {smaller}"
    raise AssertionError


def size_text(size: int) -> str:
    """Bytes as ``512 B``, ``3.4 kB``, ``1.2 GB``."""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB", "PB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"


class Rate:
    """Images a second and the time left, from what was graded: what was kept costs next to none."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()
        self.per_second: float | None = None
        self.left: float | None = None

    def see(self, step: Step) -> None:
        """Take in how far it is."""
        spent = self._clock() - self._start
        graded = step.rows - step.kept
        self.per_second = graded / spent if graded and spent > 0 else None
        self.left = None
        if self.per_second and step.images is not None:
            self.left = max(0, step.images - step.rows) / self.per_second


def line_of(step: Step, rate: Rate) -> str:
    """One line: how many of how many, rate, time left, errors."""
    of = "" if step.images is None else f" of {step.images:,}"
    parts = [f"{step.rows:,}{of} images"]
    if rate.per_second is not None:
        parts.append(f"{rate.per_second:,.0f}/s")
    if rate.left is not None:
        parts.append(f"{duration(rate.left)} left")
    failed = sum(step.failed.values())
    parts.append(f"{failed:,} error{'' if failed == 1 else 's'}")
    return ", ".join(parts)


@contextmanager
def watching(
    stream: IO[str], quiet: bool, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[Step], None]]:
    """Give what to call with each step; it shows it on ``stream``."""
    rate = Rate(clock)
    if quiet:
        yield rate.see
    elif stream.isatty():
        with _bar(stream, rate) as show:
            yield show
    else:
        shown = clock()

        def say(step: Step) -> None:
            nonlocal shown
            rate.see(step)
            if clock() - shown >= _BETWEEN:
                shown = clock()
                print(line_of(step, rate), file=stream, flush=True)

        yield say


@contextmanager
def _bar(stream: IO[str], rate: Rate) -> Iterator[Callable[[Step], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("Grading"), BarColumn(), TextColumn("{task.fields[line]}"))
    with Progress(*columns, console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("grade", total=None, line="")

        def show(step: Step) -> None:
            rate.see(step)
            bar.update(task, completed=step.rows, total=step.images, line=line_of(step, rate))

        yield show
