# ruff: noqa: E501  a row of a table of cases stays on one line
from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from androscope.errors import (
    BundleError,
    BundleMismatchError,
    ImageDimensionsError,
    ImageValuesError,
)
from androscope.model.bundle import Bundle, load_bundle
from androscope.model.session import Session

TINY = Path(__file__).resolve().parent.parent / "data" / "tiny-bundle"
SESSION = Session(load_bundle(TINY), threads=1)


def _crops(n: int, seed: int = 0) -> np.ndarray[Any, Any]:
    # Coarse blocks, not white noise: means over 8x8 pixels must differ from crop to crop.
    coarse = np.random.default_rng(seed).integers(0, 256, (n, 8, 8), dtype=np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


def test_shapes_types_and_ranges() -> None:
    predictions = SESSION.predict(_crops(5))
    assert len(predictions) == 5
    assert predictions.probabilities.shape == (5, 3)
    assert predictions.probabilities.dtype == np.float32
    assert predictions.embeddings.shape == (5, 6)
    assert predictions.embeddings.dtype == np.float32
    assert np.ptp(predictions.probabilities, axis=0).min() > 0.01


def test_against_numpy() -> None:
    """The same network written down independently, with the weights of make_tiny_bundle."""
    crops = _crops(4)
    draw = np.random.default_rng(0)
    w1, b1 = draw.normal(0, 0.6, (64, 6)), draw.normal(0, 0.3, 6)
    w2, b2 = draw.normal(0, 1.5, (6, 3)), draw.normal(0, 0.3, 3)
    pooled = crops.reshape(4, 8, 8, 8, 8).mean(axis=(2, 4)).reshape(4, 64) / 255
    embedding = np.tanh(pooled @ w1 + b1)
    probabilities = 1 / (1 + np.exp(-(embedding @ w2 + b2)))
    got = SESSION.predict(crops)
    np.testing.assert_allclose(got.embeddings, embedding, atol=1e-5)
    np.testing.assert_allclose(got.probabilities, probabilities, atol=1e-5)


def test_no_crops_give_no_rows() -> None:
    predictions = SESSION.predict(np.zeros((0, 64, 64), np.uint8))
    assert predictions.probabilities.shape == (0, 3)
    assert predictions.embeddings.shape == (0, 6)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 40), batch=st.integers(1, 50), seed=st.integers(0, 1000))
def test_the_division_into_batches_does_not_matter(n: int, batch: int, seed: int) -> None:
    crops = _crops(n, seed)
    whole, split = SESSION.predict(crops, batch_size=n), SESSION.predict(crops, batch_size=batch)
    np.testing.assert_allclose(split.probabilities, whole.probabilities, atol=1e-5)
    np.testing.assert_allclose(split.embeddings, whole.embeddings, atol=1e-5)


def test_the_setting_gives_the_batch_size(monkeypatch: pytest.MonkeyPatch) -> None:
    session, sizes = Session(load_bundle(TINY), threads=1), []
    run = session._run

    def spy(batch: Any) -> Any:
        sizes.append(len(batch))
        return run(batch)

    monkeypatch.setattr(session, "_run", spy)
    monkeypatch.setenv("ANDROSCOPE_BATCH_SIZE", "4")
    session.predict(_crops(10))
    assert sizes == [4, 4, 2]


def test_a_strided_view_is_graded_as_its_copy() -> None:
    wide = np.random.default_rng(1).integers(0, 256, (6, 128, 128), dtype=np.uint8)
    view = wide[::2, ::2, ::2]
    np.testing.assert_array_equal(
        SESSION.predict(view).probabilities, SESSION.predict(view.copy()).probabilities
    )


def test_threads_may_share_a_session() -> None:
    crops = _crops(64)
    alone = SESSION.predict(crops).probabilities
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda _: SESSION.predict(crops).probabilities, range(8)):
            np.testing.assert_array_equal(got, alone)


