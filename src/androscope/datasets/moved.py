"""Whether a lab's new crops have moved: two folders, graded, and what differs.

Embeddings and measures are taken of :data:`MOST` crops of each folder at most, drawn by chance, so
that memory does not grow with their number. What the model's checks refuse is among them, for
whatever makes the checks refuse is a move as well; it is in no percentage normal, as it is in none
that a lab reports, and how much it is stands beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from androscope.assessment.control_chart import control_chart
from androscope.assessment.drift import Drift, Measure
from androscope.assessment.sample import Proportion, proportion
from androscope.assessment.tally import Counts, count_whole
from androscope.assessment.two_sample import Divisions, divide, mmd_test, rank_tests
from androscope.datasets.appearance import MEASURES, appearance
from androscope.errors import EmptyInputError
from androscope.imaging.find import find_images
from androscope.predict import Graded, Grader
from androscope.types import Assessment, Failure, FloatArray

__all__ = ["FEWEST", "MOST", "Gathered", "drift", "gather", "measure_all"]

#: Crops of each set that are compared, at most.
MOST = 1000
#: Crops of each set without which nothing is said.
FEWEST = 20
#: Crops that are measured at once.
_BATCH = 256

#: What it means if a measure of :data:`~.appearance.MEASURES` went up, and if it went down.
WORDS = {
    "mean": ("brighter", "darker"),
    "deviation": ("more contrast", "less contrast"),
    "background": ("brighter background", "darker background"),
    "darkest": ("brighter shadows", "darker shadows"),
    "brightest": ("brighter highlights", "darker highlights"),
    "noise": ("more noise, or sharper", "less noise, or blurred"),
    "detail": ("more fine detail: sharper, or more contrast", "less fine detail: blurred, or flat"),
    "length": ("longer heads", "shorter heads"),
    "width": ("wider heads", "narrower heads"),
    "off_centre": ("heads less in the middle", "heads more in the middle"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """One set, graded.

    Attributes
    ----------
    name
        What was named.
    embeddings
        ``(K, D)`` float32, of those drawn.
    measures
        For each of :data:`~.appearance.MEASURES`, ``(K,)``.
    samples
        ``(K,)``: of which sample each of them is.
    counts
        By sample, in natural order: whole sperm normal, abnormal, undecided; of all crops that
        the checks pass.
    refused
        By sample: how many crops the checks refuse; empty if the model's card has no checks.
    failures
        Images that could not be graded.
    """

    name: str
    embeddings: FloatArray
    measures: dict[str, NDArray[np.float64]]
    samples: tuple[str, ...]
    counts: dict[str, Counts]
    refused: dict[str, int]
    failures: tuple[Failure, ...] = ()

    @property
    def total(self) -> Counts:
        """Of all samples together."""
        of = list(self.counts.values())
        return Counts(
            sum(c.normal for c in of), sum(c.abnormal for c in of), sum(c.undecided for c in of)
        )

    @property
    def share_refused(self) -> Proportion | None:
        """Of all crops, those that the checks refuse; ``None`` if nothing was checked."""
        if not self.refused:
            return None
        refused = sum(self.refused.values())
        return proportion(refused, refused + self.total.assessed)


def gather(
    where: Path,
    grader: Grader,
    *,
    seed: int = 0,
    most: int = MOST,
    progress: Callable[[int, int], None] | None = None,
) -> Gathered:
    """Grade every image of a folder (or a file, or a pattern); sub-folders are samples.

    Parameters
    ----------
    grader
        One that grades anyway: its flags are what says that a crop would be refused.

    Raises
    ------
    EmptyInputError
        If there are fewer than :data:`FEWEST` crops that can be graded.
    """
    where = where.expanduser()
    draw = np.random.default_rng(seed)
    kept: list[tuple[Graded, str]] = []
    verdicts: dict[str, list[Assessment]] = {}
    refused: dict[str, int] = {}
    failures: list[Failure] = []
    checked = grader.card.checks is not None
    crops = 0
    for item in grader.stream(list(find_images([where]).paths), progress=progress):
        if isinstance(item, Failure):
            failures.append(item)
            continue
        crops += 1
        sample = _sample(where, item.assessment.source)
        passed = verdicts.setdefault(sample, [])
        if checked:
            refused[sample] = refused.get(sample, 0) + bool(item.assessment.flags)
        if not item.assessment.flags:
            passed.append(item.assessment)
        # Reservoir sampling (Vitter 1985, algorithm R): each crop with the same chance.
        if len(kept) < most:
            kept.append((item, sample))
        elif (place := int(draw.integers(crops))) < most:
            kept[place] = (item, sample)
    if crops < FEWEST:
        more = f"; {len(failures)} images could not be graded" if failures else ""
        raise EmptyInputError(
            f"expected {FEWEST} crops at least, got {crops}{more}",
            path=where,
            advice="Name a folder with more crops",
        )
    labels = grader.card.labels
    return Gathered(
        name=str(where),
        embeddings=np.stack([_embedding(graded) for graded, _ in kept]),
        measures=measure_all([graded for graded, _ in kept]),
        samples=tuple(sample for _, sample in kept),
        counts={name: count_whole(given, labels) for name, given in verdicts.items()},
        refused=refused,
        failures=tuple(failures),
    )


def drift(
    reference: Gathered,
    new: Gathered,
    *,
    alpha: float = 0.01,
    permutations: int = 999,
    seed: int = 0,
) -> Drift:
    """Compare two sets.

    Parameters
    ----------
    alpha
        From which p down something counts as moved: the share of false alarms where nothing did.
    permutations, seed
        Of the tests.

    Raises
    ------
    EmptyInputError
        If no sperm of the reference passes the checks and is decided.
    """
    if not reference.total.decided:
        raise EmptyInputError(
            "expected a percentage normal in the reference, got none: of its crops the model's "
            f"checks refuse {sum(reference.refused.values())}, and {reference.total.undecided} are "
            "undecided",
            advice="Take crops that `androscope assess` grades as reference, or a model adapted to "
            "this microscope",
        )
    before, after = reference.share_refused, new.share_refused
    divisions = divide(reference.samples, new.samples, permutations=permutations, seed=seed)
    several = list(reference.counts.items()) if len(reference.counts) > 1 else []
    return Drift(
        reference=reference.name,
        new=new.name,
        counts=(reference.total, new.total),
        refused=None if before is None or after is None else (before, after),
        refused_of=new.refused,
        whole_samples=divisions.whole_samples,
        permutations=len(divisions),
        test=mmd_test(reference.embeddings, new.embeddings, divisions),
        measures=_measures(reference, new, divisions),
        chart=control_chart(reference.total, list(new.counts.items())),
        reference_chart=control_chart(reference.total, several),
        alpha=alpha,
    )


def measure_all(graded: Sequence[Graded]) -> dict[str, NDArray[np.float64]]:
    """:func:`~.appearance.appearance` of crops as they were graded, some at a time."""
    parts = [
        appearance(np.stack([item.crop.pixels for item in batch])) for batch in _batches(graded)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in MEASURES}


def _batches(graded: Sequence[Graded]) -> Iterator[Sequence[Graded]]:
    for start in range(0, len(graded), _BATCH):
        yield graded[start : start + _BATCH]


def _embedding(graded: Graded) -> FloatArray:
    if graded.embedding is None:
        raise AssertionError("Grader.stream gives embeddings")
    return graded.embedding


def _sample(where: Path, source: str) -> str:
    """The first folder below ``where`` in which the image lies; ``.`` for none."""
    path = Path(source)
    if not path.is_relative_to(where):
        return "."
    inside = path.relative_to(where).parts
    return inside[0] if len(inside) > 1 else "."


def _measures(reference: Gathered, new: Gathered, divisions: Divisions) -> tuple[Measure, ...]:
    ranks = rank_tests(reference.measures, new.measures, divisions)
    found = [
        Measure(
            name=name,
            what=MEASURES[name],
            reference=float(np.median(reference.measures[name])),
            new=float(np.median(new.measures[name])),
            share=rank.share,
            p=rank.p,
            words=WORDS[name][0 if rank.share > 0.5 else 1],
        )
        for name, rank in ranks.items()
    ]
    return tuple(sorted(found, key=lambda measure: -abs(measure.share - 0.5)))
