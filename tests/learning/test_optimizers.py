from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")

from androscope.learning.config import OptimizerConfig  # noqa: E402
from androscope.learning.optimizers import build_optimizer, build_schedule, rate  # noqa: E402

pytestmark = pytest.mark.train

NAMES = ["adamw", "adam", "sgd", "rmsprop", "adagrad", "adadelta", "adamax", "nadam"]


@pytest.mark.parametrize("name", NAMES)
def test_every_optimizer_goes_downhill(name: str) -> None:
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)
    config = OptimizerConfig(name=name, lr=1.0 if name == "adadelta" else 0.01, weight_decay=0)
    optimizer = build_optimizer(model, config)
    assert type(optimizer).__name__.lower() == name
    x = torch.randn(32, 3)
    y = x.sum(1, keepdim=True)
    losses = []
    for _ in range(60):
        loss = (model(x) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_biases_are_not_decayed_and_frozen_weights_not_moved() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2), torch.nn.Linear(2, 1))
    model[2].requires_grad_(False)
    decayed, free = build_optimizer(model, OptimizerConfig(weight_decay=0.1)).param_groups
    assert [tuple(p.shape) for p in decayed["params"]] == [(2, 3)]
    assert decayed["weight_decay"] == 0.1
    assert [tuple(p.shape) for p in free["params"]] == [(2,), (2,), (2,)]
    assert free["weight_decay"] == 0


@pytest.mark.parametrize(
    ("schedule", "step", "factor"),
    [
        pytest.param("cosine", 0, 0.05, id="first step of the warm-up"),
        pytest.param("cosine", 9, 0.5 * 0.5 * (1 + math.cos(math.pi * 0.09)), id="half warm"),
        pytest.param("cosine", 50, 0.5, id="half way"),
        pytest.param("cosine", 100, 0.0, id="end"),
        pytest.param("constant", 9, 0.5, id="constant, half warm"),
        pytest.param("constant", 19, 1.0, id="constant, warm"),
        pytest.param("constant", 99, 1.0, id="constant, end"),
    ],
)
def test_learning_rate(schedule: str, step: int, factor: float) -> None:
    config = OptimizerConfig(schedule=schedule, warmup_epochs=2)
    assert rate(step, config, steps=100, steps_per_epoch=10) == pytest.approx(factor, abs=1e-12)


def test_without_warm_up_the_first_step_is_whole() -> None:
    config = OptimizerConfig(schedule="constant", warmup_epochs=0)
    assert rate(0, config, steps=10, steps_per_epoch=5) == 1


def test_the_schedule_holds_no_code_to_pickle() -> None:
    optimizer = build_optimizer(torch.nn.Linear(2, 1), OptimizerConfig())
    schedule = build_schedule(optimizer, OptimizerConfig(), steps=10, steps_per_epoch=5)
    assert schedule.state_dict()["lr_lambdas"] == [None, None]