@pytest.mark.parametrize(
    ("crops", "error", "message"),
    [
        pytest.param(np.zeros((2, 64, 64), np.float32), ImageValuesError, "crops must be uint8, got float32", id="float"),
        pytest.param(np.zeros((2, 64, 64), np.uint16), ImageValuesError, "crops must be uint8, got uint16", id="16-bit"),
        pytest.param(np.zeros((64, 64), np.uint8), ImageDimensionsError, "crops must be (N, 64, 64), got (64, 64)", id="no batch axis"),
        pytest.param(np.zeros((2, 128, 128), np.uint8), ImageDimensionsError, "crops must be (N, 64, 64), got (2, 128, 128)", id="128 px"),
        pytest.param(np.zeros((2, 64, 64, 3), np.uint8), ImageDimensionsError, "got (2, 64, 64, 3)", id="colour"),
    ],
)  # fmt: skip
def test_other_arrays_are_refused(crops: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        SESSION.predict(crops)
    assert message in str(caught.value)
    assert "androscope.imaging.crop.to_crop" in str(caught.value)


def test_a_batch_of_none_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        SESSION.predict(_crops(1), batch_size=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"input__size": 32}, "the model's inputs are not the card's: expected crops tensor(uint8) (N, 32, 32), got crops tensor(uint8) (N, 64, 64)", id="crop size"),
        pytest.param({"network__embedding_dim": 7}, "embedding tensor(float) (N, 7), got probabilities tensor(float) (N, 3) and embedding tensor(float) (N, 6)", id="embedding"),
        pytest.param({"labels": ["head", "vacuole", "acrosome"]}, "the card's labels are not the model's: the model has ['head', 'acrosome', 'vacuole'], the card ['head', 'vacuole', 'acrosome']", id="labels swapped"),
        pytest.param({"labels": ["head", "acrosome", "tail"], "thresholds": {"head": 0.5, "acrosome": 0.5, "tail": 0.5}}, "the card ['head', 'acrosome', 'tail']", id="label renamed"),
        pytest.param({"labels": ["head", "acrosome", "vacuole", "tail"], "thresholds": {"head": 0.5, "acrosome": 0.5, "vacuole": 0.5, "tail": 0.5}}, "expected probabilities tensor(float) (N, 4)", id="label added"),
    ],
)  # fmt: skip
def test_a_card_that_is_not_the_models_is_refused(
    edit_card: Callable[..., Path], change: dict[str, Any], message: str
) -> None:
    folder = edit_card(**change)
    with pytest.raises(BundleMismatchError) as caught:
        Session(load_bundle(folder))
    text = str(caught.value)
    assert text.startswith(str(folder / "model.onnx"))
    assert message in text
    assert text.endswith("Get the bundle again from where it came from, or export it anew")


def test_what_onnxruntime_cannot_load_is_a_typed_error() -> None:
    card = load_bundle(TINY).card
    with pytest.raises(BundleError, match=r"onnxruntime [\d.]+ cannot load the model: ") as caught:
        Session(Bundle(folder=TINY, card=card, model=b"garbage"))
    assert "\n" not in str(caught.value)


@pytest.mark.train
@pytest.mark.parametrize(
    ("surgery", "message"),
    [
        pytest.param("no labels", "expected the metadata key 'androscope.labels' with", id="no labels"),
        pytest.param("labels no list", "the model has ['head']", id="labels are no list"),
        pytest.param("fixed batch", "expected crops tensor(uint8) (N, 64, 64), got crops tensor(uint8) (1, 64, 64)", id="fixed batch"),
        pytest.param("renamed output", "got grades tensor(float) (N, 3) and embedding", id="renamed output"),
        pytest.param("nan", "values that are no probabilities", id="NaN out"),
    ],
)  # fmt: skip
def test_a_model_that_breaks_the_contract_is_refused(surgery: str, message: str) -> None:
    onnx = pytest.importorskip("onnx", reason="needs the train extra")
    bundle = load_bundle(TINY)
    model = onnx.load_from_string(bundle.model)
    if surgery == "no labels":
        del model.metadata_props[:]
    elif surgery == "labels no list":
        model.metadata_props[0].value = "head"
    elif surgery == "fixed batch":
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    elif surgery == "renamed output":
        model.graph.output[0].name = model.graph.node[-1].output[0] = "grades"
    else:
        bias = next(t for t in model.graph.initializer if t.name == "b2")
        bias.CopyFrom(onnx.numpy_helper.from_array(np.full(3, np.nan, np.float32), "b2"))
    broken = Bundle(folder=TINY, card=bundle.card, model=model.SerializeToString())
    with pytest.raises(BundleError) as caught:
        Session(broken).predict(_crops(1))
    assert message in str(caught.value)
