"""A search as a picture: what mattered, and how the best came about."""

from __future__ import annotations

from pathlib import Path

from androscope.errors import OutputError, TrainingError
from androscope.learning.plots import canvas, look
from androscope.search.record import SearchRecord

__all__ = ["plot_search"]

_KINDS = (".svg", ".png", ".pdf")
_TITLES = {"roc_auc": "mean ROC AUC on valid", "loss": "mean cross-entropy on valid"}


def plot_search(path: str | Path, found: SearchRecord) -> None:
    """Draw the importance of each key, and every trial's objective with the best so far.

    Parameters
    ----------
    path
        SVG, PNG or PDF to write.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    OutputError
        If the picture cannot be written, or its kind is not known.
    TrainingError
        If no trial was trained to its end.
    """
    path = Path(path)
    if path.suffix.lower() not in _KINDS:
        raise OutputError(
            f"expected a name that ends in {', '.join(_KINDS)}, got {path.suffix or 'no ending'}",
            path=path,
        )
    whole = [t for t in found.of_state("complete") if t.value is not None]
    if not whole:
        raise TrainingError(
            "no trial was trained to its end, there is nothing to draw",
            advice="Go on with `androscope search run`",
        )
    names = list(found.importance)[::-1]
    with canvas(path, 10, max(3.0, 1.2 + 0.3 * len(names))) as figure:
        left, right = figure.subplots(1, 2)
        left.set_title("importance", loc="left")
        if names:
            left.barh(range(len(names)), [100 * found.importance[n] for n in names], **_bar())
            left.set_yticks(range(len(names)), names)
            left.set_xlabel("share, % (PED-ANOVA)")
        else:
            left.text(0.5, 0.5, found.importance_missing or "", ha="center", wrap=True)
            left.set_axis_off()
        right.set_title(f"{found.name}: {len(found.trials)} trials", loc="left")
        pruned = [t for t in found.of_state("pruned") if t.value is not None]
        right.scatter(
            [t.number for t in pruned],
            [t.value for t in pruned],
            s=14,
            color="0.6",
            marker="x",
            label="given up, at its last epoch",
        )
        numbers, values = [t.number for t in whole], [float(t.value or 0) for t in whole]
        right.scatter(numbers, values, s=16, color=look(0)["color"], label="trained to its end")
        choose = max if found.objective == "roc_auc" else min
        best = [choose(values[: i + 1]) for i in range(len(values))]
        right.step(numbers, best, where="post", color=look(1)["color"], label="best so far")
        right.set(xlabel="trial", ylabel=_TITLES[found.objective])
        right.legend()


def _bar() -> dict[str, str]:
    return {"color": str(look(0)["color"])}
