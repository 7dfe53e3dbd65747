"""What is advised for a refused crop: by check, and no grading where verdicts would be wrong."""

from __future__ import annotations

import numpy as np
import pytest

from androscope.assessment.ways_out import WAYS, too_small, way_out
from androscope.model.card_checks import CHECKS
from androscope.types import Assessment, Crop, Failure, Flag

PIXELS = np.arange(64 * 64, dtype=np.int64).reshape(64, 64).astype(np.uint8)
SHRUNK = ("resized from 128 to 64 px",)
SMALL = Flag("scale", 17.0, 23.4, "too small for a head at this scale")
LARGE = Flag("scale", 60.0, 56.0, "too large for a head at this scale")
NOISY = Flag("focus", 0.8, 0.54, "finer detail than a sperm has")
DARK = Flag("saturation", 0.3, 0.02, "30% of the pixels are black or white")
BLANK = Flag("contrast", 0.0, 0.0, "blank: every pixel is 7")
CUT = "Cut a square of about 1.7 head lengths around the head"
ANYWAY = (
    "If it does show one sperm as the model's card describes them, --grade-anyway grades it and "
    "keeps these flags"
)


def test_every_check_has_a_way_out() -> None:
    assert set(WAYS) == set(CHECKS)


@pytest.mark.parametrize(
    ("flags", "notes", "expected"),
    [
        pytest.param([DARK], (), f"Lower the exposure or the gain. {ANYWAY}", id="another check"),
        pytest.param(
            [NOISY, DARK], (),
            f"Average frames if the camera is noisy. Lower the exposure or the gain. {ANYWAY}",
            id="two checks",
        ),
        pytest.param([SMALL], (), CUT, id="too small as it is"),
        pytest.param([LARGE, DARK], (), f"{CUT}. Lower the exposure or the gain", id="too large"),
        pytest.param(
            [NOISY, SMALL], SHRUNK,
            f"{CUT}, or give --fit centre: without resizing, the largest thing in it is 34 px "
            "long. What else was measured changes with it",
            id="too small for being shrunk",
        ),
        pytest.param([SMALL], ("resized from 400 to 64 px",), CUT, id="too large at its own scale"),
        pytest.param([SMALL], ("resized from 48 to 64 px",), CUT, id="enlarged"),
        pytest.param(
            [DARK], SHRUNK,
            "Lower the exposure or the gain. It was resized from 128 px: if its head is shorter "
            f"than half of that, cut a square of about 1.7 head lengths around it. {ANYWAY}",
            id="shrunk, and another check",
        ),
        pytest.param(
            [BLANK], SHRUNK,
            "There is nothing in it: check shutter, illumination and export, and take it again",
            id="blank",
        ),
        pytest.param([Flag("new", 1, 0, "x")], (), ANYWAY, id="a check that is not known here"),
    ],
)  # fmt: skip
def test_ways_out(flags: list[Flag], notes: tuple[str, ...], expected: str) -> None:
    assert way_out(Crop(PIXELS, "a.png", notes=notes), flags) == expected


def failure(*flags: Flag, notes: tuple[str, ...] = SHRUNK) -> Failure:
    advice = way_out(Crop(PIXELS, "a.png", notes=notes), flags)
    return Failure("a.png", None, "refused", "why", advice, flags)


def graded(*flags: Flag, notes: tuple[str, ...] = SHRUNK) -> Assessment:
    return Assessment("a.png", None, (), notes, flags)


@pytest.mark.parametrize(
    ("assessments", "failures", "said"),
    [
        pytest.param([], [failure(SMALL)] * 3, "3 of 3", id="all refused"),
        pytest.param([graded()], [failure(SMALL)] * 2, "2 of 3", id="most refused"),
        pytest.param([graded(SMALL)] * 2, [failure(DARK)], "2 of 3", id="graded anyway"),
        pytest.param([graded()] * 2, [failure(SMALL)] * 2, None, id="half"),
        pytest.param([], [failure(SMALL)], None, id="one picture"),
        pytest.param([], [failure(SMALL, notes=())] * 3, None, id="not resized"),
        pytest.param([], [], None, id="nothing"),
    ],
)
def test_it_is_said_once_of_most_pictures(
    assessments: list[Assessment], failures: list[Failure], said: str | None
) -> None:
    found = too_small(assessments, failures, 64)
    if said is None:
        assert found is None
        return
    assert found == (
        f"{said} pictures show more than the model's crops do: brought to 64 px, their heads are "
        "too small to be graded. Give --fit centre, which takes the middle at the picture's own "
        "scale; --grade-anyway would grade them at the wrong one"
    )
