"""``androscope calibrate``: a bundle whose probabilities mean what they say on given crops."""

from __future__ import annotations

from typing import Annotated

import typer

from androscope.cli.options_learning import (
    BundleArgument,
    LabelledDataOption,
    NewBundleOption,
    NewVersionOption,
)

__all__ = ["calibrate"]


def calibrate(
    bundle: BundleArgument,
    out: NewBundleOption,
    data: LabelledDataOption = "mhsma",
    split: Annotated[str, typer.Option(help="Split of the data to fit on.")] = "valid",
    name: NewVersionOption = None,
    version: NewVersionOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the cross-validation.")] = 0,
) -> None:
    """Calibrate a bundle on labelled crops that it did not learn from; write a new bundle.

    Of temperature, Platt, beta and leaving probabilities as they are, the
    one with the least log loss in cross-validation is taken, label by
    label. The crops' probabilities are kept too, for `--error-rate`.

    The network is the same, and thresholds move along: no verdict changes.

    On the validation crops of the data set that the model learned from,
    the limits of the checks before grading are fitted anew too.

    [bold]Examples[/bold]

        $ androscope calibrate default --data mhsma --out bundles/calibrated

        $ androscope calibrate default --data labels.csv --out bundles/my-lab --name my-lab
    """
    from androscope.extras import require

    for module in ("sklearn", "scipy"):
        require(module, extra="train", why="calibrate a model")
    from androscope.datasets import load
    from androscope.errors import TrainingError
    from androscope.learning.trust.recalibrate import calibrate_bundle
    from androscope.model.bundle import load_bundle

    found = load_bundle(bundle)
    dataset = load(data, crop_size=found.card.input.size)
    if split not in dataset.splits:
        raise TrainingError(
            f"{dataset.name} has no {split} split; there are {', '.join(dataset.splits)}",
            advice="Choose one of these with --split",
        )
    learned = dataset.name == found.card.training.name and split == "train"
    if learned or split == "test":
        why = "the model learned from it" if learned else "it would measure nothing afterwards"
        raise TrainingError(
            f"the {split} split of {dataset.name} is not to calibrate on: {why}",
            advice="Take its valid split",
        )
    written = calibrate_bundle(
        found,
        dataset.splits[split],
        f"{dataset.name} {split}",
        out,
        learned=dataset.splits.get("train")
        if dataset.name == found.card.training.name and split == "valid"
        else None,
        name=name,
        version=version,
        seed=seed,
        report=typer.echo,
    )
    thresholds = ", ".join(f"{label} {t:.3f}" for label, t in written.card.thresholds.items())
    typer.echo(f"{written.card.name} {written.card.version}; abnormal from {thresholds}")
    typer.echo(f"Written to {written.folder}")
