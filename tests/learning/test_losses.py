from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")

from androscope.learning.config import LossConfig  # noqa: E402
from androscope.learning.losses import label_weights, masked_loss  # noqa: E402

pytestmark = pytest.mark.train


def by_hand(z: float, y: int, config: LossConfig) -> float:
    """One entry's loss, from the formulas with probabilities, in double precision."""
    p = 1 / (1 + math.exp(-z))
    t = {0: config.label_smoothing, 1: 1 - config.label_smoothing}[y]
    loss = -t * math.log(p) - (1 - t) * math.log(1 - p)
    return loss * (abs(t - p) ** config.focal_gamma if config.name == "focal" else 1)


@settings(max_examples=60, deadline=None)
@given(
    entries=st.lists(
        st.tuples(st.floats(-8, 8), st.sampled_from([0, 1, -1])), min_size=1, max_size=12
    ),
    name=st.sampled_from(["bce", "focal"]),
    smoothing=st.sampled_from([0.0, 0.05, 0.2]),
    gamma=st.sampled_from([0.5, 1.0, 2.0]),
)
def test_against_the_formulas(
    entries: list[tuple[float, int]], name: str, smoothing: float, gamma: float
) -> None:
    config = LossConfig(name=name, label_smoothing=smoothing, focal_gamma=gamma)
    logits = torch.tensor([[z] for z, _ in entries])
    targets = torch.tensor([[y] for _, y in entries], dtype=torch.int8)
    terms = [by_hand(z, y, config) for z, y in entries if y >= 0]
    wanted = sum(terms) / len(terms) if terms else 0.0
    assert masked_loss(logits, targets, config).item() == pytest.approx(wanted, rel=1e-3, abs=1e-5)


def test_focal_is_equation_4_of_lin_et_al() -> None:
    z, gamma = torch.tensor([[0.7]]), 2.0
    p = torch.sigmoid(z)
    config = LossConfig(name="focal", focal_gamma=gamma)
    positive = masked_loss(z, torch.tensor([[1]]), config)
    negative = masked_loss(z, torch.tensor([[0]]), config)
    assert torch.allclose(positive, -((1 - p) ** gamma) * p.log(), atol=1e-6)
    assert torch.allclose(negative, -(p**gamma) * (1 - p).log(), atol=1e-6)


def test_asymmetric_is_equation_7_of_ridnik_et_al() -> None:
    config = LossConfig(
        name="asymmetric", asymmetric_normal=3.0, asymmetric_abnormal=0.5, asymmetric_margin=0.1
    )
    z = torch.tensor([[-4.0], [-1.0], [0.2], [3.0]], dtype=torch.float64)
    p = z.sigmoid()
    q = (p - 0.1).clamp_min(0)
    for row in range(len(z)):
        one, soft = z[row : row + 1], torch.tensor([[0.3]])
        abnormal = -((1 - p[row]) ** 0.5) * p[row].log()
        normal = -(q[row] ** 3) * (1 - q[row]).log()
        for target, wanted in (
            (torch.tensor([[1]]), abnormal),
            (torch.tensor([[0]]), normal),
            (soft, 0.3 * abnormal + 0.7 * normal),
        ):
            got = masked_loss(one, target, config)
            assert float(got) == pytest.approx(float(wanted), rel=1e-4, abs=1e-6)


def test_asymmetric_without_focus_and_margin_is_cross_entropy() -> None:
    plain = LossConfig(
        name="asymmetric", asymmetric_normal=0, asymmetric_abnormal=0, asymmetric_margin=0
    )
    z, t = torch.linspace(-6, 6, 13)[:, None], torch.linspace(0, 1, 13)[:, None]
    assert torch.allclose(masked_loss(z, t, plain), masked_loss(z, t, LossConfig()), atol=1e-5)


@pytest.mark.parametrize("name", ["bce", "focal", "asymmetric"])
@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan, 1e30])
def test_what_nobody_labelled_has_no_gradient(name: str, bad: float) -> None:
    logits = torch.tensor([[0.3, bad], [bad, -0.2]], requires_grad=True)
    targets = torch.tensor([[1, -1], [-1, 0]])
    masked_loss(logits, targets, LossConfig(name=name)).backward()
    grad = logits.grad
    assert torch.equal(grad == 0, torch.tensor([[False, True], [True, False]]))
    assert torch.isfinite(grad).all()


@pytest.mark.parametrize("name", ["bce", "focal"])
def test_a_batch_without_any_label_is_zero_and_learns_nothing(name: str) -> None:
    logits = torch.randn(3, 2, requires_grad=True)
    loss = masked_loss(logits, torch.full((3, 2), -1), LossConfig(name=name))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(logits.grad, torch.zeros(3, 2))


def test_weights_go_to_their_labels() -> None:
    config = LossConfig(weights={"vacuole": 3.0})
    weights = label_weights(config, ("head", "vacuole"))
    assert weights.tolist() == [1.0, 3.0]
    z = torch.tensor([[0.5, 0.5]])
    one = by_hand(0.5, 1, config)
    got = masked_loss(z, torch.tensor([[1, 1]]), config, weights)
    assert got.item() == pytest.approx((1 * one + 3 * one) / 2, rel=1e-5)


def test_half_precision_logits_are_graded_in_single() -> None:
    z = torch.tensor([[12.0]], dtype=torch.bfloat16)
    got = masked_loss(z, torch.tensor([[1]]), LossConfig())
    assert got.dtype == torch.float32
    assert got.item() == pytest.approx(math.log1p(math.exp(-12.0)), rel=1e-3)


def test_a_confident_mistake_has_a_finite_loss() -> None:
    z = torch.tensor([[200.0]], requires_grad=True)
    for name in ("bce", "focal"):
        loss = masked_loss(z, torch.tensor([[0]]), LossConfig(name=name))
        assert loss.item() == pytest.approx(200)
