from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from androscope.datasets import Dataset, LabelledCrops  # noqa: E402
from androscope.errors import AndroscopeError, DatasetMissingError, TrainingError  # noqa: E402
from androscope.learning.config import Config  # noqa: E402
from androscope.learning.config_file import load_config  # noqa: E402
from androscope.learning.run import Run, train  # noqa: E402

from .tiny import config as quick  # noqa: E402
from .tiny import dataset, discs  # noqa: E402

pytestmark = pytest.mark.train


#: Enough epochs to learn discs from rings.
LONGER = (
    "stage1.epochs=25",
    "stage2.default.epochs=40",
    "stage2.default.optimizer.lr=0.01",
)


class Guarded(Mapping[str, LabelledCrops]):
    """Splits with a test split that must not be opened."""

    def __init__(self, splits: Mapping[str, LabelledCrops]) -> None:
        self.splits = splits

    def __getitem__(self, name: str) -> LabelledCrops:
        if name == "test":
            raise AssertionError("training looked at test")
        return self.splits[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*self.splits, "test"])

    def __len__(self) -> int:
        return len(self.splits) + 1


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A DMTL run that learned something, on data whose test split cannot be opened."""
    config = quick(
        "stage1.epochs=25", "stage2.default.epochs=40", "stage2.default.optimizer.lr=0.01"
    )
    data = dataset()
    lines: list[str] = []
    run = train(
        config,
        tmp_path_factory.mktemp("runs") / "dmtl",
        dataset=replace(data, splits=Guarded(data.splits)),
        report=lines.append,
    )
    assert lines[0] == "test_efficientnet starts from a random start"
    assert sum(line.startswith("epoch") for line in lines) == 25
    return run


def test_dmtl_learns_both_labels(finished: Run) -> None:
    """Chance is 0.5; discs and rings are easy."""
    for stage in ("stage1", "stage2"):
        for label in ("head", "vacuole"):
            assert finished.record["validation"][stage][label]["roc_auc"] > 0.8, (stage, label)


def test_the_run_grades_as_its_record_says(finished: Run) -> None:
    valid = dataset().splits["valid"]
    given = finished.probabilities(valid.crops)
    assert given.shape == (32, 2)
    assert given.dtype == np.float32
    right = ((given >= 0.5) == valid.labels).mean(axis=0)
    for column, label in enumerate(finished.labels):
        accuracy = finished.record["validation"]["stage2"][label]["accuracy"]
        assert right[column] == pytest.approx(accuracy)
    again = Run.load(finished.folder)
    assert np.array_equal(again.probabilities(valid.crops), given)
    assert again.probabilities(valid.crops[:0]).shape == (0, 2)
    one_by_one = np.concatenate([again.probabilities(valid.crops[i : i + 1]) for i in range(5)])
    assert np.allclose(one_by_one, given[:5], atol=1e-5)


def test_the_folder_has_all_a_reader_needs(finished: Run) -> None:
    names = {str(p.relative_to(finished.folder)) for p in finished.folder.rglob("*") if p.is_file()}
    assert {
        "config.yaml",
        "run.json",
        "network.pt",
        "thresholds.json",
        "stage1/history.csv",
        "stage1/history.png",
        "stage1/network.pt",
        "stage2/head/history.csv",
        "stage2/vacuole/history.csv",
    } <= names
    assert any(n.startswith("stage1/tensorboard/events") for n in names)
    assert any(n.startswith("stage2/head/tensorboard/events") for n in names)
    assert not [n for n in names if "last.ckpt" in n or "best-" in n]  # Spent.
    record = json.loads((finished.folder / "run.json").read_text())
    assert record["weights"] == {"kind": "random", "name": "test_efficientnet", "sha256": None}
    assert record["data"]["splits"]["train"]["crops"] == 64
    assert record["data"]["splits"]["train"]["sha256"] == dataset().splits["train"].sha256
    assert list(record["data"]["splits"]) == ["train", "valid"]
    assert record["peak_memory_mb"] > 100
    assert record["seconds"] >= record["stages"]["stage1"]["seconds"] > 0
    assert {"torch", "timm", "lightning", "python", "androscope"} <= set(record["software"])
    assert load_config(finished.folder / "config.yaml") == finished.config
    with (finished.folder / "stage1" / "history.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    kept = [int(row["epoch"]) for row in rows if row["kept"] == "1"]
    assert kept[-1] == record["stages"]["stage1"]["best"]["epoch"] + 1


def test_a_finished_run_is_not_overwritten(finished: Run) -> None:
    before = (finished.folder / "network.pt").stat().st_mtime_ns
    for resume in (True, False):
        with pytest.raises(TrainingError) as caught:
            train(finished.config, finished.folder, dataset=dataset(), resume=resume, quiet=True)
        assert str(caught.value) == (
            f"{finished.folder}: holds a finished run, which is not overwritten. Choose another "
            "folder with --out, or remove this one"
        )
    assert (finished.folder / "network.pt").stat().st_mtime_ns == before


def test_changed_weights_are_refused(finished: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("config.yaml", "run.json", "thresholds.json"):
        (copy / name).write_bytes((finished.folder / name).read_bytes())
    run = Run.load(copy)
    with pytest.raises(TrainingError, match=r"network\.pt: cannot be read: No such file"):
        run.network()
    (copy / "network.pt").write_bytes(b"changed")
    with pytest.raises(TrainingError, match="is not what this run trained: expected SHA-256"):
        run.network()


def test_crops_of_another_kind_are_refused(finished: Run) -> None:
    for crops in (np.zeros((1, 64, 64), np.uint8), np.zeros((1, 32, 32), np.float32)):
        with pytest.raises(TrainingError, match=r"this run grades crops \(N, 32, 32\) of uint8"):
            finished.probabilities(crops)


def interrupted(folder: Path, config: Config, *, at: str = "epoch   2") -> None:
    def stop(line: str) -> None:
        if line.startswith(at):
            raise RuntimeError("stop here")

    with pytest.raises(RuntimeError, match="stop here"):
        train(config, folder, dataset=dataset(), report=stop)


def test_an_unfinished_run_is_not_mixed_with_another(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    interrupted(folder, quick())
    other = quick("seed=3", "stage1.optimizer.lr=0.1")
    with pytest.raises(TrainingError) as caught:
        train(other, folder, dataset=dataset(), quiet=True)
    assert str(caught.value) == (
        f"{folder}: holds an unfinished run of another configuration; different are seed, "
        "stage1.optimizer.lr. Use its config.yaml, choose another folder, or start over with "
        "--no-resume"
    )
    changed = dataset()
    pixels = changed.splits["train"].crops.copy()
    pixels[0, 0, 0] += 1
    splits = {**changed.splits, "train": replace(changed.splits["train"], crops=pixels)}
    with pytest.raises(TrainingError, match="the data changed since this run was started: train"):
        train(quick(), folder, dataset=replace(changed, splits=splits), quiet=True)
    lines: list[str] = []
    train(quick(), folder, dataset=dataset(), resume=False, report=lines.append)
    assert sum(line.startswith("epoch") for line in lines) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param("backbone.name=test_eficientnet", "Nearest: test_efficientnet", id="backbone"),
        pytest.param("backbone.weights=none.pt", r"none\.pt: weights cannot be read", id="weights"),
        pytest.param("trainer.devices=0", "trainer: this machine cannot do that", id="trainer"),
        pytest.param(
            "trainer.precision=16-mixed", "precision 16-mixed is for GPUs", id="precision"
        ),
    ],
)
def test_a_start_that_failed_leaves_no_folder(change: str, message: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(AndroscopeError, match=message):
        train(quick(change), folder, dataset=dataset(), quiet=True)
    assert not folder.exists()


def test_a_failed_start_takes_nothing_from_a_run_that_was_begun(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    interrupted(folder, quick())
    before = sorted(p.name for p in folder.rglob("*"))
    with pytest.raises(TrainingError, match=r"different are backbone\.name"):
        train(quick("backbone.name=none"), folder, dataset=dataset(), quiet=True)
    assert sorted(p.name for p in folder.rglob("*")) == before


def test_folders_that_are_no_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(TrainingError, match="is a file; a run needs a folder"):
        train(quick(), tmp_path / "file", dataset=dataset(), quiet=True)
    with pytest.raises(TrainingError, match="holds files that are no run's"):
        train(quick(), tmp_path, dataset=dataset(), quiet=True)
    with pytest.raises(TrainingError, match=r"is no run: run\.json is missing"):
        Run.load(tmp_path)


def relabelled(split: str, label: int, value: int) -> Dataset:
    data = dataset()
    labels = data.splits[split].labels.copy()
    labels[:, label] = value
    return replace(data, splits={**data.splits, split: replace(data.splits[split], labels=labels)})


def without(split: str) -> Dataset:
    data = dataset()
    return replace(data, splits={k: v for k, v in data.splits.items() if k != split})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(
            without("valid"),
            "discs has no valid split; there are train. Training needs train to fit and valid to "
            "choose by",
            id="no valid",
        ),
        pytest.param(
            relabelled("train", 1, 0),
            "discs: train has 64 normal and 0 abnormal crops for vacuole; one of each at least is "
            "needed. Label more crops, or leave vacuole out of `labels`",
            id="one class",
        ),
        pytest.param(
            relabelled("valid", 0, -1),
            "discs: no valid crop is labelled for head. Label some, or leave head out of `labels`",
            id="nothing to choose by",
        ),
        pytest.param(
            replace(
                dataset(),
                splits={
                    k: replace(v, crops=np.zeros((len(v), 64, 64), np.uint8))
                    for k, v in dataset().splits.items()
                },
            ),
            "train crops of discs are 64 px, data.crop_size is 32. Set data.crop_size to that of "
            "the data",
            id="another size",
        ),
    ],
)
def test_data_that_cannot_be_learned_from(data: Dataset, message: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        train(quick(), tmp_path / "run", dataset=data, quiet=True)
    assert str(caught.value) == message


def test_data_that_is_not_here(tmp_path: Path) -> None:
    config = quick(f"data.dataset={tmp_path / 'none.csv'}")
    with pytest.raises(DatasetMissingError, match="no such file or folder"):
        train(config, tmp_path / "run", quiet=True)


def test_crops_without_any_label_are_left_out(tmp_path: Path) -> None:
    data = dataset()
    train_split = data.splits["train"]
    labels = train_split.labels.copy()
    labels[10:20] = -1
    labels[20:30, 0] = -1
    splits = {**data.splits, "train": replace(train_split, labels=labels)}
    config = quick("stage1.epochs=1", "stage2.default.epochs=1")
    run = train(config, tmp_path / "run", dataset=replace(data, splits=splits), quiet=True)
    counts = run.record["data"]["splits"]["train"]["counts"]
    assert counts["head"]["unlabelled"] == 20
    assert counts["vacuole"]["unlabelled"] == 10


@pytest.mark.parametrize("balance", ["none", "smote", "adasyn", "batch"])
@pytest.mark.parametrize("loss", ["bce", "focal"])
def test_dtl_with_every_balance_and_loss(balance: str, loss: str, tmp_path: Path) -> None:
    config = quick(
        "method=dtl",
        "labels=[vacuole]",
        "stage1.epochs=1",
        f"stage1.balance={balance}",
        f"loss.name={loss}",
        "branch={dense: [8], l2: 0.001, activation: elu}",
    )
    # ADASYN adds crops only where it finds both classes side by side.
    data = dataset(wrong=0.5)
    run = train(config, tmp_path / "run", dataset=data, quiet=True)
    assert run.labels == ("vacuole",)
    assert run.probabilities(data.splits["valid"].crops).shape == (32, 1)
    assert not (run.folder / "stage2").exists()
    assert list(run.record["validation"]) == ["stage1"]


def test_labels_are_graded_in_the_configurations_order(tmp_path: Path) -> None:
    """The authors' code mixed heads and targets; an order other than the data's must not."""
    config = quick("labels=[vacuole, head]", *LONGER)
    run = train(config, tmp_path / "run", dataset=dataset(), quiet=True)
    assert run.labels == run.network().labels == ("vacuole", "head")
    valid = dataset().splits["valid"]
    given = run.probabilities(valid.crops)
    for column, label in enumerate(run.labels):
        truth = valid.labels[:, valid.label_names.index(label)]
        assert given[truth == 1, column].mean() > given[truth == 0, column].mean() + 0.1


def test_the_same_seed_gives_the_same_bytes_and_another_not(tmp_path: Path) -> None:
    hashes = [
        train(quick("stage1.epochs=2", f"seed={seed}"), tmp_path / name, dataset=dataset(),
              quiet=True).record["network_sha256"]
        for name, seed in (("a", 5), ("b", 5), ("c", 6))
    ]  # fmt: skip
    assert hashes[0] == hashes[1] != hashes[2]


def test_discs_are_what_the_tests_say() -> None:
    data = discs(40)
    assert set(map(tuple, data.labels.tolist())) == {(0, 0), (0, 1), (1, 0), (1, 1)}
