"""Limits fitted on crops of known kind; pictures to refuse that have nothing in common."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")
pytest.importorskip("matplotlib", reason="needs the train extra: matplotlib is not installed")

from scipy.stats import chi2

from androscope.assessment.gate import check_crops
from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.imaging.phantom_set import phantom_set
from androscope.learning.trust.checks import (
    COLOUR,
    FEWEST_CROPS,
    PASSES,
    SATURATION,
    TAILS,
    fit_domain,
    with_checks,
)
from androscope.learning.trust.negatives import (
    FONTS,
    KINDS,
    PHOTOGRAPHS,
    WORDS,
    negatives,
)
from androscope.learning.trust.stained import stained
from androscope.model.bundle import load_bundle
from androscope.model.bundle_writing import write_bundle
from androscope.model.session import Session
from androscope.types import Crop

pytestmark = pytest.mark.train

TINY = Path(__file__).parents[2] / "data" / "tiny-bundle"


def _crops(count: int, seed: int) -> LabelledCrops:
    pixels = np.stack([phantom.pixels for phantom in phantom_set(count, seed)])
    labels = ("head", "acrosome", "vacuole")
    return LabelledCrops(
        crops=pixels,
        labels=np.zeros((count, len(labels)), np.int8),
        label_names=labels,
        ids=tuple(f"{seed}/{number}" for number in range(count)),
    )


@pytest.fixture(scope="module")
def splits() -> tuple[LabelledCrops, LabelledCrops]:
    return _crops(240, 1), _crops(120, 2)


@pytest.fixture(scope="module")
def fitted(splits, tmp_path_factory):
    tiny = load_bundle(TINY)
    told: list[str] = []
    draft, domain = with_checks(tiny.card, tiny.model, *splits, "phantoms", report=told.append)
    folder = tmp_path_factory.mktemp("fitted") / "bundle"
    return write_bundle(folder, tiny.model, draft, domain), told


def test_enough_of_validation_passes_and_the_card_says_how_many(fitted, splits) -> None:
    bundle, told = fitted
    checks = bundle.card.checks
    valid = splits[1]
    embeddings = Session(bundle).predict(valid.crops).embeddings
    crops = [Crop(pixels, "") for pixels in valid.crops]
    flags = check_crops(crops, embeddings, checks, bundle.domain)
    assert np.mean([not found for found in flags]) == pytest.approx(checks.passed, abs=0.01)
    assert checks.passed >= PASSES
    assert checks.tail in TAILS
    assert (checks.data, checks.confirmed) == ("phantoms train", "phantoms valid")
    assert (checks.crops, checks.confirmed_crops) == (240, 120)
    assert told == [
        f"checks: limits with {checks.tail:.2%} of 240 crops beyond each end; "
        f"{checks.passed:.1%} of 120 validation crops pass all of them"
    ]


def test_limits_that_training_crops_cannot_tell(fitted) -> None:
    limits = fitted[0].card.checks.limits
    assert limits["saturation"].high == SATURATION
    assert limits["colour"].high == COLOUR
    assert limits["scale"].low < limits["scale"].high


def test_the_same_crops_give_the_same_bundle(fitted, splits) -> None:
    tiny = load_bundle(TINY)
    draft, domain = with_checks(tiny.card, tiny.model, *splits, "phantoms")
    assert draft.checks == fitted[0].card.checks
    assert domain.to_bytes() == fitted[0].domain.to_bytes()


def test_too_few_crops_fit_nothing(splits) -> None:
    tiny = load_bundle(TINY)
    few = splits[1].select(np.arange(FEWEST_CROPS - 1))
    with pytest.raises(TrainingError, match="cannot fit checks: expected 100 training and"):
        with_checks(tiny.card, tiny.model, splits[0], few, "phantoms")


def test_crops_of_another_kind_fit_nothing(splits) -> None:
    tiny = load_bundle(TINY)
    other = splits[1]
    noise = np.random.default_rng(0).integers(0, 256, other.crops.shape, dtype=np.uint8)
    strange = LabelledCrops(noise, other.labels, other.label_names, other.ids)
    with pytest.raises(TrainingError, match=r"no limits let 97\.0% of the validation crops pass"):
        with_checks(tiny.card, tiny.model, splits[0], strange, "phantoms")


def test_distances_of_a_gaussian_are_chi_squared() -> None:
    rng = np.random.default_rng(0)
    scales = np.array([8, 4, 2, *[0.5] * 17])
    known, others, more = (
        (rng.normal(size=(n, 20)) * scales + 3).astype(np.float32) for n in (4000, 1000, 4000)
    )
    domain = fit_domain(known, others, 3)
    square = domain.distance(more) ** 2 * 20
    assert square.mean() == pytest.approx(20, rel=0.05)
    assert np.quantile(square, 0.95) == pytest.approx(chi2.ppf(0.95, 20), rel=0.05)


@pytest.mark.parametrize("kind", list(KINDS))
def test_negatives_are_crops_the_same_every_time_and_disjoint(kind: str) -> None:
    if kind == "photographs":
        pytest.importorskip("skimage", reason="photographs come with scikit-image")
    found = negatives(kind, 6)
    assert found.shape == (6, 64, 64)
    assert found.dtype == np.uint8
    assert (found == negatives(kind, 6)).all()
    assert not {p.tobytes() for p in found} & {p.tobytes() for p in negatives(kind, 6, "seen")}


@pytest.mark.parametrize(
    "named", [PHOTOGRAPHS, FONTS, WORDS], ids=["photographs", "fonts", "words"]
)
def test_what_was_looked_at_is_not_reported(named) -> None:
    assert not set(named["seen"]) & set(named["unseen"])


def test_stained_sperm_are_coloured_and_grey_ones_are_not() -> None:
    colour = [crop.chroma for crop in stained(12, 3)]
    assert sum(chroma > COLOUR for chroma in colour) >= 11
    assert [crop.chroma for crop in stained(3, 3, colour=False)] == [0, 0, 0]
