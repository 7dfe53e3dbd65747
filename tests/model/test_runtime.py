from __future__ import annotations

import os
from pathlib import Path

import pytest

from androscope.model import runtime
from androscope.model.bundle import load_bundle
from androscope.model.runtime import open_model, threads_for

TINY = Path(__file__).parent.parent / "data" / "tiny-bundle"


@pytest.mark.parametrize(
    ("wanted", "said", "available", "expected"),
    [
        pytest.param(3, "1", 2, 3, id="asked for"),
        pytest.param(0, "1", 64, 1, id="one of several processes"),
        pytest.param(0, "0", 64, 0, id="nothing said"),
        pytest.param(0, "two", 64, 0, id="no number"),
        pytest.param(0, None, 64, 0, id="the whole machine"),
        pytest.param(0, None, 2, 2, id="a share of the machine"),
        pytest.param(0, "4", 2, 4, id="said goes before the share"),
    ],
)
def test_threads(
    monkeypatch: pytest.MonkeyPatch, wanted: int, said: str | None, available: int, expected: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(runtime, "available_threads", lambda: available)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if said is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert threads_for(wanted) == expected


def test_a_process_told_its_share_keeps_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = load_bundle(TINY)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for wanted, expected in ((0, 1), (2, 2)):
        session = open_model(bundle.model, bundle.model_path, threads=wanted)
        assert session.get_session_options().intra_op_num_threads == expected
