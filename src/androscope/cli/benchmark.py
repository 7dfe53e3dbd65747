"""``androscope benchmark``: a fixed protocol run whole, its tables, its picture, its limits."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from androscope.cli.options import JsonOption, MarkdownOption
from androscope.cli.options_learning import (
    BootstrapSeedOption,
    CpuThreadsOption,
    ResamplesOption,
    WholeJsonOption,
    views_of,
)

__all__ = ["benchmark"]

benchmark = typer.Typer(
    help="Run a fixed protocol: recipes, seeds, one reading of test each.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


class SplitName(StrEnum):
    """Values of ``--split``."""

    VALID = "valid"
    TEST = "test"


_Folder = Annotated[
    Path,
    typer.Argument(metavar="DIR|FILE", help="A benchmark's folder, or its benchmark.json."),
]

_Readings = Annotated[SplitName, typer.Option(help="Which readings.")]


@benchmark.command("run")
def run(
    out: Annotated[Path, typer.Option(metavar="DIR", help="The benchmark's folder.")],
    recipes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RECIPE]...",
            help="Recipes of the protocol, or crossval/NAME; what they need comes with them.",
            show_default="all",
        ),
    ] = None,
    protocol: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A protocol in YAML.", show_default="the one shipped"),
    ] = None,
    split: Annotated[
        SplitName,
        typer.Option(help="test: validation, and test once per run; valid: test is not read."),
    ] = SplitName.TEST,
    seeds: Annotated[
        str | None,
        typer.Option(metavar="N,N,...", help="Train these alone.", show_default="all"),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = 1,
    threads: CpuThreadsOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan; do nothing.")] = False,
) -> None:
    """Train what is missing, read each model, and write benchmark.json.

    Started again, it goes on: finished runs are kept, unfinished ones go
    on at their last epoch, and no run reads test twice.

    A run that fails does not stop the others; the exit code is then 1.

    [bold]Examples[/bold]

        $ androscope benchmark run --out benchmark --dry-run

        $ androscope benchmark run dmtl --out benchmark --seeds 0,1 --split valid
    """
    from androscope.extras import require

    needed = ("yaml", "torch", "timm", "lightning", "sklearn", "imblearn", "matplotlib", "filelock")
    for module in needed[:1] if dry_run else needed:
        require(module, extra="train", why="run a benchmark")
    from androscope.protocol.file import load_protocol
    from androscope.protocol.follow import checked_seeds, follow, plan_lines
    from androscope.protocol.plan import plan
    from androscope.protocol.run import log_of

    loaded = load_protocol(protocol)
    chosen = None if seeds is None else _seeds(seeds)
    tasks = plan(loaded, out, recipes or ())
    checked_seeds(tasks, chosen)
    typer.echo("\n".join(plan_lines(tasks, out, split.value, loaded)))
    if dry_run:
        typer.echo("Nothing was done (--dry-run)")
        return
    try:
        outcome = follow(
            loaded,
            out,
            recipes or (),
            split=split.value,
            seeds=chosen,
            jobs=jobs,
            threads=threads,
            report=lambda line: typer.secho(line, err=True, dim=True),
        )
    except KeyboardInterrupt as error:
        typer.echo(f"Interrupted. The same command goes on with {out}", err=True)
        raise typer.Exit(130) from error
    typer.echo(f"{len(outcome.done)} of {len(tasks)} done; written to {out / 'benchmark.json'}")
    for name, why in outcome.waiting.items():
        typer.echo(f"left out: {name}: {why}")
    logs = {task.name: log_of(out, task) for task in tasks}
    for name, why in outcome.failed.items():
        typer.secho(f"failed: {name}: {why}", err=True, fg=typer.colors.RED)
        typer.echo(f"  see {logs[name]}", err=True)
    if outcome.failed:
        raise typer.Exit(1)


@benchmark.command("table")
def table(
    folder: _Folder,
    split: _Readings = SplitName.TEST,
    markdown: MarkdownOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print every score as mean and deviation over seeds, with intervals, beside the paper's.

    [bold]Examples[/bold]

        $ androscope benchmark table benchmark

        $ androscope benchmark table benchmark/benchmark.json --markdown
    """
    from androscope.protocol.record import read_benchmark
    from androscope.protocol.tables import benchmark_document
    from androscope.protocol.text import markdown as as_markdown
    from androscope.protocol.text import plain

    if markdown and as_json:
        raise typer.BadParameter("choose one of --markdown and --json")
    document = benchmark_document(read_benchmark(folder), split.value)
    if as_json:
        typer.echo(json.dumps(document, indent=1, allow_nan=False))
        return
    typer.echo(as_markdown(document) if markdown else plain(document), nl=False)


@benchmark.command("plot")
def plot(
    folder: _Folder,
    out: Annotated[Path, typer.Option(metavar="FILE", help="An .svg, .png or .pdf file.")],
    split: _Readings = SplitName.TEST,
) -> None:
    """Draw the scores of all runs, with mean and interval, and the paper's values as lines.

    [bold]Example[/bold]

        $ androscope benchmark plot benchmark --out benchmark.svg
    """
    from androscope.protocol.plot import plot_benchmark
    from androscope.protocol.record import read_benchmark

    plot_benchmark(out, read_benchmark(folder), split.value)
    typer.echo(f"Written to {out}")


@benchmark.command("limits")
def limits(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Folders of finished runs, same data.")
    ],
    split: Annotated[
        SplitName,
        typer.Option(help="Crops to compare on. test: each run's reading is recorded."),
    ] = SplitName.VALID,
    out: WholeJsonOption = None,
    views: Annotated[
        int, typer.Option(help="Views of a held-out train crop: 1, 2, or 8, turned and mirrored.")
    ] = 8,
    resamples: ResamplesOption = 1000,
    seed: BootstrapSeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Show what limits the results: agreement of models, crops all miss, wrong labels, data.

    Runs that held out folds of train (data.held_out_folds) tell how many
    labels may be wrong; runs on a part of train (data.train_share), what
    more crops would bring.

    [bold]Examples[/bold]

        $ androscope benchmark limits benchmark/runs/dmtl-folds/seed-*

        $ androscope benchmark limits runs/half-* runs/whole-* --out limits.json
    """
    from androscope.extras import require

    asked = views_of(views)
    for module in ("yaml", "torch", "timm", "sklearn", "cleanlab"):
        require(module, extra="train", why="tell what limits the results")
    from androscope.files import write_text
    from androscope.protocol.limits import limits as compute
    from androscope.protocol.limits_text import lines

    found = compute(
        runs,
        split.value,
        views=asked,
        resamples=resamples,
        seed=seed,
        report=lambda line: typer.secho(line, err=True, dim=True),
    )
    text = found.model_dump_json(indent=1)
    if out is not None:
        write_text(out, text + "\n")
    typer.echo(text if as_json else "\n".join(lines(found)))
    if out is not None and not as_json:
        typer.echo(f"\nWritten to {out}")


def _seeds(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(
            f"expected whole numbers with commas between, such as 0,1,2, got {text!r}",
            param_hint="--seeds",
        ) from None
