from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from androscope.errors import ConfigError, TrainingError  # noqa: E402
from androscope.learning.epochs import history_csv, save_state  # noqa: E402
from androscope.learning.run import Run, train  # noqa: E402
from androscope.learning.trainer import LAST, threads  # noqa: E402

from . import tiny  # noqa: E402

pytestmark = pytest.mark.train


def start(folder: Path, *, until: str | None = None) -> list[str]:
    """Train in a process of its own; SIGKILL it at the first line that starts with ``until``."""
    lines = []
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, tiny.__file__, str(folder), "stage1.swa=0.5"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.strip())
            if until is not None and line.startswith(until):
                process.send_signal(signal.SIGKILL)
                break
        code = process.wait()
    assert code == (0 if until is None else -signal.SIGKILL), lines
    return lines


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_twice_a_run_ends_with_the_same_bytes(tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    start(killed, until="epoch   3/4")
    assert not (killed / "network.pt").exists()
    with pytest.raises(TrainingError) as caught:
        Run.load(killed)
    assert str(caught.value) == (
        f"{killed}: this run is not finished. Run the same `androscope train` again: it goes on "
        "where it stopped"
    )
    again = start(killed, until="stage 2: head")
    epochs = [line.split()[1] for line in again if line.startswith("epoch")]
    assert epochs in (["3/4", "4/4"], ["4/4"])  # Not from the beginning.
    last: list[str] = []
    config = tiny.config("stage1.swa=0.5")
    run = train(config, killed, dataset=tiny.dataset(), report=last.append)
    assert not [line for line in last if line.startswith("epoch")]
    assert len(run.record["resumed"]) == 2
    uninterrupted = train(config, whole, dataset=tiny.dataset(), quiet=True)
    assert (killed / "network.pt").read_bytes() == (whole / "network.pt").read_bytes()
    assert run.thresholds == uninterrupted.thresholds
    for key in ("validation", "network_sha256", "embedding_dim", "parameters"):
        assert run.record[key] == uninterrupted.record[key]
    rows = []
    for folder in (killed, whole):
        with (folder / "stage1" / "history.csv").open(newline="") as stream:
            rows.append([{k: r[k] for k in r if k != "seconds"} for r in csv.DictReader(stream)])
    assert rows[0] == rows[1]
    assert [row["epoch"] for row in rows[0]] == ["1", "2", "3", "4"]


def test_the_checkpoint_is_read_without_unpickling(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Code:
        def __reduce__(self) -> tuple[object, ...]:
            return print, ("this must never run",)

    config = tiny.config()
    folder = tmp_path / "run"

    def stop(line: str) -> None:
        if line.startswith("epoch   2"):
            raise RuntimeError("stop here")

    with pytest.raises(RuntimeError, match="stop here"):
        train(config, folder, dataset=tiny.dataset(), report=stop)
    torch.save({"epoch": 1, "state_dict": Code()}, folder / "stage1" / LAST)
    with pytest.raises(TrainingError) as caught:
        train(config, folder, dataset=tiny.dataset(), quiet=True)
    assert "the checkpoint cannot be read" in str(caught.value)
    assert str(folder / "stage1" / LAST) in str(caught.value)
    assert "this must never run" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "change",
    [
        "trainer.accelerator=abacus",
        "trainer.strategy=hope",
        "trainer.devices=0",
        pytest.param(
            "trainer.accelerator=gpu",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has one"),
        ),
        "trainer.precision=16-mixed",
    ],
)
def test_a_machine_that_is_not_there(change: str, tmp_path: Path) -> None:
    config = tiny.config(change)
    with pytest.raises(ConfigError) as caught:
        train(config, tmp_path / "run", dataset=tiny.dataset(), quiet=True)
    message = str(caught.value)
    assert "trainer: this machine cannot do that: " in message
    assert message.endswith("Choose accelerator, devices, strategy and precision that it has")


def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path) -> None:
    config = tiny.config(
        "stage1.optimizer={name: sgd, lr: 10, clip: null, warmup_epochs: 0}",
        "stage1.epochs=30",
        "trainer.precision=32-true",
        "branch.l2=1000",
    )
    with pytest.raises(TrainingError) as caught:
        train(config, tmp_path / "run", dataset=tiny.dataset(), quiet=True)
    assert "the training loss of epoch" in str(caught.value)
    assert "Lower optimizer.lr" in str(caught.value)


def test_the_machine_is_left_as_it_was(tmp_path: Path) -> None:
    config = tiny.config("stage1.epochs=1")
    torch.set_num_threads(2)
    train(config, tmp_path / "run", dataset=tiny.dataset(), quiet=True)
    assert torch.get_num_threads() == 2
    assert not torch.are_deterministic_algorithms_enabled()
    with threads(config.trainer):
        assert torch.get_num_threads() == 1
    torch.set_num_threads(1)


def test_the_same_weights_are_the_same_bytes(tmp_path: Path) -> None:
    state = torch.nn.Linear(3, 2).state_dict()
    for name in ("a.pt", "another-name.pt"):
        save_state(tmp_path / name, state)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "another-name.pt").read_bytes()
    loaded = torch.load(tmp_path / "a.pt", weights_only=True)
    assert torch.equal(loaded["weight"], state["weight"])


def test_history_has_every_column_that_any_row_has() -> None:
    assert history_csv([{"epoch": 1, "a": 0.5}, {"epoch": 2, "b": 1}]) == (
        "epoch,a,b\n1,0.5,\n2,,1\n"
    )
