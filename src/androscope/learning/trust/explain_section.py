"""Do heat maps show what the model goes by: faithfulness, pointing, sanity, running time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from androscope.assessment.sample import proportion
from androscope.imaging.phantom import Phantom
from androscope.imaging.phantom_set import clear_phantoms
from androscope.learning.trust.faithfulness import Areas, areas, centre_prior, random_map
from androscope.learning.trust.randomised import SHARES, stages
from androscope.learning.trust.sections import Row, Section, Trial
from androscope.model.bundle import load_bundle
from androscope.model.saliency import BATCH, ROW, Grade, heat_maps
from androscope.model.session import Session
from androscope.settings import load_settings
from androscope.types import FloatArray, UInt8Array

__all__ = ["CROPS", "PHANTOMS", "TOLERANCE", "measure", "misses"]

#: Crops whose curves are drawn; each is graded some 400 times.
CROPS = 60
#: Clear phantoms with vacuoles.
PHANTOMS = 60
#: How far from a vacuole's outline a peak may lie, in shares of the crop's side: 4 px of 64, as the
#: pointing game's 15 px of pictures about 224 px wide (Zhang et al. 2018).
TOLERANCE = 4 / 64
#: Goals: share of peaks on a vacuole, rank correlation with shuffled weights, seconds for a crop.
_POINTING, _SANITY, _SECONDS = 0.8, 0.2, 1.0

# Not the seed that the method was chosen on.
_PHANTOM_SEED = 23
_SANITY_CROPS, _SANITY_SEEDS = 4, (0, 1)
_TIMED = 7
_PRIORS = ("a random map", "a centre prior")


def measure(trial: Trial) -> Section:
    """Measure the maps of the trial's crops, a seeded subset of them, and of phantoms."""
    grade = grade_by(trial.session)
    drawn = np.random.default_rng([41, trial.seed]).permutation(len(trial.crops.crops))
    rows_of = np.sort(drawn[:CROPS])
    crops = trial.crops.crops[rows_of]
    trial.report(f"heat maps of {len(crops)} crops")
    maps = heat_maps(grade, crops)
    rows, details = _faithful(trial, grade, crops, maps, rows_of)
    trial.report("heat maps of phantoms with vacuoles")
    pointing, pointed = _pointing(trial, grade)
    trial.report("heat maps of shuffled weights")
    sane, correlations = _sanity(trial, crops[:_SANITY_CROPS], maps[:_SANITY_CROPS])
    return Section(
        "Heat maps: where did it look",
        (*rows, *pointing, *sane, _running_time(grade, crops)),
        remarks=(
            f"Curves are of {len(crops)} of the {len(trial.crops.crops)} crops, drawn with the "
            "seed, so that this takes minutes; of each, the probability of the verdict that was "
            "given is followed as regions of 4 x 4 px are taken away (deletion: lower is better) "
            "or given (insertion: higher is better), the map's strongest first. Gains are in area "
            "under the curve, with paired bootstrap intervals over crops.",
            "Regions taken at random leave a chequered crop, which a model may call abnormal "
            "whatever it shows: where most verdicts are normal, chance is a strong rival in "
            "deletion.",
            f"A peak is on a vacuole if it lies within {TOLERANCE * trial.card.input.size:g} px of "
            "its outline.",
            "Weights are shuffled within their layer, from the last layer down; a map that were "
            "the picture's own, and not the model's, would not change.",
        ),
        details={"curves": details, "pointing": pointed, "shuffled": correlations},
    )


def grade_by(session: Session) -> Grade:
    """What a session says, in batches that are quick for many nearly equal crops."""

    def grade(crops: UInt8Array) -> FloatArray:
        return session.predict(crops, batch_size=BATCH).probabilities

    return grade


def _faithful(
    trial: Trial, grade: Grade, crops: UInt8Array, maps: FloatArray, numbers: NDArray[Any]
) -> tuple[list[Row], dict[str, Any]]:
    size = crops.shape[1]
    centre = centre_prior(size)
    rows: list[Row] = []
    details: dict[str, Any] = {}
    for label in trial.labels:
        column = trial.card.labels.index(label)
        threshold = trial.card.thresholds[label]
        abnormal = trial.predictions.probabilities[numbers, column] >= threshold
        trial.report(f"curves of {label}")
        found: list[list[Areas]] = []
        for number, crop in enumerate(crops):
            heat = maps[number, column] if abnormal[number] else -maps[number, column]
            heats = [heat, random_map(size, trial.seed, number, column), centre]
            found.append(areas(grade, crop, heats, column, abnormal=bool(abnormal[number])))
        table = np.array([[(a.deletion, a.insertion) for a in row] for row in found])
        for prior, name in enumerate(_PRIORS, 1):
            for kind, curve in enumerate(("deletion", "insertion")):
                ours, other = table[:, 0, kind], table[:, prior, kind]
                gain = other - ours if curve == "deletion" else ours - other
                rows.append(_gain_row(f"{label}: {curve}, gain on {name}", gain, trial, abnormal))
                details[f"{label} {curve}, {name}"] = {
                    "map": round(float(ours.mean()), 4), "prior": round(float(other.mean()), 4),
                }  # fmt: skip
    return rows, details


