from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from torch.nn.functional import binary_cross_entropy_with_logits  # noqa: E402

from androscope.errors import ConfigError  # noqa: E402
from androscope.learning.co_teaching import (  # noqa: E402
    CoTeachingModule,
    forgotten_share,
    of_small_loss,
)
from androscope.learning.network import build_network  # noqa: E402
from androscope.learning.training import train  # noqa: E402

from .tiny import config as quick  # noqa: E402
from .tiny import dataset, discs  # noqa: E402

pytestmark = pytest.mark.train


@pytest.mark.parametrize(
    ("share", "wanted"),
    [
        pytest.param(0.0, [[0, 1], [0, -1], [1, 0], [1, 1]], id="none"),
        pytest.param(
            0.25, [[-1, 1], [0, -1], [1, 0], [1, 1]], id="the worst of four, none of three"
        ),
        pytest.param(0.5, [[-1, -1], [0, -1], [1, 0], [-1, 1]], id="half, rounded down"),
    ],
)
def test_the_largest_losses_are_left_out_by_label(share: float, wanted: list[list[int]]) -> None:
    logits = torch.tensor([[3.0, -2.0], [-3.0, 9.0], [1.0, 0.0], [-1.0, 1.0]])
    targets = torch.tensor([[0, 1], [0, -1], [1, 0], [1, 1]])
    assert of_small_loss(logits, targets, share).tolist() == wanted
    assert targets[0, 0] == 0, "the targets themselves stay as they are"


def test_what_is_not_labelled_is_not_left_out_in_place_of_a_label() -> None:
    logits = torch.tensor([[float("inf")], [5.0], [0.0]])
    targets = torch.tensor([[-1.0], [0.0], [0.5]])
    assert of_small_loss(logits, targets, 0.5).flatten().tolist() == [-1.0, -1.0, 0.5]


@pytest.mark.parametrize(
    ("epoch", "rising", "wanted"),
    [(0, 10, 0.0), (5, 10, 0.1), (10, 10, 0.2), (99, 10, 0.2), (0, 0, 0.2)],
)
def test_the_share_rises_from_0(epoch: int, rising: int, wanted: float) -> None:
    assert forgotten_share(0.2, epoch, rising) == pytest.approx(wanted)


def module(*changes: str) -> CoTeachingModule:
    torch.manual_seed(0)
    config = quick("stage1.co_teaching=0.25", *changes)
    return CoTeachingModule(build_network(config), config)


def test_the_twin_begins_with_other_heads_on_the_same_trunk() -> None:
    before = torch.random.get_rng_state()
    joint = module()
    torch.manual_seed(0)
    build_network(joint.config)
    assert torch.equal(joint.network.trunk.body.conv_stem.conv.weight,
                       joint.twin.trunk.body.conv_stem.conv.weight)  # fmt: skip
    for label, branch in joint.network.branches.items():
        assert not torch.equal(branch[-1].weight, joint.twin.branches[label][-1].weight)
    assert torch.equal(module().twin.branches["head"][-1].weight,
                       joint.twin.branches["head"][-1].weight)  # fmt: skip
    torch.random.set_rng_state(before)


def test_each_learns_from_what_the_other_finds_easy() -> None:
    joint = module("stage1.co_teaching_epochs=0", "augment.enabled=false", "stage1.ema=0").eval()
    joint.log = lambda *_, **__: None  # there is no trainer to log to
    data = discs(16, seed=1)
    crops, labels = torch.from_numpy(data.crops), torch.from_numpy(data.labels).float()
    with torch.no_grad():
        mine, other = joint.network(crops), joint.twin(crops)
    wanted = 0.0
    for logits, chooser in ((mine, other), (other, mine)):
        own = binary_cross_entropy_with_logits(logits, labels, reduction="none")
        theirs = binary_cross_entropy_with_logits(chooser, labels, reduction="none")
        kept = [own[theirs[:, k].argsort()[:12], k] for k in range(labels.shape[1])]
        wanted += float(torch.cat(kept).mean())
    loss = joint.training_step((crops, labels), 0)
    assert loss.item() == pytest.approx(wanted, rel=1e-5)
    loss.backward()
    for network in (joint.network, joint.twin):
        assert all(p.grad is not None for p in network.branches.parameters())
    moved = {id(p) for p in joint.learned.parameters()}
    assert {id(p) for p in joint.twin.parameters()} <= moved


def test_a_run_keeps_the_first_network_alone_and_goes_on_where_it_was_killed(
    tmp_path: Path,
) -> None:
    changes = ("stage1.co_teaching=0.25", "stage1.co_teaching_epochs=1", "stage1.epochs=3")
    config = quick(*changes)

    class Stop(Exception):  # noqa: N818
        pass

    def stop(epoch: int, *_: object) -> None:
        if epoch == 1:
            raise Stop

    whole = train(config, tmp_path / "whole", dataset=dataset(), quiet=True)
    with pytest.raises(Stop):
        train(config, tmp_path / "cut", dataset=dataset(), quiet=True, watch=stop)
    again = train(config, tmp_path / "cut", dataset=dataset(), quiet=True)
    assert again.record["network_sha256"] == whole.record["network_sha256"]
    plain = train(quick("stage1.epochs=3"), tmp_path / "plain", dataset=dataset(), quiet=True)
    assert plain.record["parameters"] == whole.record["parameters"]
    assert plain.record["network_sha256"] != whole.record["network_sha256"]


def test_what_it_does_not_go_with_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"goes with neither teacher\.match nor"):
        quick("stage1.co_teaching=0.1", "loss.weighting=uncertainty")
