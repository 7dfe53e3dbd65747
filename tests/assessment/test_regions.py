from __future__ import annotations

import pytest

from androscope.assessment.regions import MERGED, REGION_OF, Region, coverage
from androscope.types import PARTS

FULL = ("head", "midpiece", "tail", "cytoplasm")


def test_mhsmas_labels_assess_the_head_alone() -> None:
    found = coverage(PARTS)
    assert found.labels[Region.HEAD] == ("head", "acrosome", "vacuole")
    assert found.merged == ("tail",)
    assert found.missing == (Region.MIDPIECE, Region.TAIL, Region.CYTOPLASM)
    joined = "the model's label 'tail' joins neck, midpiece and tail"
    assert found.why_not(Region.MIDPIECE) == found.why_not(Region.TAIL) == joined
    assert found.why_not(Region.CYTOPLASM) == "the model has no label for it"


def test_fuller_labels_assess_everything() -> None:
    found = coverage(FULL)
    assert found.missing == ()
    assert {r.value: n for r, n in found.labels.items()} == {
        "head": ("head",),
        "neck and midpiece": ("midpiece",),
        "tail": ("tail",),
        "excess residual cytoplasm": ("cytoplasm",),
    }


@pytest.mark.parametrize(
    ("labels", "missing", "unknown"),
    [
        pytest.param(
            ("head", "neck", "tail"), ["excess residual cytoplasm"], (), id="no cytoplasm"
        ),
        pytest.param(
            ("acrosome", "vacuole"), [r.value for r in Region], (), id="details are no head"
        ),
        pytest.param(
            ("round_head", "midpiece", "coiled_tail", "cytoplasm"), [], (), id="kinds of defect"
        ),
        pytest.param(
            ("head", "neck_and_tail", "cytoplasm"), ["neck and midpiece", "tail"], (), id="joined"
        ),
        pytest.param((*FULL, "dna"), [], ("dna",), id="another name"),
    ],
)
def test_other_labels(labels: tuple[str, ...], missing: list[str], unknown: tuple[str]) -> None:
    found = coverage(labels)
    assert [region.value for region in found.missing] == missing
    assert found.unknown == unknown


def test_details_say_why_they_are_no_head() -> None:
    why = coverage(("acrosome", "vacuole")).why_not(Region.HEAD)
    assert why == "the model grades acrosome and vacuole, and not the head's shape"


def test_every_region_has_names_and_no_name_is_both() -> None:
    assert set(REGION_OF.values()) == set(Region)
    assert not MERGED & set(REGION_OF)
