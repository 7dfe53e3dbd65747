"""``androscope audit-labels``: which labels to look at again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from androscope.cli.options_learning import BootstrapSeedOption

__all__ = ["audit_labels"]


def audit_labels(
    data: Annotated[
        str,
        typer.Argument(metavar="mhsma|PATH", help="The data that the runs learned from."),
    ],
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="Folders of finished runs, each with data.held_out_folds=N and another seed.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The list, as CSV.")] = Path(
        "suspects.csv"
    ),
    resamples: Annotated[
        int, typer.Option(min=100, help="Draws of the interval of the share.")
    ] = 1000,
    seed: BootstrapSeedOption = 0,
) -> None:
    """Rank labels that may be wrong, for a person to look at again.

    By confident learning (Northcutt, Jiang and Chuang 2021) from what runs
    say of crops that they had not learned. It cannot tell a wrong label
    from a model that errs surely: only a look at the crop can.

    [bold]Example[/bold]

        $ androscope audit-labels lab/labels.csv runs/fold-0 runs/fold-1 --out suspects.csv
    """
    from androscope.extras import require
    from androscope.files import write_text
    from androscope.report.outputs import check_outputs

    for module in ("yaml", "torch", "timm", "sklearn", "cleanlab"):
        require(module, extra="train", why="audit labels")
    from androscope.protocol.audit import audit, csv_text, ranked

    check_outputs({"--out": out}, inputs=[Path(data)])
    found, without = audit(
        data,
        runs,
        resamples=resamples,
        seed=seed,
        report=lambda line: typer.secho(line, err=True, dim=True),
    )
    typer.echo(f"{found.crops} of {found.of} train crops, by {found.runs} runs that held them out:")
    for label, noise in found.labels.items():
        typer.echo(
            f"{label}: {len(noise.suspects)} to look at again; estimated share of wrong labels "
            f"{noise.share:.1%} ({noise.low:.1%} to {noise.high:.1%}), of which the models' doubt "
            f"alone would make {noise.if_opinions_were_right:.1%}"
        )
    for label, reason in without.items():
        typer.echo(f"{label}: not audited: {reason}")
    write_text(out, csv_text(ranked(found.labels)))
    typer.echo(f"The list: {out}")
