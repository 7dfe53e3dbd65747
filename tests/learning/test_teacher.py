from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from androscope.errors import ConfigError, TrainingError  # noqa: E402
from androscope.learning.config import TeacherConfig  # noqa: E402
from androscope.learning.run import Run, train  # noqa: E402
from androscope.learning.teacher import load_teachers, opinion, soft_targets  # noqa: E402
from androscope.learning.views import dihedral_views  # noqa: E402

from .tiny import config as quick  # noqa: E402
from .tiny import dataset, discs  # noqa: E402

pytestmark = pytest.mark.train


def names(teachers: list[Run]) -> str:
    return "[" + ", ".join(str(run.folder) for run in teachers) + "]"


def test_the_opinion_is_the_mean_over_the_runs_that_grade_a_label_and_over_views(
    teachers: list[Run],
) -> None:
    crops = discs(10, seed=5).crops
    both, vacuole = teachers
    got = opinion(teachers, ("vacuole", "head"), crops, views=8)
    views = dihedral_views(crops)
    heads = np.mean([both.probabilities(v)[:, 0] for v in views], axis=0)
    one, two = ([run.probabilities(v)[:, -1] for v in views] for run in (both, vacuole))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got[:, 1], heads, atol=1e-6)
    np.testing.assert_allclose(got[:, 0], np.mean(one + two, axis=0), atol=1e-6)


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_a_target_lies_between_label_and_opinion_and_gaps_stay_gaps(
    teachers: list[Run], share: float
) -> None:
    crops = discs(30, seed=6, gaps=0.3)
    lines: list[str] = []
    config = TeacherConfig(share=share, views=1)
    got = soft_targets(crops, teachers, config, lines.append)
    assert got is not None
    mean = opinion(teachers, crops.label_names, crops.crops, 1)
    known = crops.labels >= 0
    np.testing.assert_allclose(
        got[known], ((1 - share) * crops.labels + share * mean)[known], atol=1e-6
    )
    assert (~known).any()
    assert (got[~known] == -1).all()
    assert lines == ["2 teachers, 1 views of 30 crops each"]
    assert soft_targets(crops, [], config, lines.append) is None


def test_a_run_learns_from_its_teachers_and_says_who_they_were(
    teachers: list[Run], tmp_path: Path
) -> None:
    config = quick(f"teacher.runs={names(teachers)}", "teacher.share=1.0", "stage1.epochs=2")
    run = train(config, tmp_path / "pupil", dataset=dataset(), quiet=True)
    assert [t["network_sha256"] for t in run.record["teachers"]] == [
        t.record["network_sha256"] for t in teachers
    ]
    alone = train(quick("stage1.epochs=2"), tmp_path / "alone", dataset=dataset(), quiet=True)
    assert "teachers" not in alone.record
    assert alone.record["network_sha256"] != run.record["network_sha256"]


def test_a_run_goes_on_with_the_teachers_it_began_with_alone(
    teachers: list[Run], tmp_path: Path
) -> None:
    def changed(line: str) -> None:
        if line.startswith("stage 2"):
            raise KeyboardInterrupt

    config = quick(f"teacher.runs={names(teachers)}", "stage1.epochs=1")
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "pupil", dataset=dataset(), report=changed)
    record = tmp_path / "pupil" / "run.json"
    hashes = [t.record["network_sha256"] for t in teachers]
    record.write_text(record.read_text().replace(hashes[0], hashes[0][::-1]))
    with pytest.raises(
        TrainingError, match=r"the runs of teacher\.runs changed since this run was"
    ):
        train(config, tmp_path / "pupil", dataset=dataset(), quiet=True)


def test_a_pupil_of_share_1_comes_to_its_teachers_opinion_not_to_the_labels(
    teachers: list[Run], tmp_path: Path
) -> None:
    """The teachers saw two epochs: they are unsure where the labels are sure."""
    data = dataset()
    longer = ("stage1.epochs=25", "stage1.optimizer.lr=0.01", "augment.enabled=false")
    config = quick(f"teacher.runs={names(teachers)}", "teacher.share=1.0", *longer)
    crops = data.splits["train"]
    wanted = opinion(teachers, crops.label_names, crops.crops, 8)
    pupil = train(config, tmp_path / "pupil", dataset=data, quiet=True).probabilities(crops.crops)
    alone = train(quick(*longer), tmp_path / "alone", dataset=data, quiet=True)
    far = np.abs(alone.probabilities(crops.crops) - wanted).mean()
    assert np.abs(pupil - wanted).mean() < far / 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            ("data.crop_size=64",), "grades crops of 32 px; data.crop_size is 64", id="size"
        ),
        pytest.param(
            ("labels=[head, tail]",),
            "no run of teacher.runs grades tail; they grade head, vacuole",
            id="label",
        ),
    ],
)
def test_teachers_that_do_not_fit_are_refused(
    teachers: list[Run], changes: tuple[str, ...], message: str
) -> None:
    with pytest.raises(TrainingError, match=message):
        load_teachers(quick(f"teacher.runs={names(teachers)}", *changes))


def test_a_teacher_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"is no run: run\.json is missing"):
        load_teachers(quick(f"teacher.runs=[{tmp_path}]"))


@pytest.mark.parametrize("key", ["stage1.balance", "stage2.default.balance"])
def test_made_crops_have_no_teacher(key: str) -> None:
    with pytest.raises(ConfigError, match=r"teacher\.runs knows nothing of crops made by smote"):
        quick("teacher.runs=[some/run]", f"{key}=smote")
