"""A search looked at: read from its database, put in words."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from androscope.errors import TrainingError
from androscope.search.record import BEST, RECORD, SearchRecord, TrialRecord, describe
from androscope.search.study import DATABASE, open_study, quiet, url_of

__all__ = ["lines", "look_at"]

_SHOWN = 10

_OBJECTIVES = {"roc_auc": "mean ROC AUC", "loss": "mean cross-entropy"}


def look_at(folder: Path, storage: str | None = None, name: str | None = None) -> SearchRecord:
    """What the search in ``folder`` has come to by now.

    Parameters
    ----------
    storage
        The database's address, if it is not the file in the folder. Without it, what the folder
        last wrote down is read.
    name
        Of the search in the database.

    Raises
    ------
    TrainingError
        If there is no search.
    """
    record = _record(folder)
    if storage is None and not (folder / DATABASE).is_file():
        if record is None:
            raise TrainingError(
                f"holds no search: neither {DATABASE} nor {RECORD} is there",
                path=folder,
                advice="Name the folder of `androscope search run`",
            )
        return record
    url = url_of(folder, storage)
    wanted = name or (None if record is None else record.name) or _only(url)
    return describe(open_study(url, wanted), url)


def _record(folder: Path) -> SearchRecord | None:
    path = folder / RECORD
    if not path.is_file():
        return None
    try:
        return SearchRecord.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise TrainingError(
            f"is no record of a search: {where}: {first['msg'].lower()}",
            path=path,
            advice="Remove it: `androscope search run` writes it anew",
        ) from error


def _only(url: str) -> str:
    import optuna

    from androscope.search.address import shown_url
    from androscope.search.study import open_storage

    with quiet():
        names = optuna.get_all_study_names(open_storage(url))
    if len(names) != 1:
        raise TrainingError(
            f"the database {shown_url(url)} holds {len(names)} searches: {', '.join(names)}",
            advice="Name one with --name",
        )
    return str(names[0])


def lines(found: SearchRecord, out: Path) -> list[str]:
    """The search in words: how many trials, the best ones, what mattered, where the best lies."""
    counts = {
        "trained to their end": len(found.of_state("complete")),
        "given up": len(found.of_state("pruned")),
        "failed": len(found.of_state("failed")),
        "died and tried again": len(found.of_state("died")),
        "running": len(found.of_state("running")),
        "waiting to be tried again": len(found.of_state("waiting")),
    }
    parts = ", ".join(f"{n} {what}" for what, n in counts.items() if n)
    told = [f"Search {found.name} (space {found.space}): {parts or 'no trial yet'}"]
    ranked = found.ranked
    if ranked:
        told += ["", *_table(found, ranked)]
    failed = found.of_state("failed")
    if failed:
        told += ["", "Failed:"]
        told += [f"  {t.number}: {(t.error or '').splitlines()[0]}" for t in failed[:_SHOWN]]
        if len(failed) > _SHOWN:
            told.append(f"  and {len(failed) - _SHOWN} more, in {RECORD}")
    if found.importance:
        shares = [f"{name} {100 * v:.0f} %" for name, v in found.importance.items() if v >= 0.005]
        told += ["", f"What mattered: {', '.join(shares)}"]
    elif found.importance_missing and ranked:
        told += ["", f"What mattered cannot be told: {found.importance_missing}"]
    if ranked:
        told += [
            "",
            f"The best of {len(ranked)} on the same validation crops is flattered by chance: train "
            "it with other seeds.",
        ]
        if (out / BEST).is_file():
            told.append(f"androscope train {out / BEST}")
    return told


def _table(found: SearchRecord, ranked: tuple[TrialRecord, ...]) -> list[str]:
    best = ranked[0]
    metric = found.objective
    labels = list(best.valid)
    heading = ["trial", _OBJECTIVES[metric], *labels, "epochs", "seconds"]
    rows = [
        [
            str(trial.number),
            _number(trial.value),
            *(_number(trial.valid.get(label, {}).get(metric)) for label in labels),
            str(trial.epochs),
            "" if trial.seconds is None else f"{trial.seconds:.0f}",
        ]
        for trial in ranked[:_SHOWN]
    ]
    widths = [max(len(row[i]) for row in [heading, *rows]) for i in range(len(heading))]
    table = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in [heading, *rows]
    ]
    choices = [f"  {key}: {json.dumps(value)}" for key, value in best.changes.items()]
    return [*table, "", f"Trial {best.number} chose:", *choices]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
