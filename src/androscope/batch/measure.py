"""How many crops a forward pass should take here: tried out for a second on phantoms."""

from __future__ import annotations

import time
from dataclasses import dataclass

from androscope.imaging.phantom_set import phantom_set
from androscope.predict import Graded, Grader
from androscope.types import Crop

__all__ = ["IN_FLIGHT", "Speed", "candidates", "choose_batch_size"]

#: Crops in forward passes at a time, over all threads: what keeps memory small.
IN_FLIGHT = 16

#: A larger batch must be faster by this much to be worth its memory.
_WORTH = 0.97

#: No candidate divides it: the short pass at the end of a part is compared too.
_CROPS = 29


@dataclass(frozen=True, slots=True)
class Speed:
    """Crops per pass that were chosen, and seconds per crop in one thread with it."""

    batch_size: int
    seconds: float


def candidates(threads: int) -> tuple[int, ...]:
    """Batch sizes to try: powers of two that keep :data:`IN_FLIGHT` with so many threads."""
    most = max(1, IN_FLIGHT // threads)
    return tuple(size for size in (2, 4, 8, 16, 32) if most // 4 <= size <= most)


def choose_batch_size(
    grader: Grader, threads: int, *, only: int | None = None, rounds: int = 2
) -> Speed:
    """Time the candidates and take the fastest.

    A candidate is passed over if it changes any probability in any bit, compared with one crop per
    pass: so that what is measured, which differs from run to run, changes no answer. If all do, it
    is one crop per pass.

    Parameters
    ----------
    grader
        With one thread, and that refuses nothing: phantoms need not pass a model's checks.
    threads
        That will grade at once.
    only
        Time this one alone.
    rounds
        Each is timed so often, and its best time counts.
    """
    size = grader.card.input.size
    crops = [
        Crop(phantom.pixels, f"phantom {number}")
        for number, phantom in enumerate(phantom_set(8, seed=0, size=size))
    ]
    crops = (crops * (-(-_CROPS // len(crops))))[:_CROPS]
    sizes = (1, *candidates(threads)) if only is None else (only,)
    times = dict.fromkeys(sizes, float("inf"))
    answers = {}
    for _ in range(rounds):
        for batch in sizes:
            start = time.perf_counter()
            answers[batch] = _probabilities(grader, crops, batch)
            times[batch] = min(times[batch], (time.perf_counter() - start) / len(crops))
    best = sizes[0]
    for batch in sizes[1:]:
        if answers[batch] == answers[best] and times[batch] < _WORTH * times[best]:
            best = batch
    return Speed(best, times[best])


def _probabilities(grader: Grader, crops: list[Crop], batch: int) -> list[tuple[float, ...]]:
    return [
        tuple(part.probability for part in graded.assessment.parts)
        for start in range(0, len(crops), batch)
        for graded in grader.grade(crops[start : start + batch])
        # A phantom may be refused: measuring it takes as long, and it has no probabilities.
        if isinstance(graded, Graded)
    ]
