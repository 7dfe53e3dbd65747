"""Labels to look at again, as a list for a person: the suspects of confident learning, ranked."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from androscope.datasets import load
from androscope.errors import TrainingError
from androscope.learning.label_noise import LabelNoise
from androscope.protocol.limits import Report, limits
from androscope.protocol.limits_record import Noise
from androscope.report.names import spreadsheet_name
from androscope.types import ABNORMAL, Verdict

__all__ = ["Listed", "audit", "csv_text", "ranked"]

_COLUMNS = ("rank", "id", "label", "given", "probability_abnormal")


@dataclass(frozen=True, slots=True)
class Listed:
    """A label to look at again: of which crop, as given, and the probability of abnormal."""

    rank: int
    id: str
    label: str
    given: Verdict
    probability: float


def audit(
    data: str | Path,
    folders: list[Path],
    *,
    resamples: int = 1000,
    seed: int = 0,
    report: Report = lambda _: None,
) -> tuple[Noise, dict[str, str]]:
    """Ask runs of the train crops that they held out: :func:`~.limits.limits`, its part on labels.

    Parameters
    ----------
    data
        The data that the runs learned from, as :func:`androscope.datasets.load` takes it.
    folders
        Of finished runs, with ``data.held_out_folds`` and seeds in a row.

    Returns
    -------
    Noise, dict
        What was found by label, and for labels of which nothing can be said, why.

    Raises
    ------
    DataError
        If the data cannot be loaded.
    TrainingError
        If a run is not finished or learned from other data, or none held out a part of train.
    """
    from androscope.learning.run import Run

    if not folders:
        raise TrainingError("there is no run", advice="Name the folder of one at least")
    dataset = load(data, crop_size=Run.load(folders[0]).config.data.crop_size)
    found = limits(folders, "valid", resamples=resamples, seed=seed, dataset=dataset, report=report)
    if found.noise is None:
        raise TrainingError("the runs cannot audit labels", advice=found.missing["noise"])
    without = {
        name.removeprefix("noise: "): reason
        for name, reason in found.missing.items()
        if name.startswith("noise: ")
    }
    return found.noise, without


def ranked(noise: Mapping[str, LabelNoise]) -> tuple[Listed, ...]:
    """List the suspects of all labels, the most contradicted first, with ranks from 1."""
    every = [(label, suspect) for label, found in noise.items() for suspect in found.suspects]
    every.sort(key=lambda one: -abs(one[1].probability - one[1].label))
    return tuple(
        Listed(
            rank,
            suspect.id,
            label,
            Verdict.ABNORMAL if suspect.label == ABNORMAL else Verdict.NORMAL,
            suspect.probability,
        )
        for rank, (label, suspect) in enumerate(every, start=1)
    )


def csv_text(listed: tuple[Listed, ...]) -> str:
    """Give the list as CSV: ``rank, id, label, given, probability_abnormal``."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for one in listed:
        writer.writerow(
            [one.rank, spreadsheet_name(one.id), one.label, one.given.value, one.probability]
        )
    return stream.getvalue()
