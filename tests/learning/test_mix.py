from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")

from androscope.learning.config import AugmentConfig  # noqa: E402
from androscope.learning.mix import cut_box, mix  # noqa: E402

pytestmark = pytest.mark.train


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def flat(count: int, size: int = 8) -> torch.Tensor:
    """Each crop of one grey level, its number: what is mixed can be read off the pixels."""
    return torch.arange(float(count))[:, None, None].expand(count, size, size).clone()


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(AugmentConfig(), id="neither"),
        pytest.param(AugmentConfig(enabled=False, mixup=1.0, cutmix=1.0), id="not augmented"),
    ],
)
def test_nothing_is_mixed_unasked(config: AugmentConfig) -> None:
    crops, targets = flat(4), torch.tensor([[0], [1], [0], [1]])
    got = mix(crops, targets, config, drawn())
    assert got[0] is crops
    assert got[1] is targets


def test_as_many_batches_are_mixed_as_is_said() -> None:
    config = AugmentConfig(mixup=1.0, mixed=0.3)
    crops, targets = flat(4), torch.tensor([[0], [1], [0], [1]])
    whole = [mix(crops, targets, config, drawn(seed))[0] is crops for seed in range(300)]
    assert 0.6 < np.mean(whole) < 0.8  # 4 standard deviations of 300 draws are 0.1
    assert mix(crops, targets, AugmentConfig(mixup=1.0, mixed=0.0), drawn())[0] is crops


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
@pytest.mark.parametrize("seed", range(5))
def test_labels_are_mixed_in_the_shares_of_the_pixels(kind: str, seed: int) -> None:
    crops = flat(6)
    # The label is the crop's number too, so the mean grey level is what the label must be.
    targets = torch.arange(6.0)[:, None] / 5
    mixed, labels = mix(crops, targets, AugmentConfig(**{kind: 1.0}), drawn(seed))
    assert torch.allclose(mixed.mean((1, 2)) / 5, labels[:, 0], atol=1e-6)
    assert torch.equal(crops, flat(6))
    if kind == "mixup":
        assert torch.allclose(mixed.amin((1, 2)), mixed.amax((1, 2)))
    else:
        whole = torch.isin(mixed, torch.arange(6.0))
        assert bool(whole.all())


def test_both_kinds_take_turns() -> None:
    config = AugmentConfig(mixup=1.0, cutmix=1.0)
    blended = 0
    for seed in range(40):
        mixed, _ = mix(flat(6), torch.zeros(6, 1), config, drawn(seed))
        blended += not bool(torch.isin(mixed, torch.arange(6.0)).all())
    assert 5 < blended < 35


def test_what_one_of_two_is_not_labelled_for_stays_unlabelled() -> None:
    targets = torch.tensor([[0, -1], [1, -1], [1, -1], [0, -1]])
    _, labels = mix(flat(4), targets, AugmentConfig(mixup=1.0), drawn(1))
    assert bool((labels[:, 1] == -1).all())
    assert bool(((labels[:, 0] >= 0) & (labels[:, 0] <= 1)).all())


def test_the_same_generator_gives_the_same() -> None:
    config = AugmentConfig(mixup=0.4)
    one, two, other = (mix(flat(6), torch.zeros(6, 1), config, drawn(s))[0] for s in (3, 3, 4))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


@given(st.integers(2, 64), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_a_box_lies_inside_and_is_no_larger_than_asked(size: int, share: float, seed: int) -> None:
    top, left, height, width = cut_box(size, share, np.random.default_rng(seed))
    assert 0 <= top <= top + height <= size
    assert 0 <= left <= left + width <= size
    longest = size * np.sqrt(1 - share) + 1
    assert height <= longest
    assert width <= longest
