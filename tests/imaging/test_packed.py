"""Packed masks beside scipy's morphology."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from androscope.imaging.packed import SIDE, dilated, eroded, filled, flooded, packed, unpacked


def _masks(seed: int, share: float) -> np.ndarray:
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).random((3, SIDE, SIDE)), (0, 2, 2))
    return smooth > np.quantile(smooth, 1 - share)


@given(seed=st.integers(0, 2**20), share=st.floats(0.1, 0.9))
@settings(max_examples=20)
def test_as_scipy_has_it(seed: int, share: float) -> None:
    masks = _masks(seed, share)
    bits = packed(masks)
    assert (unpacked(bits) == masks).all()
    for corners in (False, True):
        shape = ndimage.generate_binary_structure(2, 2 if corners else 1)
        for mask, grown, shrunk in zip(
            masks,
            unpacked(dilated(bits, corners=corners)),
            unpacked(eroded(bits, corners=corners)),
            strict=True,
        ):
            assert (grown == ndimage.binary_dilation(mask, shape)).all()
            assert (shrunk == ndimage.binary_erosion(mask, shape, border_value=1)).all()
    for mask, full in zip(masks, unpacked(filled(bits)), strict=True):
        assert (full == ndimage.binary_fill_holes(mask)).all()
    seeds = np.zeros_like(masks)
    seeds[:, SIDE // 2, SIDE // 2] = True
    for mask, reached in zip(masks, unpacked(flooded(packed(seeds), bits)), strict=True):
        labels, _ = ndimage.label(mask)
        here = labels[SIDE // 2, SIDE // 2]
        assert (reached == ((labels == here) & (here > 0))).all()
