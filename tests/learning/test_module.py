from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from androscope.learning.module import JointModule, accuracies  # noqa: E402
from androscope.learning.network import build_network  # noqa: E402

from .tiny import config as quick  # noqa: E402
from .tiny import discs  # noqa: E402

pytestmark = pytest.mark.train


def test_accuracies_by_hand() -> None:
    logits = torch.tensor([[1.0, -1.0, 2.0], [0.0, 3.0, 2.0], [-1.0, 1.0, 2.0]])
    labels = torch.tensor([[1, 0, -1], [1, 0, -1], [1, -1, -1]])
    right = accuracies(logits, labels)
    assert right[0] == pytest.approx(2 / 3)
    assert right[1] == pytest.approx(1 / 2)
    assert math.isnan(right[2])


def module(*changes: str) -> JointModule:
    torch.manual_seed(0)
    config = quick(*changes)
    return JointModule(build_network(config), config)


def test_the_average_follows_the_network() -> None:
    """Against the recursion written out: a copy first, then decays 2/11, 3/12, ..., at most 0.9."""
    joint = module("stage1.ema=0.9")
    name = "trunk.body.conv_head.weight"
    network = dict(joint.network.named_parameters())[name]
    wanted = None
    for step in range(40):
        with torch.no_grad():
            network.add_(0.1)
        joint.on_train_batch_end(None, None, step)
        decay = min(0.9, (1 + step) / (10 + step))
        now = network.detach().double()
        wanted = now.clone() if wanted is None else decay * wanted + (1 - decay) * now
    assert wanted is not None
    got = dict(joint.kept.named_parameters())[name].double()
    assert torch.allclose(got, wanted, atol=1e-5)
    assert not torch.allclose(got, network.detach().double(), atol=1e-2)


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_the_plain_mean_starts_anew(ema: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """4 epochs of 5 steps, swa 0.5: the kept weights are the mean over steps 10 to 19, alone."""
    joint = module("stage1.epochs=4", "stage1.swa=0.5", f"stage1.ema={ema}")
    name = "trunk.body.conv_head.weight"
    network = dict(joint.network.named_parameters())[name]
    counter = dict(joint.network.named_buffers())["trunk.body.bn1.num_batches_tracked"]
    seen = []
    for epoch in range(4):
        monkeypatch.setattr(JointModule, "current_epoch", epoch)
        for step in range(5):
            with torch.no_grad():
                network.add_(torch.rand_like(network))
                counter.add_(1)
            joint.on_train_batch_end(None, None, step)
            seen.append(network.detach().double().clone())
        kept = dict(joint.kept.named_parameters())[name].double()
        if epoch >= 2:
            assert torch.allclose(kept, torch.stack(seen[10:]).mean(0), atol=1e-5)
        elif ema == 0:
            assert torch.equal(kept, seen[-1])
    assert dict(joint.kept.named_buffers())["trunk.body.bn1.num_batches_tracked"] == counter


@pytest.mark.parametrize(
    ("epochs", "swa", "start"),
    [
        pytest.param(40, 0.0, None, id="never"),
        pytest.param(40, 0.65, 14, id="the last 26"),
        pytest.param(1, 0.65, 0, id="the only one"),
        pytest.param(3, 0.01, 2, id="at least the last"),
        pytest.param(7, 1.0, 0, id="all"),
    ],
)
def test_where_the_plain_mean_starts(epochs: int, swa: float, start: int | None) -> None:
    assert quick(f"stage1.epochs={epochs}", f"stage1.swa={swa}").stage1.swa_start == start


def test_the_average_is_neither_trained_nor_in_training_mode() -> None:
    joint = module("stage1.ema=0.99").train()
    assert joint.network.training
    assert not joint.kept.training
    assert not any(p.requires_grad for p in joint.kept.parameters())


def test_without_an_average_the_network_is_kept() -> None:
    joint = module("stage1.ema=0")
    assert joint.kept is joint.network
    joint.on_train_batch_end(None, None, 0)


def test_dropout_follows_from_seed_epoch_and_step() -> None:
    joint = module().train()
    crops = torch.from_numpy(discs(8).crops)
    drawn = []
    for step in (0, 1, 0):
        torch.manual_seed(step + 100)
        # As Lightning calls it; epoch and rank are 0 without a trainer.
        torch.manual_seed(0)
        joint.on_train_batch_start(None, step)
        drawn.append(torch.nn.functional.dropout(torch.ones(50), 0.5))
    assert torch.equal(drawn[0], drawn[2])
    assert not torch.equal(drawn[0], drawn[1])
    assert joint.network(crops).shape == (8, 2)


def test_uncertainty_weighs_labels_as_kendall_et_al() -> None:
    """The loss is mean over labels of exp(-s) times the label's loss, plus s / 2; s is learned."""
    changes = ("augment.enabled=false", "branch.dropout=0", "stage1.ema=0")
    fixed = module(*changes)
    learned = module(*changes, "loss.weighting=uncertainty")
    data = discs(16, seed=1)
    batch = (torch.from_numpy(data.crops), torch.from_numpy(data.labels))
    logits = fixed.eval().network(batch[0])
    per_label = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, batch[1].float(), reduction="none"
    ).mean(0)
    s = torch.tensor([0.5, -1.0])
    with torch.no_grad():
        learned.log_variances.copy_(s)
    for joint in (fixed, learned):
        joint.log = lambda *args, **kwargs: None  # there is no trainer to log to
        joint.eval()
    wanted = ((-s).exp() * per_label + s / 2).mean()
    loss = learned.training_step(batch, 0)
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)
    loss.backward()
    slope = (-(-s).exp() * per_label + 0.5) / 2
    assert torch.allclose(learned.log_variances.grad, slope, atol=1e-5)
    assert fixed.log_variances is None
    assert fixed.training_step(batch, 0).item() == pytest.approx(per_label.mean().item(), rel=1e-5)
