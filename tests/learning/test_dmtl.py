from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from androscope.errors import TrainingError  # noqa: E402
from androscope.learning import bank as banks  # noqa: E402
from androscope.learning import dmtl  # noqa: E402
from androscope.learning.bank import Bank, build_bank, state_sha256  # noqa: E402
from androscope.learning.branches import train_branch  # noqa: E402
from androscope.learning.config import LabelBranchConfig  # noqa: E402
from androscope.learning.dmtl import train_stage2  # noqa: E402
from androscope.learning.network import Network, build_network  # noqa: E402
from androscope.learning.selection import EpochScores, pick  # noqa: E402

from .tiny import config as quick  # noqa: E402
from .tiny import dataset  # noqa: E402

pytestmark = pytest.mark.train


def network(*changes: str) -> Network:
    torch.manual_seed(0)
    return build_network(quick(*changes))


def separable(n: int = 60, dim: int = 6, views: int = 3) -> Bank:
    """Column 0 follows the first feature, column 1 nothing; column 2 lacks a class."""
    generator = np.random.default_rng(0)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = generator.integers(0, 2, (count, 3)).astype(np.int8)
        labels[:, 2] = 0
        x = generator.normal(0, 0.3, (count, dim)).astype(np.float32)
        x[:, 0] += 2 * labels[:, 0] - 1
        return x, labels

    train, train_labels = draw(n)
    valid, valid_labels = draw(n)
    copies = np.stack([train + generator.normal(0, 0.1, train.shape) for _ in range(views)])
    return Bank(copies.astype(np.float32), train_labels, train_labels, valid, valid_labels)


def branch_config(**changes: Any) -> LabelBranchConfig:
    return LabelBranchConfig.model_validate({"epochs": 30, "batch_size": 16} | changes)


def test_the_bank_holds_views_of_train_and_clean_valid() -> None:
    config = quick("stage2.views=3", "trainer.precision=32-true")
    net = network().eval()
    data = dataset()
    bank = build_bank(net, data.splits["train"], data.splits["valid"], config)
    assert bank.train.shape == (3, 64, net.trunk.dim)
    assert not np.allclose(bank.train[0], bank.train[1])
    with torch.inference_mode():
        clean = net.embed(torch.from_numpy(data.splits["valid"].crops)).numpy()
    assert np.allclose(bank.valid, clean, atol=1e-5)
    again = build_bank(net, data.splits["train"], data.splits["valid"], config)
    assert np.array_equal(bank.train, again.train)


def test_without_augmentation_one_view_is_enough() -> None:
    config = quick("stage2.views=3", "augment.enabled=false", "trainer.precision=32-true")
    net = network().eval()
    data = dataset()
    bank = build_bank(net, data.splits["train"], data.splits["valid"], config)
    assert bank.train.shape[0] == 1
    with torch.inference_mode():
        clean = net.embed(torch.from_numpy(data.splits["train"].crops)).numpy()
    assert np.allclose(bank.train[0], clean, atol=1e-5)


def test_a_branch_learns_its_label_and_keeps_its_best_epoch() -> None:
    bank = separable()
    config = branch_config(dense=[8], optimizer={"lr": 0.01}, checkpoint="accuracy")
    branch, result, history = train_branch("head", 0, bank, config, seed=0)
    assert len(history) == result.epochs == 30
    assert result.best.accuracies[0] > 0.95
    with torch.inference_mode():
        logits = branch(torch.from_numpy(bank.valid))[:, 0].numpy()
    right = ((logits >= 0) == (bank.valid_labels[:, 0] == 1)).mean()
    assert right == pytest.approx(result.best.accuracies[0])
    rows = [
        EpochScores(int(r["epoch"]) - 1, r["valid_loss"], (r["valid_accuracy_head"],))
        for r in history
    ]
    assert pick(rows, "accuracy") == result.best


