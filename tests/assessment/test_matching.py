from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.assessment.matching import Observer, Sperm, match
from androscope.errors import VerdictsError


def observer(name: str, *images: str, labels: tuple[str, ...] = ("head",)) -> Observer:
    rows = tuple(Sperm(image, dict.fromkeys(labels, i % 2)) for i, image in enumerate(images))
    return Observer(name, labels, rows)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        pytest.param(["1.png", "2.png"], ["2.png", "1.png"], ["1.png", "2.png"], id="order"),
        pytest.param(["x/1.png", "x/2.png"], ["/d/y/2.png"], ["x/2.png"], id="other folders"),
        pytest.param(
            ["crops/p1/1.png", "crops/p2/1.png"], ["p2/1.png", "p1/1.png"],
            ["crops/p1/1.png", "crops/p2/1.png"], id="the same name in several folders",
        ),
        pytest.param(
            ["p1/1.png", "p2/1.png"], ["p1/1.png"], ["p1/1.png"], id="one of two is missing"
        ),
        pytest.param(
            ["p1/a/1.png", "p1/b/1.png", "2.png"], ["q/2.png", "p1/b/1.png"],
            ["p1/b/1.png", "2.png"], id="both kinds",
        ),
    ],
)  # fmt: skip
def test_rows_are_matched_from_the_end_of_their_paths(
    a: list[str], b: list[str], expected: list[str]
) -> None:
    found = match([observer("A", *a), observer("B", *b)])
    assert [row.image for row in found.rows] == expected
    assert found.missing["A"] == tuple(image for image in a if image not in expected)


def test_verdicts_follow_their_rows_and_labels_their_names() -> None:
    a = Observer("A", ("head", "tail"), (Sperm("1.png", {"head": 0, "tail": 1}),))
    b = Observer("B", ("tail", "head", "vacuole"), (Sperm("1.png", {"tail": 1, "head": -1}),))
    found = match([a, b])
    assert found.labels == ("head", "tail")
    np.testing.assert_array_equal(found.verdicts, [[[0, 1]], [[-1, 1]]])
    assert found.left_out == {"A": (), "B": ("vacuole",)}


def test_pages_of_one_file_are_told_apart() -> None:
    a, b = (
        Observer(n, ("head",), tuple(Sperm("s.tif", {"head": i}, str(i)) for i in order))
        for n, order in (("A", (0, 1)), ("B", (1, 0)))
    )
    found = match([a, b])
    assert [row.name for row in found.rows] == ["s.tif[0]", "s.tif[1]"]
    np.testing.assert_array_equal(found.verdicts[0], found.verdicts[1])


def test_a_patient_is_taken_from_the_first_file_that_says() -> None:
    a = observer("A", "1.png", "2.png")
    b = Observer("B", ("head",), (Sperm("1.png", {"head": 0}, patient="p"), *a.rows[1:]))
    assert match([a, b]).patients == ("p", "")


@pytest.mark.parametrize(
    ("a", "b", "doubts"),
    [
        pytest.param(
            ["p1/1.png", "p2/1.png", "p1/2.png", "p2/2.png"], ["1.png", "2.png"],
            ["B: 1.png may be any of 2 in the others, such as p1/1.png",
             "B: 2.png may be any of 2 in the others, such as p1/2.png"], id="too short",
        ),
        pytest.param(
            ["1.png", "1.png"], ["1.png"],
            ["A: 1.png is there 2 times"], id="twice",
        ),
    ],
)  # fmt: skip
def test_what_is_ambiguous_is_listed_whole(a: list[str], b: list[str], doubts: list[str]) -> None:
    with pytest.raises(VerdictsError) as refused:
        match([observer("A", *a), observer("B", *b)])
    assert "cannot be told which rows are the same sperm" in refused.value.reason
    assert refused.value.reason.strip().splitlines()[1:] == [f"  {doubt}" for doubt in doubts]


@pytest.mark.parametrize(
    ("observers", "message"),
    [
        pytest.param([observer("A", "1.png")], "expected two observers at least, got 1", id="one"),
        pytest.param(
            [observer("A", "1.png"), observer("B", "2.png")],
            "no sperm is in all of the files: A has 1.png; B has 2.png", id="no sperm",
        ),
        pytest.param(
            [observer("A", "1.png"), observer("B", "1.png", labels=("tail",))],
            "no label in common: A has head; B has tail", id="no label",
        ),
        pytest.param(
            [observer("A", "1.png"), observer("B")],
            "no sperm is in all of the files: A has 1.png; B has none", id="empty",
        ),
    ],
)  # fmt: skip
def test_nothing_in_common_is_said(observers: list[Observer], message: str) -> None:
    with pytest.raises(VerdictsError, match=re.escape(message)):
        match(observers)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 5)),
        unique=True, min_size=1, max_size=30,
    )
)  # fmt: skip
def test_every_sperm_finds_itself_below_another_folder(rows: list[tuple[str, str, int]]) -> None:
    images = [f"{a}/{b}/{n}.png" for a, b, n in rows]
    found = match([observer("A", *images), observer("B", *(f"/root/{i}" for i in images))])
    assert [row.image for row in found.rows] == images
    np.testing.assert_array_equal(found.verdicts[0], found.verdicts[1])
