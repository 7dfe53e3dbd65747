"""The section on heat maps: its parts on answers that are known, the whole on the tiny bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the train extra: onnx is not installed")
pytest.importorskip("scipy")

import onnx
from onnx import numpy_helper

from androscope.datasets import LabelledCrops
from androscope.imaging.phantom_set import clear_phantoms
from androscope.learning.trust import explain_curves, explain_section
from androscope.learning.trust.explain_curves import mean_interval
from androscope.learning.trust.explain_section import (
    measure,
    misses,
    rank_correlations,
)
from androscope.learning.trust.randomised import learned, shuffled
from androscope.learning.trust.sections import Section, Trial
from androscope.model.bundle import load_bundle
from androscope.model.session import Session

pytestmark = pytest.mark.train

VERDICTS = ("normal", "abnormal")
TINY = Path(__file__).parents[2] / "data" / "tiny-bundle"


def _weights(model: bytes) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    graph = onnx.load_from_string(model).graph
    return {item.name: numpy_helper.to_array(item) for item in graph.initializer}


@pytest.mark.parametrize("share", [0.01, 0.5, 1.0])
def test_shuffled_weights(share: float) -> None:
    bundle = load_bundle(TINY)
    names = learned(onnx.load_from_string(bundle.model))
    assert len(names) >= 2
    before, after = _weights(bundle.model), _weights(shuffled(bundle, share, 0).model)
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    count = max(1, round(share * len(names)))
    assert changed <= set(names[-count:])
    assert names[-1] in changed
    for name in changed:
        np.testing.assert_array_equal(np.sort(before[name], None), np.sort(after[name], None))
    assert shuffled(bundle, share, 0).model == shuffled(bundle, share, 0).model
    assert shuffled(bundle, share, 0).model != shuffled(bundle, share, 1).model


def test_a_peak_is_measured_from_the_vacuoles_outline() -> None:
    (phantom,) = clear_phantoms("vacuole", 1, 0)
    rows, columns = np.nonzero(phantom.masks["vacuole"])
    heat = np.zeros((64, 64), np.float32)
    heat[rows[0], columns[0]] = 1
    assert misses(heat, phantom) == 0
    heat[:] = 0
    heat[0, 0] = 1
    wanted = min(np.hypot(r, c) for r, c in zip(rows, columns, strict=True))
    assert misses(heat, phantom) == pytest.approx(wanted)


def test_filling_in_takes_the_vacuole_with_its_outline() -> None:
    (phantom,) = clear_phantoms("vacuole", 1, 0)
    hidden = explain_section._outlined(phantom)[0] > 0
    inside = phantom.masks["vacuole"] > 0
    assert (hidden & inside).sum() == inside.sum()
    rows, columns = np.nonzero(hidden & ~inside)
    heat = np.zeros((64, 64), np.float32)
    away = []
    for row, column in zip(rows, columns, strict=True):
        heat[:] = 0
        heat[row, column] = 1
        away.append(misses(heat, phantom))
    assert 0 < max(away) <= 2


def test_rank_correlations() -> None:
    maps = np.random.default_rng(0).random((2, 2, 8, 8), np.float32)
    assert rank_correlations(maps, 3 * maps + 1) == pytest.approx([1.0] * 4)
    assert rank_correlations(maps, -(maps**3)) == pytest.approx([-1.0] * 4)
    assert rank_correlations(maps, np.zeros_like(maps)) == [0.0] * 4


def test_the_interval_of_a_mean() -> None:
    values = np.random.default_rng(1).normal(2, 1, 200)
    low, high = mean_interval(values, seed=0, resamples=2000)
    error = 1.96 * values.std() / np.sqrt(200)
    assert (low, high) == pytest.approx((values.mean() - error, values.mean() + error), abs=0.02)


@pytest.fixture(scope="module")
def section() -> Section:
    session = Session(load_bundle(TINY), threads=1)
    pixels = np.stack([p.pixels for p in clear_phantoms(None, 5, 0)])
    labels = np.zeros((5, 2), np.int8)
    data = LabelledCrops(pixels, labels, ("head", "vacuole"), tuple(f"valid/{i}" for i in range(5)))
    trial = Trial(session, "phantoms", "valid", data, session.predict(pixels), resamples=100)
    with pytest.MonkeyPatch.context() as patch:
        for name, small in (
            ("PHANTOMS", 4), ("_SANITY_CROPS", 1), ("_SANITY_SEEDS", (0,)), ("_TIMED", 1),
        ):  # fmt: skip
            patch.setattr(explain_section, name, small)
        patch.setattr(explain_curves, "CROPS", 3)
        patch.setattr(explain_curves, "ABNORMAL_CROPS", 2)
        return measure(trial)


def test_what_the_section_says(section: Section) -> None:
    what = [row.what for row in section.rows]
    for label in ("head", "vacuole"):
        for curve in ("deletion", "insertion"):
            for prior in ("a random map", "a centre prior"):
                row = section.rows[what.index(f"{label}: {curve}, gain on {prior}")]
                assert row.goal == 0
                assert row.low is not None
                assert row.high is not None
                assert row.measured is not None
                assert row.low <= row.measured <= row.high
    assert "time to explain one crop, all labels" in what
    shuffled = section.rows[
        what.index("size of the rank correlation with the maps of shuffled weights")
    ]
    assert shuffled.goal == 0.2
    assert shuffled.low is not None
    assert 0 <= shuffled.low <= (shuffled.measured or 0)
    assert "with its sign" in shuffled.note
    assert any("phantoms with clear vacuoles" in name for name in what)
    assert "Curves are of 3 of the 5 crops" in section.remarks[0]
    assert "within 2 or 4 px of its outline" in section.remarks[3]


def test_each_verdict_has_rows_of_its_own(section: Section) -> None:
    labelled = [row.what.split(": ")[0] for row in section.rows if ": " in row.what]
    verdicts = {name for name in labelled if " called " in name}
    assert verdicts & {f"{label} called {v}" for label in ("head", "vacuole") for v in VERDICTS}
    for verdict in verdicts:
        rows = {r.what.split(": ")[1]: r for r in section.rows if r.what.startswith(verdict)}
        assert rows["insertion, gain on a random map"].goal == 0
        assert rows["maps in which a place is ringed"].goal is None


def test_the_goal_is_on_peaks_that_are_on_the_vacuole_itself(section: Section) -> None:
    rows = [row for row in section.rows if "the map's peak is" in row.what]
    if not rows:
        pytest.skip("the tiny network calls no vacuole abnormal")
    assert [row.what.removeprefix("of these, the map's peak is ") for row in rows] == [
        "on a vacuole", "within 2 px of one", "within 4 px of one",
    ]  # fmt: skip
    assert [row.goal for row in rows] == [0.8, None, None]
    ceiling = next(row for row in section.rows if "are filled in" in row.what)
    assert ceiling.goal is None
    assert 0 <= (ceiling.measured or 0) <= 1
    measured = [row.measured or 0 for row in rows]
    assert measured == sorted(measured)
    assert all("the crop's centre is in" in row.note for row in rows)
