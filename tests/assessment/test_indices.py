"""Indices against cases counted by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.assessment.indices import INDICES, indices
from androscope.types import PARTS

WHO = ("head", "midpiece", "tail", "cytoplasm")
KINDS = ("head", "acrosome", "vacuole", "midpiece", "tail", "cytoplasm")


def values(sperm: list[str], labels: tuple[str, ...] = KINDS) -> list[float | None]:
    """``["", "head tail"]`` is a normal sperm and one with two defects."""
    return [index.value for index in indices([set(s.split()) for s in sperm], labels)]


@pytest.mark.parametrize(
    ("sperm", "tzi", "sdi", "mai"),
    [
        # One defect: every index counts one; SDI over all three sperm.
        pytest.param(["", "", "tail"], 1, 1 / 3, 1, id="one defect"),
        # Two kinds of head defect are one region: TZI 1, two deformities of 2, two anomalies of 1.
        pytest.param(["", "head acrosome"], 1, 2 / 2, 2, id="two kinds in the head"),
        # Regions: {head}, {head, midpiece, tail, cytoplasm}: 5 of 2. Deformities: 3 + (2 + 3) = 8
        # of 4. Anomalies: 3 + 5 = 8 of 2.
        pytest.param(
            ["", "", "head acrosome vacuole", "head vacuole midpiece tail cytoplasm"],
            5 / 2, 8 / 4, 8 / 2, id="four sperm",
        ),
        pytest.param(["head midpiece tail cytoplasm"], 4, 4, 4, id="everything once"),
        pytest.param([" ".join(KINDS)], 4, 6, 6, id="everything"),
    ],
)  # fmt: skip
def test_by_hand(sperm: list[str], tzi: float, sdi: float, mai: float) -> None:
    assert values(sperm) == [tzi, sdi, mai]


def test_several_kinds_behind_the_head_count_once_for_sdi_and_each_for_mai() -> None:
    labels = ("head", "acrosome", "midpiece", "short_tail", "coiled_tail", "cytoplasm")
    # Regions 2 (head, tail) of 1; deformities 1 + 1 of 2; anomalies 3 of 1.
    assert values(["", "head short_tail coiled_tail"], labels) == [2, 1, 3]


def test_a_sample_of_200() -> None:
    """Region defects 140 + 102 + 30 + 44 = 316 in 158 abnormal of 200 sperm: TZI 2."""
    counts = {"head": 140, "midpiece": 102, "tail": 30, "cytoplasm": 44}
    sperm: list[set[str]] = [set() for _ in range(200)]
    turn = 0
    for label, count in counts.items():
        for _ in range(count):
            # Round and round over 158 sperm, so that each gets one at least.
            sperm[turn % 158].add(label)
            turn += 1
    assert sum(bool(s) for s in sperm) == 158
    tzi, sdi, mai = indices(sperm, KINDS)
    assert (tzi.defects, tzi.sperm, tzi.value) == (316, 158, 2.0)
    assert (sdi.defects, sdi.sperm, sdi.value) == (316, 200, 1.58)
    assert mai.value == 2.0


def test_mhsmas_labels_support_none() -> None:
    found = indices([set(), {"head"}], PARTS)
    assert [index.value for index in found] == [None] * 3
    for index in found:
        assert index.defects is index.sperm is None
        assert index.why_not == (
            "not assessed: all four regions are needed, and these are missing: neck and midpiece "
            "(the model's label 'tail' joins neck, midpiece and tail); tail (the model's label "
            "'tail' joins neck, midpiece and tail); excess residual cytoplasm (the model has no "
            "label for it)"
        )


def test_one_label_for_the_head_supports_tzi_alone() -> None:
    tzi, sdi, mai = indices([{"head", "tail"}, set()], WHO)
    assert tzi.value == 2
    assert sdi.why_not == mai.why_not
    assert sdi.why_not == (
        "not assessed: each kind of head defect counts, and the model has one label for the "
        "whole head"
    )


def test_a_label_of_no_region_leaves_none() -> None:
    (tzi, *_) = indices([{"dna"}], (*KINDS, "dna"))
    assert tzi.why_not == (
        "not assessed: the model also grades dna, which belongs to no single region of WHO's"
    )


def test_nothing_to_divide_by() -> None:
    tzi, sdi, mai = indices([set(), set()], KINDS)
    assert tzi.why_not == mai.why_not == "not defined: there is no abnormal sperm"
    assert (tzi.value, sdi.value, sdi.why_not) == (None, 0, None)
    assert indices([], KINDS)[1].why_not == "not defined: there is no sperm"


@given(st.lists(st.sets(st.sampled_from(KINDS)), min_size=1))
def test_ranges(sperm: list[set[str]]) -> None:
    tzi, sdi, mai = indices(sperm, KINDS)
    assert sdi.value is not None
    assert sdi.value >= 0
    if any(sperm):
        assert tzi.value is not None
        assert mai.value is not None
        assert 1 <= tzi.value <= 4
        assert tzi.value <= mai.value
        assert sdi.value <= mai.value


def test_every_index_names_its_source() -> None:
    assert [facts.short for facts in INDICES] == ["TZI", "SDI", "MAI"]
    assert all("WHO 2010" in facts.source for facts in INDICES)
