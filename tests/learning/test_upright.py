from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from androscope.imaging.phantom_set import phantom_set  # noqa: E402
from androscope.learning.augment import warp  # noqa: E402
from androscope.learning.export import export  # noqa: E402
from androscope.learning.run import train  # noqa: E402
from androscope.learning.upright import Upright  # noqa: E402
from androscope.model.bundle import load_bundle  # noqa: E402
from androscope.model.session import Session  # noqa: E402

from .tiny import config as quick  # noqa: E402
from .tiny import dataset  # noqa: E402

pytestmark = pytest.mark.train

SIZE = 64


def head(angle: float, *, tail: float = 20.0) -> torch.Tensor:
    """A crop ``(1, S, S)`` of an ellipse and a line at one end; the angle from x, y being down."""
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    along = x * math.cos(angle) + y * math.sin(angle)
    across = y * math.cos(angle) - x * math.sin(angle)
    inside = (along / 14) ** 2 + (across / 8) ** 2 < 1
    line = (along > 14) & (along < 14 + tail) & (np.abs(across) < 1.5)
    return torch.from_numpy((90 + 60.0 * inside + 40.0 * line).astype(np.float32))[None]


@settings(max_examples=40, deadline=None)
@given(st.floats(-math.pi, math.pi))
def test_a_head_stands_upright_whichever_way_it_lay(angle: float) -> None:
    layer = Upright(SIZE)
    turned = layer(head(angle))
    cos, sin = layer.direction(turned)
    assert abs(float(cos)) < 0.05
    assert float(sin) > 0.99, "the tail's end is the same"
    inner = slice(12, 52)
    apart = (turned - layer(head(0.3)))[:, inner, inner].abs()
    # Other pixels are sampled at other angles: the outlines differ by a fraction of a pixel.
    assert float(apart.mean()) < 2.5


def test_the_direction_turns_with_the_crop() -> None:
    crops = torch.from_numpy(np.stack([p.pixels for p in phantom_set(40, 5, size=SIZE)])).float()
    layer = Upright(SIZE)
    cos, sin = layer.direction(crops)
    turn = 0.7
    matrix = torch.tensor(
        [[math.cos(turn), math.sin(turn), 0.0], [-math.sin(turn), math.cos(turn), 0.0]]
    )
    after_cos, after_sin = layer.direction(warp(crops, matrix.repeat(len(crops), 1, 1)))
    off = torch.atan2(after_sin, after_cos) - torch.atan2(sin, cos) - turn
    off = torch.atan2(off.sin(), off.cos()).abs()
    assert float((off < 0.2).float().mean()) > 0.9


@pytest.mark.parametrize("grey", [0.0, 90.0, 255.0])
def test_a_flat_crop_stays_flat(grey: float) -> None:
    crops = torch.full((2, SIZE, SIZE), grey)
    assert torch.allclose(Upright(SIZE)(crops), crops, atol=1e-4)


def test_it_travels_in_the_bundle(tmp_path: Path) -> None:
    changes = ("backbone.upright=true", "stage1.epochs=1")
    run = train(quick(*changes), tmp_path / "run", dataset=dataset(), quiet=True)
    crops = dataset().splits["valid"].crops
    export(run, tmp_path / "bundle", crops=crops)
    session = Session(load_bundle(tmp_path / "bundle"))
    assert np.abs(session.predict(crops).probabilities - run.probabilities(crops)).max() < 1e-4
