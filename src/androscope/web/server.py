"""A server run until it is told to end, on records that are there or on a phantom sample."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import uvicorn

from androscope.errors import ServeError
from androscope.imaging.phantom_field_set import write_phantom_fields
from androscope.imaging.phantom_set import write_phantoms
from androscope.records.store import Records
from androscope.web.app import create_app
from androscope.web.options import ServeOptions
from androscope.web.uploads.queue import queue_files
from androscope.web.uploads.receive import ReceivedFile

__all__ = ["add_phantoms", "demo_records", "run", "serving"]

#: Rendered sperm are not what a model learned from, and may not pass its checks.
_ANYWAY = {"grade_anyway": "yes"}

#: Open pages that wait for news are given so long when the server ends.
_CLOSING_S = 3


def run(
    records: Records,
    options: ServeOptions,
    *,
    certificate: Path | None = None,
    key: Path | None = None,
) -> None:
    """Serve until Ctrl+C or SIGTERM.

    Raises
    ------
    ServeError
        If the address may not be served, or cannot be listened at.
    """
    server = _server(records, options, certificate, key)
    with _listening(options.host, options.port) as listener:
        server.run(sockets=[listener])


@contextmanager
def serving(records: Records, options: ServeOptions) -> Iterator[str]:
    """Serve from a thread of this process while the block runs; gives the address.

    With port 0 any free one is taken.
    """
    with _listening(options.host, options.port) as listener:
        port: int = listener.getsockname()[1]
        chosen = replace(options, port=port)
        server = _server(records, chosen)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.01)
            yield chosen.url
        finally:
            server.should_exit = True
            thread.join()


def _server(
    records: Records,
    options: ServeOptions,
    certificate: Path | None = None,
    key: Path | None = None,
) -> uvicorn.Server:
    config = uvicorn.Config(
        create_app(records, options),
        log_level="warning",
        ssl_certfile=None if certificate is None else str(certificate),
        ssl_keyfile=None if key is None else str(key),
        server_header=False,
        date_header=False,
        # Of a proxy on this machine alone (uvicorn's default): who asks is behind it.
        proxy_headers=options.proxied,
        timeout_graceful_shutdown=_CLOSING_S,
        limit_concurrency=1000,
    )
    return uvicorn.Server(config)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise ServeError(
                f"cannot listen at {host}, port {port}: {error.strerror or error}",
                advice="Choose another --port, or end what listens there",
            ) from error
        yield listener


@contextmanager
def demo_records() -> Iterator[tuple[Records, Path]]:
    """Records with a phantom sample queued, in a folder that goes when the block ends."""
    with TemporaryDirectory(prefix="androscope-demo-") as name:
        folder = Path(name)
        with Records.open(f"sqlite:///{folder / 'records.db'}", folder / "images") as records:
            add_phantoms(records, folder)
            yield records, folder


def add_phantoms(records: Records, folder: Path, *, fields: int = 1, crops: int = 12) -> None:
    """Queue two samples to be graded: fields in two replicates, and crops."""
    incoming = folder / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    shown = records.samples.create(
        "phantom fields",
        actor="demo",
        comment="Rendered sperm, whose truth is known.",
        settings=_ANYWAY,
    )
    for number, replicate in enumerate("ab"):
        write_phantom_fields(folder / replicate, fields, number)
        _queue(records, shown.id, folder / replicate, incoming, replicate, "*.tif*")
    single = records.samples.create(
        "phantom crops", actor="demo", comment="One sperm each.", settings=_ANYWAY
    )
    write_phantoms(folder / "crops", crops, 0)
    _queue(records, single.id, folder / "crops", incoming, "1", "*.png")


def _queue(
    records: Records, sample_id: int, folder: Path, incoming: Path, replicate: str, pattern: str
) -> None:
    files = []
    for number, path in enumerate(sorted(folder.rglob(pattern))):
        kept = incoming / f"{sample_id}-{replicate}-{number}"
        kept.write_bytes(path.read_bytes())
        files.append(ReceivedFile(path.name, kept, kept.stat().st_size))
    queue_files(records, sample_id, files, replicate=replicate, actor="demo")
