from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training on needs: pip install 'androscope[train]'")

from androscope.datasets import LabelledCrops  # noqa: E402
from androscope.errors import AdaptError  # noqa: E402
from androscope.learning.adapt.adapt import adapt, grade  # noqa: E402
from androscope.learning.adapt.configuration import configuration  # noqa: E402
from androscope.learning.adapt.everything import Everything, try_everything  # noqa: E402
from androscope.learning.adapt.graph import with_heads  # noqa: E402
from androscope.learning.adapt.heads import Head  # noqa: E402
from androscope.learning.adapt.network import network_of  # noqa: E402
from androscope.learning.adapt.trunk import Recipe, train_on  # noqa: E402
from androscope.learning.exported import Exported  # noqa: E402
from androscope.learning.graph import to_onnx  # noqa: E402
from androscope.learning.network import build_network  # noqa: E402
from androscope.model.bundle import Bundle, load_bundle  # noqa: E402
from androscope.model.bundle_writing import write_bundle  # noqa: E402
from androscope.model.card import CropInput, Network  # noqa: E402
from androscope.model.session import Session  # noqa: E402

from .lab import TINY, write  # noqa: E402

LABELS = ("head", "vacuole")
SIZE = 32


def discs(n: int, seed: int = 0) -> LabelledCrops:
    """Crops with a disc; bright where *head* is abnormal, hollow where *vacuole* is."""
    draw = np.random.default_rng(seed)
    labels = (draw.random((n, 2)) < 0.45).astype(np.int8)
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    radius = np.hypot(x, y)
    pixels = draw.normal(100, 8, (n, SIZE, SIZE))
    pixels += (radius < 10) * (20 + 60 * labels[:, 0, None, None])
    pixels -= (radius < 4) * (60 * labels[:, 1, None, None])
    crops = np.clip(pixels, 0, 255).astype(np.uint8)
    return LabelledCrops(crops, labels, LABELS, tuple(f"d{i}" for i in range(n)))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """An exported network that has learned nothing, its batch normalisations all but plain."""
    from androscope.learning.config_file import parse_config

    text = f"""
name: tiny
method: dmtl
labels: [head, vacuole]
data: {{dataset: discs, crop_size: {SIZE}}}
backbone: {{name: test_efficientnet, weights: random, input_size: 32, grey_mean: 120, grey_std: 40}}
"""
    config = parse_config(text, "tiny.yaml")
    torch.manual_seed(0)
    network = build_network(config).eval()
    for name, values in network.state_dict().items():
        if name.endswith(("running_var", "running_mean")) or "bn" in name:
            values.add_(torch.rand_like(values.float()).to(values.dtype))
    draft = load_bundle(TINY).card
    facts = {
        "name": "discs",
        "labels": LABELS,
        "thresholds": dict.fromkeys(LABELS, 0.5),
        "input": CropInput(size=SIZE),
        "network": Network(
            backbone="test_efficientnet",
            pretrained="random",
            input_size=32,
            embedding_dim=network.trunk.dim,
        ),
        "config": config.model_dump(mode="json"),
    }
    model = to_onnx(Exported([network]))
    return write_bundle(
        tmp_path_factory.mktemp("net") / "bundle", model, draft.model_copy(update=facts)
    )


@pytest.fixture(scope="module")
def raw(bundle: Bundle) -> np.ndarray:
    return Session(bundle, threads=1).predict(discs(8).crops).probabilities


def changed(bundle: Bundle, **facts: object) -> Bundle:
    return Bundle(bundle.folder, bundle.card.model_copy(update=facts), bundle.model)


def test_the_network_is_built_again(bundle: Bundle, raw: np.ndarray) -> None:
    network = network_of(bundle, discs(8).crops, raw)
    with torch.inference_mode():
        given = network(torch.from_numpy(discs(40, 1).crops)).sigmoid().numpy()
    wanted = Session(bundle, threads=1).predict(discs(40, 1).crops).probabilities
    np.testing.assert_allclose(given, wanted, atol=1e-5)
    assert any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())


