"""What limits the results, told by finished runs.

Four parts, each from what the runs hold: how far models agree with one another and with the labels,
which crops all of them miss, how many labels confident learning takes for wrong (from runs that
held out folds of train), and the scores over training size (from runs that learned from a part).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from androscope import __version__
from androscope.datasets import Dataset, LabelledCrops
from androscope.errors import TrainingError
from androscope.learning.agreement import Agreement, Missed, agreement, missed_by_all
from androscope.learning.label_noise import LabelNoise, label_noise
from androscope.learning.metrics import scores
from androscope.learning.size_curve import Sized, crops_learned, curve
from androscope.protocol.graded import Graded
from androscope.protocol.limits_read import distinct, graded_by, recipes_of, same_data
from androscope.protocol.limits_record import Limits, Noise, OneRun, SizeCurve
from androscope.types import Views

if TYPE_CHECKING:
    from androscope.learning.run import Run

__all__ = ["limits"]

Report = Callable[[str], None]


def limits(
    folders: Sequence[Path],
    split: str = "valid",
    *,
    views: Views = 8,
    resamples: int = 1000,
    seed: int = 0,
    dataset: Dataset | None = None,
    report: Report = lambda _: None,
) -> Limits:
    """Compute what the runs in ``folders`` tell.

    Parameters
    ----------
    folders
        Of finished runs on the same data.
    split
        Which crops the models are compared on. With ``"test"`` each run's reading is recorded, or
        the kept evaluation of the earlier one is used: see
        :func:`androscope.protocol.read.evaluate_once`. Nothing else is written into a run's folder.
    views
        Of a train crop in a held-out opinion: itself, or all eight turned and mirrored.
    resamples, seed
        Of the intervals of label noise.
    dataset
        Instead of that which the first run names.
    report
        Called with lines of progress.

    Raises
    ------
    TrainingError
        If there is no run, one is not finished or of other data, the split is train or is not
        there, or test was read before and what came of it is not there.
    """
    from androscope import datasets
    from androscope.learning.run import Run

    if not folders:
        raise TrainingError("there is no run", advice="Name the folder of one at least")
    if split == "train":
        raise TrainingError(
            "the runs have learned train: how they agree on it says nothing",
            advice="Choose valid; what they say of folds that they held out is read anyhow",
        )
    runs = [Run.load(folder) for folder in folders]
    distinct(runs)
    first = runs[0]
    if dataset is None:
        dataset = datasets.load(first.config.data.dataset, crop_size=first.config.data.crop_size)
    if split not in dataset.splits:
        raise TrainingError(
            f"{dataset.name} has no {split} split; there are {', '.join(dataset.splits)}",
            advice="Choose one of these with --split",
        )
    same_data(runs, dataset)
    crops = dataset.splits[split]
    recipes = recipes_of([run.config for run in runs])
    graded = []
    for run in runs:
        report(f"{run.folder}: {len(crops)} crops of {split}")
        graded.append(graded_by(run, dataset, split, seed))
    missing: dict[str, str] = {}
    labels = list(dict.fromkeys(label for run in runs for label in run.labels))
    compared, missed = _compare(runs, graded, labels, missing)
    return Limits(
        data=dataset.name,
        split=split,
        data_sha256=crops.sha256,
        crops=len(crops),
        runs=tuple(
            _one(run, recipe, crops if split == "test" else None)
            for run, recipe in zip(runs, recipes, strict=True)
        ),
        agreement=compared,
        missed_by_all=missed,
        noise=_noise(runs, dataset, labels, views, resamples, seed, missing, report),
        curves=_curves(runs, graded, recipes, missing),
        missing=missing,
        created=datetime.now(UTC).replace(microsecond=0),
        androscope=__version__,
    )


def _compare(
    runs: Sequence[Run], graded: Sequence[Graded], labels: Sequence[str], missing: dict[str, str]
) -> tuple[dict[str, Agreement], dict[str, tuple[Missed, ...]]]:
    """Of the models that learned all crops they might; curves are for the others."""
    whole = [g for run, g in zip(runs, graded, strict=True) if not run.record.get("part")]
    compared, missed = {}, {}
    for label in labels:
        found = [g for g in whole if label in g.truth]
        if len(found) < 2:
            missing[f"agreement: {label}"] = (
                f"{len(found)} of the runs grades it and learned from all crops; 2 are needed"
            )
            continue
        truth = found[0].truth[label]
        given = np.stack([g.probabilities[label] for g in found])
        verdicts = given >= np.stack([g.thresholds[label] for g in found])
        if not (truth >= 0).any():
            missing[f"agreement: {label}"] = "no crop of the split is labelled for it"
            continue
        compared[label] = agreement(truth, verdicts.astype(np.int8))
        missed[label] = missed_by_all(found[0].ids, truth, verdicts.astype(np.int8), given)
    return compared, missed


def _noise(
    runs: Sequence[Run],
    dataset: Dataset,
    labels: Sequence[str],
    views: int,
    resamples: int,
    seed: int,
    missing: dict[str, str],
    report: Report,
) -> Noise | None:
    from androscope.learning.held_out import held_out_ids
    from androscope.learning.teacher import opinion

    asked = [run for run in runs if held_out_ids(run)]
    if not asked:
        missing["noise"] = (
            "no run held out a part of train: train N with --set data.held_out_folds=N and N seeds "
            "in a row"
        )
        return None
    train: LabelledCrops = dataset.splits["train"]
    mask = np.array([[name in held for name in train.ids] for held in map(held_out_ids, asked)])
    known = np.flatnonzero(mask.any(axis=0))
    report(f"{len(asked)} runs asked of {len(known)} train crops that they held out")
    some = train.select(known)
    found: dict[str, LabelNoise] = {}
    kept = [label for label in labels if any(label in run.labels for run in asked)]
    given = opinion(list(asked), tuple(kept), some.crops, views, mask[:, known])
    for i, label in enumerate(kept):
        truth = some.labels[:, some.label_names.index(label)]
        try:
            found[label] = label_noise(
                some.ids,
                truth,
                given[:, i],
                patients=some.patients,
                resamples=resamples,
                seed=seed,
            )
        except TrainingError as error:
            missing[f"noise: {label}"] = error.reason
    return Noise(runs=len(asked), views=views, crops=len(known), of=len(train), labels=found)


def _curves(
    runs: Sequence[Run], graded: Sequence[Graded], recipes: Sequence[int], missing: dict[str, str]
) -> tuple[SizeCurve, ...]:
    found = []
    for recipe in sorted(set(recipes)):
        here = [(run, g) for run, g, n in zip(runs, graded, recipes, strict=True) if n == recipe]
        points = curve([_sized(run, g) for run, g in here])
        if len(points) > 1:
            found.append(SizeCurve(recipe=recipe, name=here[0][0].config.name, points=points))
    if not found:
        missing["curves"] = (
            "no runs of one recipe learned from different numbers of crops: train some with --set "
            "data.train_share=0.5, and less"
        )
    return tuple(found)


def _sized(run: Run, graded: Graded) -> Sized:
    measured = {
        label: scores(graded.truth[label], graded.probabilities[label], graded.thresholds[label])
        for label in run.labels
    }
    return Sized(
        crops=crops_learned(run.record),
        seed=run.config.seed,
        scores={
            label: {"accuracy": one["accuracy"], "roc_auc": one["roc_auc"]}
            for label, one in measured.items()
        },
    )


def _one(run: Run, recipe: int, test: LabelledCrops | None) -> OneRun:
    from androscope.learning.subject import TEST_READS, count_test_reads

    held = run.record.get("held_out")
    sha = str(run.record["network_sha256"])
    return OneRun(
        name=run.config.name,
        seed=run.config.seed,
        network_sha256=sha,
        recipe=recipe,
        train_crops=crops_learned(run.record),
        fold=None if held is None else f"{held['fold'] + 1} of {held['folds']}",
        test_readings=None
        if test is None
        else count_test_reads(run.folder / TEST_READS, sha, test.sha256),
    )
