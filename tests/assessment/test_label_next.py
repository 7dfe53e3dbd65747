from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from androscope.assessment.label_next import doubt, gradients, rank

HALF = (0.5, 0.5)


def pool(n: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    return draw.random((n, 2)), draw.normal(size=(n, 5))


@pytest.mark.parametrize(
    ("probability", "threshold", "expected"),
    [
        pytest.param(0.5, 0.5, 1.0, id="at-the-threshold"),
        pytest.param(0.3, 0.3, 1.0, id="at-another"),
        pytest.param(0.1, 0.5, 0.2, id="sure-of-normal"),
        pytest.param(0.9, 0.5, 0.2, id="sure-of-abnormal"),
        pytest.param(1.0, 0.5, 0.0, id="at-the-end"),
    ],
)
def test_doubt(probability: float, threshold: float, expected: float) -> None:
    assert doubt([[probability]], [threshold])[0, 0] == pytest.approx(expected, abs=1e-5)


def test_gradients_are_those_of_the_cross_entropy() -> None:
    """Against torch's, of each label's last layer, for the label the model itself gives."""
    torch = pytest.importorskip("torch")
    p, e = pool(6)
    found, centre, scale = gradients(p, HALF, e)
    for i in range(6):
        place = torch.tensor([*(e[i] - centre) / scale, 1.0])
        layer = torch.zeros(2, 6, dtype=torch.float64, requires_grad=True)
        offset = torch.logit(torch.tensor(p[i]))  # the layer stands where it gives p
        logits = layer @ place + offset
        torch.nn.functional.binary_cross_entropy_with_logits(
            logits, torch.tensor((p[i] >= 0.5).astype(float)), reduction="sum"
        ).backward()
        own = np.outer(found.errors[i], found.places[i])
        np.testing.assert_allclose(own, layer.grad.numpy(), atol=1e-9)
        assert found.lengths()[i] == pytest.approx(float((layer.grad**2).sum()))
        np.testing.assert_allclose(
            found.products(found.errors[0], found.places[0])[i],
            (own * np.outer(found.errors[0], found.places[0])).sum(),
        )


@settings(max_examples=25)
@given(st.integers(1, 30), st.integers(1, 40), st.integers(0, 2**16))
def test_each_crop_comes_once(n: int, count: int, seed: int) -> None:
    p, e = pool(n, seed)
    picks = rank(p, HALF, e, count, seed=seed)
    assert len({pick.row for pick in picks}) == len(picks) == min(n, count)
    assert all(0 <= pick.doubt <= 1 and pick.novelty >= 0 for pick in picks)
    assert picks == rank(p, HALF, e, count, seed=seed)


def test_the_first_is_the_longest_gradient() -> None:
    p, e = pool()
    found, _, _ = gradients(p, HALF, e)
    first = rank(p, HALF, e, 1)[0]
    assert first.row == int(found.lengths().argmax())
    assert first.novelty == pytest.approx(1)


def test_copies_come_last() -> None:
    p, e = pool(10)
    picks = rank(np.tile(p, (3, 1)), HALF, np.tile(e, (3, 1)), 30)
    assert {pick.row % 10 for pick in picks[:10]} == set(range(10))
    assert all(pick.novelty == pytest.approx(0, abs=1e-6) for pick in picks[10:])


def test_doubted_crops_of_every_kind_come_before_sure_ones() -> None:
    """Four clusters, in each a tenth doubted: most of the first twelve are, and of all four."""
    draw = np.random.default_rng(0)
    kind = np.arange(400) % 4
    e = 8 * np.eye(4)[kind] + draw.normal(size=(400, 4))
    doubted = draw.random(400) < 0.1
    p = np.where(doubted, 0.45, 0.02)[:, None]
    picks = [pick.row for pick in rank(p, (0.5,), e, 12)]
    assert doubted[picks].sum() >= 10
    assert set(kind[picks]) == {0, 1, 2, 3}


def test_what_is_like_labelled_crops_comes_later() -> None:
    draw = np.random.default_rng(0)
    kind = np.arange(60) % 2
    e = 10 * np.eye(2)[kind] + 0.1 * draw.normal(size=(60, 2))
    p = np.full((60, 1), 0.4)
    labelled = p[kind == 0], e[kind == 0]
    picks = [pick.row for pick in rank(p, (0.5,), e, 1, labelled=labelled)]
    assert (kind[picks] == 1).all()


@pytest.mark.parametrize(
    ("p", "e", "count", "message"),
    [
        pytest.param(np.zeros(3), np.zeros((3, 2)), 1, "expected", id="one-axis"),
        pytest.param(np.zeros((3, 1)), np.zeros((2, 2)), 1, "expected", id="lengths"),
        pytest.param(np.zeros((3, 1)), np.zeros((3, 2)), 0, "at least 1", id="none"),
    ],
)
def test_wrong_arguments(p: np.ndarray, e: np.ndarray, count: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rank(p, (0.5,) * p.shape[-1], e, count)
