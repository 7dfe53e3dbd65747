"""What each lever changes: out-of-fold predictions of a cross-validation against another's.

    python benchmarks/levers.py FOLDER [--base base] [--resamples 2000] [--markdown]
    python benchmarks/levers.py FOLDER --doubted FILE

FOLDER is what `androscope benchmark run --protocol benchmarks/levers.yaml --out FOLDER` wrote. Both
of a pair graded the same crops in the same folds, so the differences are paired: crops are drawn
with replacement, the same for both. ROC AUC is the mean over folds, as probabilities of different
networks do not compare; log loss is over all crops. One seed each: chance between two trainings of
one recipe is in the differences too, and is not in their intervals. A star: other folds, which are
drawn by the recipe's labels.

`--doubted` writes the labels that the networks of `base`, which had not learned them, contradict by
confident learning, as `data.doubted` takes them. The network that doubted a crop of one fold had
learned the other folds, by which the lever is then judged: what it seems to gain is an upper bound.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from androscope.files import write_text
from androscope.learning.label_noise import label_noise
from androscope.protocol.audit import csv_text, ranked
from androscope.protocol.graded import read_graded

LABELS = ("head", "acrosome", "vacuole")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Folds:
    """Crops by row: ids, folds ``(N,)``, probabilities and truths ``(N, 3)``."""

    ids: tuple[str, ...]
    folds: NDArray[np.str_]
    probabilities: Floats
    truths: NDArray[np.bool_]


def read(path: Path) -> Folds:
    """Read a cross-validation's predictions, which name each crop's fold beside its grades."""
    graded = read_graded(path, LABELS)
    with path.open(encoding="utf-8", newline="") as file:
        folds = np.array([row["fold"] for row in csv.DictReader(file)])
    return Folds(
        graded.ids,
        folds,
        np.stack([graded.probabilities[label] for label in LABELS], axis=1),
        np.stack([graded.truth[label] == 1 for label in LABELS], axis=1),
    )


def in_order_of(given: Folds, ids: tuple[str, ...]) -> Folds:
    """The same crops in the order of ``ids``."""
    place = {name: row for row, name in enumerate(given.ids)}
    rows = [place[name] for name in ids]
    return Folds(ids, given.folds[rows], given.probabilities[rows], given.truths[rows])


def scores(given: Folds, rows: NDArray[np.intp]) -> Floats:
    """ROC AUC in percent of each label and their mean, then the same of log loss times 1000."""
    chance = np.clip(given.probabilities[rows], 1e-7, 1 - 1e-7)
    truth, folds = given.truths[rows], given.folds[rows]
    areas = [
        np.mean([_area(truth[folds == f, c], chance[folds == f, c]) for f in np.unique(folds)])
        for c in range(len(LABELS))
    ]
    losses = -np.where(truth, np.log(chance), np.log1p(-chance)).mean(0)
    return np.array(
        [*(100 * np.array(areas)), 100 * np.mean(areas), *(1e3 * losses), 1e3 * losses.mean()]
    )


def _area(truth: NDArray[np.bool_], chance: Floats) -> float:
    return float(roc_auc_score(truth, chance)) if 0 < truth.sum() < len(truth) else float("nan")


def doubted(given: Folds) -> str:
    """The list of labels that confident learning doubts, of all labels, as CSV."""
    found = {
        label: label_noise(given.ids, given.truths[:, c].astype(int), given.probabilities[:, c])
        for c, label in enumerate(LABELS)
    }
    for label, noise in found.items():
        print(
            f"{label}: {len(noise.suspects)} doubted; estimated share of wrong labels "
            f"{noise.share:.1%} ({noise.low:.1%} to {noise.high:.1%}), of which the models' doubt "
            f"alone would make {noise.if_opinions_were_right:.1%}"
        )
    return csv_text(ranked(found))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--base", default="base")
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--doubted", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    runs = arguments.folder / "runs" / "crossval"
    base = read(runs / arguments.base / "predictions.csv")
    if arguments.doubted is not None:
        write_text(arguments.doubted, doubted(base))
        return
    every = np.arange(len(base.ids))
    whole = scores(base, every)
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(every), len(every)) for _ in range(arguments.resamples)]
    drawn = np.array([scores(base, rows) for rows in draws])
    heads = [*(f"AUC {k}" for k in LABELS), "AUC mean", "log loss mean, x 1000"]
    columns = (0, 1, 2, 3, 7)
    table = [["", *heads], [arguments.base, *(f"{whole[c]:.1f}" for c in columns)]]
    for path in sorted(runs.glob("*/predictions.csv")):
        if path.parent.name == arguments.base:
            continue
        other = read(path)
        if sorted(other.ids) != sorted(base.ids):
            raise SystemExit(f"{path}: expected the crops of {arguments.base}")
        other = in_order_of(other, base.ids)
        # Folds are drawn alike in all labels of a recipe: one label more, and they are others.
        mark = "" if (other.folds == base.folds).all() else " *"
        change = scores(other, every) - whole
        around = np.array([scores(other, rows) for rows in draws]) - drawn
        low, high = np.nanpercentile(around, [2.5, 97.5], axis=0)
        cells = [f"{change[c]:+.1f} ({low[c]:+.1f} to {high[c]:+.1f})" for c in columns]
        table.append([path.parent.name + mark, *cells])
    folds = len(np.unique(base.folds))
    print(f"{len(base.ids)} crops, {folds} folds; changes against {arguments.base}")
    if arguments.markdown:
        table.insert(1, ["---", *["---:"] * len(heads)])
        print("\n" + "\n".join("| " + " | ".join(row) + " |" for row in table))
        return
    for row in table:
        print(f"{row[0]:<14}" + "".join(f"{cell:>28}" for cell in row[1:]))


if __name__ == "__main__":
    main()
