"""The optional runtime gives what onnxruntime gives, from any number of threads."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from androscope.errors import BundleError, BundleMismatchError, MissingExtraError
from androscope.imaging.phantom_set import phantom_set
from androscope.model.bundle import Bundle, load_bundle
from androscope.model.openvino_runtime import openvino_version, run_by_openvino
from androscope.model.runtime import runtime_of
from androscope.model.session import EMBEDDING, PROBABILITIES, Session
from androscope.types import UInt8Array

TINY = Path(__file__).parent.parent / "data" / "tiny-bundle"


def _crops(n: int) -> UInt8Array:
    return np.stack([phantom.crop.pixels for phantom in phantom_set(n, 3)])


@pytest.mark.parametrize(
    ("model", "allowed"),
    [
        pytest.param(TINY, 1e-5, id="float32"),
        # Inside int8 layers each rounds in its own way; on MHSMA's test crops: 0.020 at most.
        pytest.param("dmtl-lite0-int8", 0.1, id="int8"),
    ],
)
def test_as_onnxruntime_does(model: Path | str, allowed: float) -> None:
    bundle, crops = load_bundle(model), _crops(40)
    expected = Session(bundle, threads=1).predict(crops)
    given = Session(bundle, threads=1, backend="openvino").predict(crops)
    assert given.probabilities.dtype == given.embeddings.dtype == np.float32
    assert np.ptp(expected.probabilities, axis=0).min() > 10 * 1e-5  # the crops do differ
    np.testing.assert_allclose(given.probabilities, expected.probabilities, atol=allowed)
    assert np.abs(given.probabilities - expected.probabilities).mean() < allowed / 10
    assert given.embeddings.shape == expected.embeddings.shape


def test_neither_batches_nor_threads_nor_calls_side_by_side_change_a_bit() -> None:
    bundle, crops = load_bundle("dmtl-lite0-int8"), _crops(12)
    session = Session(bundle, threads=1, backend="openvino")
    expected = session.predict(crops).probabilities
    for size in (1, 5):
        assert np.array_equal(session.predict(crops, batch_size=size).probabilities, expected)
    two = Session(bundle, threads=2, backend="openvino")
    assert np.array_equal(two.predict(crops).probabilities, expected)
    with ThreadPoolExecutor(4) as pool:
        for given in pool.map(lambda _: session.predict(crops, batch_size=3), range(12)):
            assert np.array_equal(given.probabilities, expected)


def test_an_answer_is_kept_when_the_next_is_computed() -> None:
    bundle, crops = load_bundle(TINY), _crops(2)
    run = run_by_openvino(bundle.model, bundle.model_path, [EMBEDDING, PROBABILITIES], threads=1)
    embedding, probabilities = run(crops[:1])
    before = embedding.copy(), probabilities.copy()
    run(crops[1:])
    assert np.array_equal(embedding, before[0])
    assert np.array_equal(probabilities, before[1])


def test_the_model_is_checked_against_its_card_all_the_same() -> None:
    bundle = load_bundle(TINY)
    card = bundle.card.model_copy(update={"labels": ("acrosome", "head", "vacuole")})
    with pytest.raises(BundleMismatchError, match="the card's labels are not the model's"):
        Session(Bundle(TINY, card, bundle.model), backend="openvino")


def test_a_model_it_cannot_load_names_the_other_runtime() -> None:
    with pytest.raises(BundleError) as caught:
        run_by_openvino(b"no model", TINY / "model.onnx", [PROBABILITIES])
    said = str(caught.value)
    assert f"OpenVINO {openvino_version()} cannot load the model: " in said
    assert str(TINY / "model.onnx") in said
    assert said.endswith("Unset ANDROSCOPE_BACKEND: onnxruntime, which is always there, grades it")


def test_without_the_extra_the_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError) as caught:
        Session(load_bundle(TINY), backend="openvino")
    assert str(caught.value) == (
        "openvino is needed to grade with ANDROSCOPE_BACKEND=openvino, and is not installed. "
        "Run: pip install 'androscope[openvino]'"
    )


def test_a_runtime_is_named_with_its_version() -> None:
    import onnxruntime
    import openvino

    assert runtime_of("onnxruntime") == f"onnxruntime {onnxruntime.__version__}"
    name, _, version = runtime_of("openvino").partition(" ")
    assert name == "openvino"
    assert openvino.__version__.startswith(version)
    assert version.count(".") == 2
