"""Is this an image the model may grade: what passes, what is refused, by which check, how fast."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from androscope.assessment.gate import check_crops, values_of
from androscope.assessment.sample import proportion
from androscope.errors import DataError, MissingExtraError
from androscope.imaging.chroma import BLOCK
from androscope.learning.trust.altered import ALTERATIONS, altered
from androscope.learning.trust.frames import box_crops, frame_crops
from androscope.learning.trust.negatives import KINDS, negatives
from androscope.learning.trust.sections import Row, Section, Trial
from androscope.learning.trust.stained import stained
from androscope.learning.trust.subgroups import subgroup_rows
from androscope.types import Crop, Flag, UInt8Array

__all__ = ["COUNT", "GOAL", "MILLISECONDS", "measure"]

#: Share of the labelled crops that is to pass, and of each kind of other picture to be refused.
GOAL = 0.95
#: What the checks may cost, ms a crop, in batches of 32.
MILLISECONDS = 0.2
#: Pictures of each kind.
COUNT = 200

#: Another one was looked at while the limit of colour was chosen.
_STAINED_SEED = 2026
_OUTSIDE = "outside the training domain"

#: Crops of other microscopes. That their sperm are refused is as it should be, and is shown beside
#: their debris: what refuses everything does not tell debris.
_OTHERS: tuple[tuple[str, float | None, Callable[[], list[Crop]]], ...] = (
    (
        "visem frames, background between the boxes",
        GOAL,
        partial(frame_crops, "visem", estimated=False),
    ),
    (
        "visem frames, heads at a scale estimated wrongly",
        GOAL,
        partial(frame_crops, "visem", estimated=True),
    ),
    ("svia frames, boxes of impurities", GOAL, partial(box_crops, "svia", "impurity")),
    ("svia frames, boxes of sperm", None, partial(box_crops, "svia", "sperm")),
)


def measure(trial: Trial) -> Section:
    """Measure pass and refuse rates, and the cost; metrics by sharpness and size."""
    title = "Input checks: is this an image the model may grade"
    if trial.card.checks is None:
        remark = "This bundle's card holds no checks: every image is graded."
        return Section(title, (), remarks=(remark,))
    crops = [Crop(pixels, str(number)) for number, pixels in enumerate(trial.crops.crops)]
    checks, embeddings = trial.card.checks, trial.predictions.embeddings
    flags = check_crops(crops, embeddings, checks, trial.session.domain)
    passed = sum(not found for found in flags)
    rows = [_share(f"{trial.data} {trial.split}: pass every check", passed, len(crops), GOAL)]
    details: dict[str, Any] = {f"{trial.data} {trial.split}": _by_check(flags)}
    remarks: list[str] = []
    for kind in KINDS:
        try:
            pictures = negatives(kind, COUNT)
        except (MissingExtraError, ModuleNotFoundError) as error:
            remarks.append(f"{kind}: not measured: {error}.")
            continue
        found = _flags(trial, [Crop(pixels, kind) for pixels in pictures])
        rows.append(_refused(f"{kind}: refused", found))
        details[kind] = _by_check(found)
    for colour in (True, False):
        kind = "stained sperm, in colour" if colour else "stained sperm, saved in grey"
        found = _flags(trial, stained(COUNT, _STAINED_SEED, colour=colour))
        outside = sum(any(_OUTSIDE in flag.reason for flag in one) for one in found)
        rows.append(_share(f"{kind}: flagged {_OUTSIDE}", outside, COUNT, GOAL))
        details[kind] = _by_check(found)
    for change in ALTERATIONS:
        pixels = altered(trial.crops.crops, change)
        found = _flags(trial, [Crop(one, change.what) for one in pixels])
        goal = GOAL if change.strong else None
        rows.append(_refused(f"{trial.data} {trial.split}, {change.what}: refused", found, goal))
        details[change.what] = _by_check(found)
    for what, goal, cut in _OTHERS:
        try:
            found = _flags(trial, cut())
        except DataError as error:
            remarks.append(f"{what}: not measured: {error}")
            continue
        if found:
            rows.append(_refused(f"{what}: refused", found, goal))
            details[what] = _by_check(found)
    rows.append(_cost(trial, crops))
    rows += subgroup_rows(trial, values_of(crops, embeddings, None))
    remarks += [
        f"Limits are quantiles of {checks.data} with {checks.tail:.2%} of the crops beyond each "
        f"end, at which {checks.passed:.1%} of {checks.confirmed} pass every check. No refused "
        "picture took part in that.",
        "What refused, most often first: "
        + "; ".join(_told(kind, shares) for kind, shares in details.items())
        + ".",
        "Intervals take each picture for one draw; those cut from one photograph or one video are "
        "not, so that theirs are too narrow.",
        f"Colour is averaged over {BLOCK} x {BLOCK} px; stained sperm are rendered ones.",
    ]
    return Section(title, tuple(rows), remarks=tuple(remarks), details={"refused by": details})


def _flags(trial: Trial, crops: Sequence[Crop]) -> list[tuple[Flag, ...]]:
    if not crops:
        return []
    pixels: UInt8Array = np.stack([crop.pixels for crop in crops])
    embeddings = trial.session.predict(pixels).embeddings
    return check_crops(crops, embeddings, trial.card.checks, trial.session.domain)


def _refused(what: str, flags: Sequence[tuple[Flag, ...]], goal: float | None = GOAL) -> Row:
    return _share(what, sum(bool(found) for found in flags), len(flags), goal)


def _share(what: str, count: int, of: int, goal: float | None) -> Row:
    found = proportion(count, of)
    note = f"{count} of {of}"
    return Row(what, found.fraction, found.low, found.high, goal=goal, unit="%", note=note)


def _by_check(flags: Sequence[tuple[Flag, ...]]) -> dict[str, float]:
    counts = Counter(flag.check for found in flags for flag in found)
    return {name: count / len(flags) for name, count in counts.most_common()}


def _told(kind: str, shares: dict[str, float]) -> str:
    return f"{kind}: " + (", ".join(f"{n} {s:.1%}" for n, s in list(shares.items())[:4]) or "none")


def _cost(trial: Trial, crops: Sequence[Crop], batch: int = 32, rounds: int = 100) -> Row:
    """Best of some rounds, as other work on the machine only ever adds to a time."""
    some = list(crops[:batch])
    embeddings = trial.predictions.embeddings[: len(some)]
    best = np.inf
    for _ in range(rounds):
        started = time.perf_counter()
        check_crops(some, embeddings, trial.card.checks, trial.session.domain)
        best = min(best, time.perf_counter() - started)
    return Row(
        "time of all checks, a crop",
        1000 * best / len(some),
        goal=MILLISECONDS,
        wanted="at most",
        unit="ms",
        note=f"batches of {len(some)}, best of {rounds}",
    )
