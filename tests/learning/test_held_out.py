from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from androscope.errors import ConfigError, TrainingError  # noqa: E402
from androscope.learning.config import TeacherConfig  # noqa: E402
from androscope.learning.graph import Agreement  # noqa: E402
from androscope.learning.held_out import asked, held_out_ids, without_fold  # noqa: E402
from androscope.learning.phantoms import with_phantoms  # noqa: E402
from androscope.learning.protocol import protocol  # noqa: E402
from androscope.learning.run import Run, train  # noqa: E402
from androscope.learning.teacher import opinion, soft_targets, teacher_facts  # noqa: E402

from .tiny import config as quick  # noqa: E402
from .tiny import dataset, discs  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Two runs, of which each holds out another half of the train crops."""
    root = tmp_path_factory.mktemp("halves")
    return [
        train(
            quick("data.held_out_folds=2", f"seed={seed}", "stage1.epochs=1"),
            root / str(seed),
            dataset=dataset(),
            quiet=True,
        )
        for seed in (0, 1)
    ]


@pytest.mark.parametrize("folds", [2, 3, 5])
def test_each_crop_is_held_out_by_one_seed_of_as_many_as_there_are_folds(folds: int) -> None:
    crops = discs(40, seed=3)
    out: list[str] = []
    for seed in range(folds):
        rest, held = without_fold(crops, folds, seed)
        assert held is not None
        assert (held["folds"], held["fold"]) == (folds, seed)
        assert sorted((*rest.ids, *held["crops"])) == sorted(crops.ids)
        assert rest.ids == tuple(name for name in crops.ids if name not in held["crops"])
        out += held["crops"]
    assert sorted(out) == sorted(crops.ids)


def test_folds_do_not_hang_on_the_seed_which_only_chooses_one() -> None:
    crops = discs(40, seed=3)
    assert without_fold(crops, 4, 1)[1] == without_fold(crops, 4, 9)[1]
    assert without_fold(crops, 4, 1)[1] != without_fold(crops, 4, 2)[1]


def test_without_folds_nothing_is_held_out() -> None:
    crops = discs(8)
    assert without_fold(crops, 0, 3) == (crops, None)


def test_patients_stay_whole() -> None:
    crops = discs(40, seed=3)
    patients = tuple(f"p{i // 4}" for i in range(40))
    known = type(crops)(crops.crops, crops.labels, crops.label_names, crops.ids, patients)
    _, held = without_fold(known, 5, 0)
    assert held is not None
    inside = {patients[crops.ids.index(name)] for name in held["crops"]}
    assert len(held["crops"]) == 4 * len(inside)


@pytest.mark.parametrize(
    ("count", "folds", "message"),
    [
        pytest.param(3, 5, "5 parts need at least 5 crops, got 3", id="more folds than crops"),
        pytest.param(
            2, 2, r"without fold 0 of 2, train has \d normal and \d abnormal crops", id="no class"
        ),
    ],
)
def test_folds_that_cannot_be_held_out(count: int, folds: int, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        without_fold(discs(count), folds, 0)


def test_one_fold_is_refused_where_it_is_written() -> None:
    with pytest.raises(ConfigError, match="held_out_folds is 0 for none, or 2 at least"):
        quick("data.held_out_folds=1")


def test_a_run_records_what_it_held_out_and_never_saw_it(halves: list[Run]) -> None:
    one, two = (held_out_ids(run) for run in halves)
    assert not one & two
    assert one | two == set(dataset().splits["train"].ids)
    assert [facts["held_out"] for facts in teacher_facts(halves)] == [
        {"folds": 2, "fold": 0},
        {"folds": 2, "fold": 1},
    ]
    assert halves[0].record["network_sha256"] != halves[1].record["network_sha256"]


def test_changing_what_is_held_out_changes_nothing_else(tmp_path: Path, halves: list[Run]) -> None:
    """With noise in place of the held-out crops' pixels, the same weights come out."""
    data = dataset()
    crops = data.splits["train"]
    pixels = crops.crops.copy()
    rows = [crops.ids.index(name) for name in held_out_ids(halves[0])]
    pixels[rows] = np.random.default_rng(0).integers(0, 255, pixels[rows].shape)
    noisy = type(crops)(pixels, crops.labels, crops.label_names, crops.ids)
    changed = type(data)(name="discs", splits={**data.splits, "train": noisy})
    config = quick("data.held_out_folds=2", "seed=0", "stage1.epochs=1")
    run = train(config, tmp_path / "run", dataset=changed, quiet=True)
    assert run.record["network_sha256"] == halves[0].record["network_sha256"]


def test_a_crop_is_asked_of_those_alone_that_held_it_out(halves: list[Run]) -> None:
    crops = dataset().splits["train"]
    who = asked(halves, crops)
    assert who.shape == (2, len(crops))
    assert (who.sum(axis=0) == 1).all()
    got = opinion(halves, crops.label_names, crops.crops, 1, who)
    for number, run in enumerate(halves):
        wanted = run.probabilities(crops.crops)
        np.testing.assert_allclose(got[who[number]], wanted[who[number]], atol=1e-6)


def test_targets_are_of_held_out_opinions_and_a_phantoms_truth_stays(halves: list[Run]) -> None:
    crops = with_phantoms(dataset().splits["train"], 5, 0)
    config = TeacherConfig(share=0.5, views=1, held_out=True)
    got = soft_targets(crops, halves, config, lambda _: None)
    assert got is not None
    real = len(crops) - 5
    who = asked(halves, crops)
    mean = opinion(halves, crops.label_names, crops.crops, 1, who)
    np.testing.assert_allclose(got[:real], 0.5 * crops.labels[:real] + 0.5 * mean[:real], atol=1e-6)
    assert np.isnan(mean[real:]).all()
    assert (got[real:] == crops.labels[real:]).all()


def test_a_card_says_what_its_networks_left_out_and_whom_they_learned_from(
    halves: list[Run], tmp_path: Path
) -> None:
    agreement = Agreement(crops=1, probabilities=0.0, embedding=0.0)
    text = protocol(halves, 8, agreement, [])
    assert "Left out of train, to grade it unlearned: part 1 of 2, 2 of 2." in text
    runs = ", ".join(str(run.folder) for run in halves)
    config = quick(f"teacher.runs=[{runs}]", "teacher.held_out=true", "stage1.epochs=1")
    pupil = train(config, tmp_path / "pupil", dataset=dataset(), quiet=True)
    text = protocol([pupil], 1, agreement, [])
    assert "of 2 networks trained before on the same crops, each crop's from those" in text
    assert "Left out of train" not in text


def test_crops_that_every_teacher_learned_are_refused(halves: list[Run]) -> None:
    crops = dataset().splits["train"]
    with pytest.raises(
        TrainingError, match=r"32 of 64 training crops were learned by every run of teacher\.runs"
    ):
        asked(halves[:1], crops)
