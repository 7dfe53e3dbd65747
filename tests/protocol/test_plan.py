from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

from androscope.errors import ConfigError
from androscope.protocol.file import Loaded, load_protocol
from androscope.protocol.plan import Task, config_sha256, plan

from .small import write_protocol

pytestmark = pytest.mark.train


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    return load_protocol(write_protocol(tmp_path / "p"))


def by_name(tasks: tuple[Task, ...]) -> dict[str, Task]:
    return {task.name: task for task in tasks}


def test_every_run_of_the_protocol(loaded: Loaded, tmp_path: Path) -> None:
    found = by_name(plan(loaded, tmp_path))
    assert list(found) == [
        "dmtl/seed-0",
        "dmtl/seed-1",
        "dtl/head-seed-5",
        "dtl/vacuole-seed-5",
        "ensemble",
        "taught/seed-0",
        "crossval/cv",
    ]
    assert found["dmtl/seed-1"].config.seed == 1
    assert found["dtl/vacuole-seed-5"].config.labels == ("vacuole",)
    assert found["ensemble"].needs == ("dmtl/seed-0", "dmtl/seed-1")
    assert (found["ensemble"].views, found["ensemble"].labels) == (8, ("head", "vacuole"))
    assert found["taught/seed-0"].config.teacher.runs == tuple(
        str(tmp_path / "runs" / "dmtl" / f"seed-{seed}") for seed in (0, 1)
    )
    assert found["crossval/cv"].reads_test
    assert found["crossval/cv"].folds == 2


def test_a_recipe_brings_what_it_needs(loaded: Loaded, tmp_path: Path) -> None:
    names = list(by_name(plan(loaded, tmp_path, ["taught"])))
    assert names == ["dmtl/seed-0", "dmtl/seed-1", "taught/seed-0"]
    assert list(by_name(plan(loaded, tmp_path, ["crossval/cv"]))) == ["crossval/cv"]


def test_an_unknown_recipe(loaded: Loaded, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(loaded, tmp_path, ["tought"])
    assert str(caught.value) == (
        "the protocol small has no recipe 'tought'; the nearest is taught. "
        "Choose among dmtl, dtl, ensemble, taught, crossval/cv"
    )


def test_the_hash_is_of_the_recipe_alone(loaded: Loaded, tmp_path: Path) -> None:
    here, there = (by_name(plan(loaded, tmp_path / name)) for name in "ab")
    taught = here["taught/seed-0"].config
    assert taught != there["taught/seed-0"].config
    assert config_sha256(taught) == config_sha256(there["taught/seed-0"].config)
    assert config_sha256(here["dmtl/seed-0"].config) == config_sha256(here["dmtl/seed-1"].config)
    assert config_sha256(taught) != config_sha256(here["dmtl/seed-0"].config)
