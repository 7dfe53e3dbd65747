"""Quantised bundles: what they compute, what the card says, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs the train extra: onnx is not installed")
pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")

from typer.testing import CliRunner  # noqa: E402

from androscope.cli.main import app  # noqa: E402
from androscope.datasets import Dataset, LabelledCrops  # noqa: E402
from androscope.errors import TrainingError  # noqa: E402
from androscope.imaging.phantom_set import phantom_set  # noqa: E402
from androscope.learning.int8.bundle import quantise  # noqa: E402
from androscope.learning.int8.cost import Limits, costs, faults  # noqa: E402
from androscope.learning.int8.graph import quantise_graph  # noqa: E402
from androscope.learning.trust.checks import fit_domain, with_checks  # noqa: E402
from androscope.learning.trust.recalibrate import calibrate_bundle  # noqa: E402
from androscope.model.bundle import Bundle, load_bundle  # noqa: E402
from androscope.model.bundle_writing import write_bundle  # noqa: E402
from androscope.model.card_int8 import Cost  # noqa: E402
from androscope.model.session import LABELS_KEY, Session  # noqa: E402

from .small import LABELS, blob_set, blobs, small_bundle  # noqa: E402

pytestmark = pytest.mark.train

#: Eighty crops and a random network: one crop is more than a point.
GENEROUS = Limits(accuracy=5, log_loss=0.05, calibration_error=0.1)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return small_bundle(tmp_path_factory.mktemp("small") / "bundle")


@pytest.fixture(scope="module")
def made(plain: Bundle, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, list[str]]:
    lines: list[str] = []
    folder = tmp_path_factory.mktemp("int8")
    calibrated = calibrate_bundle(plain, blobs(80, 2), "blobs valid", folder / "float")
    out = folder / "int8"
    return quantise(
        calibrated, blob_set(), out, float_convolutions=1, limits=GENEROUS, report=lines.append
    ), lines


def kinds(model: bytes) -> list[str]:
    return [node.op_type for node in onnx.load_from_string(model).graph.node]


def test_its_answers_are_those_of_float32_but_for_rounding(
    plain: Bundle, made: tuple[Bundle, list[str]]
) -> None:
    crops = blobs(50, 9).crops
    own = plain.card.model_copy(update={"calibration": made[0].card.calibration})
    before = Session(Bundle(plain.folder, own, plain.model), threads=1).predict(crops)
    after = Session(made[0], threads=1).predict(crops)
    moved = np.abs(before.probabilities - after.probabilities)
    assert 0 < moved.max() < 0.1
    assert np.abs(before.embeddings - after.embeddings).max() < 0.2
    assert before.probabilities.std() > 0.1  # or agreement would mean nothing


def test_the_graph_is_int8_after_the_first_convolution(made: tuple[Bundle, list[str]]) -> None:
    graph = onnx.load_from_string(made[0].model).graph
    assert kinds(made[0].model).count("Conv") == 4
    weights = {i.name: i.data_type for i in graph.initializer}
    fed = {out: node for node in graph.node for out in node.output}
    for node in graph.node:
        if node.op_type == "Conv":
            source = fed.get(node.input[1])
            if node.name == "conv0":
                assert source is None
            else:
                assert source is not None
                assert source.op_type == "DequantizeLinear"
                assert weights[source.input[0]] == onnx.TensorProto.INT8
    # ReLU6 between two quantised convolutions is the range of the scale, and no operator.
    assert kinds(made[0].model).count("Clip") <= 1


@pytest.mark.parametrize(("bits", "largest"), [(7, 64), (8, 127)])
def test_weights_keep_to_their_bits(plain: Bundle, bits: int, largest: int) -> None:
    model = quantise_graph(
        plain.model, blobs(16, 1).crops, float_convolutions=1, weight_bits=bits, ranges="percentile"
    )
    found = [
        onnx.numpy_helper.to_array(i)
        for i in onnx.load_from_string(model).graph.initializer
        if i.data_type == onnx.TensorProto.INT8 and len(i.dims) == 4
    ]
    assert len(found) == 3
    assert max(int(np.abs(w.astype(int)).max()) for w in found) == largest
    # What two products of the widest activation may come to, in 16 bits with their sign.
    assert (2 * 255 * largest <= 32_767) == (bits == 7)


def test_the_card_says_from_what_how_and_at_what_cost(
    plain: Bundle, made: tuple[Bundle, list[str]]
) -> None:
    bundle, lines = made
    card = bundle.card
    assert card.name == f"{plain.card.name}-int8"
    assert card.metrics == {}
    assert card.int8 is not None
    assert (card.int8.name, card.int8.model_sha256) == (plain.card.name, plain.card.model_sha256)
    assert card.int8.ranges_from == "48 crops of blobs train"
    assert card.int8.compared_on == "blobs valid"
    assert list(card.int8.costs) == list(LABELS)
    assert {cost.crops for cost in card.int8.costs.values()} == {80}
    # The undecided are found by int8's own answers, not by those of float32.
    valid = blobs(80, 2)
    given = Session(bundle, threads=1).predict(valid.crops).probabilities
    assert card.conformal is not None
    kept = np.sort(given[valid.labels[:, 0] == 1, 0])
    assert card.conformal["head"].abnormal == pytest.approx(kept, abs=1e-6)
    assert onnx.load_from_string(bundle.model).metadata_props[0].key == LABELS_KEY
    text = (bundle.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "## Int8" in text
    assert "weights in 7 bits, the first 1 convolutions in float32" in text
    assert "accuracy, %" in lines[0]
    assert lines[0].splitlines()[-1].startswith("model, MB")


def test_the_same_command_gives_the_same_bytes_and_answers_however_divided(
    plain: Bundle, made: tuple[Bundle, list[str]]
) -> None:
    rows = np.random.default_rng(0).permutation(48)
    again = quantise_graph(plain.model, blobs(48, 1).crops[rows], float_convolutions=1)
    assert again == made[0].model
    session, crops = Session(made[0], threads=1), blobs(33, 5).crops
    whole = session.predict(crops, batch_size=33).probabilities
    assert np.array_equal(whole, session.predict(crops, batch_size=1).probabilities)


def test_checks_are_fitted_anew_on_the_crops_it_learned_from(
    plain: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of a hundred crops, the outermost of each check are more than the share that may fail.
    monkeypatch.setattr("androscope.learning.trust.checks.PASSES", 0.5)
    pixels = [p.pixels for p in phantom_set(100, 0, size=64)]
    labels = blobs(100, 4).labels
    split = LabelledCrops(np.stack(pixels), labels, LABELS, tuple(map(str, range(100))))
    data = Dataset(plain.card.training.name, {"train": split, "valid": split})
    facts, domain = with_checks(plain.card, plain.model, split, split, data.name)
    checked = write_bundle(tmp_path / "float", plain.model, facts, domain)
    made = quantise(checked, data, tmp_path / "int8", float_convolutions=1, limits=GENEROUS)
    for bundle in (checked, made):
        assert bundle.card.checks is not None
        assert bundle.domain is not None
    given = Session(made, threads=1).predict(split.crops).embeddings
    expected = fit_domain(given, given)
    assert made.domain.distance(given) == pytest.approx(expected.distance(given), rel=1e-3)
    assert made.domain.to_bytes() != checked.domain.to_bytes()


COST = Cost(
    crops=240, accuracy=(0.8, 0.8), log_loss=(0.5, 0.5), calibration_error=(0.05, 0.05),
    changed=0, largest_move=0.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({}, [], id="the same"),
        pytest.param({"accuracy": (0.8, 0.797)}, [], id="just 0.3 points"),
        pytest.param({"accuracy": (0.8, 0.9)}, [], id="better"),
        pytest.param(
            {"accuracy": (0.8, 191 / 240)},
            ["head loses 0.42 points of accuracy (at most 0.3)"],
            id="one crop of 240",
        ),
        pytest.param(
            {"log_loss": (0.5, 0.506)},
            ["head's log loss rises by 0.0060 (at most 0.005)"],
            id="loss",
        ),
        pytest.param(
            {"calibration_error": (0.05, 0.08)},
            ["head's calibration error rises by 0.0300 (at most 0.02)"],
            id="calibration",
        ),
    ],
)
def test_limits(changes: dict[str, object], told: list[str]) -> None:
    assert faults({"head": COST.model_copy(update=changes)}, Limits()) == told


def test_costs_leave_out_what_has_no_label(plain: Bundle) -> None:
    data = blobs(12, 3)
    data.labels[:4, 1] = -1
    before = np.full((12, 3), 0.2, np.float32)
    after = before.copy()
    after[0] = 0.9  # of a crop without the second label
    found = costs(data, plain.card, before, after)
    assert [c.crops for c in found.values()] == [12, 8, 12]
    assert [c.changed for c in found.values()] == [1, 0, 1]
    assert found["acrosome"].largest_move == 0
    assert found["head"].largest_move == pytest.approx(0.7)


def test_too_dear_is_not_written(plain: Bundle, tmp_path: Path) -> None:
    strict = Limits(accuracy=-100, log_loss=1, calibration_error=1)
    with pytest.raises(TrainingError, match="int8 costs too much on 80 crops of blobs valid: head"):
        quantise(plain, blob_set(), tmp_path / "out", float_convolutions=1, limits=strict)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("dataset", "keep", "message"),
    [
        pytest.param(
            Dataset("own", {"train": blobs(4, 1)}), 1, "own has no valid split", id="no valid"
        ),
        pytest.param(blob_set(valid=blobs(8, 2, ("head",))), 1, "acrosome, vacuole", id="labels"),
        pytest.param(blob_set(), 4, "has 4 convolutions, of which the first 4", id="none left"),
    ],
)
def test_what_cannot_be_done_is_refused(
    plain: Bundle, tmp_path: Path, dataset: Dataset, keep: int, message: str
) -> None:
    with pytest.raises(TrainingError, match=message):
        quantise(plain, dataset, tmp_path / "out", float_convolutions=keep)


def test_int8_is_not_quantised_again(made: tuple[Bundle, list[str]], tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="the model is quantised already"):
        quantise(made[0], blob_set(), tmp_path / "out")


def test_an_evaluation_of_another_model_is_refused(plain: Bundle, tmp_path: Path) -> None:
    pages = Path(__file__).parents[3] / "benchmarks" / "results"
    other = next(pages.rglob("*.json"))
    with pytest.raises(TrainingError, match="is an evaluation of another model"):
        quantise(
            plain, blob_set(), tmp_path / "out", float_convolutions=1, limits=GENEROUS,
            evaluations=[other],
        )  # fmt: skip


def test_the_command(plain: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("androscope.datasets.load", lambda name, **_: blob_set())
    words = ["quantise", str(plain.folder), "--out", str(tmp_path / "q"), "--float", "1"]
    done = CliRunner().invoke(app, [*words, "--cost", "5", "--bits", "8", "--name", "quick"])
    assert done.exit_code == 0, done.output + str(done.exception)
    assert "quick " in done.output
    card = load_bundle(tmp_path / "q").card
    assert card.int8 is not None
    assert card.int8.weight_bits == 8
    assert json.loads((tmp_path / "q" / "card.json").read_text())["int8"]["ranges"] == "minmax"
    wrong = CliRunner().invoke(app, [*words, "--ranges", "widest"])
    assert "--ranges must be one of minmax, percentile, entropy" in str(wrong.exception)


def test_of_several_networks_each_keeps_its_first_convolutions() -> None:
    torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
    from androscope.learning.config_file import load_config
    from androscope.learning.exported import Exported
    from androscope.learning.graph import to_onnx
    from androscope.learning.network import build_network

    changes = ["backbone.name=test_efficientnet", "backbone.weights=random"]
    config = load_config("dmtl", [*changes, "backbone.input_size=32"])
    torch.manual_seed(0)
    networks = [build_network(config).eval() for _ in range(2)]
    crops = blobs(8, 1).crops
    model = quantise_graph(to_onnx(Exported(networks)), crops, float_convolutions=2)
    graph = onnx.load_from_string(model).graph
    plain = {i.name for i in graph.initializer if i.data_type == onnx.TensorProto.FLOAT}
    kept = sorted(n.input[1] for n in graph.node if n.op_type == "Conv" and n.input[1] in plain)
    assert [name.partition(".trunk")[0] for name in kept] == [
        "networks.0", "networks.0", "networks.1", "networks.1",
    ]  # fmt: skip
    assert kinds(model).count("Conv") > 8
