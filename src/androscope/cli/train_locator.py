"""``androscope train-locator``: phantom fields and frames with boxes to what finds sperm."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from androscope.cli.options_learning import (
    ConfigArgument,
    ConfigSeedOption,
    OverridesOption,
    config_changes,
)

__all__ = ["train_locator"]


def train_locator(
    config: ConfigArgument = "locator",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The locator's new folder.", show_default="runs/NAME"),
    ] = None,
    seed: ConfigSeedOption = None,
    overrides: OverridesOption = None,
    version: Annotated[str, typer.Option(help="Of the locator.")] = "0.1.0",
) -> None:
    """Train what finds sperm in fields, write it with its card, and score it.

    It learns from rendered and sketched fields and, if the configuration
    says so, from frames of VISEM; never from svia, which is for evaluation.

    [bold]Examples[/bold]

        $ androscope train-locator --out runs/locator

        $ androscope train-locator phantoms-only --out runs/unseen
    """
    from androscope.extras import require
    from androscope.report.outputs import check_outputs

    for module in ("yaml", "torch", "onnx", "onnxscript", "scipy"):
        require(module, extra="train", why="train a locator")
    from androscope.learning.locator_config import load_locator_config
    from androscope.learning.locator_export import export_locator
    from androscope.learning.locator_training import learn, make_samples

    settled = load_locator_config(config, tuple(config_changes(overrides, seed=seed)))
    folder = Path("runs") / settled.name if out is None else out
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise typer.BadParameter(
            f"{folder} exists already and is not an empty folder", param_hint="--out"
        )
    check_outputs({}, folders=[folder])

    def report(line: str) -> None:
        typer.secho(line, err=True, dim=True)

    samples = make_samples(settled, report)
    learned = learn(settled, samples, report)
    bundle = export_locator(settled, samples, learned, folder, version=version, report=report)
    card = bundle.card
    typer.echo(
        f"{card.name} {card.version}: {card.parameters:,} parameters, "
        f"{card.model_bytes / 1e6:.2f} MB, {learned.seconds / 60:.1f} minutes"
    )
    for score in card.scores:
        f1 = "-" if score.f1 is None else f"{score.f1:.3f}"
        base = "-" if score.baseline_f1 is None else f"{score.baseline_f1:.3f}"
        known = ", other frames learned from" if score.known else ""
        typer.echo(f"{score.dataset} {score.video}{known}: F1 {f1}, blob filter tuned on it {base}")
    typer.echo(f"Written to {bundle.folder}")
