"""One search in a real PostgreSQL, divided by two machines, of which one dies in a trial."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")
pytest.importorskip("optuna", reason="needs the train extra: optuna is not installed")
pytest.importorskip("psycopg", reason="needs the postgres extra: psycopg is not installed")

from androscope.errors import MissingExtraError
from androscope.search.address import with_driver
from androscope.search.show import look_at
from androscope.search.turns import Turn

from .test_killed import folder, log, start, wait_for

__all__ = ["folder"]

pytestmark = [pytest.mark.train, pytest.mark.timeout(1800)]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="ends workers as Linux does")
def test_a_machine_dies_and_the_other_does_its_trial(folder: Path, postgres_url: str) -> None:
    options = (
        "--trials", "5", "--storage", postgres_url, "--keep", "all", "--heartbeat", "1",
        "--set", "stage1.epochs=5",
    )  # fmt: skip
    machines = {name: start(folder, str(folder / name), *options) for name in ("one", "two")}
    # The second has done a trial, and is in the middle of another.
    wait_for(lambda: log(folder, "two").count("epoch   2/5") >= 2)
    os.kill(machines["two"].pid, signal.SIGKILL)
    machines["two"].wait()
    assert machines["one"].wait() == 0

    found = look_at(folder / "one", postgres_url)
    states = [trial.state for trial in found.trials]
    assert sorted(states) == ["complete"] * 5 + ["died"]
    (dead,) = found.of_state("died")
    (again,) = [t for t in found.trials if t.retries]
    assert (again.state, again.changes) == ("complete", dead.changes)
    assert again.epochs == 5
    # None lost, none twice: five proposals, each with its one result.
    done = found.of_state("complete")
    assert len({json.dumps(t.changes) for t in done}) == 5
    assert all(t.value is not None for t in done)
    by = {name: {p.name for p in (folder / name / "trials").iterdir()} for name in ("one", "two")}
    assert by["two"] - by["one"], "the second machine did trials of its own"
    assert by["one"] & by["two"] == {f"{dead.number:04d}"}
    assert by["one"] | by["two"] == {
        f"{t.number:04d}" for t in found.trials if t.number != again.number
    }
    best = json.loads((folder / "one" / "search.json").read_text())
    assert best["best"] == found.best


@pytest.fixture(params=["postgresql", "sqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "postgresql":
        yield request.getfixturevalue("postgres_url")
    else:
        yield f"sqlite:///{tmp_path / 'shared.db'}"


def test_of_two_folders_one_at_a_time_has_its_turn(database: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    mine, other = (Turn(tmp_path / name, database, "search") for name in ("a", "b"))
    order = []

    def wait() -> None:
        with other:
            order.append("other")

    mine.acquire()
    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    waiting.join(0.3)
    order.append("mine")
    mine.release()
    mine.release()  # not held: nothing
    waiting.join(30)
    assert order == ["mine", "other"]
    with other:
        pass


def test_another_search_has_turns_of_its_own(postgres_url: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with Turn(tmp_path / "a", postgres_url, "one"), Turn(tmp_path / "b", postgres_url, "two"):
        pass


def test_the_driver_is_psycopg_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert with_driver("postgresql://me@h/db") == "postgresql+psycopg://me@h/db"
    for named in ("postgresql+psycopg2://me@h/db", "mysql://me@h/db", "sqlite:///x.db"):
        assert with_driver(named) == named
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'androscope\[postgres\]'"):
        with_driver("postgresql://me@h/db")
