"""The programs of `make bench`: all there, counting right, leaving out what is not here."""

from __future__ import annotations

import argparse
import csv
import re
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the train extra: onnx is not installed")

from androscope.model.bundle import load_bundle

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "benchmarks"

pytestmark = pytest.mark.train


@pytest.fixture(autouse=True)
def _programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def test_every_table_has_its_program_and_every_program_its_line() -> None:
    import all as every

    page = (BENCHMARKS / "README.md").read_text("utf-8")
    for command, _ in every.TABLES.values():
        assert (BENCHMARKS / command[0]).is_file()
        assert f"`python benchmarks/{command[0]}" in page
    assert "benchmarks/all.py" in (ROOT / "Makefile").read_text("utf-8")


def test_the_machine_is_described() -> None:
    from machine import cores, describe

    text = describe()
    assert f"{cores()} cores" in text
    assert "onnxruntime " in text


def test_multiplications_are_counted_as_torch_has_them() -> None:
    torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
    import json

    from profile_model import convolutions

    from androscope.learning.config_file import parse_config
    from androscope.learning.network import build_network

    bundle = load_bundle("dmtl-lite0")
    text = json.dumps(bundle.card.config)
    network = build_network(parse_config(text, "card", ["backbone.weights=random"])).eval()
    counted = []

    def count(module, _, out) -> None:
        counted.append(module.weight[0].numel() * out[0].numel())

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    size = bundle.card.input.size
    with torch.inference_mode():
        network(torch.zeros((1, size, size), dtype=torch.uint8))
    found = convolutions(bundle.model)
    assert [macs for _, macs in found] == counted
    assert found[0][0] == "stem"
    assert {kind.partition(" ")[0] for kind, _ in found} == {"stem", "pointwise", "depthwise"}


def test_of_int8_every_convolution_is_found_again() -> None:
    from profile_model import convolutions, in_int8, layers

    bundle = load_bundle("dmtl-lite0")
    known = convolutions(bundle.model)
    found = layers(in_int8(bundle), known, 4, bundle.card.input.size)
    assert sum(layer.macs for layer in found) == sum(macs for _, macs in known)
    assert all(np.isfinite(layer.seconds) and layer.moved >= 0 for layer in found)


def test_a_peer_that_is_not_here_is_left_out_with_the_reason(tmp_path: Path) -> None:
    import peers

    arguments = argparse.Namespace(seconds=0.1, threads=1, clock="cpu")
    got = peers.turn(sys.executable, "OpenCV, float32", arguments, tmp_path)
    assert got == "ModuleNotFoundError: No module named 'cv2'"


def _predicted(folder: Path, name: str, noise: float, first: int = 0) -> None:
    """Out-of-fold predictions of 120 crops: truth, blurred by so much noise."""
    rng = np.random.default_rng(len(name))
    lines = []
    for number in range(120):
        cells = [f"train/{first + number}", str(number % 3)]
        for label in range(3):
            abnormal = (number // 3 + label) % 3 == 0
            chance = 1 / (1 + np.exp(-rng.normal(1.5 if abnormal else -1.5, noise)))
            cells += ["abnormal" if abnormal else "normal", f"{chance:.6f}", "0.5"]
        lines.append(",".join(cells))
    head = ["id", "fold"]
    for label in ("head", "acrosome", "vacuole"):
        head += [f"{label}_truth", f"{label}_probability", f"{label}_threshold"]
    path = folder / "runs" / "crossval" / name
    path.mkdir(parents=True)
    (path / "predictions.csv").write_text("\n".join([",".join(head), *lines]) + "\n", "utf-8")


def test_levers_are_compared_crop_by_crop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import levers

    _predicted(tmp_path, "base", 2.0)
    _predicted(tmp_path, "sure", 0.5)
    same = tmp_path / "runs" / "crossval" / "same"
    same.mkdir()
    (same / "predictions.csv").write_bytes((same.parent / "base" / "predictions.csv").read_bytes())
    monkeypatch.setattr(sys, "argv", ["levers.py", str(tmp_path), "--resamples", "50"])
    levers.main()
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()[1:] if line}
    assert lines["same"].count("+0.0 (+0.0 to +0.0)") == 5
    gains = [float(cell) for cell in re.findall(r"([+-][\d.]+) \(", lines["sure"])]
    assert min(gains[:4]) > 5  # percent of AUC
    assert gains[4] < -50

    # The same crops in another order and other folds, as one label more gives.
    moved = tmp_path / "runs" / "crossval" / "moved"
    moved.mkdir()
    head, *rows = (same.parent / "base" / "predictions.csv").read_text("utf-8").splitlines()
    cells = [row.split(",") for row in rows[::-1]]
    other = [",".join([c[0], str((int(c[1]) + n // 40) % 3), *c[2:]]) for n, c in enumerate(cells)]
    (moved / "predictions.csv").write_text("\n".join([head, *other]) + "\n", "utf-8")
    levers.main()
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()[1:] if line}
    assert lines["moved"].split()[1] == "*"
    assert "+0.0 (+0.0 to +0.0)" in lines["moved"], "log loss does not ask for folds"
    assert "*" not in lines["same"]

    _predicted(tmp_path, "other", 1.0, first=1)
    with pytest.raises(SystemExit, match="expected the crops of base"):
        levers.main()


def test_labels_that_the_base_doubts_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import levers

    _predicted(tmp_path, "base", 2.0)
    out = tmp_path / "doubted.csv"
    monkeypatch.setattr(sys, "argv", ["levers.py", str(tmp_path), "--doubted", str(out)])
    levers.main()
    said = capsys.readouterr().out
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["label"] for row in rows} <= set(levers.LABELS)
    assert len(rows) == sum(int(n) for n in re.findall(r": (\d+) doubted", said))
    assert len(rows) > 0
    for row in rows:
        sure = float(row["probability_abnormal"])
        assert (sure > 0.5) == (row["given"] == "normal"), "the opinion contradicts the label"
