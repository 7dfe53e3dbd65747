"""Fields graded: like the same sperm rendered as crops; each found thing graded or explained."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from androscope.assessment.field import GradedField
from androscope.fields import FieldOptions, grade_fields, locate_and_grade, results_of
from androscope.imaging.field import Field, FieldItem
from androscope.imaging.located import Located
from androscope.imaging.phantom import render_crop
from androscope.imaging.phantom_field import render_field
from androscope.predict import Grader
from androscope.types import Crop, Failure, GreyImage

UM = 0.16


@pytest.fixture(scope="module")
def grader() -> Grader:
    # Rendered sperm: the checks would refuse some.
    return Grader(grade_anyway=True)


def test_a_field_is_graded_about_like_its_sperm_as_crops(grader: Grader) -> None:
    agree, differences = [], []
    for seed in (0, 1):
        truth = render_field(900, 700, 12, seed, pixel_size_um=UM)
        found = locate_and_grade(GreyImage(truth.pixels, "f", pixel_size_um=UM), grader)
        for item, assessment in found.graded:
            x, y = item.located.x, item.located.y
            sperm = min(truth.sperm, key=lambda s: math.hypot(x - s.centre[0], y - s.centre[1]))
            if math.hypot(x - sperm.centre[0], y - sperm.centre[1]) > 10:
                continue
            alone = render_crop(
                sperm.spec, 1, optics=truth.optics, angle_deg=sperm.angle_deg, centre=(31.5, 31.5)
            )
            expected = grader.grade([Crop(alone.pixels, "c")])[0].assessment
            for part in assessment.parts:
                differences.append(abs(part.probability - expected[part.label].probability))
                agree.append(part.verdict == expected[part.label].verdict)
    assert len(agree) >= 45
    # Focus and tilt differ a little between cells of a field: not the same picture twice.
    assert np.median(differences) < 0.12
    assert np.mean(agree) > 0.75


def test_counts_and_reasons_are_kept_with_the_results(grader: Grader, tmp_path: Path) -> None:
    truth = render_field(640, 480, 8, 4, pixel_size_um=UM, round_cells=1)
    Image.fromarray(truth.pixels).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    options = FieldOptions(pixel_size_um=UM)
    fields = list(grade_fields(tmp_path, grader, options))
    assert [type(field) for field in fields] == [GradedField, Failure]
    results = results_of(fields, grader, options, keep_crops=True)
    assert len(results.assessments) == len(results.crops) == int(results.extra["sperm_graded"])
    assert len(results.failures) == 1
    assert results.extra["fields"] == "1"
    assert results.extra["pixel_size_um"] == "0.16"
    assert int(results.extra["sperm_located"]) >= len(results.assessments)
    assert results.assessments[0].source == f"{tmp_path / 'a.png'}#1" or "#" in (
        results.assessments[0].source
    )


def test_coarse_optics_are_refused_with_the_reason(grader: Grader) -> None:
    truth = render_field(640, 480, 8, 4, pixel_size_um=0.3)
    found = locate_and_grade(GreyImage(truth.pixels, "f"), grader, FieldOptions(pixel_size_um=0.3))
    assert not list(found.graded)
    assert any("optics too coarse for morphology" in reason for reason in found.excluded)
    results = results_of([found], grader)
    assert results.extra["sperm_graded"] == "0"
    (failure,), (field,) = results.failures, results.fields
    assert (failure.code, failure.source) == ("nothing-found", "f")
    assert "optics too coarse for morphology" in failure.reason
    assert (field.located, field.graded) == (len(found.field.sperm), 0)


def test_items_and_assessments_must_fit() -> None:
    item = FieldItem(Located(1, 1, 2, 1, 0, 1.0), excluded="debris")
    with pytest.raises(ValueError, match="1 items need as many assessments, got 0"):
        GradedField(Field("a", None, (9, 9), None, (item,)), ())
