from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

import androscope.extras
from androscope.errors import MissingExtraError
from androscope.protocol.record import write_benchmark
from androscope.protocol.run import Outcome

from ..protocol.made import benchmark  # noqa: TID252  (tests are no package)
from .conftest import Run

pytestmark = pytest.mark.train


@pytest.fixture
def made(tmp_path: Path) -> Path:
    write_benchmark(tmp_path / "made", benchmark())
    return tmp_path / "made"


def test_the_plan_of_the_shipped_protocol(run: Run, tmp_path: Path) -> None:
    done = run("benchmark", "run", "--out", tmp_path / "b", "--dry-run")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == (
        "Protocol mhsma on mhsma: 39 runs to be trained, and 5 folds of cross-validation"
    )
    assert [line.split()[0] for line in lines[3:13]] == [
        "dmtl-real",
        "dmtl-real-ensemble",
        "dmtl",
        "dmtl-random",
        "dtl",
        "dmtl-ensemble",
        "dmtl-folds",
        "dmtl-folds-ensemble",
        "dmtl-distilled",
        "crossval/dmtl",
    ]
    assert lines[-1] == "Nothing was done (--dry-run)"
    assert not (tmp_path / "b").exists()


def test_a_recipe_and_its_seeds(run: Run, tmp_path: Path) -> None:
    done = run(
        "benchmark", "run", "dmtl-distilled", "--out", tmp_path, "--dry-run", "--split", "valid"
    )
    assert done.out.startswith("Protocol mhsma on mhsma: 9 runs to be trained\n")
    assert "Each model reads validation; test is not read." in done.out
    done = run("benchmark", "run", "--out", tmp_path, "--dry-run", "--seeds", "0,9")
    assert done.code == 2
    assert done.err == (
        "error: no recipe that was asked for has the seed 9; their seeds are 0, 1, 2, 3, 4. "
        "Choose among these, or change `seeds` in the protocol\n"
    )
    done = run("benchmark", "run", "--out", tmp_path, "--dry-run", "--seeds", "0;1")
    assert done.code == 2
    assert "expected whole numbers with commas between" in done.err


def test_a_bad_protocol(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("name: p\nrecipes:\n  a: {confg: dmtl}\n")
    done = run("benchmark", "run", "--out", tmp_path, "--protocol", tmp_path / "p.yaml")
    assert done.code == 2
    assert f"{tmp_path / 'p.yaml'}:3: recipes.a.confg: unknown key; the nearest is 'config'" in (
        done.err
    )


def outcome(monkeypatch: pytest.MonkeyPatch, found: Outcome) -> None:
    pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
    monkeypatch.setattr("androscope.protocol.follow.follow", lambda *a, **k: found)


def test_what_failed_is_told_with_its_log(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome(
        monkeypatch,
        Outcome(
            done=["dmtl/seed-1"],
            failed={"dmtl/seed-0": "error: the loss is no number"},
            waiting={"dmtl-ensemble": "waits for dmtl/seed-0"},
        ),
    )
    done = run("benchmark", "run", "dmtl-ensemble", "--out", tmp_path / "b")
    assert done.code == 1
    assert f"1 of 6 done; written to {tmp_path / 'b' / 'benchmark.json'}\n" in done.out
    assert "left out: dmtl-ensemble: waits for dmtl/seed-0\n" in done.out
    assert done.err == (
        "failed: dmtl/seed-0: error: the loss is no number\n"
        f"  see {tmp_path / 'b' / 'logs' / 'dmtl-seed-0.log'}\n"
    )


def test_all_done(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome(monkeypatch, Outcome(done=["x"]))
    assert run("benchmark", "run", "--out", tmp_path).code == 0


def test_interrupted(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="needs the train extra: torch is not installed")

    def stop(*a: object, **k: object) -> Outcome:
        raise KeyboardInterrupt

    monkeypatch.setattr("androscope.protocol.follow.follow", stop)
    done = run("benchmark", "run", "--out", tmp_path / "b")
    assert done.code == 130
    assert f"Interrupted. The same command goes on with {tmp_path / 'b'}" in done.err


def test_tables(run: Run, made: Path) -> None:
    plain = run("benchmark", "table", made)
    assert plain.code == 0, plain.err
    assert plain.out.startswith("Head, test  (300 crops, 81 abnormal)\n  all called normal\n")
    file = made / "benchmark.json"
    assert run("benchmark", "table", file, "--markdown").out.startswith("**Head, test** (300")
    values = json.loads(run("benchmark", "table", file, "--json", "--split", "valid").out)
    assert values["format"] == "androscope.benchmark-tables/1"
    assert values["split"] == "valid"
    both = run("benchmark", "table", file, "--json", "--markdown")
    assert both.code == 2
    assert "choose one of --markdown and --json" in both.err


def test_a_table_needs_no_extra(run: Run, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str, *, extra: str, why: str) -> None:
        raise MissingExtraError(
            f"{module} is needed to {why}, and is not installed",
            advice=f"Run: pip install 'androscope[{extra}]'",
        )

    monkeypatch.setattr(androscope.extras, "require", missing)
    assert run("benchmark", "table", made).code == 0
    done = run("benchmark", "run", "--out", made, "--dry-run")
    assert done.code == 2
    assert "yaml is needed to run a benchmark, and is not installed" in done.err


def test_plot(run: Run, made: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the train extra: matplotlib is not installed")
    done = run("benchmark", "plot", made, "--out", tmp_path / "a.svg")
    assert done.code == 0, done.err
    assert done.out == f"Written to {tmp_path / 'a.svg'}\n"
    assert (tmp_path / "a.svg").is_file()


def test_no_benchmark(run: Run, tmp_path: Path) -> None:
    done = run("benchmark", "table", tmp_path)
    assert done.code == 2
    assert done.err == (
        f"error: {tmp_path / 'benchmark.json'}: cannot be read: No such file or directory. "
        "Make it with `androscope benchmark run --out DIR`\n"
    )


def test_limits_reads_valid_unless_test_is_asked_for(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cleanlab", reason="needs the train extra: cleanlab is not installed")
    pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
    from androscope.protocol.limits_record import Limits

    asked: list[str] = []

    def made(folders: list[Path], split: str, **options: object) -> Limits:
        asked.append(split)
        return Limits(
            data="d",
            split=split,
            data_sha256="0" * 64,
            crops=3,
            runs=(),
            agreement={},
            missed_by_all={},
            noise=None,
            curves=(),
            missing={"noise": "no run held out a part of train"},
            created="2026-11-24T00:00:00Z",  # type: ignore[arg-type]
            androscope="0",
        )

    monkeypatch.setattr("androscope.protocol.limits.limits", made)
    done = run("benchmark", "limits", tmp_path, "--out", tmp_path / "l.json")
    assert done.code == 0, done.err
    assert done.out == (
        "0 runs on d valid, 3 crops\n\n"
        "Cannot be told: noise: no run held out a part of train\n\n"
        f"Written to {tmp_path / 'l.json'}\n"
    )
    printed = run("benchmark", "limits", tmp_path, "--split", "test", "--json").out
    assert Limits.model_validate_json(printed).split == "test"
    assert asked == ["valid", "test"]
    assert run("benchmark", "limits", tmp_path, "--split", "train").code == 2
    assert run("benchmark", "limits", tmp_path, "--views", "3").code == 2
