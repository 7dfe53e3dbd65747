"""The numbers of an evaluation: what ``evaluation.json`` holds, written and read back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from androscope.errors import TrainingError
from androscope.learning.intervals import bootstrap
from androscope.learning.metrics import METRICS, Scores, scores
from androscope.learning.trust.calibration_error import BINS, calibration_scores

__all__ = [
    "SUMMARY",
    "CalibrationSummary",
    "LabelSummary",
    "Measured",
    "Summary",
    "read_summary",
    "summarise_label",
]

#: Name of the file.
SUMMARY = "evaluation.json"

Number = Annotated[float, Field(allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Measured(_Table):
    """A score with its 95 % bootstrap interval; ``None`` where undefined, and why."""

    value: Number | None
    low: Number | None = None
    high: Number | None = None
    why: str | None = None


class CalibrationSummary(_Table):
    """How far one label's probabilities are from frequencies; see ``docs/trust.md``."""

    error: Measured = Field(description="Expected calibration error, in bins of equal mass.")
    bins: int
    if_exact: Number = Field(description="What chance alone makes it, were all of them exact.")
    brier: Measured


class LabelSummary(_Table):
    """How one label was graded. The confusion matrix has the truth in rows, normal first."""

    n: int
    normal: int
    abnormal: int
    threshold: Number | None
    confusion: tuple[tuple[int, int], tuple[int, int]]
    scores: dict[str, Measured]
    baseline: dict[str, Number | None] = Field(
        description="The same scores if every crop were called normal."
    )
    calibration: CalibrationSummary | None = Field(
        None,
        description="Null where no crop is labelled, and in evaluations before it was measured.",
    )


class Summary(_Table):
    """An evaluation without its crops: what ``evaluation.json`` holds."""

    model: str
    model_sha256: str | None
    data: str
    split: str
    data_sha256: str
    crops: int
    patients: int | None = Field(description="Patients the crops are of, if known.")
    labels: tuple[str, ...]
    by_label: dict[str, LabelSummary]
    left_out: tuple[str, ...] = Field((), description="The model's labels that the data lacks.")
    interval: str
    resamples: int
    seed: int
    created: datetime
    androscope: str

    def metrics(self) -> dict[str, dict[str, dict[str, float | None]]]:
        """Label, then score, then value, low and high: the form a bundle's card keeps."""
        return {
            label: {
                name: {"value": m.value, "low": m.low, "high": m.high}
                for name, m in found.scores.items()
            }
            for label, found in self.by_label.items()
        }


def read_summary(path: str | Path) -> Summary:
    """Read ``evaluation.json`` (or the folder that holds it) back.

    Raises
    ------
    TrainingError
        If it is missing or malformed.
    """
    path = Path(path)
    path = path / SUMMARY if path.is_dir() else path
    try:
        return Summary.model_validate_json(path.read_bytes())
    except OSError as error:
        raise TrainingError(
            f"cannot be read: {error.strerror or error}",
            path=path,
            advice="Make it with `androscope evaluate`",
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise TrainingError(
            f"is no evaluation: {where}: {first['msg'].lower()}",
            path=path,
            advice="Make it again with `androscope evaluate`",
        ) from error


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def summarise_label(
    truth: ArrayLike,
    probabilities: ArrayLike,
    threshold: ArrayLike,
    *,
    patients: Sequence[str] | None,
    seed: int,
    resamples: int,
) -> LabelSummary:
    """Score one label with intervals, beside the verdict *normal* for all.

    Parameters
    ----------
    truth, probabilities, threshold, patients
        As in :func:`androscope.learning.intervals.bootstrap`.
    """
    found: Scores = scores(truth, probabilities, threshold)
    ends = bootstrap(
        truth, probabilities, threshold, patients=patients, resamples=resamples, seed=seed
    )
    # The probability 0 for all: calls all normal, and tells nothing apart.
    nothing = scores(truth, np.zeros(np.shape(truth)), 0.5)
    return LabelSummary(
        n=found.n,
        normal=found.normal,
        abnormal=found.abnormal,
        threshold=_number(found.threshold),
        confusion=found.counts.matrix,
        scores={
            name: Measured(
                value=_number(found[name]),
                low=_number(ends[name].low),
                high=_number(ends[name].high),
                why=found.undefined.get(name),
            )
            for name in METRICS
        },
        baseline={name: _number(nothing[name]) for name in METRICS},
        calibration=_calibration(truth, probabilities, patients, seed, resamples)
        if found.n
        else None,
    )


def _calibration(
    truth: ArrayLike,
    probabilities: ArrayLike,
    patients: Sequence[str] | None,
    seed: int,
    resamples: int,
) -> CalibrationSummary:
    found = calibration_scores(
        truth, probabilities, patients=patients, resamples=resamples, seed=seed
    )
    (low, high), (brier_low, brier_high) = found.error_interval, found.brier_interval
    return CalibrationSummary(
        error=Measured(value=found.error, low=low, high=high),
        bins=BINS,
        if_exact=found.if_exact,
        brier=Measured(value=found.brier, low=brier_low, high=brier_high),
    )
