"""``androscope benchmark trust``: whether a bundle's verdicts may be trusted, figure by figure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from androscope.cli.options import JsonOption, MarkdownOption
from androscope.cli.options_learning import (
    BootstrapSeedOption,
    LabelledDataOption,
    ResamplesOption,
    SplitOption,
)

__all__ = ["trust"]


def trust(
    bundle: Annotated[
        str, typer.Argument(metavar="[BUNDLE]", help="A shipped model or a bundle's folder.")
    ] = "default",
    data: LabelledDataOption = "mhsma",
    split: SplitOption = "test",
    section: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Measure this alone; may be repeated.", show_default="all"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write trust.json and plots there.", show_default=False),
    ] = None,
    seed: BootstrapSeedOption = 0,
    resamples: ResamplesOption = 2000,
    markdown: MarkdownOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure whether verdicts may be trusted, each figure beside its goal.

    Calibration, the promise of an error rate, accuracy of what is sure,
    and what else there is a section for. What fell short is said.

    Each reading of a test split is recorded and counted.

    [bold]Examples[/bold]

        $ androscope benchmark trust

        $ androscope benchmark trust bundles/mine --data labels.csv --split valid --out trust
    """
    from androscope.extras import require

    if markdown and as_json:
        raise typer.BadParameter("choose one of --markdown and --json")
    for module in ("sklearn", "scipy", "matplotlib"):
        require(module, extra="train", why="measure how far verdicts may be trusted")
    from androscope.files import write_text
    from androscope.learning.trust.text import trust_lines
    from androscope.learning.trust.trial import run_trial, trust_document

    trial, sections, reads = run_trial(
        bundle,
        data=data,
        split=split,
        names=tuple(section or ()),
        seed=seed,
        resamples=resamples,
        report=lambda line: typer.secho(line, err=True, dim=True),
    )
    text = json.dumps(trust_document(trial, sections, reads), indent=1, allow_nan=False)
    if out is not None:
        for found in sections.values():
            for name, draw in found.plots.items():
                draw(out / name)
        write_text(out / "trust.json", text + "\n")
    if as_json:
        typer.echo(text)
        return
    typer.echo("\n".join(trust_lines(trial, sections, markdown=markdown)))
    if reads is not None:
        times = "once" if reads == 1 else f"{reads} times"
        typer.echo(f"\nThis test split has now been read {times} with these weights.")
    if out is not None:
        typer.echo(f"Written to {out}")
