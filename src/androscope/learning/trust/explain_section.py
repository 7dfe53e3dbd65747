"""Do heat maps show what the model goes by: faithfulness, pointing, sanity, running time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from androscope.assessment.look import FLOOR
from androscope.assessment.sample import proportion
from androscope.imaging.phantom import Phantom
from androscope.imaging.phantom_set import clear_phantoms
from androscope.learning.trust.explain_curves import (
    ABNORMAL_CROPS,
    OFF_CENTRE,
    mean_interval,
    measure_curves,
)
from androscope.learning.trust.faithfulness import centre_prior
from androscope.learning.trust.randomised import SHARES, stages
from androscope.learning.trust.sections import Row, Section, Trial
from androscope.model.bundle import load_bundle
from androscope.model.saliency import BATCH, RADII, ROW, Grade, filled_in, heat_maps
from androscope.model.session import Session
from androscope.settings import load_settings
from androscope.types import FloatArray, UInt8Array

__all__ = ["NEAR", "PHANTOMS", "measure", "misses"]

#: Clear phantoms with vacuoles.
PHANTOMS = 60
#: How far from a vacuole's outline a peak may lie, in shares of the crop's side, for the further
#: rows: 2 and 4 px of 64. The pointing game (Zhang et al. 2018) forgives 15 px of pictures about
#: 224 px wide, which is the latter; the goal is on the first row, without any.
NEAR = (2 / 64, 4 / 64)
#: A vacuole's outline is so blurred, px.
_OUTLINE = 2
#: Goals: share of peaks on a vacuole, rank correlation with shuffled weights, seconds for a crop.
_POINTING, _SANITY, _SECONDS = 0.8, 0.2, 1.0

# Not the seed that the method was chosen on.
_PHANTOM_SEED = 23
_SANITY_CROPS, _SANITY_SEEDS = 6, (0, 1, 2, 3, 4)
_TIMED = 7


def measure(trial: Trial) -> Section:
    """Measure the maps of the trial's crops, a seeded subset of them, and of phantoms."""
    grade = grade_by(trial.session)
    curves = measure_curves(trial, grade)
    trial.report("heat maps of phantoms with vacuoles")
    pointing, pointed = _pointing(trial, grade)
    trial.report("heat maps of shuffled weights")
    some = slice(0, _SANITY_CROPS)
    sane, correlations = _sanity(trial, curves.crops[some], curves.maps[some])
    size = trial.card.input.size
    return Section(
        "Heat maps: where did it look",
        (*curves.rows, *pointing, *sane, _running_time(grade, curves.crops)),
        remarks=(
            f"Curves are of {len(curves.crops)} of the {len(trial.crops.crops)} crops, drawn with "
            f"the seed, and of up to {ABNORMAL_CROPS} that are called abnormal for each label, so "
            "that this takes minutes; of each, the probability of the verdict that was given is "
            "followed as regions of 4 x 4 px are taken away (deletion: lower is better) or given "
            "(insertion: higher is better), the map's strongest first. Gains are in area under "
            "the curve, with paired bootstrap intervals over crops.",
            "Regions taken at random leave a chequered crop, which a model may call abnormal "
            "whatever it shows: chance is a strong rival in deletion where the verdict is normal, "
            "and in insertion where it is abnormal.",
            f"A place is ringed from {FLOOR:g} log odds; a ring is off the middle if it is more "
            f"than {OFF_CENTRE * size:g} px from the crop's centre.",
            "A peak is on a vacuole if it is a pixel of it; near, if it lies within "
            f"{' or '.join(f'{near * size:g}' for near in NEAR)} px of its outline.",
            "Weights are shuffled within their layer, from the last layer down; a map that were "
            "the picture's own, and not the model's, would not change. Each map counts by the "
            "size of its correlation: those of two maps must not cancel.",
        ),
        details={"curves": curves.details, "pointing": pointed, "shuffled": correlations},
    )


def grade_by(session: Session) -> Grade:
    """What a session says, in batches that are quick for many nearly equal crops."""

    def grade(crops: UInt8Array) -> FloatArray:
        return session.predict(crops, batch_size=BATCH).probabilities

    return grade


def misses(heat: FloatArray, phantom: Phantom) -> float:
    """How far a map's peak lies from the nearest pixel of a vacuole, px."""
    y, x = np.unravel_index(int(heat.argmax()), heat.shape)
    rows, columns = np.nonzero(phantom.masks["vacuole"])
    return float(np.hypot(rows - y, columns - x).min())


def _outlined(phantom: Phantom) -> FloatArray:
    """A phantom's vacuoles with their outline, as a mask ``(1, S, S)`` to fill in."""
    from scipy.ndimage import binary_dilation

    grown = binary_dilation(phantom.masks["vacuole"], iterations=_OUTLINE)
    return np.asarray(grown, np.float32)[None]


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
    given_up = proportion(
        sum(
            grade(filled_in(p.pixels, _outlined(p)))[0, column] < trial.card.thresholds["vacuole"]
            for p in seen
        ),
        len(seen),
    )
    rows.append(
        Row(
            "of these, called normal once the vacuoles themselves are filled in",
            given_up.fraction, given_up.low, given_up.high, unit="%",
            note=f"{given_up.count} of {given_up.n}; the others are called so for something else, "
            "where no map should point at a vacuole",
        )
    )  # fmt: skip
    maps = heat_maps(grade, np.stack([p.pixels for p in seen]))[:, column]
    away = [misses(heat, p) for heat, p in zip(maps, seen, strict=True)]
    centre = [misses(centre_prior(size), p) for p in seen]
    for within, what in (
        (0.0, "of these, the map's peak is on a vacuole"),
        *((n * size, f"of these, the map's peak is within {n * size:g} px of one") for n in NEAR),
    ):
        hits = proportion(sum(a <= within for a in away), len(seen))
        prior = sum(a <= within for a in centre)
        rows.append(
            Row(
                what, hits.fraction, hits.low, hits.high, unit="%",
                goal=None if within else _POINTING,
                note=f"{hits.count} of {hits.n}; the crop's centre is in {prior}, as heads are "
                "there",
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
    sizes = {share: np.abs(values) for share, values in found.items()}
    low, high = mean_interval(sizes[1.0], seed=trial.seed, resamples=trial.resamples)
    by_share: Mapping[str, float] = {
        f"{share:.0%}": round(float(values.mean()), 3) for share, values in sizes.items()
    }
    row = Row(
        "size of the rank correlation with the maps of shuffled weights",
        float(sizes[1.0].mean()), low, high, goal=_SANITY, wanted="at most",
        note=f"mean over {len(sizes[1.0])} maps of {len(_SANITY_SEEDS)} shuffles; with its sign "
        f"{np.mean(found[1.0]):+.2f}; layers shuffled: "
        + ", ".join(f"{share} {value:.2f}" for share, value in by_share.items()),
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
        note=f"median of {len(walls)}; {len(RADII) * ROW**2 + 1} gradings; "
        f"{np.median(busy):.2f} s of processor time",
    )  # fmt: skip
