"""Phantom fields: every sperm where it is said to be, apart unless asked to touch."""

from __future__ import annotations

import numpy as np
import pytest

from androscope.imaging.phantom import PhantomSperm
from androscope.imaging.phantom_canvas import CLEARANCE_UM
from androscope.imaging.phantom_field import render_field


@pytest.fixture(scope="module")
def field():
    return render_field(400, 300, 8, 1, debris=5, round_cells=1)


def test_the_picture(field):
    assert field.pixels.shape == (300, 400)
    assert field.pixels.dtype == np.uint8
    assert field.heads.shape == field.tails.shape == (300, 400)
    assert [s.id for s in field.sperm] == list(range(1, 9))
    assert sorted(o.kind for o in field.others) == ["debris"] * 5 + ["round-cell"]


def test_the_same_seed_is_the_same_field(field):
    again = render_field(400, 300, 8, 1, debris=5, round_cells=1)
    np.testing.assert_array_equal(field.pixels, again.pixels)
    np.testing.assert_array_equal(field.heads, again.heads)
    assert (render_field(400, 300, 8, 2).pixels != field.pixels).any()


def test_heads_are_where_the_truth_says(field):
    for sperm in field.sperm:
        y, x = np.nonzero(field.heads == sperm.id)
        assert sperm.box == (x.min(), y.min(), x.max() + 1, y.max() + 1)
        if sperm.spec.head_shape in ("oval", "tapered"):
            assert (x.mean(), y.mean()) == pytest.approx(sperm.centre, abs=0.6)
        assert sperm.axes[0] == pytest.approx(sperm.spec.head_length_um / field.pixel_size_um)
        assert sperm.labels == sperm.spec.labels


def test_heads_stand_out_from_the_background(field):
    level = np.median(field.pixels)
    for sperm in field.sperm:
        head = field.pixels[field.heads == sperm.id].astype(float)
        assert np.abs(head - level).max() > 8


def test_cells_keep_apart(field):
    specs = [PhantomSperm() for _ in range(6)]
    apart = render_field(400, 300, 6, 4, specs=specs)
    room = CLEARANCE_UM / apart.pixel_size_um
    cells = [
        np.argwhere((apart.heads == s.id) | (apart.tails == s.id)).astype(float)
        for s in apart.sperm
    ]
    for n, a in enumerate(cells):
        for b in cells[:n]:
            gaps = np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2))
            assert gaps.min() > room


def test_touching_heads_touch():
    specs = [PhantomSperm() for _ in range(8)]
    together = render_field(640, 480, 8, 5, specs=specs, touching=True)
    pairs = [s for s in together.sperm if s.touches]
    assert len(pairs) >= 3
    for sperm in pairs:
        mine = np.argwhere(together.heads == sperm.id)
        other = np.argwhere((together.heads > 0) & (together.heads != sperm.id))
        gaps = np.sqrt(((mine[:, None, :] - other[None, :, :]) ** 2).sum(axis=2))
        assert gaps.min() <= 2


@pytest.mark.parametrize(("polarity", "sign"), [("phase-positive", -1), ("phase-negative", 1)])
def test_polarity(polarity, sign):
    specs = [PhantomSperm() for _ in range(3)]
    seen = render_field(300, 300, 3, 6, specs=specs, polarity=polarity)
    level = np.median(seen.pixels)
    assert sign * (seen.pixels[seen.heads > 0].mean() - level) > 15


def test_no_sperm_is_an_empty_field():
    empty = render_field(100, 80, 0, 0)
    assert empty.pixels.shape == (80, 100)
    assert empty.sperm == ()
    assert not empty.heads.any()
    assert empty.pixels.std() < 6


def test_too_many_is_an_error():
    with pytest.raises(
        ValueError, match=r"no room for \d+ sperm apart from one another in 25 x 25"
    ):
        render_field(100, 100, 60, 0)


def test_specs_must_be_as_many_as_asked_for():
    with pytest.raises(ValueError, match="expected 3 specs, got 1"):
        render_field(100, 100, 3, 0, specs=[PhantomSperm()])
