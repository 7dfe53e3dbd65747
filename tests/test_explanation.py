"""Heat maps from the front door, with a model so small that 164 gradings take no time."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import androscope
from androscope.explanation import explain_crop, overlay_png
from androscope.imaging.phantom_set import phantom_set
from androscope.predict import Grader
from androscope.types import Crop, Failure, Verdict

TINY = Path(__file__).parent / "data" / "tiny-bundle"
CROPS = np.stack([phantom.pixels for phantom in phantom_set(2, 3)])


@pytest.fixture(scope="module")
def found() -> Any:
    bad = np.zeros((1, 1), np.uint8)
    return androscope.explain([CROPS[0], bad, CROPS[1]], model=TINY, threads=1)


def test_every_image_comes_out_once(found: Any) -> None:
    assert [item.assessment.name for item in found.explained] == ["<array 0>", "<array 2>"]
    assert [failure.name for failure in found.failures] == ["<array 1>"]
    assert len(found) == 2
    assert found.labels == ("head", "acrosome", "vacuole")


def test_verdicts_are_those_of_assess(found: Any) -> None:
    wanted = androscope.assess(list(CROPS), model=TINY, threads=1)
    assert found.model_sha256 == wanted.model_sha256
    for item, assessment in zip(found.explained, wanted.assessments, strict=True):
        assert [p.verdict for p in item.assessment.parts] == [p.verdict for p in assessment.parts]


def test_maps_and_what_is_read_of_them(found: Any) -> None:
    for item in found.explained:
        assert item.maps.shape == (3, 64, 64)
        assert np.isfinite(item.maps).all()
        for part, look in zip(item.assessment.parts, item.looks, strict=True):
            heat = item.map_of(part.label)
            np.testing.assert_array_equal(heat, item.maps[item.looks.index(look)])
            signed = heat if part.verdict is Verdict.ABNORMAL else -heat
            assert look.strength == pytest.approx(max(float(signed.max()), 0.0))


def test_a_label_that_is_none(found: Any) -> None:
    with pytest.raises(KeyError, match="'tail' is not assessed by this model"):
        found.explained[0]["tail"]
    with pytest.raises(KeyError, match="'tail' is not assessed by this model"):
        found.explained[0].map_of("tail")


def test_one_crop_and_its_picture(found: Any) -> None:
    grader = Grader(TINY, threads=1)
    item = explain_crop(Crop(CROPS[0], "one"), grader)
    assert not isinstance(item, Failure)
    np.testing.assert_array_equal(item.maps, found.explained[0].maps)
    np.testing.assert_array_equal(item.maps, grader.explain([item.crop])[0])
    picture = Image.open(io.BytesIO(overlay_png(item, "vacuole")))
    assert (picture.format, picture.mode) == ("PNG", "RGB")
    assert picture.width >= 384


def test_no_crops() -> None:
    assert Grader(TINY, threads=1).explain([]).shape == (0, 3, 64, 64)
