"""Pixel sizes: what files may state, what is noted of the rest, and who is believed."""

from __future__ import annotations

import math

import pytest

from androscope.imaging.pixel_size import believed, disagreement, stated_size
from androscope.imaging.tiff_tags import ome_facts


@pytest.mark.parametrize(
    ("x", "y", "um", "said"),
    [
        pytest.param(0.16, 0.16, 0.16, None, id="microscope"),
        pytest.param(0.03, 0.03, 0.03, None, id="finest"),
        pytest.param(1.0, 1.0, 1.0, None, id="coarsest"),
        pytest.param(0.02, 0.02, None, "0.02 um, can be no microscope's (0.03 to 1 um)", id="fine"),
        pytest.param(3.0, 3.0, None, "3 um, can be no microscope's (0.03 to 1 um)", id="coarse"),
        pytest.param(1e-9, 1e-9, None, "1e-09 um, can be no", id="metres"),
        pytest.param(-0.1, -0.1, None, "-0.1 um, can be no", id="negative"),
        pytest.param(math.nan, math.nan, None, "nan x nan um, can be no", id="nan"),
        pytest.param(math.inf, math.inf, None, "inf um, can be no", id="infinite"),
        pytest.param(10_000 / 72, 10_000 / 72, None, "138.9 um, can be no", id="72-per-cm"),
        pytest.param(0.1, 0.2, None, "0.1 x 0.2 um, is not square", id="oblong"),
        pytest.param(25_400 / 72.009, 25_400 / 72.009, None, None, id="screen"),
        pytest.param(25_400 / 300, 25_400 / 300, None, None, id="printer"),
    ],
)
def test_what_a_file_may_state(x: float, y: float, um: float | None, said: str | None) -> None:
    stated = stated_size(x, y)
    assert stated.um == um
    assert len(stated.notes) == (said is not None)
    if said is not None:
        assert stated.notes[0].startswith(f"the pixel size that the file states, {said}")
        assert stated.notes[0].endswith(": not used")


def test_tags_that_are_not_believed_are_noted() -> None:
    facts = ome_facts('<OME><Pixels PhysicalSizeX="3.0" PhysicalSizeY="3.0"/></OME>')
    assert facts.pixel_size_um is None
    assert "the pixel size that the file states, 3 um" in facts.notes[0]


@pytest.mark.parametrize(
    ("stated", "given", "used", "told"),
    [
        pytest.param(None, 0.2, 0.2, False, id="the-users"),
        pytest.param(0.1, None, 0.1, False, id="the-files"),
        pytest.param(0.1, 0.101, 0.1, False, id="alike"),
        pytest.param(0.1, 0.2, 0.1, True, id="apart"),
        pytest.param(None, None, None, False, id="neither"),
    ],
)
def test_the_file_is_believed_first(
    stated: float | None, given: float | None, used: float | None, told: bool
) -> None:
    assert believed(stated, given) == used
    assert (disagreement(stated, given) is not None) is told
