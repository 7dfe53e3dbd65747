from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
F = torch.nn.functional

from androscope.learning.config import BranchConfig  # noqa: E402
from androscope.learning.exported import Exported  # noqa: E402
from androscope.learning.network import (  # noqa: E402
    Branch,
    Preprocess,
    build_network,
    resize_matrix,
)
from androscope.learning.stems import Normalization  # noqa: E402

from .tiny import config as quick  # noqa: E402
from .tiny import discs  # noqa: E402

pytestmark = pytest.mark.train

PLAIN = Normalization((127.5,) * 3, (127.5,) * 3)


@pytest.mark.parametrize(
    ("source", "target"), [(64, 128), (64, 96), (32, 224), (128, 64), (64, 33)]
)
def test_resizing_is_torchs_bicubic(source: int, target: int) -> None:
    x = torch.rand(2, source, source, generator=torch.Generator().manual_seed(0))
    wanted = F.interpolate(
        x.unsqueeze(1), (target, target), mode="bicubic", align_corners=False,
        antialias=target < source,
    )  # fmt: skip
    got = resize_matrix(source, target) @ x @ resize_matrix(source, target).T
    assert torch.allclose(got, wanted.squeeze(1), atol=1e-5)


def test_preprocess_normalises_and_keeps_single_precision() -> None:
    crops = torch.arange(2 * 32 * 32, dtype=torch.float32).remainder(256).view(2, 32, 32)
    layer = Preprocess(32, 32, PLAIN)
    with torch.autocast("cpu", torch.bfloat16):
        got = layer(crops.to(torch.uint8))
    assert got.dtype == torch.float32
    assert torch.allclose(got, (crops.unsqueeze(1) - 127.5) / 127.5, atol=1e-6)


def test_standardizing_forgets_brightness_and_survives_flat_crops() -> None:
    layer = Preprocess(32, 32, Normalization((0.0,) * 3, (1.0,) * 3, standardize=True))
    crops = torch.from_numpy(discs(2).crops).float()
    assert torch.allclose(layer(crops), layer(crops + 20), atol=1e-5)
    got = layer(crops)
    assert torch.allclose(got.mean((1, 2, 3)), torch.zeros(2), atol=1e-5)
    assert ((got.std((1, 2, 3)) > 0.7) & (got.std((1, 2, 3)) < 1)).all()
    assert torch.equal(layer(torch.full((1, 32, 32), 90)), torch.zeros(1, 1, 32, 32))


@pytest.mark.parametrize(
    ("dense", "layers"),
    [((), ["Dropout", "Linear"]), ((8,), ["Dropout", "Linear", "ELU", "Dropout", "Linear"])],
)
def test_branch_layers(dense: tuple[int, ...], layers: list[str]) -> None:
    branch = Branch(5, BranchConfig(dense=dense, activation="elu"))
    assert [type(m).__name__ for m in branch] == layers
    assert branch(torch.zeros(3, 5)).shape == (3, 1)


def test_penalty_is_the_sum_of_squares() -> None:
    branch = Branch(2, BranchConfig(dense=(2,)))
    with torch.no_grad():
        for p in branch.parameters():
            p.fill_(2.0)
    assert branch.penalty().item() == (2 * 2 + 2) * 4


def test_one_pass_grades_all_labels_in_order() -> None:
    torch.manual_seed(0)
    network = build_network(quick()).eval()
    assert network.labels == ("head", "vacuole")
    passes = []
    network.trunk.register_forward_hook(lambda *_: passes.append(1))
    crops = torch.from_numpy(discs(6).crops)
    logits = network(crops)
    assert logits.shape == (6, 2)
    assert passes == [1]
    embedding = network.embed(crops)
    assert embedding.shape == (6, network.trunk.dim)
    for column, label in enumerate(network.labels):
        assert torch.equal(network.branches[label](embedding)[:, 0], logits[:, column])


def test_float_and_uint8_crops_are_the_same() -> None:
    torch.manual_seed(0)
    network = build_network(quick()).eval()
    crops = torch.from_numpy(discs(3).crops)
    assert torch.equal(network(crops), network(crops.float()))


def test_exported_gives_probabilities_and_embedding() -> None:
    torch.manual_seed(0)
    network = build_network(quick()).eval()
    crops = torch.from_numpy(discs(3).crops)
    with torch.inference_mode():
        probabilities, embedding = Exported([network])(crops)
        assert torch.equal(probabilities, network(crops).sigmoid())
        assert torch.equal(embedding, network.embed(crops))
    assert bool(np.all((probabilities.numpy() > 0) & (probabilities.numpy() < 1)))


def test_stage_2_gives_each_label_its_own_branch() -> None:
    config = quick("stage2.branches={vacuole: {dense: [7, 3], activation: tanh}}")
    network = build_network(config, stage2=config.stage2)
    assert [type(m).__name__ for m in network.branches["head"]] == ["Dropout", "Linear"]
    widths = [m.out_features for m in network.branches["vacuole"] if hasattr(m, "out_features")]
    assert widths == [7, 3, 1]
