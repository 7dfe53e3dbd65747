"""A server in a process of its own, as it is started: it listens, answers and ends when told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from androscope.errors import ServeError
from androscope.web.server import add_phantoms, serving


def free_port() -> int:
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return int(some.getsockname()[1])


def test_started_and_ended(tmp_path: Path) -> None:
    port = free_port()
    run = "from androscope.cli.main import main; main()"
    command = [sys.executable, "-c", run, "serve", "--port", str(port)]
    environ = {**os.environ, "ANDROSCOPE_HOME": str(tmp_path / "home")}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert f"http://127.0.0.1:{port}/" in server.stdout.readline()
            text = answer(port)
            assert "No sample yet." in text
        finally:
            server.send_signal(signal.SIGTERM)
        assert server.wait(60) in (0, -signal.SIGTERM)
    assert (tmp_path / "home" / "records.db").is_file()


def answer(port: int) -> str:
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/samples") as page:
                return page.read().decode()
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.1)


def test_a_port_that_is_taken(records, options) -> None:
    with (
        serving(records, replace(options, port=0)) as url,
        pytest.raises(ServeError, match=r"cannot listen at 127\.0\.0\.1, port \d+: Address"),
        serving(records, replace(options, port=int(url.rstrip("/").rpartition(":")[2]))),
    ):
        pass


def test_phantoms_to_show_it_with(records, home: Path) -> None:
    add_phantoms(records, home, fields=0, crops=2)
    sample = records.samples.named("phantom crops")
    assert sample is not None
    assert records.jobs.waiting(kind="decode") == 2
    assert len(list((home / "incoming").iterdir())) == 2
