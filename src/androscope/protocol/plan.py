"""From a protocol to what has to be run: every run, ensemble and cross-validation, in order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from androscope.errors import ConfigError
from androscope.learning.config import Config
from androscope.learning.config_file import dump_config
from androscope.protocol.file import Loaded
from androscope.spelling import closest

__all__ = ["Task", "config_sha256", "folder_of", "plan"]

Kind = Literal["run", "ensemble", "crossval"]


@dataclass(frozen=True)
class Task:
    """One thing to be done in a process of its own.

    Attributes
    ----------
    kind
        A run is trained and read, an ensemble is read, a cross-validation does all by itself.
    group
        Name of the recipe, or of the cross-validation.
    name
        Unique, such as ``dmtl/seed-0``, ``dtl/head-seed-0``, ``crossval/dmtl``; also the folder
        below that of all runs.
    labels
        What it grades.
    seed
        Of a run.
    config
        Of a run or a cross-validation, whole; of an ensemble, that of its first member.
    needs
        Names of the runs that it cannot do without.
    views, folds, splits
        Of an ensemble; of a cross-validation.
    """

    kind: Kind
    group: str
    name: str
    labels: tuple[str, ...]
    config: Config
    seed: int | None = None
    needs: tuple[str, ...] = ()
    views: int = 1
    folds: int = 0
    splits: tuple[str, ...] = ()

    @property
    def reads_test(self) -> bool:
        """Whether it cannot be done without the test split."""
        return self.kind == "crossval" and "test" in self.splits


def folder_of(out: Path, name: str) -> Path:
    """Folder of a task in the benchmark's folder ``out``, from the root."""
    return out.resolve() / "runs" / name


def config_sha256(config: Config) -> str:
    """Hash of all that shapes a run but its seed.

    Left out are where data and teachers lie (their own hashes are kept) and the number of threads.
    """
    settled = config.model_copy(
        update={
            "seed": 0,
            "data": config.data.model_copy(update={"dataset": ""}),
            "teacher": config.teacher.model_copy(update={"runs": ()}),
            "trainer": config.trainer.model_copy(update={"threads": 0}),
        }
    )
    return hashlib.sha256(dump_config(settled).encode()).hexdigest()


def plan(loaded: Loaded, out: Path, recipes: Sequence[str] = ()) -> tuple[Task, ...]:
    """List all tasks, each below those that it needs.

    Parameters
    ----------
    loaded
        The protocol.
    out
        Folder of the benchmark; teachers are named by their whole path.
    recipes
        Names of recipes and, as ``crossval/NAME``, of cross-validations; what they need comes with
        them. All by default.

    Raises
    ------
    ConfigError
        If the protocol has none of that name.
    """
    protocol = loaded.protocol
    wanted = _with_needs(loaded, recipes)
    tasks: list[Task] = []
    for name, recipe in protocol.recipes.items():
        if name not in wanted:
            continue
        if recipe.ensemble is not None:
            members = [task for task in tasks if task.group == recipe.ensemble]
            graded = {label for member in members for label in member.labels}
            tasks.append(
                Task(
                    kind="ensemble",
                    group=name,
                    name=name,
                    labels=tuple(label for label in protocol.labels if label in graded),
                    config=members[0].config,
                    needs=tuple(member.name for member in members),
                    views=recipe.views,
                )
            )
            continue
        config = loaded.configs["recipes", name]
        teachers = [task for task in tasks if task.group == recipe.teachers]
        singles = [(label,) for label in protocol.labels] if recipe.per_label else [config.labels]
        for labels in singles:
            # A teacher of another label has nothing to say.
            useful = [t for t in teachers if set(t.labels) & set(labels)]
            for seed in protocol.seeds_of(recipe):
                prefix = f"{labels[0]}-" if recipe.per_label else ""
                tasks.append(
                    Task(
                        kind="run",
                        group=name,
                        name=f"{name}/{prefix}seed-{seed}",
                        labels=tuple(labels),
                        config=_settled(
                            config, labels, seed, [str(folder_of(out, t.name)) for t in useful]
                        ),
                        seed=seed,
                        needs=tuple(t.name for t in useful),
                    )
                )
    for name, entry in protocol.crossval.items():
        if f"crossval/{name}" not in wanted:
            continue
        config = loaded.configs["crossval", name]
        singles = [(label,) for label in protocol.labels] if entry.per_label else [config.labels]
        tasks += [
            Task(
                kind="crossval",
                group=name,
                name=f"crossval/{name}" + (f"-{labels[0]}" if entry.per_label else ""),
                labels=tuple(labels),
                config=_settled(config, labels, entry.seed, []),
                seed=entry.seed,
                folds=entry.folds,
                splits=entry.splits,
            )
            for labels in singles
        ]
    return tuple(tasks)


def _settled(config: Config, labels: Sequence[str], seed: int, teachers: list[str]) -> Config:
    values = config.model_dump()
    values["teacher"]["runs"] = teachers
    return Config.model_validate({**values, "labels": tuple(labels), "seed": seed})


def _with_needs(loaded: Loaded, names: Sequence[str]) -> set[str]:
    recipes = loaded.protocol.recipes
    known = [*recipes, *(f"crossval/{name}" for name in loaded.protocol.crossval)]
    if not names:
        return set(known)
    wanted: set[str] = set()
    for name in names:
        if name not in known:
            near = closest(name, known)
            nearest = "" if near is None else f"; the nearest is {near}"
            raise ConfigError(
                f"the protocol {loaded.protocol.name} has no recipe {name!r}{nearest}",
                advice=f"Choose among {', '.join(known)}",
            )
        while name is not None:
            wanted.add(name)
            recipe = recipes.get(name)
            name = None if recipe is None else recipe.teachers or recipe.ensemble  # type: ignore[assignment]
    return wanted
