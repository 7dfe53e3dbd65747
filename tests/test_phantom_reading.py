"""The shipped model reads a clear phantom defect as that defect more often than not."""

from __future__ import annotations

import numpy as np
import pytest

from androscope.imaging.phantom_set import clear_phantoms
from androscope.model.bundle import load_bundle
from androscope.model.session import Session

N = 40


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(load_bundle())


@pytest.mark.parametrize("part", ["head", "acrosome", "vacuole"])
def test_clear_defects_are_read_and_clear_normals_are_not(session: Session, part: str) -> None:
    card = load_bundle().card
    column, threshold = card.labels.index(part), card.thresholds[part]
    called = [
        (session.predict(crops).probabilities[:, column] >= threshold).mean()
        for crops in (
            np.stack([phantom.pixels for phantom in clear_phantoms(which, N, 5)])
            for which in (part, None)
        )
    ]
    assert called[0] > 0.5
    assert called[1] < 0.25
