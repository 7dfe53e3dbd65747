"""``androscope adapt``: a bundle fitted to a lab's own labelled crops, where they support it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from androscope.cli.options_learning import NewBundleOption

if TYPE_CHECKING:
    from androscope.learning.adapt.adapt import Adapted
    from androscope.model.card_interval import Interval
    from androscope.model.card_parent import Change

__all__ = ["adapt"]


def adapt(
    bundle: Annotated[
        str,
        typer.Argument(metavar="BUNDLE", help="A shipped model or a bundle's folder; stays as is."),
    ],
    data: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            help="Labelled crops of your own microscope, 50 at least: a CSV, a folder per class "
            "or npy pairs.",
        ),
    ],
    out: NewBundleOption,
    label: Annotated[
        list[str] | None,
        typer.Option(
            help="Adapt this label; may be repeated. Others stay as they are.",
            show_default="all",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Of the new bundle.", show_default="BUNDLE's, with -adapted")
    ] = None,
    version: Annotated[str, typer.Option(help="Of the new bundle.")] = "0.1.0",
    licence: Annotated[
        str | None,
        typer.Option(help="Under which the crops may be used.", show_default="not stated"),
    ] = None,
    trunk: Annotated[
        bool,
        typer.Option(help="Try training the trunk on as well: minutes, and the extra train."),
    ] = True,
    run: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="The run that the bundle was exported from, if its network cannot be built from "
            "the bundle.",
            show_default=False,
        ),
    ] = None,
    held: Annotated[
        float, typer.Option(min=0.1, max=0.9, help="Share of the crops that is held out.")
    ] = 0.3,
    resamples: Annotated[int, typer.Option(min=200, help="Draws of the intervals.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Of all random draws.")] = 0,
    threads: Annotated[int, typer.Option(min=0, max=1024, help="Threads; 0: one per core.")] = 0,
) -> None:
    """Adapt a model to your microscope from a few labelled crops.

    Each label is kept, recalibrated, given a new branch, or all is
    trained on, whichever cross-validation favours; kept unless another
    is better beyond noise. Before and after are measured on crops held
    out from that. Too few crops are refused, with how many are lacking.

    Exit code: 0 done, or nothing to gain and nothing written; 2 refused.

    [bold]Examples[/bold]

        $ androscope suggest crops/ --count 100 --out to-label.csv

        $ androscope adapt default --data labelled.csv --out bundles/lab --licence "own data"
    """
    from androscope.extras import require

    for module in ("sklearn", "scipy", "onnx"):
        require(module, extra="train", why="adapt a model")
    from androscope.learning.adapt.adapt import adapt as fit

    found = fit(
        bundle,
        data,
        out,
        labels=label or (),
        name=name,
        version=version,
        licence=licence,
        run=run,
        trunk=trunk,
        held=held,
        resamples=resamples,
        threads=threads,
        seed=seed,
        report=lambda line: typer.secho(line, err=True, dim=True),
    )
    for line in told(found):
        typer.echo(line)


def told(found: Adapted) -> list[str]:
    """Say what was done, line by line."""
    from androscope.learning.adapt.measure import METRICS
    from androscope.model.card_parent import HOW

    data = found.data
    patients = "" if data.patients is None else f" of {data.patients} patients"
    lines = [
        f"{found.parent.name} {found.parent.version}, {data.fitted + data.held} crops of "
        f"{data.name}{patients}: {data.fitted} to fit and choose by, {data.held} held out",
        "",
    ]
    for label, adapted in found.labels.items():
        lines.append(f"{label}: {HOW[adapted.how]}")
        lines.append(f"  {adapted.reason}")
        if adapted.how == "kept":
            scores = (
                f"{METRICS[name]} {_value(change.before)}" for name, change in adapted.held.items()
            )
            lines.append(f"  held out: {', '.join(scores)}" if adapted.held else "  not measured")
            continue
        lines.append(f"  {'':<12}{'before':<26}{'after':<26}difference")
        for name, change in adapted.held.items():
            lines.append(f"  {METRICS[name]:<12}{_change(change)}")
    lines.append("")
    lines += [f"{note[0].upper()}{note[1:]}." for note in found.notes]
    if found.bundle is None:
        lines.append(
            f"Nothing was written: {found.parent.name} is best kept as it is, by what these crops "
            "can show."
        )
    else:
        card = found.bundle.card
        lines.append("Before and after are of the crops held out, with 95% intervals.")
        lines.append(f"{card.name} {card.version} is written to {found.bundle.folder}")
    return lines


def _change(change: Change) -> str:
    return (
        f"{_value(change.before):<26}{_value(change.after):<26}"
        f"{_value(change.difference, signed=True)}"
    )


def _value(measured: Interval, *, signed: bool = False) -> str:
    from androscope.model.measured_text import measured_text

    return measured_text(measured, signed=signed)
