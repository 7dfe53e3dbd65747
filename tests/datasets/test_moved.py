"""Phantoms from one source raise few alarms; blurred and brightened ones are found and named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy import stats

from androscope.assessment.tally import Counts
from androscope.datasets.appearance import MEASURES
from androscope.datasets.moved import FEWEST, WORDS, Gathered, drift, gather
from androscope.errors import EmptyInputError
from androscope.imaging.phantom_set import phantom_set
from androscope.predict import Grader

TINY = Path(__file__).resolve().parent.parent / "data" / "tiny-bundle"
POOL, EACH = 240, 30


def write(folder: Path, seed: int, n: int, how: str = "") -> None:
    folder.mkdir(parents=True)
    for number, phantom in enumerate(phantom_set(n, seed)):
        picture = Image.fromarray(phantom.pixels)
        if how == "blurred":
            picture = picture.filter(ImageFilter.GaussianBlur(1.2))
        if how == "brightened":
            picture = picture.point(lambda grey: min(255, grey + 30))
        picture.save(folder / f"{number}.png")


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Gathered:
    folder = tmp_path_factory.mktemp("pool") / "crops"
    write(folder, 0, POOL)
    return gather(folder, Grader(TINY, threads=1))


def part(pool: Gathered, rows: np.ndarray) -> Gathered:
    return replace(
        pool,
        embeddings=pool.embeddings[rows],
        measures={name: values[rows] for name, values in pool.measures.items()},
        samples=tuple(pool.samples[i] for i in rows),
    )


def test_false_alarms_on_phantoms_are_as_many_as_promised(pool: Gathered) -> None:
    draws, alpha = 150, 0.05
    model = measures = 0
    for seed in range(draws):
        rows = np.random.default_rng([5, seed]).permutation(POOL)[: 2 * EACH]
        found = drift(
            part(pool, rows[:EACH]), part(pool, rows[EACH:]),
            alpha=alpha, permutations=199, seed=seed,
        )  # fmt: skip
        model += found.model_moved
        measures += bool(found.moved_measures)
    low, high = stats.binom.ppf([0.001, 0.999], draws, alpha)
    assert low <= model <= high
    assert low <= measures <= high


@pytest.mark.parametrize(
    ("how", "measure", "word"),
    [
        pytest.param("blurred", "noise", "blurred", id="blurred"),
        pytest.param("brightened", "mean", "brighter", id="brightened"),
    ],
)
def test_a_move_is_found_and_named(
    pool: Gathered, tmp_path: Path, how: str, measure: str, word: str
) -> None:
    write(tmp_path / "new", 1, 60, how)
    found = drift(pool, gather(tmp_path / "new", Grader(TINY, threads=1)))
    assert found.moved
    assert found.measures[0].name == measure
    assert word in found.moved_measures[0].words


def test_sub_folders_are_samples_in_natural_order(tmp_path: Path) -> None:
    for name in ("day10", "day2"):
        write(tmp_path / "new" / name / "deeper", len(name), 12)
    found = gather(tmp_path / "new", Grader(TINY, threads=1))
    assert list(found.counts) == ["day2", "day10"]
    assert found.total.assessed == 24
    assert found.total == Counts(
        *(sum(getattr(c, what) for c in found.counts.values())
          for what in ("normal", "abnormal", "undecided"))
    )  # fmt: skip
    assert set(found.samples) == {"day2", "day10"}


def test_a_drawn_part_of_many_is_compared_and_all_are_counted(tmp_path: Path) -> None:
    write(tmp_path / "new", 3, 40)
    grader = Grader(TINY, threads=1)
    found = gather(tmp_path / "new", grader, most=25, seed=1)
    whole = gather(tmp_path / "new", grader)
    assert len(found.embeddings) == len(found.samples) == 25
    assert all(len(values) == 25 for values in found.measures.values())
    assert found.total == whole.total
    rows = {tuple(row) for row in whole.embeddings}
    assert len({tuple(row) for row in found.embeddings} & rows) == 25


def test_too_few_crops_are_refused_and_bad_ones_counted(tmp_path: Path) -> None:
    write(tmp_path / "new", 0, FEWEST - 1)
    (tmp_path / "new" / "bad.png").write_bytes(b"no picture")
    message = f"expected {FEWEST} crops at least, got {FEWEST - 1}; 1 images could not be graded"
    with pytest.raises(EmptyInputError, match=message):
        gather(tmp_path / "new", Grader(TINY, threads=1))


def test_every_measure_has_its_words() -> None:
    assert WORDS.keys() == MEASURES.keys()
