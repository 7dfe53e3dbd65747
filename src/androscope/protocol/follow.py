"""A protocol followed from its file to ``benchmark.json``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from androscope import datasets
from androscope.errors import ConfigError, TrainingError
from androscope.protocol.book import Book
from androscope.protocol.file import Loaded
from androscope.protocol.plan import Task, plan
from androscope.protocol.run import Launcher, Outcome, carry_out
from androscope.protocol.state import state_of

__all__ = ["SPLITS", "checked_seeds", "follow", "plan_lines"]

#: What is read with each model, by the value of ``--split``.
SPLITS: dict[str, tuple[str, ...]] = {"valid": ("valid",), "test": ("valid", "test")}


def checked_seeds(tasks: Sequence[Task], seeds: Sequence[int] | None) -> None:
    """Make sure that each seed is one of the protocol's. Raises :class:`ConfigError`."""
    known = sorted({task.seed for task in tasks if task.kind == "run" and task.seed is not None})
    for seed in seeds or ():
        if seed not in known:
            raise ConfigError(
                f"no recipe that was asked for has the seed {seed}; their seeds are "
                f"{', '.join(map(str, known))}",
                advice="Choose among these, or change `seeds` in the protocol",
            )


def follow(
    loaded: Loaded,
    out: Path,
    recipes: Sequence[str] = (),
    *,
    split: str = "test",
    seeds: Sequence[int] | None = None,
    jobs: int = 1,
    threads: int | None = None,
    launch: Launcher | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Do what is missing of a protocol, and keep the record of it.

    Parameters
    ----------
    loaded
        The protocol.
    out
        Its folder: ``runs/``, ``logs/``, ``jobs/``, ``near_duplicates.json``, ``benchmark.json``.
    recipes
        Names of recipes and, as ``crossval/NAME``, cross-validations; all by default.
    split
        ``"test"``: each model reads validation, and test once. ``"valid"``: test is not read.
    seeds, jobs, threads, launch, report
        As in :func:`androscope.protocol.run.carry_out`.

    Raises
    ------
    ConfigError
        If the protocol has no such recipe or seed.
    TrainingError
        If the folder holds something else, or its data lacks a split.
    DatasetMissingError
        If the data is not here.
    """
    tasks = plan(loaded, out, recipes)
    checked_seeds(tasks, seeds)
    # Ids, patients and near-duplicates are the same at every size; the smallest is the quickest.
    smallest = min((c.data for c in loaded.configs.values()), key=lambda data: data.crop_size)
    dataset = datasets.load(smallest.dataset, crop_size=smallest.crop_size)
    lacking = [one for one in ("train", "valid", "test") if one not in dataset.splits]
    if lacking:
        raise TrainingError(
            f"{dataset.name} has no {lacking[0]} split; there are {', '.join(dataset.splits)}",
            advice="A benchmark needs train, valid and test",
        )
    splits = SPLITS[split]
    everything = plan(loaded, out)
    for task in everything:
        state_of(task, out, splits)  # another configuration's run is told of before all else
    book = Book(loaded, everything, out, dataset, splits)
    if any(state_of(task, out, ("valid",)) == "done" for task in everything):
        book.update()

    def keep(task: Task) -> None:
        book.update([task.group])

    return carry_out(
        tasks,
        out,
        splits=splits,
        bootstrap=loaded.protocol.bootstrap,
        jobs=jobs,
        threads=threads,
        seeds=seeds,
        launch=launch,
        finished=keep,
        report=report,
    )


def plan_lines(tasks: Sequence[Task], out: Path, split: str, loaded: Loaded) -> list[str]:
    """What is to be done, a line per recipe, the number of runs first."""
    protocol = loaded.protocol
    states = {task.name: state_of(task, out, SPLITS[split]) for task in tasks}
    runs = [task for task in tasks if task.kind == "run"]
    folds = sum(task.folds for task in tasks if task.kind == "crossval")
    first = f"{len(runs)} runs to be trained"
    first += f", and {folds} folds of cross-validation" if folds else ""
    done = sum(states[task.name] in ("done", "trained") for task in runs)
    first += f"; {done} of the runs are trained already" if done else ""
    lines = [f"Protocol {protocol.name} on {protocol.dataset}: {first}", ""]
    rows: list[tuple[str, ...]] = [("", "", "tasks", "done", "trained", "begun", "missing")]
    for kind, group in dict.fromkeys((task.kind, task.group) for task in tasks):
        own = [task for task in tasks if (task.kind, task.group) == (kind, group)]
        counts = [states[task.name] for task in own]
        rows.append(
            (
                f"crossval/{group}" if kind == "crossval" else group,
                _what(own[0], loaded),
                str(len(own)),
                *(str(counts.count(state)) for state in ("done", "trained", "begun", "missing")),
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    read = "validation, and test once" if split == "test" else "validation; test is not read"
    return [*lines, "", f"Each model reads {read}."]


def _what(task: Task, loaded: Loaded) -> str:
    if task.kind == "crossval":
        return f"{task.config.name}, {task.folds} folds of {'+'.join(task.splits)}"
    recipe = loaded.protocol.recipes[task.group]
    if recipe.ensemble is not None:
        return f"mean over {recipe.ensemble}, {recipe.views} views"
    parts = [str(recipe.config)]
    if recipe.per_label:
        parts.append(f"{len(loaded.protocol.labels)} labels")
    parts.append(f"{len(loaded.protocol.seeds_of(recipe))} seeds")
    if recipe.teachers:
        parts.append(f"taught by {recipe.teachers}")
    return ", ".join(parts)
