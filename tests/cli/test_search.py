from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")
pytest.importorskip("optuna", reason="needs the train extra: optuna is not installed")
pytest.importorskip("torch", reason="needs the train extra: torch is not installed")

import androscope.extras
from androscope.errors import MissingExtraError
from androscope.search import trial as trials
from androscope.search.plot import plot_search
from androscope.search.record import SearchRecord, write_result
from androscope.search.study import open_storage, url_of

from ..learning.tiny import dataset  # noqa: TID252  (tests are no package)
from ..search.small import go, loaded  # noqa: TID252  (tests are no package)
from .conftest import Run

pytestmark = pytest.mark.train


@pytest.fixture
def searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a search whose trials trained nothing: one failed, one given up, five whole."""
    from optuna import TrialPruned

    def trained(config: Any, folder: Path, trial: Any, bench: Any) -> Any:
        if trial.number == 1:
            raise ValueError("the loss is no number\nand more")
        trial.report(0.25, 0)
        if trial.number == 2:
            raise TrialPruned("epoch 1")
        value = 0.5 + trial.number / 100
        scores = {"accuracy": 0.5, "roc_auc": value, "loss": 0.6}
        return value, {"head": scores, "vacuole": scores | {"roc_auc": None}}

    monkeypatch.setattr(trials, "_trained", trained)
    study = go(tmp_path, 7)
    out = tmp_path / "out"
    write_result(study, out, url_of(out, None))
    return out


def test_shipped_spaces(run: Run) -> None:
    done = run("search", "spaces")
    assert done.code == 0, done.err
    assert [line.split(":")[0] for line in done.out.splitlines()] == [
        "dmtl    config dmtl",
        "dtl     config dtl",
    ]
    assert run("search", "space", "dtl").out.startswith("# What Abbasi, Miahi & Mirroshandel tried")


def test_a_space_of_ones_own_is_checked(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("name: s\nconfig: dtl\nspace: {branch.l2: {low: 0, high: 1}}\n")
    assert run("search", "space", path).out == path.read_text()
    path.write_text("name: s\nconfig: dtl\nspace: {branch.l3: {low: 0, high: 1}}\n")
    for command in (("space", path), ("run", path, "--out", tmp_path / "out")):
        done = run("search", *command)
        assert done.code == 2
        assert f"{path}:3: space.branch.l3: unknown key (known here: dense, " in done.err
    assert not (tmp_path / "out").exists()


def test_what_is_shown(run: Run, searched: Path) -> None:
    done = run("search", "show", searched)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "Search small (space small): 5 trained to their end, 1 given up, 1 failed"
    assert lines[2].split() == [
        "trial",
        "mean",
        "ROC",
        "AUC",
        "head",
        "vacuole",
        "epochs",
        "seconds",
    ]
    assert [line.split()[:4] for line in lines[3:8]] == [
        [str(n), f"{0.5 + n / 100:.4f}", f"{0.5 + n / 100:.4f}", "-"] for n in (6, 5, 4, 3, 0)
    ]
    assert "Trial 6 chose:" in lines
    assert "  1: ValueError: the loss is no number" in lines
    assert any(line.startswith("What mattered: ") for line in lines)
    assert lines[-1] == f"androscope train {searched / 'best.yaml'}"


def test_as_json_and_as_a_picture(run: Run, searched: Path, tmp_path: Path) -> None:
    picture = tmp_path / "p.svg"
    done = run("search", "show", searched, "--json", "--plot", picture)
    found = SearchRecord.model_validate_json(done.out)
    assert found.best == 6
    assert found.importance_missing is None
    assert sum(found.importance.values()) == pytest.approx(1, abs=1e-4)
    assert found.trials[1].error == "ValueError: the loss is no number\nand more"
    assert json.loads((searched / "search.json").read_text()) == json.loads(done.out)
    text = picture.read_text()
    assert text.startswith("<?xml")
    plot_search(tmp_path / "again.svg", found)
    assert (tmp_path / "again.svg").read_text() == text
    done = run("search", "show", searched, "--plot", tmp_path / "p.bmp")
    assert "expected a name that ends in .svg, .png, .pdf, got .bmp" in done.err


def test_the_best_is_a_configuration(run: Run, searched: Path) -> None:
    # The tests' own data has no file.
    done = run("config", "check", searched / "best.yaml", "--set", "data.dataset=mhsma")
    assert done.code == 0, done.err
    text = (searched / "best.yaml").read_text()
    assert "The best of many is flattered by chance" in text


def test_where_the_database_is_elsewhere_the_last_record_is_shown(
    run: Run, searched: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere.db"
    (searched / "study.db").rename(elsewhere)
    whole = run("search", "show", searched).out
    assert whole.startswith("Search small (space small): 5 trained to their end")
    assert run("search", "show", searched, "--storage", f"sqlite:///{elsewhere}").out == whole
    done = run("search", "show", searched, "--storage", f"sqlite:///{elsewhere}", "--name", "b")
    assert done.code == 2
    assert "holds no search 'b'; there is small" in done.err
    (searched / "search.json").write_text("{}")
    done = run("search", "show", searched)
    assert "search.json: is no record of a search: name: field required" in done.err
    done = run("search", "show", tmp_path / "none")
    assert done.err == (
        f"error: {tmp_path / 'none'}: holds no search: neither study.db nor search.json is there. "
        "Name the folder of `androscope search run`\n"
    )


@pytest.mark.parametrize(
    ("url", "what"),
    [
        pytest.param(
            "postgresql+nodriver://me:secret@host/db",
            "the database postgresql+nodriver://me:***@host/db cannot be opened: ",
            id="no driver",
        ),
        pytest.param("no address", "the database the address given cannot be opened", id="none"),
        pytest.param(
            "sqlite:////no/such/folder/study.db", "unable to open database file", id="no folder"
        ),
    ],
)
def test_a_database_that_cannot_be_opened(
    run: Run, searched: Path, url: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run("search", "show", searched, "--storage", url)
    assert done.code == 2
    assert what in done.err
    assert "secret" not in done.err
    monkeypatch.setenv("OPTUNA_STORAGE", url)
    assert run("search", "show", searched).err == done.err


@pytest.mark.parametrize(
    ("url", "what"),
    [
        pytest.param(
            "postgresql://me:secret@127.0.0.1:1/db",
            "error: the database postgresql://me:***@127.0.0.1:1/db cannot be opened: ",
            id="closed port",
        ),
        pytest.param("no address", "the database the address given cannot be opened", id="none"),
        pytest.param(
            "postgresql+nodriver://me:secret@host/db",
            "the database postgresql+nodriver://me:***@host/db cannot be opened: ",
            id="no driver",
        ),
    ],
)
def test_a_search_is_not_begun_without_its_database(
    run: Run, tmp_path: Path, url: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if url.startswith("postgresql://"):
        pytest.importorskip("psycopg", reason="needs the postgres extra: psycopg is not installed")
    space = loaded(tmp_path)
    monkeypatch.setattr("androscope.datasets.load", lambda *a, **k: dataset())
    monkeypatch.setattr("androscope.search.file.load_space", lambda *a, **k: space)
    done = run("search", "run", "small", "--out", tmp_path / "s", "--storage", url)
    assert done.code == 2
    assert what in done.err
    assert "See that it runs and takes connections from here. Give its address" in done.err
    assert "secret" not in done.err
    assert done.err.count("\n") == 1


def test_a_folder_of_other_files_is_no_searchs(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    done = run("search", "run", "dmtl", "--out", tmp_path)
    assert (done.code, done.err) == (
        2,
        f"error: {tmp_path}: holds files that are no search's. Choose an empty or a new folder\n",
    )
    done = run("search", "run", "dmtl", "--out", tmp_path / "mine.txt")
    assert f"{tmp_path / 'mine.txt'}: is a file; a search needs a folder" in done.err
    assert [p.name for p in tmp_path.iterdir() if "androscope" not in p.name] == ["mine.txt"]


def test_another_programs_study_is_left_alone(run: Run, tmp_path: Path) -> None:
    import optuna

    url = f"sqlite:///{tmp_path / 'study.db'}"
    optuna.create_study(storage=open_storage(url), study_name="theirs")
    done = run("search", "show", tmp_path)
    assert done.code == 2
    assert "the study 'theirs' was not begun by `androscope search`" in done.err


def test_interrupted(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*a: object, **k: object) -> SearchRecord:
        raise KeyboardInterrupt

    monkeypatch.setattr("androscope.search.run.search", stop)
    done = run("search", "run", "dmtl", "--out", tmp_path / "s")
    assert done.code == 130
    assert f"Interrupted. The same command goes on with {tmp_path / 's'}" in done.err


def test_optuna_is_of_the_extra(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str, *, extra: str, why: str) -> None:
        if module == "optuna":
            raise MissingExtraError(
                f"{module} is needed to {why}, and is not installed",
                advice=f"Run: pip install 'androscope[{extra}]'",
            )

    monkeypatch.setattr(androscope.extras, "require", missing)
    done = run("search", "show", "x")
    assert done.err == (
        "error: optuna is needed to search configurations, and is not installed. "
        "Run: pip install 'androscope[train]'\n"
    )
