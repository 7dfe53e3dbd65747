"""``androscope train`` and ``androscope export``: a configuration to a run, a run to a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from androscope.cli.options_learning import (
    ConfigArgument,
    ConfigDataOption,
    ConfigLabelOption,
    ConfigSeedOption,
    OverridesOption,
    QuietResultOption,
    config_changes,
    views_of,
)

if TYPE_CHECKING:
    from androscope.datasets import LabelledCrops
    from androscope.learning.run import Run
    from androscope.types import UInt8Array

__all__ = ["export", "train"]


def train(
    config: ConfigArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="The run's folder.", show_default="runs/NAME, or runs/NAME-LABEL"
        ),
    ] = None,
    label: ConfigLabelOption = None,
    data: ConfigDataOption = None,
    seed: ConfigSeedOption = None,
    overrides: OverridesOption = None,
    resume: Annotated[
        bool, typer.Option(help="Go on with an unfinished run, or start it over.")
    ] = True,
    quiet: QuietResultOption = False,
) -> None:
    """Train one network (DTL for one label, DMTL for all) from a configuration.

    Weights are fitted on train; epochs and thresholds are chosen on
    valid. Test is never read.

    A killed run goes on at its last epoch when the same command is
    given again.

    [bold]Examples[/bold]

        $ androscope train dmtl

        $ androscope train dtl --label tail --set stage1.epochs=60

        $ androscope train my-lab.yaml --data labels.csv --out runs/my-lab
    """
    _require("train")
    from androscope.learning.config_file import load_config
    from androscope.learning.ranks import rank
    from androscope.learning.run import train as learn

    changes = config_changes(overrides, label=label, data=data, seed=seed)
    settled = load_config(config, changes)
    if out is None:
        own = settled.name if settled.method == "dmtl" else f"{settled.name}-{settled.labels[0]}"
        out = Path("runs") / own
    try:
        run = learn(
            settled,
            out,
            resume=resume,
            quiet=quiet,
            report=lambda line: typer.secho(line, err=True, dim=True),
        )
    except KeyboardInterrupt as error:
        typer.echo(f"Interrupted. The same command goes on with {out}", err=True)
        raise typer.Exit(130) from error
    if rank() == 0:  # Of several processes that train together, one tells.
        typer.echo("\n".join(_summary(run)))


def export(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="A finished run's folder; several are averaged."),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The bundle's new folder.")],
    name: Annotated[
        str | None, typer.Option(help="Of the bundle.", show_default="the run's")
    ] = None,
    version: Annotated[str, typer.Option(help="Of the bundle.")] = "0.1.0",
    licence: Annotated[
        str | None, typer.Option(help="Of the weights.", show_default="that of the training data")
    ] = None,
    pixel_size: Annotated[
        float | None,
        typer.Option(metavar="UM", help="Micrometres per pixel of the training crops.", min=1e-3),
    ] = None,
    views: Annotated[
        int,
        typer.Option(help="Grade each crop in 2 or 8 views, turned and mirrored; give the mean."),
    ] = 1,
    evaluation: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Put this evaluation of the same bundle, exported before, into the card.",
        ),
    ] = None,
) -> None:
    """Write a run as a bundle: model.onnx, card.json, MODEL_CARD.md.

    Torch and ONNX must agree to 1e-4 on every crop of the run's data,
    or on phantoms where that is not here.

    Probabilities are calibrated on the validation crops, which also tell
    when a part is to be left undecided; no verdict changes by that.

    Evaluations in the run's folder go into the card.

    [bold]Example[/bold]

        $ androscope export runs/dmtl --out bundles/dmtl

        $ androscope export runs/seed-* --views 2 --out bundles/accurate
    """
    _require("export a model", "onnx", "onnxscript")
    from androscope.learning.export import export as write
    from androscope.learning.run import Run

    found = [Run.load(run) for run in runs]
    crops, validation, learned, where = _crops(found[0])
    once = iter([f" ({where})"])  # Behind the first line, which says on how many crops.
    bundle = write(
        found,
        out,
        views=views_of(views),
        evaluations=evaluation or (),
        name=name,
        version=version,
        crops=crops,
        validation=validation,
        learned=learned,
        licence=licence,
        pixel_size_um=pixel_size,
        report=lambda line: typer.echo(line + next(once, "")),
    )
    card = bundle.card
    typer.echo(
        f"{card.name} {card.version}: {', '.join(card.labels)}; {card.model_bytes / 1e6:.1f} MB"
    )
    typer.echo(f"Written to {bundle.folder}")


def _crops(
    run: Run,
) -> tuple[UInt8Array | None, LabelledCrops | None, LabelledCrops | None, str]:
    """All crops of the run's data, whatever their split: pixels alone, no label is looked at.

    Then the validation and the training crops with their labels, and where all of them are from.
    """
    import numpy as np

    from androscope.datasets import load
    from androscope.errors import DataError

    name = run.config.data.dataset
    try:
        dataset = load(name, crop_size=run.config.data.crop_size)
    except DataError:
        return None, None, None, f"phantoms; {name} is not here"
    crops = np.concatenate([split.crops for split in dataset.splits.values()])
    return crops, dataset.splits.get("valid"), dataset.splits.get("train"), name


def _summary(run: Run) -> list[str]:
    lines = [f"{'on valid':<12}{'accuracy':>10}{'ROC AUC':>10}{'threshold':>11}"]
    stage = list(run.record["validation"])[-1]
    for label in run.labels:
        scores = run.record["validation"][stage][label]
        lines.append(
            f"{label:<12}{100 * scores['accuracy']:>10.1f}{100 * scores['roc_auc']:>10.1f}"
            f"{run.thresholds[label]:>11.2f}"
        )
    lines += ["Percent, at threshold 0.5; the threshold found is for `androscope evaluate`."]
    minutes = run.record["seconds"] / 60
    memory = run.record["peak_memory_mb"]
    peak = "" if memory is None else f", at most {memory / 1000:.1f} GB of memory"
    return [*lines, f"{minutes:.1f} minutes{peak}", f"Written to {run.folder}"]


def _require(why: str, *modules: str) -> None:
    from androscope.extras import require

    for module in ("yaml", "torch", "timm", "lightning", "sklearn", "imblearn", *modules):
        require(module, extra="train", why=why)
