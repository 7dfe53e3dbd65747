"""How well a model grades labelled crops: scores with intervals, plots, a CSV of verdicts.

For anything that gives probabilities: a run, a bundle, a fold of a cross-validation.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from androscope import __version__
from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.files import write_text
from androscope.learning.intervals import bootstrap
from androscope.learning.metrics import METRICS, Scores, scores
from androscope.learning.plots import plot_calibration, plot_confusion, plot_roc
from androscope.report.names import spreadsheet_name
from androscope.types import Verdict

__all__ = [
    "Evaluation",
    "LabelSummary",
    "Measured",
    "Predictor",
    "Summary",
    "evaluate",
    "measure",
    "read_summary",
    "summarise_label",
]

#: Files that :meth:`Evaluation.write` writes.
SUMMARY, PREDICTIONS = "evaluation.json", "predictions.csv"

Number = Annotated[float, Field(allow_inf_nan=False)]


class Predictor(Protocol):
    """Anything that grades crops: ``(N, S, S)`` uint8 to ``(N, L)`` probabilities of abnormal."""

    def probabilities(self, crops: NDArray[np.uint8], /) -> NDArray[np.float32]:
        """Grade ``crops``."""
        ...


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Measured(_Table):
    """A score with its 95 % bootstrap interval; ``None`` where undefined, and why."""

    value: Number | None
    low: Number | None = None
    high: Number | None = None
    why: str | None = None


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


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An evaluation with its crops' verdicts.

    Attributes
    ----------
    summary
        All numbers.
    ids
        ``N`` ids of the crops.
    truth, probabilities
        ``(N, L)`` for ``summary.labels``.
    thresholds
        ``(N, L)``: those in force for each crop.
    extra
        Further columns for the CSV: name to ``N`` values.
    """

    summary: Summary
    ids: tuple[str, ...]
    truth: NDArray[np.int8]
    probabilities: NDArray[np.float32]
    thresholds: NDArray[np.float64]
    extra: Mapping[str, Sequence[object]] = field(default_factory=dict)

    def predictions_csv(self) -> str:
        """One row per crop: id, then truth, probability of abnormal and verdict of each label."""
        labels = self.summary.labels
        columns = [f"{label}_{what}" for label in labels for what in _COLUMNS]
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["id", *self.extra, *columns])
        words = {0: Verdict.NORMAL.value, 1: Verdict.ABNORMAL.value, -1: ""}
        abnormal = self.probabilities.astype(np.float64) >= self.thresholds
        for i, name in enumerate(self.ids):
            row: list[object] = [spreadsheet_name(name), *(v[i] for v in self.extra.values())]
            for j in range(len(labels)):
                verdict = words[int(abnormal[i, j])]
                row += [
                    words[int(self.truth[i, j])],
                    repr(float(self.probabilities[i, j])),
                    verdict,
                ]
            writer.writerow(row)
        return stream.getvalue()

    def write(self, folder: str | Path) -> tuple[Path, ...]:
        """Write ``evaluation.json``, ``predictions.csv`` and the plots into ``folder``.

        Returns
        -------
        tuple of Path
            The files. Each is there whole or not at all; the JSON comes last.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        folder, found = Path(folder), self.summary
        where = f"{found.model} on {found.data} {found.split}"
        single = {k: v.threshold for k, v in found.by_label.items() if v.threshold is not None}
        thresholds = single if len(single) == len(found.labels) else None
        files = [folder / name for name in ("roc.png", "calibration.png", "confusion.png")]
        arrays = (found.labels, self.truth, self.probabilities)
        plot_roc(files[0], *arrays, thresholds, title=f"ROC: {where}")
        plot_calibration(files[1], *arrays, title=f"Calibration: {where}")
        matrices = {label: summary.confusion for label, summary in found.by_label.items()}
        plot_confusion(files[2], matrices, title=where)
        files += [folder / PREDICTIONS, folder / SUMMARY]
        write_text(files[3], self.predictions_csv())
        write_text(files[4], found.model_dump_json(indent=2) + "\n")
        return tuple(files)


_COLUMNS = ("truth", "probability", "verdict")


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
    )


def measure(
    probabilities: NDArray[np.float32],
    data: LabelledCrops,
    thresholds: NDArray[np.float64],
    *,
    model: str,
    model_sha256: str | None,
    name: str,
    split: str,
    left_out: Sequence[str] = (),
    seed: int = 0,
    resamples: int = 2000,
    extra: Mapping[str, Sequence[object]] | None = None,
) -> Evaluation:
    """Score probabilities that are there already.

    Parameters
    ----------
    probabilities
        ``(N, L)``: of abnormal, for the labels of ``data``.
    thresholds
        ``(L,)``, or ``(N, L)`` where the crops were graded by several models.
    model, model_sha256, name, split
        What was evaluated on what, for the record.
    """
    by_label = {
        label: summarise_label(
            data.labels[:, i],
            probabilities[:, i],
            thresholds[..., i],
            patients=data.patients,
            seed=seed,
            resamples=resamples,
        )
        for i, label in enumerate(data.label_names)
    }
    known = set(data.patients or ()) - {""}
    drawn = "patients" if known else "crops"
    summary = Summary(
        model=model,
        model_sha256=model_sha256,
        data=name,
        split=split,
        data_sha256=data.sha256,
        crops=len(data),
        patients=len(known) if known else None,
        labels=data.label_names,
        by_label=by_label,
        left_out=tuple(left_out),
        interval=f"95 % percentile bootstrap over {drawn}",
        resamples=resamples,
        seed=seed,
        created=datetime.now(UTC).replace(microsecond=0),
        androscope=__version__,
    )
    limits = np.broadcast_to(thresholds, probabilities.shape)
    return Evaluation(summary, data.ids, data.labels, probabilities, limits, extra or {})


def evaluate(
    predictor: Predictor,
    data: LabelledCrops,
    thresholds: Mapping[str, float],
    *,
    model: str = "model",
    model_sha256: str | None = None,
    name: str = "data",
    split: str = "test",
    seed: int = 0,
    resamples: int = 2000,
) -> Evaluation:
    """Grade labelled crops and score the verdicts.

    Parameters
    ----------
    predictor
        Its columns are the labels of ``thresholds``, in that order.
    data
        Labelled crops; a label of the model that they lack is left out and named in the summary,
        a label that the model lacks is not looked at.
    thresholds
        Probability from which each label is abnormal.
    model, model_sha256, name, split
        What is evaluated on what, for the record.
    seed, resamples
        Of the bootstrap.

    Raises
    ------
    TrainingError
        If there is no crop, none of the model's labels is in the data, or a probability is none.
    """
    labels = [label for label in thresholds if label in data.label_names]
    if not labels:
        raise TrainingError(
            f"the model grades {', '.join(thresholds)}, "
            f"the data is labelled for {', '.join(data.label_names)}: nothing to compare",
            advice="Name the data's label columns as the model's",
        )
    if not len(data):
        raise TrainingError(f"{name} {split} holds no crop", advice="Choose another --split")
    given = np.asarray(predictor.probabilities(data.crops))
    if given.shape != (len(data), len(thresholds)):
        raise TrainingError(
            f"expected probabilities ({len(data)}, {len(thresholds)}), got {given.shape}"
        )
    columns = [list(thresholds).index(label) for label in labels]
    return measure(
        given[:, columns],
        data.with_labels(labels),
        np.array([thresholds[label] for label in labels], dtype=np.float64),
        model=model,
        model_sha256=model_sha256,
        name=name,
        split=split,
        left_out=[label for label in thresholds if label not in labels],
        seed=seed,
        resamples=resamples,
    )
