"""``androscope serve``: the lab's page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from androscope.cli.options import ModelOption

if TYPE_CHECKING:
    from androscope.records.store import Records
    from androscope.web.options import ServeOptions

__all__ = ["serve"]


def serve(
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where to listen. Any but this machine's own takes users and HTTPS.",
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="On which port.")] = 8311,
    name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST",
            help="A name that browsers know it by, such as lab.example; may be repeated.",
            show_default=False,
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="HTTPS: its certificate (PEM).", show_default=False),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="HTTPS: the certificate's key.", show_default=False),
    ] = None,
    behind_https: Annotated[
        bool, typer.Option("--behind-https", help="A proxy in front of it speaks HTTPS.")
    ] = False,
    model: ModelOption = None,
    threads: Annotated[
        int, typer.Option(min=0, max=1024, help="Threads that grade; 0: one per core.")
    ] = 0,
    queue: Annotated[
        int,
        typer.Option(min=1, help="Images that may wait; beyond it uploads are told to come later."),
    ] = 5000,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo", help="Show it with a phantom sample, in records of their own, thrown away."
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no address.")] = False,
) -> None:
    """Serve the lab's page: drop images in, review, correct, sign.

    It serves this machine alone until there are users. Records are kept in
    the folder of the setting ANDROSCOPE_HOME, images among them.

    [bold]Examples[/bold]

        $ androscope serve --demo

        $ androscope serve --host 0.0.0.0 --certificate lab.pem --key lab.key
    """
    from androscope.extras import require

    for module in ("fastapi", "sqlalchemy", "argon2", "uvicorn"):
        require(module, extra="web", why="serve the page")
    from androscope.records.store import Records, places
    from androscope.web.options import Limits, ServeOptions
    from androscope.web.server import demo_records, run

    def options(incoming: Path) -> ServeOptions:
        return ServeOptions(
            incoming=incoming,
            host=host,
            port=port,
            names=tuple(name or ()),
            https=behind_https or certificate is not None,
            proxied=behind_https,
            model=model,
            threads=threads,
            limits=Limits(queue=queue),
        )

    def begin(records: Records, incoming: Path) -> None:
        made = options(incoming)
        if not quiet:
            typer.echo(f"The page: {made.url}   (Ctrl+C ends it)")
        run(records, made, certificate=certificate, key=key)

    if demo:
        if not quiet:
            typer.echo("Rendering phantom samples ...")
        with demo_records() as (records, folder):
            begin(records, folder / "incoming")
        return
    _, images = places()
    with Records.open() as records:
        begin(records, images.parent / "incoming")
