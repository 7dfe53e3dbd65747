"""Training watched from outside, epoch by epoch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from androscope.learning.training import train

from . import tiny

pytestmark = pytest.mark.train


class Stop(Exception):  # noqa: N818  (no error: the one who watches has seen enough)
    """Raised by the one who watches."""


def test_each_epoch_is_shown_and_training_can_be_ended_and_taken_up(tmp_path: Path) -> None:
    config = tiny.config("stage1.epochs=3", "stage2.default.epochs=1")
    data = tiny.dataset()
    seen: list[int] = []

    def until_the_second(epoch: int, given: np.ndarray, truth: np.ndarray) -> None:
        seen.append(epoch)
        assert given.shape == truth.shape == (32, 2)
        assert (given.dtype, truth.dtype) == (np.float32, np.int8)
        assert ((given >= 0) & (given <= 1)).all()
        assert (truth == data.splits["valid"].labels).all()
        if epoch == 1:
            raise Stop

    with pytest.raises(Stop):
        train(config, tmp_path / "run", dataset=data, quiet=True, watch=until_the_second)
    assert seen == [0, 1]
    again: list[int] = []
    run = train(
        config,
        tmp_path / "run",
        dataset=data,
        quiet=True,
        watch=lambda epoch, given, truth: again.append(epoch),
    )
    # The epoch that was shown when it ended had no checkpoint yet.
    assert again == [1, 2]
    plain = train(config, tmp_path / "plain", dataset=data, quiet=True)
    assert run.record["network_sha256"] == plain.record["network_sha256"], (
        "watching changes nothing"
    )
