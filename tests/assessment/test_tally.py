from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.assessment.sample import wilson_interval
from androscope.assessment.tally import Counts, count_whole, overall, tally
from androscope.types import Assessment, PartVerdict, Verdict

LABELS = ("head", "tail")
WORDS = {"n": Verdict.NORMAL, "a": Verdict.ABNORMAL, "u": Verdict.UNDECIDED}


def sperm(verdicts: str) -> Assessment:
    """``"na"`` is a sperm with a normal head and an abnormal tail."""
    parts = tuple(
        PartVerdict(label, 0.5, 0.5, WORDS[v]) for label, v in zip(LABELS, verdicts, strict=True)
    )
    return Assessment("x.png", None, parts)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        pytest.param("nn", "normal", id="all-normal"),
        pytest.param("na", "abnormal", id="one-abnormal"),
        pytest.param("ua", "abnormal", id="abnormal-wins"),
        pytest.param("nu", "undecided", id="undecided-beside-normal"),
        pytest.param("uu", "undecided", id="all-undecided"),
    ],
)
def test_a_whole_sperm(verdicts: str, expected: str) -> None:
    assert overall(sperm(verdicts), LABELS) == expected


def test_counts_of_parts_and_of_whole_sperm() -> None:
    found = tally([sperm(v) for v in ("nn", "na", "ua", "nu", "nn")], LABELS)
    assert found.parts == {"head": Counts(4, 0, 1), "tail": Counts(2, 2, 1)}
    assert found.whole == Counts(2, 2, 1)
    assert (found.whole.assessed, found.whole.decided) == (5, 4)
    normal = found.whole.fraction_normal
    assert (normal.count, normal.n, normal.fraction) == (2, 4, 0.5)
    assert (normal.low, normal.high) == wilson_interval(2, 4)
    assert found.whole.bounds == (2 / 5, 3 / 5)


def test_one_region_alone() -> None:
    assert count_whole([sperm("na"), sperm("an")], ("head",)) == Counts(1, 1, 0)


def test_nothing_at_all_divides_by_nothing() -> None:
    found = tally([], LABELS).whole
    assert found == Counts()
    assert found.fraction_normal.fraction is None
    assert found.bounds is None


def test_a_label_that_was_not_assessed() -> None:
    with pytest.raises(KeyError, match="'vacuole' is not assessed by this model"):
        tally([sperm("nn")], ("vacuole",))


@given(st.lists(st.sampled_from(["nn", "na", "an", "aa"])))
def test_without_undecided_fractions_are_of_all(kinds: list[str]) -> None:
    found = tally([sperm(kind) for kind in kinds], LABELS)
    assert found.whole.fraction_normal.count == kinds.count("nn")
    assert found.parts["head"].fraction_abnormal.count == sum(k[0] == "a" for k in kinds)
    assert {c.decided for c in (found.whole, *found.parts.values())} == {len(kinds)}


@given(st.lists(st.sampled_from([a + b for a in "nau" for b in "nau"]), min_size=1))
def test_the_undecided_could_not_lead_outside_the_bounds(kinds: list[str]) -> None:
    low, high = tally([sperm(k) for k in kinds], LABELS).whole.bounds or (1, 0)
    for word in "na":
        decided = [sperm(k.replace("u", word)) for k in kinds]
        fraction = tally(decided, LABELS).whole.fraction_normal.fraction
        assert fraction is not None
        assert low <= fraction <= high
