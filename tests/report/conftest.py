"""Results of two crops and one failure, with names as hostile as a file system allows."""

from __future__ import annotations

import numpy as np
import pytest

from androscope.types import Assessment, Crop, Cuts, Failure, PartVerdict, Results, Verdict

HOSTILE = '<script>alert("x")</script>&\'.png'


@pytest.fixture
def results() -> Results:
    def parts(head: float, tail: float) -> tuple[PartVerdict, ...]:
        return tuple(
            PartVerdict(label, p, 0.5, Verdict.ABNORMAL if p >= 0.5 else Verdict.NORMAL)
            for label, p in (("head", head), ("tail", tail))
        )

    pixels = np.arange(64 * 64, dtype=np.uint32).reshape(64, 64) // 16
    crop = pixels.astype(np.uint8)
    return Results(
        model="tiny",
        model_version="1.2.3",
        model_sha256="ab" * 32,
        labels=("head", "tail"),
        thresholds={"head": 0.5, "tail": 0.5},
        assessments=(
            Assessment("day 3/a.png", None, parts(0.25, 0.75)),
            Assessment(HOSTILE, 4, parts(0.5, 0.125), ("16-bit scaled to 8",)),
        ),
        failures=(
            Failure("=cmd|' /C calc'!A0.png", None, "image-unreadable", "is empty", "Export again"),
        ),
        crops=(Crop(crop, "day 3/a.png"), Crop(255 - crop, HOSTILE, 4)),
        extra={"pixel_size_um": "0.1"},
    )


@pytest.fixture
def undecided() -> Results:
    """Three sperm at an error rate: head undecided; head undecided, tail abnormal; all normal."""
    n, a, u = Verdict.NORMAL, Verdict.ABNORMAL, Verdict.UNDECIDED
    probabilities = {n: 0.1, a: 0.9, u: 0.4}
    return Results(
        model="tiny",
        model_version="1.2.3",
        model_sha256="ab" * 32,
        labels=("head", "tail"),
        thresholds={"head": 0.5, "tail": 0.5},
        assessments=tuple(
            Assessment(
                f"{number}.png",
                None,
                tuple(
                    PartVerdict(label, probabilities[v], 0.5, v)
                    for label, v in zip(("head", "tail"), verdicts, strict=True)
                ),
            )
            for number, verdicts in enumerate([(u, n), (u, a), (n, n)])
        ),
        error_rate=0.1,
        cuts={"head": Cuts(0.2, 0.6), "tail": Cuts(0.5, 0.3)},
    )


@pytest.fixture
def nothing() -> Results:
    return Results(model="tiny", model_sha256="ab" * 32, labels=("head", "tail"), assessments=())
