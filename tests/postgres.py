"""A PostgreSQL server of the tests' own, on a socket in a temporary folder; for any test.

``postgres_server`` is one server for the session (for each worker of pytest-xdist), without fsync:
it shall be quick. ``postgres_url`` is an empty schema in it, dropped behind the test. Both are
fixtures of tests/conftest.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["Server", "running_server"]


@dataclass(frozen=True)
class Server:
    """A running server: the folder of its socket and the user to come in as."""

    socket: Path
    user: str

    def url(self, schema: str = "public") -> str:
        """URL of a schema of the server's one database, as libpq and SQLAlchemy read it."""
        options = f"&options=-csearch_path%3D{schema}"
        return f"postgresql://{self.user}@/postgres?host={self.socket}{options}"

    @contextmanager
    def schema(self) -> Iterator[str]:
        """Make an empty schema, and drop it behind; gives its URL.

        A schema takes milliseconds, a database of its own a second.
        """
        import psycopg

        name = f"androscope_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
            try:
                yield self.url(name)
            finally:
                # A test's forgotten connection is to be seen, not waited for.
                connection.execute("SET lock_timeout = '20s'")
                connection.execute(f"DROP SCHEMA {name} CASCADE")


def binaries() -> Path:
    """Folder of Debian's newest PostgreSQL; skips where there is none, and fails under CI=true."""
    pytest.importorskip("psycopg", reason="needs the postgres extra: psycopg is not installed")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: p.parts[4])
    if not found:
        reason = "Debian's package postgresql is not installed: apt-get install postgresql"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found[-1].parent


def run(command: list[object], user: str | None = None) -> None:
    """Run a command, as another user if one is given."""
    line = [str(part) for part in command]
    if user is not None:
        line = ["runuser", "-u", user, "--", *line]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=120, cwd="/")
    assert done.returncode == 0, f"{' '.join(line)}\n{done.stdout}\n{done.stderr}"


@contextmanager
def running_server() -> Iterator[Server]:
    """Make a cluster, start it, and stop and remove it behind."""
    tools = binaries()
    # PostgreSQL refuses to run as root; Debian's package brings a user for it.
    other = "postgres" if os.geteuid() == 0 else None
    # Not pytest's folder: others may not enter it, and a socket's path has 107 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="androscope-pg-"))
    try:
        if other is not None:
            import pwd

            entry = pwd.getpwnam(other)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        folder.chmod(0o755)
        data = folder / "data"
        run(
            [tools / "initdb", "-D", data, "-U", "androscope", "-A", "trust", "-E", "UTF8",
             "--locale=C", "--no-sync"],
            other,
        )  # fmt: skip
        options = (
            f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off "
            "-c synchronous_commit=off -c full_page_writes=off -c shared_buffers=16MB "
            "-c max_connections=100"
        )
        control = [tools / "pg_ctl", "-D", data, "-l", folder / "log"]
        run([*control, "-w", "-t", "60", "-o", options, "start"], other)
        try:
            yield Server(folder, "androscope")
        finally:
            run([*control, "-m", "immediate", "-w", "stop"], other)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
