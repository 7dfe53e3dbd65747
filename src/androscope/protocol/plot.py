"""The runs of a benchmark as a picture: dots, their mean and interval, the paper's values."""

from __future__ import annotations

from pathlib import Path

from androscope.errors import OutputError, TrainingError
from androscope.learning.metrics import TITLES
from androscope.learning.plots import canvas
from androscope.protocol.record import Benchmark, Part
from androscope.protocol.tables import published

__all__ = ["METRICS_SHOWN", "plot_benchmark"]

METRICS_SHOWN = ("accuracy", "roc_auc", "mcc")

_KINDS = (".svg", ".png", ".pdf")
_PAPER = {"DTL, paper": ("#D55E00", "--"), "DMTL, paper": ("#009E73", "-.")}


def plot_benchmark(path: str | Path, found: Benchmark, split: str = "test") -> None:
    """Draw the scores of all runs: a row per label, a column per score.

    Parameters
    ----------
    path
        SVG, PNG or PDF to write.
    split
        ``"test"`` or ``"valid"``.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    OutputError
        If the picture cannot be written, or its kind is not known.
    TrainingError
        If no run has been read on that split.
    """
    path = Path(path)
    if path.suffix.lower() not in _KINDS:
        raise OutputError(
            f"expected a name that ends in {', '.join(_KINDS)}, got {path.suffix or 'no ending'}",
            path=path,
        )
    part: Part = "valid" if split == "valid" else "test"
    labels = [label for label in found.protocol.labels if label in found.baseline.get(part, {})]
    names = [name for name, entry in found.recipes.items() if entry.means.get(part)]
    if not labels or not names:
        raise TrainingError(
            f"no run has been read on {split}",
            advice=f"Run `androscope benchmark run --split {split}` first",
        )
    height = 1.0 + len(labels) * (0.9 + 0.28 * len(names))
    with canvas(path, 10, height) as figure:
        grid = figure.subplots(len(labels), len(METRICS_SHOWN), squeeze=False, sharey=True)
        handles = {}
        for row, label in enumerate(labels):
            paper = published(found, label) if part == "test" else {}
            for column, metric in enumerate(METRICS_SHOWN):
                axes = grid[row][column]
                factor = 1 if metric == "mcc" else 100
                level = found.baseline[part][label].scores[metric]
                if level is not None:
                    handles["all called normal"] = axes.axvline(
                        factor * level, color="0.5", linestyle=":", linewidth=1
                    )
                for name, scores in paper.items():
                    if (value := scores[metric]) is not None:
                        colour, style = _PAPER.get(name, ("0.3", "-"))
                        handles[name] = axes.axvline(
                            factor * value, color=colour, linestyle=style, linewidth=1
                        )
                for place, recipe in enumerate(names):
                    entry = found.recipes[recipe]
                    mean = entry.means[part].get(label, {}).get(metric)
                    values = [
                        factor * score.value
                        for run in entry.runs
                        if (score := run.scores.get(part, {}).get(label, {}).get(metric))
                        and score.value is not None
                    ]
                    handles["a run"] = axes.scatter(
                        values, [place - 0.18] * len(values), s=10, color="#56B4E9", zorder=3
                    )
                    if mean is None or mean.mean is None:
                        continue
                    centre = factor * mean.mean
                    around = None
                    if mean.low is not None and mean.high is not None:
                        around = [[centre - factor * mean.low], [factor * mean.high - centre]]
                    handles["mean over runs, 95 % interval over crops"] = axes.errorbar(
                        [centre],
                        [place + 0.12],
                        xerr=around,
                        fmt="D",
                        markersize=4,
                        color="#0072B2",
                        capsize=3,
                        zorder=4,
                    )
                axes.set_yticks(range(len(names)), names)
                axes.set_ylim(len(names) - 0.5, -0.5)
                unit = "" if metric == "mcc" else ", %"
                axes.set_xlabel(f"{TITLES[metric]}{unit}")
                if column == 0:
                    axes.set_title(label, loc="left", fontweight="bold")
        figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=3)