def test_a_branch_that_was_fitted_anew_is_built_too(bundle: Bundle) -> None:
    crops = discs(8).crops
    head = Head(0.7, 0.3, np.linspace(-1, 1, bundle.card.network.embedding_dim))
    again = write_bundle(
        bundle.folder.parent / "again",
        with_heads(bundle.model, LABELS, {"vacuole": head}),
        bundle.card,
    )
    raw = Session(again, threads=1).predict(crops).probabilities
    network_of(again, crops, raw)  # raises if they differ


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        pytest.param({"config": {}}, "holds no configuration of a run", id="no-configuration"),
        pytest.param({"config": {"name": 3}}, "not one of this version", id="other-configuration"),
        pytest.param(
            {"network": Network(backbone="x", pretrained="x", input_size=32, embedding_dim=1,
                                networks=2)},
            "it averages 2 networks",
            id="several",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_built(bundle: Bundle, raw, facts: dict, message: str) -> None:
    with pytest.raises(AdaptError, match=message) as caught:
        network_of(changed(bundle, **facts), discs(8).crops, raw)
    assert "--run" in str(caught.value)


def test_of_int8_there_is_nothing_to_train_on() -> None:
    shipped = load_bundle("dmtl-lite0-int8")
    crops = np.full((2, 64, 64), 128, np.uint8)
    raw = Session(shipped, threads=1).predict(crops).probabilities
    with pytest.raises(AdaptError, match=r"computes in int8.* from dmtl-lite0 \d") as caught:
        network_of(shipped, crops, raw)
    assert "Adapt dmtl-lite0, and quantise what comes out" in str(caught.value)


def test_a_stem_whose_padding_was_computed_at_export_is_not_guessed_at(bundle, raw) -> None:
    config = json.loads(json.dumps(bundle.card.config))
    config["backbone"] |= {"grey_mean": None, "grey_std": None}
    with pytest.raises(AdaptError, match=r"no weights named networks\.0\.trunk\.body\.conv_stem"):
        network_of(changed(bundle, config=config), discs(8).crops, raw)


def test_another_architecture_is_seen_by_its_weights(bundle: Bundle, raw) -> None:
    config = json.loads(json.dumps(bundle.card.config))
    config["backbone"]["name"] = "test_resnet"
    with pytest.raises(AdaptError, match=r"its ONNX file has (no|other) weights"):
        network_of(changed(bundle, config=config), discs(8).crops, raw)


def test_another_function_is_seen_by_its_answers(bundle: Bundle, raw) -> None:
    config = json.loads(json.dumps(bundle.card.config))
    config["backbone"] |= {"grey_mean": 90.0, "grey_std": 30.0}
    with pytest.raises(AdaptError, match="gives other probabilities than the bundle"):
        network_of(changed(bundle, config=config), discs(8).crops, raw)


class OfARun:
    """What is asked of a run."""

    def __init__(self, network) -> None:
        self._network = network

    def network(self):
        return self._network


def test_the_runs_own_network_is_taken_where_it_is_the_same(bundle: Bundle, raw) -> None:
    own = network_of(bundle, discs(8).crops, raw)
    taken = network_of(changed(bundle, config={}), discs(8).crops, raw, run=OfARun(own))
    assert taken is own
    with torch.no_grad():
        own.branches["head"][-1].bias += 1
    with pytest.raises(AdaptError, match="the network of the run gives other probabilities"):
        network_of(bundle, discs(8).crops, raw, run=OfARun(own))


def test_training_on_leaves_the_network_as_it_was(bundle: Bundle, raw) -> None:
    network = network_of(bundle, discs(8).crops, raw)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    changes = configuration(bundle).augment
    lines: list[str] = []
    new = train_on(
        network, discs(24), {}, changes, recipe=Recipe(epochs=2, lr=0.01), report=lines.append
    )
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert lines[-1].startswith("epoch 2 of 2: loss 0.")
    after = new.state_dict()
    assert not torch.equal(
        after["trunk.body.conv_stem.conv.weight"], before["trunk.body.conv_stem.conv.weight"]
    )
    for name in after:  # statistics of a few dozen crops are not taken
        if "running" in name:
            assert torch.equal(after[name], before[name])
    twin = train_on(network, discs(24), {}, changes, recipe=Recipe(epochs=2, lr=0.01))
    assert all(torch.equal(value, twin.state_dict()[name]) for name, value in after.items())


def test_it_starts_from_the_fitted_branches(bundle: Bundle, raw) -> None:
    network = network_of(bundle, discs(8).crops, raw)
    head = Head(0.5, 0.2, np.linspace(-1, 1, network.trunk.dim))
    start = train_on(
        network, discs(24), {"head": head}, configuration(bundle).augment,
        recipe=Recipe(epochs=1, lr=1e-12),
    )  # fmt: skip
    graded = grade(bundle, discs(24), threads=1)
    with torch.inference_mode():
        given = start(torch.from_numpy(discs(24).crops)).sigmoid().numpy()
    wanted = head.probabilities(graded.raw[:, 0].astype(np.float64), graded.embeddings)
    np.testing.assert_allclose(given[:, 0], wanted, atol=1e-4)
    np.testing.assert_allclose(given[:, 1], graded.raw[:, 1], atol=1e-4)


def test_what_everything_is_worth_is_asked_of_crops_it_did_not_learn(bundle: Bundle, raw) -> None:
    crops = discs(60)
    network = network_of(bundle, discs(8).crops, raw)
    found = try_everything(
        network, crops, grade(bundle, crops, threads=1), configuration(bundle).augment,
        recipe=Recipe(epochs=2),
    )  # fmt: skip
    assert found.held_out.shape == found.losses.shape == (60, 2)
    assert np.isfinite(found.losses).all()
    expected = -np.log(np.where(crops.labels == 1, found.held_out, 1 - found.held_out))
    np.testing.assert_allclose(found.losses, expected, atol=1e-5)
    assert set(found.heads) == set(LABELS)


@pytest.mark.parametrize("better", [True, False], ids=["better", "no-better"])
def test_everything_is_taken_where_it_is_better(
    bundle: Bundle, raw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, better: bool
) -> None:
    from androscope.learning.adapt import everything

    def tried(network, crops, graded, changes, **options) -> Everything:
        new = train_on(network, crops, {}, changes, recipe=Recipe(epochs=1, lr=1e-3))
        sure = 0.999 if better else 0.5
        held_out = np.where(crops.labels == 1, sure, 1 - sure)
        losses = np.full(held_out.shape, -np.log(sure))
        return Everything(new, dict.fromkeys(LABELS, Head(0.9, 0.1)), held_out, losses)

    monkeypatch.setattr(everything, "try_everything", tried)
    crops = discs(110, seed=3)
    table = write(tmp_path / "crops", crops)
    lines: list[str] = []
    found = adapt(bundle, table, tmp_path / "new", threads=1, resamples=200, report=lines.append)
    card = found.bundle.card
    embeddings = [
        Session(b, threads=1).predict(crops.crops).embeddings for b in (bundle, found.bundle)
    ]
    if better:
        assert [one.how for one in found.labels.values()] == ["everything"] * 2
        methods = {label: one.method for label, one in card.calibration.items()}
        assert methods == dict.fromkeys(LABELS, "platt")
        assert found.labels["head"].reason.startswith("over all labels: in cross-validation its")
        assert any(line.startswith("torch and ONNX agree on 110 crops") for line in lines)
        assert not np.allclose(*embeddings)
    else:
        assert [one.how for one in found.labels.values()] == ["branch"] * 2
        assert any("left as it was: mean log loss over the labels 0.693" in n for n in found.notes)
        assert found.labels["head"].log_loss["everything"] == pytest.approx(0.693, abs=1e-3)
        np.testing.assert_array_equal(*embeddings)


def test_a_bundle_that_cannot_be_trained_on_is_adapted_otherwise(tmp_path: Path) -> None:
    from .lab import lab

    table = write(tmp_path / "crops", lab(200, seed=1))
    found = adapt(TINY, table, tmp_path / "new", labels=(), threads=1, resamples=200)
    assert any(note.startswith("the trunk was not trained on") for note in found.notes), found.notes
    assert found.bundle is not None
