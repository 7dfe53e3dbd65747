from __future__ import annotations

import numpy as np
import pytest

from androscope.assessment.expected import expected_normal
from androscope.types import Assessment, PartVerdict, Verdict

LABELS = ("head", "vacuole")


def one(head: float, vacuole: float) -> Assessment:
    parts = tuple(
        PartVerdict(label, p, 0.5, Verdict.ABNORMAL if p >= 0.5 else Verdict.NORMAL)
        for label, p in zip(LABELS, (head, vacuole), strict=True)
    )
    return Assessment("a.png", None, parts)


def test_by_hand() -> None:
    found = expected_normal([one(0, 0), one(0.5, 0), one(0.2, 0.5), one(1, 0)], LABELS)
    assert found is not None
    assert found.fraction == pytest.approx((1 + 0.5 + 0.4 + 0) / 4)
    assert found.of == 4
    assert 0 <= found.low < found.fraction < found.high <= 1


def test_labels_that_do_not_count_are_left_out() -> None:
    found = expected_normal([one(0.25, 1)], ("head",))
    assert found is not None
    assert (found.fraction, found.low, found.high) == (0.75, 0.75, 0.75)


def test_of_no_sperm_nothing_is_expected() -> None:
    assert expected_normal([], LABELS) is None


def test_where_doubtful_defects_are_common_verdicts_count_too_few_and_this_does_not() -> None:
    rng = np.random.default_rng(0)
    chances = rng.beta(1, 3, (4000, 2))
    truly_normal = (rng.random(chances.shape) >= chances).all(axis=1).mean()
    found = expected_normal([one(*row) for row in chances.tolist()], LABELS)
    assert found is not None
    by_verdicts = (chances < 0.5).all(axis=1).mean()
    assert by_verdicts > truly_normal + 0.15
    assert found.low - 0.02 < truly_normal < found.high + 0.02
    # The textbook's interval of a mean, here with thousands of sperm.
    each = np.prod(1 - chances, axis=1)
    half = 1.96 * each.std() / len(each) ** 0.5
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)
