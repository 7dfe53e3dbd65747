"""A server on a real socket of this machine, in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from androscope.records.store import Records
from androscope.web.app import create_app
from androscope.web.options import ServeOptions

TINY = Path(__file__).resolve().parents[1] / "data" / "tiny-bundle"


@contextmanager
def running(records: Records, incoming: Path) -> Iterator[str]:
    """Serve ``records`` with the tiny bundle; gives the URL."""
    options = ServeOptions(incoming=incoming, model=str(TINY), threads=1)
    server = uvicorn.Server(uvicorn.Config(create_app(records, options), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=30)
