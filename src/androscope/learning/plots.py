"""Pictures of a run and of an evaluation, as PNG: the same input gives the same file.

Drawn without pyplot, so that nothing depends on a display or on what else a program draws.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from androscope.errors import TrainingError
from androscope.extras import require
from androscope.files import atomic_path
from androscope.learning.metrics import labelled, scores

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "CalibrationBin",
    "calibration_bins",
    "plot_calibration",
    "plot_confusion",
    "plot_history",
    "plot_roc",
    "plot_run",
]

#: Okabe & Ito's colours, told apart by colour-blind readers too; then line styles, in print.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
_STYLES = ("-", "--", "-.", ":")

_SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


class CalibrationBin:
    """Crops whose probabilities lie next to each other.

    Attributes
    ----------
    predicted
        Their mean probability of abnormal.
    observed
        The share of them that is abnormal.
    count
        How many they are.
    """

    __slots__ = ("count", "observed", "predicted")

    def __init__(self, predicted: float, observed: float, count: int) -> None:
        self.predicted, self.observed, self.count = predicted, observed, count


def calibration_bins(
    labels: ArrayLike, probabilities: ArrayLike, bins: int = 10
) -> list[CalibrationBin]:
    """Group one label's crops by probability into at most ``bins`` groups of nearly equal size.

    Equal sizes rather than equal widths: a group of three crops says nothing. Crops of equal
    probability are never parted. Crops without the label are left out.

    Parameters
    ----------
    labels, probabilities
        ``(N,)``: -1, 0 or 1, and 0 to 1.
    """
    truth, given, _ = labelled(labels, probabilities)
    if not len(truth):
        return []
    edges = np.unique(np.quantile(given, np.linspace(0, 1, bins + 1)))
    group = np.searchsorted(edges[1:-1], given, side="right")
    return [
        CalibrationBin(float(given[m].mean()), float(truth[m].mean()), int(m.sum()))
        for g in np.unique(group)
        if (m := group == g).any()
    ]


@contextmanager
def _figure(path: str | Path, width: float, height: float) -> Iterator[Figure]:
    """Give a figure to draw on; it is at ``path`` afterwards, whole or not at all."""
    matplotlib = require("matplotlib", extra="train", why="draw plots")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # From the library's own defaults: a reader's matplotlibrc must not change the picture.
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **_SETTINGS, "backend": "agg"}):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        with atomic_path(path) as temporary:
            # Without the library's version, which would make equal pictures different files.
            figure.savefig(temporary, dpi=120, metadata={"Software": None})


def _look(index: int) -> dict[str, Any]:
    return {
        "color": _COLOURS[index % len(_COLOURS)],
        "linestyle": _STYLES[index // len(_COLOURS) % len(_STYLES)],
    }


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
    with _figure(path, 4.6, 4.6) as figure:
        axes = figure.add_subplot()
        _square(axes)
        for i, name in enumerate(names):
            known, chance, _ = labelled(truth[:, i], given[:, i])
            found = scores(known, chance, (thresholds or {}).get(name, 0.5))
            if np.isnan(found.roc_auc):
                axes.plot([], [], label=f"{name}: {found.undefined['roc_auc']}", **_look(i))
                continue
            false_normal, true_normal, _ = roc_curve(known == 0, 1 - chance)
            axes.plot(
                false_normal, true_normal, label=f"{name}: AUC {found.roc_auc:.3f}", **_look(i)
            )
            if thresholds is not None:
                kept = 1 - found.counts.abnormal_abnormal / found.abnormal
                axes.plot(kept, found.recall, "o", color=_look(i)["color"], markersize=5)
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

    Parameters
    ----------
    path, names, labels, probabilities
        As :func:`plot_roc`.
    """
    truth, given = np.asarray(labels), np.asarray(probabilities)
    with _figure(path, 4.6, 4.6) as figure:
        axes = figure.add_subplot()
        _square(axes)
        for i, name in enumerate(names):
            bins = calibration_bins(truth[:, i], given[:, i])
            x, y = [b.predicted for b in bins], [b.observed for b in bins]
            axes.plot(x, y, marker="o", markersize=4, label=name, **_look(i))
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
    with _figure(path, 2.5 * columns + 0.4, 2.4 * rows + 0.5) as figure:
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


