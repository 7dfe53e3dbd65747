"""One scale for fields that belong together: medians, what is looked at, what is doubted."""

from __future__ import annotations

import numpy as np
import pytest

from androscope.imaging import shared_scale
from androscope.imaging.head_estimate import HeadEstimate
from androscope.imaging.head_scale import FieldScale, scale_of
from androscope.imaging.shared_scale import SharedScale
from androscope.types import GreyImage


def field(length: int, number: int = 0, *, um: float | None = None, side: int = 9) -> GreyImage:
    """A field whose estimate will be ``length`` (0: none)."""
    return GreyImage(np.full((side, side), length, np.uint8), f"f{number}", pixel_size_um=um)


@pytest.fixture(autouse=True)
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    seen: list[int] = []

    def estimate(pixels: np.ndarray) -> HeadEstimate | None:
        length = int(pixels[0, 0])
        seen.append(length)
        return HeadEstimate(float(length), 6) if length else None

    monkeypatch.setattr(shared_scale, "estimate_head_length", estimate)
    return seen


def as_field(image: GreyImage) -> GreyImage:
    return image


@pytest.mark.parametrize("lengths", [(29, 20, 25), (44, 29, 45), (20, 0, 30, 25)], ids=str)
def test_the_median_is_used_for_all(lengths: tuple[int, ...]) -> None:
    scales = SharedScale()
    fields = [field(length, n) for n, length in enumerate(lengths)]
    used = [scales.of(image) for image in scales.ahead(fields, as_field)]
    median = float(np.median([length for length in lengths if length]))
    assert used == [FieldScale(median, "estimated", fields=3)] * len(lengths)


def test_fields_of_other_size_have_their_own() -> None:
    scales = SharedScale()
    fields = [field(20 + n % 2 * 20, n, side=9 + n % 2) for n in range(6)]
    used = [scales.of(image) for image in scales.ahead(fields, as_field)]
    assert [scale.head_length for scale in used if scale] == [20, 40] * 3


def test_few_fields_are_looked_at(looked: list[int]) -> None:
    scales = SharedScale()
    fields = [field(30, n) for n in range(20)]
    assert [i.source for i in scales.ahead(fields, as_field)] == [i.source for i in fields]
    assert looked == [30] * 5
    looked.clear()
    known = SharedScale(pixel_size_um=0.16)
    assert [known.of(image) for image in known.ahead(fields, as_field)]
    assert looked == [30]


def test_a_known_scale_is_doubted_in_all_fields(looked: list[int]) -> None:
    scales = SharedScale(pixel_size_um=0.08)
    for image in [field(27, n) for n in range(6)]:
        scale = scales.of(image)
        assert scale is not None
        assert scale.in_doubt
        assert scale.notes == (
            "the heads found are about 27 px long, by the pixel size a head is 55 px: check it",
        )
    assert looked == [27] * 3


@pytest.mark.parametrize(
    ("estimates", "gradable"),
    [
        pytest.param([19.7], True, id="alone-near-the-limit"),
        pytest.param([15.0], False, id="alone-far-below"),
        pytest.param([19.7, 19.5], False, id="two"),
        pytest.param([19.7, 28.7, 25.0], True, id="outvoted"),
    ],
)
def test_a_lone_estimate_near_the_limit_refuses_nothing(
    estimates: list[float], gradable: bool
) -> None:
    scale = scale_of([HeadEstimate(length, 6) for length in estimates])
    assert scale is not None
    assert scale.gradable is gradable


@pytest.mark.parametrize(
    ("length", "told"),
    [pytest.param(27.0, False, id="alike"), pytest.param(44.0, True, id="apart")],
)
def test_a_head_length_wins_over_the_file_and_is_held_against_it(length: float, told: bool) -> None:
    scale = scale_of([], stated_um=0.16, head_length=length)
    assert scale is not None
    assert (scale.head_length, scale.origin, scale.pixel_size_um) == (length, "head length", 0.16)
    said = (
        "the head length given, 44 px, is not that by the pixel size (0.16 um), 28 px: the length "
        "given was used"
    )
    assert (said in scale.notes) is told
