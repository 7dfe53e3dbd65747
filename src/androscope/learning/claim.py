"""Taking a folder for a run: never a finished one, never somebody else's files."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from androscope.errors import TrainingError
from androscope.files import write_text
from androscope.learning.config import Config
from androscope.learning.config_file import dump_config, load_config
from androscope.learning.record import (
    RECORD,
    different_keys,
    read_record,
    software,
    write_record,
)
from androscope.learning.run import CONFIG, NETWORK, THRESHOLDS

__all__ = ["begin", "claim", "withdraw"]

#: What training writes into a run's folder; nothing else there is ever removed.
_OURS = (CONFIG, RECORD, NETWORK, THRESHOLDS, "stage1", "stage2", "evaluation")


def claim(out: Path, config: Config, *, resume: bool) -> dict[str, Any] | None:
    """Make sure ``out`` may be trained in; the unfinished run's record if it is taken up."""
    if out.is_file():
        raise TrainingError("is a file; a run needs a folder", path=out, advice="Choose another")
    # Hidden files are not looked at: a kill may have left a temporary one.
    if not out.is_dir() or all(p.name.startswith(".") for p in out.iterdir()):
        return None
    if not (out / RECORD).is_file():
        if (out / CONFIG).is_file():
            return None
        raise TrainingError(
            "holds files that are no run's", path=out, advice="Choose an empty or a new folder"
        )
    record = read_record(out)
    if record.get("finished"):
        raise TrainingError(
            "holds a finished run, which is not overwritten",
            path=out,
            advice="Choose another folder with --out, or remove this one",
        )
    if not resume:
        _clear(out)
        return None
    changed = different_keys(load_config(out / CONFIG), config)
    if changed:
        raise TrainingError(
            f"holds an unfinished run of another configuration; different are {', '.join(changed)}",
            path=out,
            advice="Use its config.yaml, choose another folder, or start over with --no-resume",
        )
    return record


def _clear(out: Path) -> None:
    for name in _OURS:
        path = out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def withdraw(out: Path) -> None:
    """Take back what :func:`begin` wrote for a run that could not start: nothing was learned."""
    _clear(out)
    with suppress(OSError):  # Hidden files of others may be there.
        out.rmdir()


def begin(
    out: Path,
    config: Config,
    facts: dict[str, Any],
    teachers: list[dict[str, Any]],
    earlier: dict[str, Any] | None,
    selected: Mapping[str, dict[str, Any] | None],
) -> dict[str, Any]:
    """Write the first record of a run, or mark the ``earlier`` one as taken up again.

    ``selected``: which of the train crops and labels are learned from (``held_out``, ``part``,
    ``doubted``); what is None is not recorded.

    Raises
    ------
    TrainingError
        If the data, the teachers or the doubted labels are not those that the unfinished run was
        started with.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    if earlier is not None:
        before = {k: v["sha256"] for k, v in earlier["data"]["splits"].items()}
        after = {k: v["sha256"] for k, v in facts["splits"].items()}
        if before != after:
            names = ", ".join(k for k in after if before.get(k) != after[k])
            raise TrainingError(
                f"the data changed since this run was started: {names}",
                path=out,
                advice="Bring the data back, or start over with --no-resume",
            )
        if earlier.get("teachers", []) != teachers:
            raise TrainingError(
                "the runs of teacher.runs changed since this run was started",
                path=out,
                advice="Bring them back, or start over with --no-resume",
            )
        if earlier.get("doubted") != selected.get("doubted"):
            raise TrainingError(
                "the list data.doubted changed since this run was started",
                path=out,
                advice="Bring it back, or start over with --no-resume",
            )
        earlier["resumed"] = [*earlier.get("resumed", []), now]
        write_record(out, earlier)
        return earlier
    record = {
        "finished": False,
        "started": now,
        "name": config.name,
        "method": config.method,
        "labels": list(config.labels),
        "seed": config.seed,
        "data": facts,
        "software": software(),
        "threads": config.trainer.threads or torch.get_num_threads(),
        "stages": {},
        "validation": {},
    }
    if teachers:
        record["teachers"] = teachers
    record |= {name: facts for name, facts in selected.items() if facts is not None}
    write_text(out / CONFIG, dump_config(config))
    write_record(out, record)
    return record
