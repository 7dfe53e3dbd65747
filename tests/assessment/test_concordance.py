from __future__ import annotations

import numpy as np
import pytest

from androscope.assessment.concordance import WHOLE, concordance
from androscope.assessment.matching import Matched, Observer, Sperm, match
from androscope.errors import VerdictsError

N, SAMPLES = 120, 4


def matched(observers: int = 2, *, patients: bool = True, folders: bool = True) -> Matched:
    draw = np.random.default_rng(5)
    truth = draw.random((N, 2)) < 0.3
    made = []
    for number in range(observers):
        given = np.where(draw.random((N, 2)) < 0.1, ~truth, truth).astype(int)
        given[draw.random((N, 2)) < 0.05] = -1
        made.append(
            Observer(
                f"o{number}",
                ("head", "tail"),
                tuple(
                    Sperm(
                        f"f{i % SAMPLES}/{i}.png" if folders else f"{i}.png",
                        dict(zip(("head", "tail"), row.tolist(), strict=True)),
                        patient=f"p{i % 3}" if patients and i else "",
                    )
                    for i, row in enumerate(given)
                ),
            )
        )
    return match(made)


def test_two_observers() -> None:
    given = matched()
    found = concordance(given)
    assert found.labels == ("head", "tail", WHOLE)
    assert (found.n, found.by, found.samples, found.fleiss) == (N, "patient", 3, {})
    (pair,) = found.pairs
    a, b = given.verdicts[:, :, 0]
    decided = (a >= 0) & (b >= 0)
    assert pair.pairs["head"].n == decided.sum()
    assert found.undecided["head"] == ((a == -1).sum(), (b == -1).sum())
    for number, sample in enumerate(sorted(pair.samples["head"].samples, key=lambda s: s.name)):
        here = decided & (np.array(given.patients) == f"p{number}")
        assert (sample.name, sample.n) == (f"p{number}", here.sum())
        assert sample.percent_a == pytest.approx(100 * (a[here] == 0).mean())
        assert sample.percent_b == pytest.approx(100 * (b[here] == 0).mean())


def test_three_observers_are_compared_in_pairs_and_together() -> None:
    found = concordance(matched(3))
    assert [(p.a, p.b) for p in found.pairs] == [("o0", "o1"), ("o0", "o2"), ("o1", "o2")]
    assert set(found.fleiss) == set(found.labels)
    assert found.fleiss["head"].value is not None
    assert 0 < found.fleiss["head"].value < 1


@pytest.mark.parametrize(
    ("patients", "folders", "by", "samples"),
    [
        pytest.param(True, True, None, 3, id="patients first"),
        pytest.param(False, True, None, SAMPLES, id="then folders"),
        pytest.param(True, True, "folder", SAMPLES, id="folders if asked"),
        pytest.param(False, False, None, 0, id="neither"),
    ],
)
def test_what_a_sample_is(patients: bool, folders: bool, by: str | None, samples: int) -> None:
    found = concordance(matched(patients=patients, folders=folders), by)  # type: ignore[arg-type]
    assert found.samples == samples
    shown = found.pairs[0].samples
    assert (len(shown["head"].samples) if shown else 0) == samples


def test_patients_that_nobody_named_are_asked_for() -> None:
    with pytest.raises(VerdictsError, match="no file names patients"):
        concordance(matched(patients=False), "patient")
