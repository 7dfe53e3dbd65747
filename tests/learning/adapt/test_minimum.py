from __future__ import annotations

import pytest

from androscope.datasets.types import Counts
from androscope.errors import AdaptError
from androscope.learning.adapt.minimum import feasible, lacking, more_needed, refuse

ENOUGH = Counts(40, 20)


@pytest.mark.parametrize(
    ("have", "least", "of", "share", "more"),
    [
        pytest.param(10, 10, 60, None, 0, id="enough"),
        pytest.param(3, 10, 26, None, 70, id="by-its-share-in-tens"),
        pytest.param(9, 10, 90, None, 10, id="one-more"),
        pytest.param(0, 10, 50, None, 10, id="share-unknown"),
        pytest.param(0, 10, 50, 0.1, 100, id="share-of-the-parent"),
    ],
)
def test_how_many_more(have: int, least: int, of: int, share: float | None, more: int) -> None:
    assert more_needed(have, least, of, share) == more


@pytest.mark.parametrize(
    ("counts", "crops", "patients", "reasons"),
    [
        pytest.param({"head": ENOUGH}, 60, None, [], id="enough"),
        pytest.param(
            {"head": Counts(24, 10)},
            34,
            None,
            ["34 labelled crops, at least 50 are needed: label 16 more"],
            id="few-crops",
        ),
        pytest.param(
            {"head": Counts(47, 3)},
            50,
            None,
            ["head: 3 abnormal crops, at least 10 are needed: label about 120 more"],
            id="rare-class",
        ),
        pytest.param(
            {"head": Counts(1, 59)},
            60,
            None,
            ["head: 1 normal crop, at least 10 are needed: label about 540 more"],
            id="rare-normal",
        ),
        pytest.param(
            {"head": Counts(0, 0, 60)},
            60,
            None,
            ["head: no crop is labelled for it"],
            id="blank-column",
        ),
        pytest.param({}, 60, None, ["head: no crop is labelled for it"], id="no-column"),
        pytest.param(
            {"head": ENOUGH},
            60,
            2,
            [
                "2 patients, at least 5 are needed, for whole patients are held out: label crops "
                "of 3 more"
            ],
            id="few-patients",
        ),
        pytest.param(
            {"head": Counts(8, 1)},
            9,
            1,
            [
                "9 labelled crops, at least 50 are needed: label 41 more",
                "1 patient, at least 5 are needed, for whole patients are held out: label crops "
                "of 4 more",
                "head: 8 normal crops, at least 10 are needed: label about 3 more",
                "head: 1 abnormal crop, at least 10 are needed: label about 90 more",
            ],
            id="everything-at-once",
        ),
    ],
)
def test_every_reason_is_given(
    counts: dict[str, Counts], crops: int, patients: int | None, reasons: list[str]
) -> None:
    assert lacking(counts, ["head"], crops, patients) == reasons


def test_labels_that_are_not_adapted_are_not_asked_for() -> None:
    assert lacking({"head": ENOUGH, "tail": Counts(60, 0)}, ["head"], 60, None) == []


def test_a_share_of_the_parent_tells_where_there_is_none() -> None:
    (reason,) = lacking({"tail": Counts(60, 0)}, ["tail"], 60, None, {"tail": 0.05})
    assert reason == "tail: 0 abnormal crops, at least 10 are needed: label about 200 more"


def test_one_error_lists_all() -> None:
    refuse([], "lab.csv")
    with pytest.raises(AdaptError) as caught:
        refuse(["one", "two"], "lab.csv")
    text = str(caught.value)
    assert text.startswith("lab.csv: too little to adapt to:\n  one\n  two\n")
    assert "androscope suggest" in text
    assert "--label" in text


@pytest.mark.parametrize(
    ("counts", "crops", "may"),
    [
        pytest.param(Counts(40, 10), 50, ("recalibrated",), id="ten"),
        pytest.param(Counts(40, 15), 55, ("recalibrated", "branch"), id="fifteen"),
        pytest.param(Counts(40, 30), 70, ("recalibrated", "branch"), id="few-crops-in-all"),
        pytest.param(Counts(80, 30), 110, ("recalibrated", "branch", "everything"), id="many"),
        pytest.param(Counts(100, 5), 105, (), id="rare"),
    ],
)
def test_what_may_be_tried(counts: Counts, crops: int, may: tuple[str, ...]) -> None:
    assert feasible({"head": counts}, "head", crops) == may