def _gain_row(what: str, gain: NDArray[np.float64], trial: Trial, abnormal: Any) -> Row:
    low, high = mean_interval(gain, seed=trial.seed, resamples=trial.resamples)
    note = f"{(gain > 0).mean():.0%} of {len(gain)} crops gain"
    if abnormal.any():
        note += f"; {gain[abnormal].mean():+.3f} in the {abnormal.sum()} called abnormal"
    return Row(what, float(gain.mean()), low, high, goal=0.0, note=note)


def mean_interval(values: NDArray[np.float64], *, seed: int, resamples: int) -> tuple[float, float]:
    """95% percentile bootstrap interval of the mean of ``values`` ``(N,)``."""
    drawn = np.random.default_rng(seed).integers(0, len(values), (resamples, len(values)))
    low, high = np.quantile(values[drawn].mean(1), [0.025, 0.975])
    return float(low), float(high)


def misses(heat: FloatArray, phantom: Phantom) -> float:
    """How far a map's peak lies from the nearest pixel of a vacuole, px."""
    y, x = np.unravel_index(int(heat.argmax()), heat.shape)
    rows, columns = np.nonzero(phantom.masks["vacuole"])
    return float(np.hypot(rows - y, columns - x).min())


def _pointing(trial: Trial, grade: Grade) -> tuple[list[Row], dict[str, Any]]:
    if "vacuole" not in trial.card.labels:
        return [], {}
    column, size = trial.card.labels.index("vacuole"), trial.card.input.size
    phantoms = [
        phantom
        for phantom in clear_phantoms("vacuole", PHANTOMS, _PHANTOM_SEED, size=size)
        if phantom.masks["vacuole"].any()
    ]
    called = grade(np.stack([p.pixels for p in phantoms]))[:, column]
    seen = [
        phantom
        for phantom, probability in zip(phantoms, called, strict=True)
        if probability >= trial.card.thresholds["vacuole"]
    ]
    read = proportion(len(seen), len(phantoms))
    rows = [
        Row(
            "phantoms with clear vacuoles that are called abnormal",
            read.fraction, read.low, read.high, unit="%", note=f"{len(seen)} of {len(phantoms)}",
        )
    ]  # fmt: skip
    if not seen:
        return rows, {}
    maps = heat_maps(grade, np.stack([p.pixels for p in seen]))[:, column]
    away = [misses(heat, p) for heat, p in zip(maps, seen, strict=True)]
    centre = [misses(centre_prior(size), p) for p in seen]
    within = TOLERANCE * size
    hits = proportion(sum(a <= within for a in away), len(seen))
    prior = sum(a <= within for a in centre)
    rows.append(
        Row(
            "of these, the map's peak is on a vacuole",
            hits.fraction, hits.low, hits.high, goal=_POINTING, unit="%",
            note=f"{hits.count} of {hits.n}; the crop's centre is in {prior}, as heads are there",
        )
    )  # fmt: skip
    return rows, {"px from a vacuole": [round(a, 2) for a in away]}


def _sanity(trial: Trial, crops: UInt8Array, maps: FloatArray) -> tuple[list[Row], dict[str, Any]]:
    bundle = load_bundle(trial.session.folder)
    found: dict[float, list[float]] = {share: [] for share in SHARES}
    for seed in _SANITY_SEEDS:
        for share, other in stages(bundle, seed):
            session = Session(other, threads=load_settings().threads)
            strange = heat_maps(grade_by(session), crops)
            found[share] += rank_correlations(maps, strange)
    last = np.array(found[1.0])
    low, high = mean_interval(last, seed=trial.seed, resamples=trial.resamples)
    by_share: Mapping[str, float] = {
        f"{share:.0%}": round(float(np.mean(values)), 3) for share, values in found.items()
    }
    row = Row(
        "rank correlation with the maps of shuffled weights",
        float(abs(last.mean())), goal=_SANITY, wanted="at most",
        note=f"its size; mean {last.mean():+.2f} ({low:+.2f} to {high:+.2f}), of single maps' "
        f"sizes {np.abs(last).mean():.2f}; layers shuffled: "
        + ", ".join(f"{share} {value:+.2f}" for share, value in by_share.items()),
    )  # fmt: skip
    return [row], dict(by_share)


def rank_correlations(first: FloatArray, second: FloatArray) -> list[float]:
    """Spearman's correlation of each pair of maps ``(N, L, S, S)``; 0 where one is constant."""
    from scipy.stats import spearmanr

    size = first.shape[-1] * first.shape[-2]
    found = []
    for one, other in zip(first.reshape(-1, size), second.reshape(-1, size), strict=True):
        constant = np.ptp(one) == 0 or np.ptp(other) == 0
        found.append(0.0 if constant else float(spearmanr(one, other).statistic))
    return found


def _running_time(grade: Grade, crops: UInt8Array) -> Row:
    explain = partial(heat_maps, grade)
    explain(crops[:1])  # The first call of a session plans its memory.
    walls, busy = [], []
    for crop in crops[:_TIMED]:
        wall, processor = time.perf_counter(), time.process_time()
        explain(crop[None])
        walls.append(time.perf_counter() - wall)
        busy.append(time.process_time() - processor)
    return Row(
        "time to explain one crop, all labels",
        float(np.median(walls)), goal=_SECONDS, wanted="at most", unit="s",
        note=f"median of {len(walls)}; {2 * ROW**2 + 2} gradings; "
        f"{np.median(busy):.2f} s of processor time",
    )  # fmt: skip
