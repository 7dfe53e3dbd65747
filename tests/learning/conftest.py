"""Runs that several tests of training learn from, each trained once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from androscope.learning.run import Run


@pytest.fixture(scope="session")
def teachers(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """A DMTL run of both labels and a DTL run of vacuole alone."""
    # Here, for without the train extra the tests beside this one are still collected.
    from androscope.learning.run import train

    from .tiny import config as quick
    from .tiny import dataset

    root = tmp_path_factory.mktemp("teachers")
    runs = {
        "both": quick("stage1.epochs=2"),
        "vacuole": quick("method=dtl", "labels=[vacuole]", "stage1.epochs=2", "seed=1"),
    }
    return [train(c, root / name, dataset=dataset(), quiet=True) for name, c in runs.items()]
