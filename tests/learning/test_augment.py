from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")

from androscope.learning.augment import augment, draw_affine, warp  # noqa: E402
from androscope.learning.config import AugmentConfig  # noqa: E402

pytestmark = pytest.mark.train

STILL = AugmentConfig(rotation=0, shift=0, flip=False, scale=1, brightness=1, contrast=1)


def source(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def crops(n: int = 4, size: int = 32, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, (n, size, size), generator=source(seed), dtype=torch.uint8)


def smooth(size: int = 33) -> torch.Tensor:
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, size)] * 2, indexing="ij")
    return (120 + 80 * torch.exp(-4 * ((x - 0.3) ** 2 + 2 * (y + 0.2) ** 2))).unsqueeze(0)


def test_nothing_to_do_changes_nothing() -> None:
    x = crops()
    assert torch.allclose(augment(x, STILL, source(0)), x.float(), atol=1e-3)
    assert torch.equal(augment(x, AugmentConfig(enabled=False), source(0)), x.float())
    assert augment(x[:0], AugmentConfig(), source(0)).shape == (0, 32, 32)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    n=st.integers(1, 5),
    size=st.integers(8, 40),
    rotation=st.floats(0, 360),
    shift=st.floats(0, 32),
    flip=st.booleans(),
    scale=st.floats(1, 2),
    brightness=st.floats(1, 4),
    contrast=st.floats(1, 4),
)
def test_grey_levels_stay_in_range(seed: int, n: int, size: int, **ranges: float) -> None:
    x = crops(n, size, seed % 1000)
    before = x.clone()
    got = augment(x, AugmentConfig(**ranges), source(seed))
    assert got.shape == x.shape
    assert got.dtype == torch.float32
    assert torch.isfinite(got).all()
    assert got.min() >= 0
    assert got.max() <= 255
    assert torch.equal(x, before)
    assert torch.equal(got, augment(x, AugmentConfig(**ranges), source(seed)))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_right_angle_is_a_rotated_array(quarters: int) -> None:
    x = smooth()
    angle = torch.tensor(quarters * torch.pi / 2)
    cos, sin = angle.cos(), angle.sin()
    matrix = torch.tensor([[[cos, -sin, 0], [sin, cos, 0]]])
    assert torch.allclose(warp(x, matrix), torch.rot90(x, quarters, (1, 2)), atol=1e-2)


def test_a_mirrored_crop_is_a_flipped_array() -> None:
    x = smooth()
    matrix = torch.tensor([[[-1.0, 0, 0], [0, 1, 0]]])
    assert torch.allclose(warp(x, matrix), x.flip(2), atol=1e-3)


def test_a_shift_is_in_pixels_of_the_crop() -> None:
    """The largest draw moves by exactly ``shift`` pixels."""
    size = 32
    config = STILL.model_copy(update={"shift": 5.0})
    matrices = draw_affine(2000, size, config, source(0))
    pixels = matrices[:, :, 2] * size / 2
    assert pixels.abs().max() <= 5
    assert pixels.abs().max() > 4.9
    moved = torch.tensor([[[1.0, 0, 2 * 3 / size], [0, 1, 0]]])
    x = crops(1, size).float()
    assert torch.allclose(warp(x, moved)[:, :, :-3], x[:, :, 3:], atol=1e-2)


def test_beyond_the_border_the_picture_is_mirrored() -> None:
    x = crops(1, 16).float()
    moved = torch.tensor([[[1.0, 0, 2 * 4 / 16], [0, 1, 0]]])
    assert torch.allclose(warp(x, moved)[:, :, -4:], x[:, :, -4:].flip(2), atol=1e-2)


def test_draws_cover_their_ranges() -> None:
    matrices = draw_affine(4000, 64, AugmentConfig(rotation=360, flip=True, scale=1.25), source(1))
    determinant = torch.linalg.det(matrices[:, :, :2])
    assert 0.45 < (determinant < 0).float().mean() < 0.55  # Mirrored once or not; not twice.
    zoom = determinant.abs().rsqrt()
    assert 0.8 - 1e-4 <= zoom.min() < 0.81
    assert 1.24 < zoom.max() <= 1.25 + 1e-4
    angle = torch.atan2(matrices[:, 1, 0], matrices[:, 0, 0])
    assert torch.histc(angle, 8, -torch.pi, torch.pi).min() > 350


def test_contrast_spreads_about_the_mean_and_brightness_multiplies() -> None:
    x = smooth()
    for seed in range(5):
        spread = augment(x, STILL.model_copy(update={"contrast": 1.5}), source(seed))
        assert torch.allclose(spread.mean(), x.mean(), atol=0.1)
        factor = spread.std() / x.std()
        assert 1 / 1.5 - 1e-3 <= factor <= 1.5 + 1e-3
        brighter = augment(x, STILL.model_copy(update={"brightness": 1.25}), source(seed))
        ratio = brighter / x
        assert torch.allclose(ratio, ratio.mean(), atol=1e-3)
        assert 0.8 - 1e-3 <= ratio.mean() <= 1.25 + 1e-3


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_around_it_changes_nothing(precision: torch.dtype) -> None:
    # In half precision sampling positions would be off by a quarter of a pixel.
    crops = torch.randint(0, 256, (4, 64, 64), dtype=torch.uint8)
    plain = augment(crops, AugmentConfig(), torch.Generator().manual_seed(1))
    with torch.autocast("cpu", precision):
        mixed = augment(crops, AugmentConfig(), torch.Generator().manual_seed(1))
    assert mixed.dtype == torch.float32
    assert torch.equal(plain, mixed)
