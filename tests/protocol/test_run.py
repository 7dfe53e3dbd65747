from __future__ import annotations

import threading
from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")
filelock = pytest.importorskip("filelock", reason="needs the train extra: filelock")

from androscope.errors import TrainingError  # noqa: E402
from androscope.protocol.file import load_protocol  # noqa: E402
from androscope.protocol.plan import Task, folder_of, plan  # noqa: E402
from androscope.protocol.run import Outcome, carry_out, log_of  # noqa: E402
from androscope.protocol.state import state_of  # noqa: E402
from androscope.protocol.work import Job, ensemble_sha256  # noqa: E402

from .small import Here, write_protocol  # noqa: E402

pytestmark = pytest.mark.train


def go(folder: Path, launch: object, **options: object) -> Outcome:
    loaded = load_protocol(write_protocol(folder / "p"))
    options = {"splits": ("valid", "test")} | options
    tasks = plan(loaded, folder / "out")
    return carry_out(
        tasks,
        folder / "out",
        bootstrap=loaded.protocol.bootstrap,
        launch=launch,  # type: ignore[arg-type]
        **options,  # type: ignore[arg-type]
    )


def test_the_order_and_what_each_is_told(tmp_path: Path) -> None:
    launch = Here(really=False)
    told: list[str] = []
    finished: list[Task] = []
    outcome = go(tmp_path, launch, threads=4, jobs=1, report=told.append, finished=finished.append)
    names = [job.name for job in launch.jobs]
    assert names == outcome.done == [task.name for task in finished]
    assert names.index("ensemble") > names.index("dmtl/seed-1")
    assert told[:2] == ["dmtl/seed-0: started (1 of 7)", "dmtl/seed-0: done"]
    jobs = {job.name: job for job in launch.jobs}
    assert jobs["dmtl/seed-1"].config["trainer"]["threads"] == 4
    assert jobs["dmtl/seed-1"].splits == ("valid", "test")
    assert (jobs["crossval/cv"].folds, jobs["crossval/cv"].pooled) == (
        2,
        ("train", "valid", "test"),
    )
    assert jobs["ensemble"].members == tuple(
        folder_of(tmp_path / "out", f"dmtl/seed-{seed}") for seed in (0, 1)
    )
    assert jobs["ensemble"].resamples == 100


def test_jobs_run_side_by_side_and_share_the_threads(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=30)
    threads = []

    def launch(job: Path, log: Path) -> int:
        told = Job.model_validate_json(job.read_bytes())
        threads.append(told.config["trainer"]["threads"])
        if told.name.startswith("dmtl/"):
            both.wait()  # passes only if both are there at a time
        return 0

    outcome = go(tmp_path, launch, threads=5, jobs=2)
    assert outcome.failed == {}
    assert set(threads) == {2}


def test_one_that_dies_without_a_word(tmp_path: Path) -> None:
    def launch(job: Path, log: Path) -> int:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("epoch   3/4\n")
        return -9

    outcome = go(tmp_path, launch)
    assert outcome.failed["dmtl/seed-0"] == "exit code -9, after: epoch   3/4"
    assert outcome.waiting == {
        "ensemble": "waits for dmtl/seed-0, dmtl/seed-1",
        "taught/seed-0": "waits for dmtl/seed-0, dmtl/seed-1",
    }


def test_two_at_a_time_in_one_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with filelock.FileLock(tmp_path / "out" / ".lock"), pytest.raises(TrainingError) as caught:
        go(tmp_path, Here(really=False))
    assert str(caught.value) == (
        f"{tmp_path / 'out'}: another `androscope benchmark run` is at work here. Wait for it, or "
        "choose another folder with --out"
    )
    assert go(tmp_path, Here(really=False)).failed == {}


def test_states(tmp_path: Path) -> None:
    loaded = load_protocol(write_protocol(tmp_path / "p"))
    tasks = {task.name: task for task in plan(loaded, tmp_path)}
    for name in ("dmtl/seed-0", "ensemble", "crossval/cv"):
        assert state_of(tasks[name], tmp_path, ("valid",)) == "missing"
    folder = folder_of(tmp_path, "dmtl/seed-0")
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("")
    assert state_of(tasks["dmtl/seed-0"], tmp_path, ("valid",)) == "begun"
    assert log_of(tmp_path, tasks["dtl/head-seed-5"]).name == "dtl-head-seed-5.log"
    folder = folder_of(tmp_path, "crossval/cv")
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text("{}")
    assert state_of(tasks["crossval/cv"], tmp_path, ()) == "begun"
    (folder / "crossval.json").write_text("{}")
    with pytest.raises(TrainingError, match=r"plan\.json: cannot be read: KeyError"):
        state_of(tasks["crossval/cv"], tmp_path, ())


def test_an_ensemble_is_its_networks_and_views() -> None:
    assert ensemble_sha256(["a", "b"], 8) == ensemble_sha256(["b", "a"], 8)
    assert ensemble_sha256(["a", "b"], 8) != ensemble_sha256(["a", "b"], 1)
