"""The curves of a run as PNG, and the figure that every plot is drawn on.

The same input gives the same file. Drawn without pyplot, so that nothing depends on a display or on
what else a program draws.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from androscope.errors import TrainingError
from androscope.extras import require
from androscope.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["canvas", "look", "plot_history", "plot_run"]

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
    "svg.hashsalt": "androscope",  # else ids are drawn at random
}

#: Without the library's version and the date, which would make equal pictures different files.
_NO_METADATA: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@contextmanager
def canvas(path: str | Path, width: float, height: float) -> Iterator[Figure]:
    """Give a figure to draw on; it is at ``path`` afterwards, whole or not at all.

    Parameters
    ----------
    path
        PNG, SVG or PDF to write.
    width, height
        In inches, of 120 pixels.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    OutputError
        If the picture cannot be written.
    """
    matplotlib = require("matplotlib", extra="train", why="draw plots")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # From the library's own defaults: a reader's matplotlibrc must not change the picture.
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **_SETTINGS, "backend": "agg"}):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        with atomic_path(path) as temporary:
            suffix = Path(path).suffix.lower()
            figure.savefig(temporary, dpi=120, metadata=_NO_METADATA.get(suffix))


def look(index: int) -> dict[str, Any]:
    """Colour and line style of the curve with this number, from 0."""
    return {
        "color": _COLOURS[index % len(_COLOURS)],
        "linestyle": _STYLES[index // len(_COLOURS) % len(_STYLES)],
    }


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
    with canvas(path, 4.5 * (2 if names else 1), 3.4) as figure:
        from matplotlib.ticker import MaxNLocator

        figure.suptitle(title)
        axes = figure.add_subplot(1, 2 if names else 1, 1)
        for i, column in enumerate(("train_loss", "valid_loss")):
            values = [row[column] for row in rows]
            axes.plot(epochs, values, label=column.split("_")[0], marker=marker, **look(i))
        axes.set(xlabel="epoch", ylabel="loss")
        both = [axes]
        if names:
            right = figure.add_subplot(1, 2, 2)
            for i, name in enumerate(names):
                values = [100 * row[f"valid_accuracy_{name}"] for row in rows]
                right.plot(epochs, values, label=name, marker=marker, **look(i))
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
