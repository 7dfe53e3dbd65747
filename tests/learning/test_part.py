from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from androscope.errors import ConfigError, TrainingError
from androscope.learning.graph import Agreement
from androscope.learning.part import part_of
from androscope.learning.protocol import protocol
from androscope.learning.run import train

from .tiny import config as quick
from .tiny import dataset, discs

pytestmark = pytest.mark.train


def test_all_is_all() -> None:
    crops = discs(20)
    assert part_of(crops, 1.0, 3) == (crops, None)


@settings(max_examples=30)
@given(share=st.floats(0.2, 0.99), seed=st.integers(0, 2**32 - 1))
def test_every_combination_of_labels_keeps_its_share(share: float, seed: int) -> None:
    crops = discs(200, seed=5)
    part, record = part_of(crops, share, seed)
    assert record is not None
    assert len(part) == record["crops"] == round(share * 200)
    rows = [crops.ids.index(name) for name in part.ids]
    assert rows == sorted(set(rows))
    assert (part.labels == crops.labels[rows]).all()
    for combination in np.unique(crops.labels, axis=0):
        whole = (crops.labels == combination).all(axis=1).sum()
        here = (part.labels == combination).all(axis=1).sum()
        # Each combination is cut within a crop of the share, the last place is settled among them.
        assert abs(here - share * whole) <= 2


def test_a_smaller_share_is_a_part_of_a_larger_one() -> None:
    crops = discs(100, seed=5)
    ids = [set(part_of(crops, share, 7)[0].ids) for share in (0.2, 0.5, 0.51, 0.9)]
    assert ids[0] < ids[1] < ids[2] < ids[3]
    assert set(part_of(crops, 0.5, 8)[0].ids) != ids[1]
    assert part_of(crops, 0.5, 7)[1] == part_of(crops, 0.5, 7)[1]


def test_a_class_that_is_lost() -> None:
    crops = discs(20)
    crops.labels[:, 0] = [0, 1] * 10
    crops.labels[:, 1] = 0
    with pytest.raises(TrainingError) as caught:
        part_of(crops, 0.2, 1)
    assert str(caught.value) == (
        "data.train_share 0.2 leaves 4 normal and 0 abnormal train crops for vacuole; one of each "
        "at least is needed. Learn from a larger share"
    )


def test_a_share_is_one() -> None:
    with pytest.raises(ConfigError, match="expected a number above 0 up to 1, got 0"):
        quick("data.train_share=0")


def test_a_run_learns_from_its_part_and_says_so(tmp_path: Path) -> None:
    changes = ("data.train_share=0.5", "data.held_out_folds=2", "stage1.epochs=1")
    run = train(quick(*changes), tmp_path / "run", dataset=dataset(), quiet=True)
    part, held = run.record["part"], run.record["held_out"]
    assert (part["share"], part["crops"], part["of"]) == (0.5, 16, 32)
    assert len(held["crops"]) == 32
    assert run.record["data"]["splits"]["train"]["crops"] == 64, "the data is the whole"
    agreed = Agreement(probabilities=1e-6, embedding=1e-5, crops=4)
    said = protocol([run], 1, agreed, [])
    assert "Learned from a part of the train crops: 16 of 32." in said