@pytest.mark.parametrize("balance", ["none", "smote", "adasyn", "batch"])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_branch_with_every_balance(balance: str, optimizer: str) -> None:
    config = branch_config(balance=balance, optimizer={"name": optimizer, "lr": 0.05}, l2=1e-4)
    branch, result, _ = train_branch("noise", 1, separable(), config, seed=1)
    assert np.isfinite(result.best.loss)
    again, _, _ = train_branch("noise", 1, separable(), config, seed=1)
    for a, b in zip(branch.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_unlabelled_crops_are_left_out_of_a_branch() -> None:
    bank = separable()
    labels = bank.train_labels.copy()
    labels[::2, 0] = -1
    halved = Bank(bank.train[:, 1::2], labels[1::2], labels[1::2], bank.valid, bank.valid_labels)
    masked = Bank(bank.train, labels, labels, bank.valid, bank.valid_labels)
    config = branch_config(epochs=3)
    one, _, _ = train_branch("head", 0, halved, config, seed=0)
    two, _, _ = train_branch("head", 0, masked, config, seed=0)
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_class_that_is_missing() -> None:
    with pytest.raises(TrainingError) as caught:
        train_branch("tail", 2, separable(), branch_config(), seed=0)
    assert str(caught.value) == (
        "tail: the training crops hold one class alone. Leave this label out"
    )


def test_a_branch_whose_loss_is_no_number() -> None:
    config = branch_config(optimizer={"name": "sgd", "lr": 10, "clip": None}, l2=1e6, dense=[4])
    with pytest.raises(TrainingError, match=r"head: the training loss of epoch \d+ is (nan|inf)"):
        train_branch("head", 0, separable(), config, seed=0)


def test_stage_2_leaves_the_trunk_as_it_is_and_gives_each_label_a_branch(tmp_path: Path) -> None:
    config = quick("stage2.branches={vacuole: {dense: [5], epochs: 2, optimizer: {name: sgd}}}")
    net = network()
    before = {k: v.clone() for k, v in net.trunk.state_dict().items()}
    heads = {k: v.clone() for k, v in net.branches.state_dict().items()}
    data = dataset()
    lines: list[str] = []
    results = train_stage2(
        net, data.splits["train"], data.splits["valid"], config, tmp_path, report=lines.append
    )
    for name, tensor in net.trunk.state_dict().items():  # Running statistics included.
        assert torch.equal(tensor, before[name]), name
    assert not any(p.requires_grad for p in net.trunk.parameters())
    assert not net.trunk.training
    assert {k: r.epochs for k, r in results.items()} == {"head": 3, "vacuole": 2}
    assert "branches.vacuole.1.weight" not in heads
    assert net.branches["vacuole"][1].out_features == 5
    assert len(net.branches["head"]) == 2
    assert [line for line in lines if line.startswith("stage 2: vacuole  epoch")]


def test_a_trunk_that_moves_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    net = network()
    data = dataset()

    def spoil(*args: Any, **kwargs: Any) -> Bank:
        found = build_bank(*args, **kwargs)
        with torch.no_grad():
            next(net.trunk.parameters()).add_(1e-3)
        return found

    monkeypatch.setattr(dmtl, "build_bank", spoil)
    with pytest.raises(TrainingError, match="the trunk changed during stage 2"):
        train_stage2(
            net, data.splits["train"], data.splits["valid"], quick(), tmp_path,
            report=lambda _: None,
        )  # fmt: skip


def test_the_hash_sees_every_bit() -> None:
    layer = torch.nn.BatchNorm1d(3)
    first = state_sha256(layer)
    assert first == state_sha256(torch.nn.BatchNorm1d(3))
    layer.running_mean[1] = 1e-30
    second = state_sha256(layer)
    layer.num_batches_tracked += 1
    assert len({first, second, state_sha256(layer)}) == 3
    assert banks.state_sha256(torch.nn.Linear(1, 1).to(torch.bfloat16))


@pytest.mark.parametrize("wins", [True, False], ids=["branch better", "head better"])
@pytest.mark.parametrize("fallback", [True, False], ids=["fallback", "no fallback"])
def test_a_head_stays_where_its_branch_is_no_better(
    wins: bool, fallback: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stage 1's head is scored as it would be kept: on the clean validation embeddings."""
    config = quick(f"stage2.fallback={str(fallback).lower()}", "trainer.precision=32-true")
    net = network()
    heads = {label: net.branches[label] for label in config.labels}
    scored: list[float] = []
    real = dmtl.branch_scores

    def scores(*arguments: Any) -> EpochScores:
        found = real(*arguments)
        scored.append(found.loss)
        return EpochScores(-1, 1e9 if wins else 0.0, found.accuracies)

    monkeypatch.setattr(dmtl, "branch_scores", scores)
    data, said = dataset(), list[str]()
    train, valid = data.splits["train"], data.splits["valid"]
    results = train_stage2(net, train, valid, config, tmp_path, report=said.append)
    with torch.inference_mode():
        logits = net.eval()(torch.from_numpy(valid.crops))
    stays = fallback and not wins
    for column, label in enumerate(config.labels):
        assert (net.branches[label] is heads[label]) == stays
        assert (results[label].best.epoch == -1) == stays
        if stays:
            truth = torch.from_numpy(valid.labels[:, column]).float()
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits[:, column], truth)
            assert scored[column] == pytest.approx(float(loss), abs=1e-4)
            assert any(f"{label}  no better than stage 1's head" in line for line in said)
