"""Are heat maps faithful: deletion and insertion curves, for all crops and verdict by verdict.

Where most verdicts are normal, a mean over crops is about those alone, and says nothing of the maps
that are looked at most: those of abnormal ones. So each verdict has rows of its own, for which
further crops that are called abnormal are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from androscope.assessment.look import FLOOR
from androscope.assessment.sample import proportion
from androscope.learning.trust.faithfulness import areas, centre_prior, random_map
from androscope.learning.trust.sections import Row, Trial
from androscope.model.saliency import Grade, heat_maps
from androscope.types import FloatArray, UInt8Array

__all__ = ["ABNORMAL_CROPS", "CROPS", "OFF_CENTRE", "Curves", "mean_interval", "measure_curves"]

#: Crops whose curves are drawn, whatever their verdicts; each is graded some 250 times.
CROPS = 60
#: Crops called abnormal whose curves are drawn, for each label; all of them if there are fewer.
ABNORMAL_CROPS = 30
#: A peak further from the crop's centre than this, in shares of its side, is off the head mostly:
#: 20 px of 64, half a head's length.
OFF_CENTRE = 20 / 64

_PRIORS = ("a random map", "a centre prior")
_KINDS = ("deletion", "insertion")


@dataclass(frozen=True, slots=True)
class Curves:
    """What was found: rows, details for the JSON, and the drawn crops ``(N, S, S)`` with maps."""

    rows: tuple[Row, ...]
    details: dict[str, Any]
    crops: UInt8Array
    maps: FloatArray


def measure_curves(trial: Trial, grade: Grade) -> Curves:
    """Draw crops with the trial's seed, and measure their maps."""
    order = np.random.default_rng([41, trial.seed]).permutation(len(trial.crops.crops))
    columns = [trial.card.labels.index(label) for label in trial.labels]
    thresholds = np.array([trial.card.thresholds[label] for label in trial.labels])
    called = trial.predictions.probabilities[:, columns] >= thresholds
    any_verdict = np.sort(order[:CROPS])
    abnormal = [order[called[order, i]][:ABNORMAL_CROPS] for i in range(len(columns))]
    drawn = np.unique(np.concatenate([any_verdict, *abnormal]))
    crops = trial.crops.crops[drawn]
    trial.report(f"heat maps of {len(crops)} crops")
    maps = heat_maps(grade, crops)
    rows: list[Row] = []
    by_verdict: list[Row] = []
    details: dict[str, Any] = {}
    for i, label in enumerate(trial.labels):
        trial.report(f"curves of {label}")
        wanted = np.isin(drawn, np.concatenate([any_verdict, abnormal[i]]))
        numbers, is_abnormal = drawn[wanted], called[drawn[wanted], i]
        heats = np.where(is_abnormal[:, None, None], 1, -1) * maps[wanted, columns[i]]
        table = _areas(trial, grade, crops[wanted], heats, is_abnormal, columns[i], numbers)
        whole = np.isin(numbers, any_verdict)
        rows += _gains(trial, label, table[whole], details)
        for verdict, chosen in (("normal", whole & ~is_abnormal), ("abnormal", is_abnormal)):
            if chosen.any():
                what = f"{label} called {verdict}"
                by_verdict += _gains(trial, what, table[chosen], details)
                by_verdict += _peaks(what, heats[chosen])
    kept = np.isin(drawn, any_verdict)
    return Curves((*rows, *by_verdict), details, crops[kept], maps[kept])


def _areas(
    trial: Trial,
    grade: Grade,
    crops: UInt8Array,
    heats: FloatArray,
    abnormal: NDArray[np.bool_],
    column: int,
    numbers: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Areas ``(N, 3, 2)``: of the map and of each prior, under both curves."""
    size = crops.shape[1]
    centre = centre_prior(size)
    table = []
    for crop, heat, is_abnormal, number in zip(crops, heats, abnormal, numbers, strict=True):
        compared = [heat, random_map(size, trial.seed, int(number), column), centre]
        found = areas(grade, crop, compared, column, abnormal=bool(is_abnormal))
        table.append([(one.deletion, one.insertion) for one in found])
    return np.array(table)


def _gains(
    trial: Trial, what: str, table: NDArray[np.float64], details: dict[str, Any]
) -> list[Row]:
    rows = []
    for prior, name in enumerate(_PRIORS, 1):
        for kind, curve in enumerate(_KINDS):
            ours, other = table[:, 0, kind], table[:, prior, kind]
            gain = other - ours if curve == "deletion" else ours - other
            low, high = mean_interval(gain, seed=trial.seed, resamples=trial.resamples)
            note = f"{(gain > 0).mean():.0%} of {len(gain)} crops gain"
            row = f"{what}: {curve}, gain on {name}"
            rows.append(Row(row, float(gain.mean()), low, high, goal=0.0, note=note))
            details[f"{what} {curve}, {name}"] = {
                "map": round(float(ours.mean()), 4), "prior": round(float(other.mean()), 4),
            }  # fmt: skip
    return rows


def _peaks(what: str, heats: FloatArray) -> list[Row]:
    """How many maps have a ring, and how many of the rings are off the middle."""
    size = heats.shape[1]
    flat = heats.reshape(len(heats), -1)
    y, x = np.unravel_index(flat.argmax(axis=1), heats.shape[1:])
    away = np.hypot(y - (size - 1) / 2, x - (size - 1) / 2) > OFF_CENTRE * size
    ringed = flat.max(axis=1) >= FLOOR
    rows = []
    for row, count, of in (
        (f"{what}: maps in which a place is ringed", ringed.sum(), len(heats)),
        (f"{what}: rings off the middle", (away & ringed).sum(), ringed.sum()),
    ):
        if of:
            found = proportion(int(count), int(of))
            rows.append(
                Row(row, found.fraction, found.low, found.high, unit="%", note=f"{count} of {of}")
            )
    return rows


def mean_interval(values: NDArray[np.float64], *, seed: int, resamples: int) -> tuple[float, float]:
    """95% percentile bootstrap interval of the mean of ``values`` ``(N,)``."""
    drawn = np.random.default_rng(seed).integers(0, len(values), (resamples, len(values)))
    low, high = np.quantile(values[drawn].mean(1), [0.025, 0.975])
    return float(low), float(high)
