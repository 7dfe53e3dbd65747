"""Pictures of an evaluation as PNG: ROC curves, calibration, confusion matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from androscope.assessment.sample import wilson_interval
from androscope.learning.calibration_bins import calibration_bins
from androscope.learning.metrics import labelled, scores
from androscope.learning.plots import canvas, look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_calibration", "plot_confusion", "plot_roc"]


def _square(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, zorder=0)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")


def plot_roc(
    path: str | Path,
    names: Sequence[str],
    labels: ArrayLike,
    probabilities: ArrayLike,
    thresholds: Mapping[str, float] | None = None,
    title: str = "ROC",
) -> None:
    """Draw each label's ROC curve, with a dot at the threshold in use.

    Normal is the positive class: up go the normal sperm that are kept, to the right the abnormal
    ones that are kept with them. A label of one class alone has no curve and says so.

    Parameters
    ----------
    path
        PNG to write.
    names, labels, probabilities
        ``L`` names, ``(N, L)`` truth and probability of abnormal.
    thresholds
        Per label, if there is one for all crops.
    """
    from sklearn.metrics import roc_curve

    truth, given = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    with canvas(path, 4.6, 4.6) as figure:
        axes = figure.add_subplot()
        _square(axes)
        for i, name in enumerate(names):
            known, chance, _ = labelled(truth[:, i], given[:, i])
            found = scores(known, chance, (thresholds or {}).get(name, 0.5))
            if np.isnan(found.roc_auc):
                axes.plot([], [], label=f"{name}: {found.undefined['roc_auc']}", **look(i))
                continue
            false_normal, true_normal, _ = roc_curve(known == 0, 1 - chance)
            axes.plot(
                false_normal, true_normal, label=f"{name}: AUC {found.roc_auc:.3f}", **look(i)
            )
            if thresholds is not None:
                kept = 1 - found.counts.abnormal_abnormal / found.abnormal
                axes.plot(kept, found.recall, "o", color=look(i)["color"], markersize=5)
        axes.set(
            title=title,
            xlabel="abnormal called normal (false positive rate)",
            ylabel="normal called normal (recall)",
        )
        axes.legend(loc="lower right")


def plot_calibration(
    path: str | Path,
    names: Sequence[str],
    labels: ArrayLike,
    probabilities: ArrayLike,
    title: str = "Calibration",
) -> None:
    """Draw how often crops of a given probability are abnormal; on the diagonal it is as said.

    Bars are Wilson's 95% intervals of each group's share: most should reach the diagonal.

    Parameters
    ----------
    path, names, labels, probabilities
        As :func:`plot_roc`.
    """
    truth, given = np.asarray(labels), np.asarray(probabilities)
    with canvas(path, 4.6, 4.6) as figure:
        axes = figure.add_subplot()
        _square(axes)
        for i, name in enumerate(names):
            bins = calibration_bins(truth[:, i], given[:, i])
            x, y = [b.predicted for b in bins], [b.observed for b in bins]
            axes.plot(x, y, marker="o", markersize=4, label=name, **look(i))
            ends = [wilson_interval(round(b.observed * b.count), b.count) for b in bins]
            axes.vlines(
                x, [e[0] for e in ends], [e[1] for e in ends],
                color=look(i)["color"], linewidth=0.8, alpha=0.6,
            )  # fmt: skip
        axes.set(
            title=title,
            xlabel="predicted probability of abnormal (mean of a tenth of the crops)",
            ylabel="share that is abnormal",
        )
        axes.legend(loc="upper left")


def plot_confusion(
    path: str | Path,
    matrices: Mapping[str, Sequence[Sequence[int]]],
    title: str = "Confusion matrices",
) -> None:
    """Draw one matrix per label: counts, shaded by the share of the row.

    Parameters
    ----------
    path
        PNG to write.
    matrices
        Label to ``[[normal-normal, normal-abnormal], [abnormal-normal, abnormal-abnormal]]``, truth
        first.
    """
    columns = min(4, max(1, len(matrices)))
    rows = -(-len(matrices) // columns)
    with canvas(path, 2.5 * columns + 0.4, 2.4 * rows + 0.5) as figure:
        figure.suptitle(title)
        for i, (name, matrix) in enumerate(matrices.items(), start=1):
            axes = figure.add_subplot(rows, columns, i)
            _matrix(axes, name, np.asarray(matrix))


def _matrix(axes: Axes, name: str, matrix: NDArray[Any]) -> None:
    total = matrix.sum(axis=1, keepdims=True)
    share = np.divide(matrix, total, out=np.zeros((2, 2)), where=total > 0)
    axes.grid(visible=False)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row in range(2):
        for column in range(2):
            percent = f"\n{100 * share[row, column]:.0f} %" if total[row, 0] else ""
            axes.text(
                column,
                row,
                f"{matrix[row, column]}{percent}",
                ha="center",
                va="center",
                color="white" if share[row, column] > 0.6 else "black",
            )
    words = ["normal", "abnormal"]
    axes.set(title=name, xlabel="verdict", ylabel="truth")
    axes.set_xticks([0, 1], words)
    axes.set_yticks([0, 1], words, rotation=90, va="center")