def plot_history(path: str | Path, history: str | Path, title: str = "Training") -> None:
    """Draw the curves of a stage from its ``history.csv``: losses, validation accuracies.

    The epoch whose weights were kept is marked.

    Parameters
    ----------
    path
        PNG to write.
    history
        CSV with columns ``epoch``, ``train_loss``, ``valid_loss``, ``valid_accuracy_LABEL`` and
        ``kept`` (0 or 1; the last 1 is the epoch that was kept).

    Raises
    ------
    TrainingError
        If the file is missing, or is no history.
    """
    rows = _read_history(Path(history))
    epochs = [row["epoch"] for row in rows]
    names = [c.removeprefix("valid_accuracy_") for c in rows[0] if c.startswith("valid_accuracy_")]
    kept = [row["epoch"] for row in rows if row.get("kept")]
    marker = "o" if len(rows) == 1 else None
    with _figure(path, 4.5 * (2 if names else 1), 3.4) as figure:
        from matplotlib.ticker import MaxNLocator

        figure.suptitle(title)
        axes = figure.add_subplot(1, 2 if names else 1, 1)
        for i, column in enumerate(("train_loss", "valid_loss")):
            values = [row[column] for row in rows]
            axes.plot(epochs, values, label=column.split("_")[0], marker=marker, **_look(i))
        axes.set(xlabel="epoch", ylabel="loss")
        both = [axes]
        if names:
            right = figure.add_subplot(1, 2, 2)
            for i, name in enumerate(names):
                values = [100 * row[f"valid_accuracy_{name}"] for row in rows]
                right.plot(epochs, values, label=name, marker=marker, **_look(i))
            right.set(xlabel="epoch", ylabel="validation accuracy at 0.5, %")
            both.append(right)
        for part in both:
            if kept:
                part.axvline(kept[-1], color="0.4", linewidth=0.8, linestyle=":", label="kept")
            part.xaxis.set_major_locator(MaxNLocator(integer=True))
            part.legend()


def plot_run(folder: str | Path) -> tuple[Path, ...]:
    """Draw ``history.png`` beside every ``history.csv`` of a run; give the pictures' paths.

    Parameters
    ----------
    folder
        The run's.

    Raises
    ------
    TrainingError, OutputError
        If a history cannot be read, or a picture not be written.
    """
    folder = Path(folder)
    found = sorted(folder.glob("stage1/history.csv")) + sorted(folder.glob("stage2/*/history.csv"))
    pictures = []
    for history in found:
        stage, *label = history.parent.relative_to(folder).parts
        title = f"{folder.resolve().name}: {stage.replace('stage', 'stage ')} {' '.join(label)}"
        plot_history(history.with_suffix(".png"), history, title.rstrip())
        pictures.append(history.with_suffix(".png"))
    return tuple(pictures)


def _read_history(path: Path) -> list[dict[str, float]]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = [
                {key: float(value) if value else float("nan") for key, value in row.items() if key}
                for row in csv.DictReader(stream)
            ]
    except OSError as error:
        raise TrainingError(f"cannot be read: {error.strerror or error}", path=path) from error
    except (ValueError, TypeError, UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(f"is no training history: {error}", path=path) from error
    missing = {"epoch", "train_loss", "valid_loss"} - set(rows[0] if rows else {})
    if missing:
        got = ", ".join(rows[0]) if rows else "no rows"
        raise TrainingError(
            f"is no training history: expected the columns {', '.join(sorted(missing))}, got {got}",
            path=path,
        )
    return rows
