from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
onnx = pytest.importorskip("onnx", reason="needs the train extra: onnx is not installed")
pytest.importorskip("onnxscript", reason="needs the train extra: onnxscript is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from androscope.errors import OutputError, TrainingError  # noqa: E402
from androscope.learning import graph  # noqa: E402
from androscope.learning.evaluate import evaluate  # noqa: E402
from androscope.learning.export import export  # noqa: E402
from androscope.learning.exported import Exported  # noqa: E402
from androscope.learning.graph import check_graph, to_onnx  # noqa: E402
from androscope.learning.network import build_network  # noqa: E402
from androscope.learning.run import Run, train  # noqa: E402
from androscope.learning.teacher import opinion  # noqa: E402
from androscope.model.bundle import load_bundle  # noqa: E402
from androscope.model.session import Session  # noqa: E402
from androscope.types import Views  # noqa: E402

from .tiny import config as quick  # noqa: E402
from .tiny import dataset, discs  # noqa: E402

pytestmark = pytest.mark.train


class Graded:
    """A session as an evaluation takes it."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def probabilities(self, crops: np.ndarray, /) -> np.ndarray:
        return self.session.predict(crops).probabilities


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("export") / "run"
    config = quick("stage1.epochs=1", "stage2.default.epochs=1")
    return train(config, folder, dataset=dataset(), quiet=True)


@pytest.fixture(scope="module")
def model(run: Run) -> bytes:
    return to_onnx(Exported([run.network()]))


def test_the_graph_is_what_a_bundle_wants(model: bytes, run: Run) -> None:
    found = onnx.load_from_string(model)
    assert [(v.name, v.type.tensor_type.elem_type) for v in found.graph.input] == [
        ("crops", onnx.TensorProto.UINT8)
    ]
    shapes = {
        v.name: [d.dim_value or d.dim_param for d in v.type.tensor_type.shape.dim]
        for v in (*found.graph.input, *found.graph.output)
    }
    assert shapes == {"crops": ["N", 32, 32], "probabilities": ["N", 2],
                      "embedding": ["N", run.network().trunk.dim]}  # fmt: skip
    kinds = {node.op_type for node in found.graph.node}
    assert "Conv" in kinds
    assert not kinds & {"Dropout", "Resize"}
    assert [o.version for o in found.opset_import if not o.domain] == [graph.OPSET]
    meta = {m.key: json.loads(m.value) for m in found.metadata_props}
    assert meta == {"androscope.labels": ["head", "vacuole"]}


def test_nothing_of_this_machine_is_in_it(model: bytes) -> None:
    for trace in (str(Path.home()), str(Path(__file__).parents[2]), "site-packages", ".py"):
        assert trace.encode() not in model


def test_torch_and_onnx_agree_whatever_the_batch(model: bytes, run: Run) -> None:
    agreement = check_graph(Exported([run.network()]), model, discs(70, seed=9).crops)
    assert agreement.crops == 70
    assert agreement.probabilities < 1e-5
    assert agreement.embedding < 1e-3


def test_the_network_is_left_as_it_was(run: Run) -> None:
    before = run.probabilities(discs(4).crops)
    to_onnx(Exported([run.network()]))
    assert np.array_equal(run.probabilities(discs(4).crops), before)


def test_another_network_is_found_out(model: bytes) -> None:
    torch.manual_seed(99)
    other = build_network(quick()).eval()
    with pytest.raises(TrainingError, match=r"torch and ONNX differ by .* in probability"):
        check_graph(Exported([other]), model, discs(4).crops)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size", "left"),
    [
        pytest.param("tf_efficientnet_lite0", 64, 0, id="lite0: all folded"),
        pytest.param("vgg16", 32, 0, id="vgg16: there are none"),
        pytest.param("densenet121", 32, 63, id="densenet121: those before a convolution stay"),
    ],
)
def test_the_papers_backbones_export(name: str, size: int, left: int) -> None:
    torch.manual_seed(0)
    config = quick(f"backbone.name={name}", f"backbone.input_size={size}")
    network = build_network(config).eval()
    model = to_onnx(Exported([network]))
    kinds = [node.op_type for node in onnx.load_from_string(model).graph.node]
    assert kinds.count("BatchNormalization") <= left
    assert check_graph(Exported([network]), model, discs(5).crops).probabilities < 1e-4


def test_a_bundle_calibrated_on_the_runs_validation_crops(run: Run, tmp_path: Path) -> None:
    validation = dataset().splits["valid"]
    lines: list[str] = []
    bundle = export(run, tmp_path / "bundle", validation=validation, report=lines.append)
    card = bundle.card
    assert card.checks is None
    assert lines[-1] == "its inputs are not checked: the crops it learned from are not here"
    assert card.calibration is not None
    for label in run.labels:
        fitted = card.calibration[label]
        assert (fitted.data, fitted.crops) == ("discs valid", len(validation))
    # The scale may be another; the verdicts are those of the run.
    grades = Session(bundle, threads=1).predict(validation.crops).probabilities
    own = run.probabilities(validation.crops)
    for i, label in enumerate(run.labels):
        expected = own[:, i] >= run.thresholds[label]
        assert (grades[:, i] >= card.thresholds[label]).tolist() == expected.tolist()

    other = discs(len(validation), seed=99)
    with pytest.raises(TrainingError, match="its validation crops have changed"):
        export(run, tmp_path / "other", validation=other)


def test_a_bundle_of_the_run(run: Run, tmp_path: Path) -> None:
    lines: list[str] = []
    bundle = export(run, tmp_path / "bundle", report=lines.append)
    assert lines[0].startswith("torch and ONNX agree on 64 crops: probabilities to ")
    assert lines[1] == "not calibrated, and never undecided: the validation crops are not here"
    card = load_bundle(tmp_path / "bundle").card
    assert (card.name, card.version, card.method) == ("tiny", "0.1.0", "dmtl")
    assert card.labels == ("head", "vacuole")
    assert card.thresholds == run.thresholds
    assert card.input.size == 32
    assert card.network.backbone == "test_efficientnet"
    assert card.network.pretrained == "a random start"
    assert card.network.embedding_dim == run.network().trunk.dim
    assert card.training.name == "discs"
    assert card.training.splits["train"].crops == 64
    labels = dataset().splits["train"].labels
    assert card.training.splits["train"].abnormal == {
        "head": int(labels[:, 0].sum()),
        "vacuole": int(labels[:, 1].sum()),
    }
    assert card.licence == "not stated: ask whoever trained this"
    assert "Training read no other split." in card.protocol
    assert card.metrics == {}
    assert "no decision on treatment is to rest on it alone" in card.ethics[0]
    assert not any("235 men" in note for note in card.ethics)  # that is MHSMA's
    assert card.config["stage1"]["epochs"] == 1
    crops = discs(7, seed=5).crops
    graded = Session(bundle, threads=1).predict(crops)
    assert np.allclose(graded.probabilities, run.probabilities(crops), atol=1e-4)
    assert not list((tmp_path / "bundle").glob("*.pt"))


def test_evaluations_of_these_weights_go_into_the_card(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    for name, sha256 in (("own", run.record["network_sha256"]), ("other", "0" * 64)):
        found = evaluate(
            run, dataset().splits["valid"], run.thresholds, model="tiny", model_sha256=sha256,
            name="discs" if name == "own" else "elsewhere", split="valid", resamples=100,
        )  # fmt: skip
        found.write(folder / "evaluation" / name)
    card = export(Run.load(folder), tmp_path / "bundle").card
    assert list(card.metrics) == ["valid"]
    accuracy = card.metrics["valid"]["head"]["accuracy"]
    assert accuracy.low is not None
    assert accuracy.value is not None
    assert accuracy.low <= accuracy.value
    assert "Metrics: valid: 32 crops" in card.protocol


def test_what_cannot_be_exported(run: Run, tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        export(run, tmp_path / "x", version="one")
    assert "the card cannot be written: version: string should match pattern" in str(caught.value)
    with pytest.raises(TrainingError, match="is no run"):
        export(tmp_path, tmp_path / "y")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("x")
    with pytest.raises(OutputError, match="exists already and is not an empty folder"):
        export(run, tmp_path / "full")
    assert not (tmp_path / "x").exists()


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Another seed of the same configuration, without a search of thresholds, as below."""
    config = quick("stage1.epochs=1", "stage2.default.epochs=1", "seed=1", "threshold.search=false")
    return train(config, tmp_path_factory.mktemp("second") / "run", dataset=dataset(), quiet=True)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Run:
    config = quick("stage1.epochs=1", "stage2.default.epochs=1", "threshold.search=false")
    return train(config, tmp_path_factory.mktemp("plain") / "run", dataset=dataset(), quiet=True)


@pytest.mark.parametrize("views", [1, 2, 8])
def test_a_bundle_of_several_runs_gives_the_mean_over_runs_and_views(
    plain: Run, second: Run, tmp_path: Path, views: Views
) -> None:
    bundle = export([plain, second.folder], tmp_path / "both", views=views, name="both")
    crops = discs(9, seed=3).crops
    expected = opinion([plain, second], plain.labels, crops, views)
    got = Session(bundle, threads=1).predict(crops, batch_size=4)
    np.testing.assert_allclose(got.probabilities, expected, atol=1e-5)
    card = bundle.card
    dim = plain.network().trunk.dim
    assert (card.network.networks, card.network.views) == (2, views)
    assert got.embeddings.shape == (9, 2 * dim) == (9, card.network.embedding_dim)
    assert card.network.parameters == 2 * plain.record["parameters"]
    assert card.thresholds == {"head": 0.5, "vacuole": 0.5}
    assert "2 networks are averaged, of seeds 0, 1." in card.protocol
    assert (f"Probabilities are the mean over {views} views" in card.protocol) == (views > 1)
    text = (bundle.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "The probabilities are the mean over 2 such networks." in text
    assert (f"graded in {views} views, turned and mirrored" in text) == (views > 1)


def test_views_grade_a_turned_crop_as_the_crop_itself(plain: Run, tmp_path: Path) -> None:
    bundle = export(plain, tmp_path / "views", views=8)
    crops = discs(5, seed=4).crops
    session = Session(bundle, threads=1)
    wanted = session.predict(crops)
    turned = session.predict(np.ascontiguousarray(np.rot90(crops, axes=(1, 2))[:, :, ::-1]))
    np.testing.assert_allclose(turned.probabilities, wanted.probabilities, atol=1e-5)
    np.testing.assert_allclose(turned.embeddings, wanted.embeddings, atol=1e-4)


def test_an_evaluation_of_the_bundle_goes_into_its_card_when_it_is_exported_again(
    plain: Run, second: Run, tmp_path: Path
) -> None:
    runs = [plain, second]
    first = export(runs, tmp_path / "first", views=8)
    session = Session(first, threads=1)
    found = evaluate(
        Graded(session), dataset().splits["valid"], first.card.thresholds, model="both",
        model_sha256=first.card.model_sha256, name="discs", split="valid", resamples=100,
    )  # fmt: skip
    found.write(tmp_path / "evaluation")
    again = export(runs, tmp_path / "again", views=8, evaluations=[tmp_path / "evaluation"])
    assert again.card.model_sha256 == first.card.model_sha256
    assert list(again.card.metrics) == ["valid"]
    assert "Metrics: valid: 32 crops" in again.card.protocol
    with pytest.raises(TrainingError, match=r"is an evaluation of another model: expected SHA-256"):
        export(runs, tmp_path / "other", evaluations=[tmp_path / "evaluation"])
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            ("labels=[vacuole]", "method=dtl"),
            r"its labels is \('vacuole',\), not \('head', 'vacuole'\)",
            id="labels",
        ),
        pytest.param(
            ("backbone.input_size=48",), "its backbone.input_size is 48, not 32", id="input size"
        ),
    ],
)
def test_runs_that_are_no_seeds_of_one_another_are_not_averaged(
    plain: Run, tmp_path: Path, changes: tuple[str, ...], message: str
) -> None:
    config = quick("stage1.epochs=1", "stage2.default.epochs=1", "threshold.search=false", *changes)
    other = train(config, tmp_path / "run", dataset=dataset(), quiet=True)
    with pytest.raises(TrainingError, match=message):
        export([plain, other], tmp_path / "bundle")


def test_searched_thresholds_do_not_hold_for_a_mean(run: Run, second: Run, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="its thresholds were searched for its own"):
        export([second, run], tmp_path / "bundle")
    with pytest.raises(TrainingError, match="there is no run to export"):
        export([], tmp_path / "bundle")
