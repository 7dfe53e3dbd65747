from __future__ import annotations

import re

import numpy as np
import pytest

from androscope.learning.views import dihedral_views


def test_the_views_are_the_eight_of_the_square_and_the_first_is_the_crop() -> None:
    crop = np.arange(9, dtype=np.uint8).reshape(1, 3, 3)
    views = dihedral_views(crop)
    assert len({view.tobytes() for view in views}) == 8
    assert np.array_equal(views[0], crop)
    assert all(view.shape == (1, 3, 3) and view.flags.c_contiguous for view in views)
    # The centre stays, the corners go to corners: the group of the square, not another permutation.
    for view in views:
        assert view[0, 1, 1] == 4
        assert set(view[0, ::2, ::2].ravel().tolist()) == {0, 2, 6, 8}


def test_the_views_are_closed_under_turning() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (2, 8, 8)).astype(np.uint8)
    whole = {view.tobytes() for view in dihedral_views(crop)}
    for view in dihedral_views(crop):
        assert {turned.tobytes() for turned in dihedral_views(view)} == whole


@pytest.mark.parametrize(
    ("shape", "count", "message"),
    [
        pytest.param((2, 8, 6), 8, "expected crops (N, S, S), got (2, 8, 6)", id="not square"),
        pytest.param((8, 8), 8, "expected crops (N, S, S), got (8, 8)", id="one crop, no axis"),
        pytest.param((2, 8, 8), 0, "expected 1 to 8 views, got 0", id="none"),
        pytest.param((2, 8, 8), 9, "expected 1 to 8 views, got 9", id="nine"),
    ],
)
def test_what_has_no_views_is_refused(shape: tuple[int, ...], count: int, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        dihedral_views(np.zeros(shape, np.uint8), count)


def test_two_views_are_the_crop_and_its_mirror_image_in_the_diagonal() -> None:
    crop = np.arange(9, dtype=np.uint8).reshape(1, 3, 3)
    first, second = dihedral_views(crop, 2)
    assert np.array_equal(first, crop)
    # The corners of the one diagonal stay where they are, those of the other change places.
    assert second[0].tolist() == [[8, 5, 2], [7, 4, 1], [6, 3, 0]]
