"""The rule: which values pass, and the exact words of every refusal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.assessment import gate
from androscope.assessment.gate import blank_flag, check_crops, checks_text, refusal
from androscope.model.card_checks import CHECKS, CheckLimits, Checks
from androscope.types import Crop, Flag

LIMITS = {
    "focus": CheckLimits(low=0.13, high=0.54),
    "detail": CheckLimits(low=0.027),
    "contrast": CheckLimits(low=0.095, high=0.46),
    "polarity": CheckLimits(high=0.134),
    "saturation": CheckLimits(high=0.02),
    "scale": CheckLimits(low=23.4, high=56),
    "several heads": CheckLimits(high=0.68),
    "beside": CheckLimits(high=0.107),
    "edge": CheckLimits(high=0.137),
    "colour": CheckLimits(high=0.15),
}
CHECKED = Checks(
    limits=LIMITS,
    data="mhsma train",
    crops=1000,
    tail=0.002,
    confirmed="mhsma valid",
    confirmed_crops=240,
    passed=0.975,
)
GOOD = {
    "focus": 0.2,
    "detail": 0.1,
    "contrast": 0.25,
    "polarity": -0.5,
    "saturation": 0.0,
    "scale": 33.0,
    "several heads": 0.0,
    "beside": 0.0,
    "edge": 0.0,
    "colour": 0.0,
    "domain": 1.0,
}
PIXELS = np.arange(64 * 64, dtype=np.int64).reshape(64, 64).astype(np.uint8)
CROP = Crop(PIXELS, "a.png", 3)


def _checked(monkeypatch: pytest.MonkeyPatch, checks: Checks = CHECKED, **values: float):
    found = {**GOOD, **{name.replace("_", " "): value for name, value in values.items()}}
    arrays = {name: np.array([value], np.float32) for name, value in found.items()}
    monkeypatch.setattr(gate, "values_of", lambda *_: arrays)
    (flags,) = check_crops([CROP], np.zeros((1, 2), np.float32), checks, None)
    return flags


@pytest.mark.parametrize(
    ("check", "value", "reason"),
    [
        ("focus", 0.1, "out of focus: sharpness 0.1, at least 0.13"),
        (
            "focus",
            0.8,
            "finer detail than a sperm has, such as noise or text: sharpness 0.8, at most 0.54",
        ),
        (
            "contrast",
            0.0312,
            "hardly anything stands out from the background: contrast 3.12%, at least 9.5%",
        ),
        (
            "contrast",
            0.7,
            "stands out more than unstained sperm, outside the training domain: contrast 70%, at "
            "most 46%",
        ),
        (
            "saturation",
            0.251,
            "25.1% of the pixels are black or white, at most 2%: what was there is lost",
        ),
        (
            "scale",
            12.0,
            "too small for a head at this scale: 12 px long in the crop, at least 23.4",
        ),
        ("scale", 61.5, "too large for a head at this scale: 61.5 px long in the crop, at most 56"),
        (
            "several heads",
            0.9,
            "several heads, or a head beside something else: the second largest thing is 90% of "
            "the largest, at most 68%",
        ),
        (
            "detail",
            0.0123,
            "blurred: detail of 1.23% of the coarse pattern, at least 2.7%",
        ),
        (
            "polarity",
            0.6,
            "brighter than its background, as an inverted picture is, outside the training domain: "
            "polarity 0.6, at most 0.134",
        ),
        (
            "beside",
            0.4,
            "something beside the head, such as a second one: 40% of the head's area stands out "
            "more than 24 px from its middle, at most 10.7%",
        ),
        (
            "edge",
            0.5,
            "cut by the crop's edge, or no even background: 50% of the edge stands out, at most "
            "13.7%",
        ),
        (
            "colour",
            0.4,
            "coloured as stained sperm are, outside the training domain: chroma 0.4, at most 0.15",
        ),
        (
            "domain",
            2.5,
            "outside the training domain: distance 2.5 from the crops it learned from, at most 1.8",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 20 else "",
)
def test_each_refusal_in_words(monkeypatch, check: str, value: float, reason: str) -> None:
    limits = {**LIMITS, "domain": CheckLimits(high=1.8)}
    checks = CHECKED.model_copy(update={"limits": limits})
    (flag,) = _checked(monkeypatch, checks, **{check: value})
    limit = limits[check].low if "at least" in reason else limits[check].high
    assert flag == Flag(check, pytest.approx(value), limit, reason)


def test_a_card_without_a_check_lacks_it(monkeypatch) -> None:
    old = {name: LIMITS[name] for name in LIMITS if name not in ("detail", "polarity", "beside")}
    checks = CHECKED.model_copy(update={"limits": old})
    assert _checked(monkeypatch, checks, detail=0.0, polarity=1.0, beside=2.0) == ()
    flags = _checked(monkeypatch, detail=0.0, polarity=1.0, beside=2.0)
    assert [flag.check for flag in flags] == ["detail", "polarity", "beside"]


def test_a_good_crop_passes(monkeypatch) -> None:
    assert _checked(monkeypatch) == ()


@pytest.mark.parametrize("value", [0.13, 0.54])
def test_the_limits_themselves_pass(monkeypatch, value: float) -> None:
    assert _checked(monkeypatch, focus=value) == ()


def test_what_is_no_number_passes_nothing(monkeypatch) -> None:
    (flag,) = _checked(monkeypatch, focus=float("nan"))
    assert flag.check == "focus"


def test_every_reason_is_given_in_the_checks_order(monkeypatch) -> None:
    flags = _checked(monkeypatch, edge=0.5, focus=0.9, colour=0.3)
    assert [flag.check for flag in flags] == ["focus", "edge", "colour"]
    failure = refusal(CROP, flags)
    assert (failure.code, failure.source, failure.index) == ("refused", "a.png", 3)
    assert failure.reason == "; ".join(flag.reason for flag in flags)
    assert failure.flags == flags
    assert failure.advice.startswith("Average frames if the camera is noisy. Cut the square")
    assert "--grade-anyway" in failure.advice
    assert checks_text(flags) == "refused by the checks: focus, edge, colour"


def test_a_card_without_checks_refuses_nothing() -> None:
    blank = Crop(np.zeros((64, 64), np.uint8), "b.png")
    assert check_crops([blank], np.zeros((1, 2), np.float32), None, None) == [()]
    assert check_crops([], np.zeros((0, 2), np.float32), CHECKED, None) == []


def test_a_blank_crop_has_one_reason_of_its_own() -> None:
    blank = Crop(np.full((64, 64), 7, np.uint8), "b.png")
    (flags,) = check_crops([blank], np.zeros((1, 2), np.float32), CHECKED, None)
    assert [flag.reason for flag in flags] == ["blank: every pixel is 7"]
    assert checks_text(flags) == "blank: every pixel is 7"
    assert blank_flag(CROP) is None


@given(
    low=st.floats(0, 1),
    high=st.floats(1, 2),
    value=st.floats(-1, 3, allow_nan=False),
)
def test_a_flag_s_numbers_say_why(low: float, high: float, value: float) -> None:
    flag = gate._flag("domain", value, CheckLimits(low=low, high=high))
    if flag is None:
        return
    beyond = flag.value < flag.limit if "at least" in flag.reason else flag.value > flag.limit
    assert beyond
    assert f"{flag.value:.4g}" in flag.reason
    assert f"{flag.limit:.4g}" in flag.reason


def test_there_are_words_for_every_check() -> None:
    assert set(gate._WORDS) == set(CHECKS)
