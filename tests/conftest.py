"""Fixtures shared by all tests: where real data is, and what to say when it is not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from .postgres import Server, running_server

# A deadline measures the machine, not the code: two cores with a training run beside them miss it.
settings.register_profile("androscope", deadline=None)
settings.load_profile("androscope")

REPOSITORY = Path(__file__).resolve().parent.parent


def data_root() -> Path:
    """Folder of real data sets: ``ANDROSCOPE_DATA``, else ``../shared/data``."""
    given = os.environ.get("ANDROSCOPE_DATA")
    return Path(given) if given else REPOSITORY.parent / "shared" / "data"


@pytest.fixture(scope="session")
def mhsma_dir() -> Path:
    """The folder with MHSMA's ``.npy`` files; skips (fails under CI=true) when it is missing."""
    folder = data_root() / "mhsma"
    if not (folder / "x_64_train.npy").is_file():
        reason = f"MHSMA is not at {folder}; set ANDROSCOPE_DATA to the folder that holds mhsma/"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


def _located(name: str) -> Path:
    folder = data_root() / name
    if not (folder / "images").is_dir():
        reason = f"{name} is not at {folder}; set ANDROSCOPE_DATA to the folder that holds {name}/"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def visem_dir() -> Path:
    """The folder with VISEM's frames; skips (fails under CI=true) when it is missing."""
    return _located("visem")


@pytest.fixture(scope="session")
def svia_dir() -> Path:
    """The folder with SVIA's frames; skips (fails under CI=true) when it is missing."""
    return _located("svia")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL of the tests' own; skips (fails under CI=true) without Debian's package."""
    with running_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """URL of an empty schema in it, dropped behind the test."""
    with postgres_server.schema() as url:
        yield url


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # A developer's own ANDROSCOPE_* must not change what a test sees, nor tests their cache.
    for name in list(os.environ):
        if name.startswith("ANDROSCOPE_") and name != "ANDROSCOPE_DATA":
            monkeypatch.delenv(name)
    monkeypatch.setenv("ANDROSCOPE_CACHE", str(tmp_path / "androscope-cache"))
    monkeypatch.setenv("ANDROSCOPE_HOME", str(tmp_path / "androscope-home"))
