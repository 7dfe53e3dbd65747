"""What of a task is done, seen from its folder alone; no torch is needed to look."""

from __future__ import annotations

import json
from pathlib import Path

from androscope.errors import TrainingError
from androscope.learning.config import Config
from androscope.learning.config_file import load_config, parse_config
from androscope.learning.record import RECORD, different_keys, read_record
from androscope.learning.subject import TEST_READS
from androscope.learning.summary import SUMMARY
from androscope.protocol.plan import Task, folder_of

__all__ = ["evaluation_folder", "find_evaluation", "is_finished", "same_threads", "state_of"]

#: Keys that may differ between a finished run and the protocol: where things lie, and how fast.
_FREE = ("data.dataset", "teacher.runs", "trainer.threads")

CONFIG, PLAN, RESULT = "config.yaml", "plan.json", "crossval.json"


def evaluation_folder(folder: Path, data: str, split: str) -> Path:
    """Where `androscope evaluate` puts the evaluation of a run in ``folder``."""
    return folder / "evaluation" / f"{data}-{split}"


def find_evaluation(folder: Path, split: str) -> Path | None:
    """The folder of the whole evaluation of a split of the run's own data, if there is one."""
    if (folder / RECORD).is_file():
        # Beside it may lie evaluations on other data, which `androscope evaluate --data` made.
        found = evaluation_folder(folder, str(read_record(folder)["data"]["name"]), split)
        return found if (found / SUMMARY).is_file() else None
    # An ensemble, which nobody else evaluates.
    there = sorted((folder / "evaluation").glob(f"*-{split}/{SUMMARY}"))
    return there[0].parent if there else None


def is_finished(folder: Path) -> bool:
    """Whether ``folder`` holds a run that is trained to its end."""
    return (folder / RECORD).is_file() and bool(read_record(folder).get("finished"))


def state_of(task: Task, out: Path, splits: tuple[str, ...]) -> str:
    """``"done"``, ``"trained"`` (to be read yet), ``"begun"`` or ``"missing"``.

    Parameters
    ----------
    splits
        Those to be read.

    Raises
    ------
    TrainingError
        If its folder holds a finished run of another configuration.
    """
    folder = folder_of(out, task.name)
    if task.kind == "crossval":
        if (folder / RESULT).is_file():
            _same(task, folder, _planned(folder))
            return "done"
        return "begun" if (folder / PLAN).is_file() else "missing"
    read = all(find_evaluation(folder, split) for split in splits)
    # A kill may have come between the evaluation and the record of its reading.
    read = read and ("test" not in splits or (folder / TEST_READS).is_file())
    if task.kind == "ensemble":
        return "done" if read else "missing"
    if not is_finished(folder):
        return "begun" if (folder / CONFIG).is_file() else "missing"
    _same(task, folder, load_config(folder / CONFIG))
    return "done" if read else "trained"


def same_threads(config: Config, folder: Path, kind: str) -> Config:
    """``config`` with the number of threads that what stands in ``folder`` was begun with.

    Threads shape rounding: a run that goes on with others would not be the one that was begun.
    """
    if kind == "run" and (folder / CONFIG).is_file():
        before = load_config(folder / CONFIG)
    elif kind == "crossval" and (folder / PLAN).is_file():
        before = _planned(folder)
    else:
        return config
    trainer = config.trainer.model_copy(update={"threads": before.trainer.threads})
    return config.model_copy(update={"trainer": trainer})


def _planned(folder: Path) -> Config:
    """The configuration that a cross-validation was begun with."""
    path = folder / PLAN
    try:
        text = str(json.loads(path.read_text(encoding="utf-8"))["config"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"cannot be read: {error!r}",
            path=path,
            advice="Restore it, or remove the folder: its folds are trained again",
        ) from error
    return parse_config(text, str(path))


def _same(task: Task, folder: Path, before: Config) -> None:
    changed = [key for key in different_keys(before, task.config) if key not in _FREE]
    if changed:
        what = "run" if task.kind == "run" else "cross-validation"
        raise TrainingError(
            f"holds a finished {what} of another configuration than the protocol's; different are "
            f"{', '.join(changed)}",
            path=folder,
            advice="Give the changed recipe a name of its own: what was tried stays on record",
        )
