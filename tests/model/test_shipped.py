"""The bundles inside the wheel."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from androscope.model.bundle import SHIPPED, default_name, load_bundle, shipped_names
from androscope.model.card_text import card_text
from androscope.model.session import Session

LARGEST = 20_000_000


def test_there_is_a_default() -> None:
    assert default_name() in shipped_names()
    assert load_bundle("default").card.name == default_name()


def test_the_default_is_dmtl_learned_from_mhsma() -> None:
    card = load_bundle().card
    assert card.method == "dmtl"
    assert {"head", "acrosome", "vacuole"} <= set(card.labels)
    assert card.training.name == "mhsma"
    assert "train" in card.training.splits
    assert all(facts.files for facts in card.training.splits.values())
    assert card.metrics, "a shipped model has measured metrics"
    for by_label in card.metrics.values():
        assert set(by_label) == set(card.labels)


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_bundle_is_whole(name: str) -> None:
    bundle = load_bundle(name)
    assert bundle.folder == SHIPPED / name
    assert bundle.card.name == name
    assert sorted(p.name for p in bundle.folder.iterdir()) == [
        "MODEL_CARD.md", "card.json", "domain.npz", "model.onnx",
    ]  # fmt: skip
    text = (bundle.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert text == card_text(bundle.card)


@pytest.mark.parametrize("name", shipped_names())
def test_its_licence_is_said(name: str) -> None:
    card = load_bundle(name).card
    assert "CC BY-NC-SA 4.0" in card.licence
    assert "CC BY-NC-SA 4.0" in card.training.licence
    assert "patient" in card.training.patients
    assert "research" in card.intended_use.lower()


@pytest.mark.parametrize("name", shipped_names())
def test_each_fits_into_the_wheel(name: str) -> None:
    size = sum(p.stat().st_size for p in (Path(SHIPPED) / name).iterdir())
    assert size <= LARGEST, f"{size} bytes"


def test_the_default_is_the_smallest_of_them() -> None:
    sizes = {name: load_bundle(name).card.model_bytes for name in shipped_names()}
    assert min(sizes, key=sizes.__getitem__) == default_name()


def test_the_accurate_one_is_the_mean_over_networks_and_views() -> None:
    card = load_bundle("accurate").card
    assert (card.network.networks, card.network.views) == (3, 2)
    assert card.int8 is not None


@pytest.mark.parametrize("name", shipped_names())
def test_batches_and_threads_change_rounding_only(name: str) -> None:
    bundle = load_bundle(name)
    size = bundle.card.input.size
    coarse = np.random.default_rng(0).integers(0, 256, (9, size // 4, size // 4), dtype=np.uint8)
    crops = coarse.repeat(4, axis=1).repeat(4, axis=2)[:, :size, :size]
    whole = Session(bundle, threads=1).predict(crops, batch_size=len(crops))
    assert np.ptp(whole.probabilities, axis=0).max() > 1e-3
    for threads in (1, os.cpu_count() or 1):
        session = Session(bundle, threads=threads)
        for batch_size in (1, 2, 4):
            got = session.predict(crops, batch_size=batch_size)
            np.testing.assert_allclose(got.probabilities, whole.probabilities, atol=1e-5)
            np.testing.assert_allclose(got.embeddings, whole.embeddings, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("name", shipped_names())
def test_a_copy_of_its_files_is_the_bundle_again(name: str, tmp_path: Path) -> None:
    bundle = load_bundle(name)
    for file, content in bundle.files().items():
        (tmp_path / file).write_bytes(content)
    again = load_bundle(tmp_path)
    assert again.card == bundle.card
    assert again.model == bundle.model
    assert (again.domain is None) == (bundle.domain is None)
