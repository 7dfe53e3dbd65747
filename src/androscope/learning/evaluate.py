"""How well a model grades labelled crops: scores with intervals, plots, a CSV of verdicts.

For anything that gives probabilities: a run, a bundle, a fold of a cross-validation.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from androscope import __version__
from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.files import write_text
from androscope.learning.evaluation_plots import plot_calibration, plot_confusion, plot_roc
from androscope.learning.summary import SUMMARY, Summary, summarise_label
from androscope.report.names import spreadsheet_name
from androscope.types import Verdict

__all__ = ["Evaluation", "Predictor", "evaluate", "measure"]

PREDICTIONS = "predictions.csv"


class Predictor(Protocol):
    """Anything that grades crops: ``(N, S, S)`` uint8 to ``(N, L)`` probabilities of abnormal."""

    def probabilities(self, crops: NDArray[np.uint8], /) -> NDArray[np.float32]:
        """Grade ``crops``."""
        ...


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
        """One row per crop: its id, then four columns per label.

        They are the truth, the probability of abnormal, the verdict, and the threshold from which
        the verdict is abnormal: all that ``androscope leaderboard submit`` asks for.
        """
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
                    repr(float(self.thresholds[i, j])),
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


_COLUMNS = ("truth", "probability", "verdict", "threshold")


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
