"""Where the shipped model calls a phantom's vacuoles abnormal, it mostly looks at the vacuoles."""

from __future__ import annotations

import numpy as np
import pytest

from androscope.imaging.phantom_set import clear_phantoms
from androscope.model.bundle import load_bundle
from androscope.model.saliency import BATCH, heat_maps
from androscope.model.session import Session
from androscope.types import FloatArray, UInt8Array

#: As far as `androscope benchmark trust` lets a peak lie from a vacuole's outline, px.
NEAR = 4


@pytest.mark.slow
def test_peaks_lie_on_vacuoles() -> None:
    session = Session(load_bundle())
    column = session.card.labels.index("vacuole")

    def grade(crops: UInt8Array) -> FloatArray:
        return session.predict(crops, batch_size=BATCH).probabilities

    phantoms = clear_phantoms("vacuole", 10, 23)
    pixels = np.stack([phantom.pixels for phantom in phantoms])
    called = grade(pixels)[:, column] >= session.card.thresholds["vacuole"]
    assert called.sum() >= 6
    hits = []
    for heat, phantom in zip(
        heat_maps(grade, pixels[called])[:, column],
        [phantom for phantom, is_called in zip(phantoms, called, strict=True) if is_called],
        strict=True,
    ):
        y, x = np.unravel_index(int(heat.argmax()), heat.shape)
        rows, columns = np.nonzero(phantom.masks["vacuole"])
        hits.append(np.hypot(rows - y, columns - x).min() <= NEAR)
    assert np.mean(hits) > 0.6
