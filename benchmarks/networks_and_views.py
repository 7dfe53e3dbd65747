"""Mean ROC AUC and log loss on validation, over how many networks and views are averaged.

    python benchmarks/networks_and_views.py RUN RUN RUN

Test is not read.
"""

from __future__ import annotations

import argparse
from typing import get_args

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

from androscope import datasets
from androscope.learning.run import Run
from androscope.learning.views import dihedral_views
from androscope.types import Views

VIEWS: tuple[int, ...] = get_args(Views)


def main() -> None:
    """Print a row for each number of networks, in the order the runs are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--data", default="mhsma")
    arguments = parser.parse_args()
    runs = [Run.load(path) for path in arguments.runs]
    first = runs[0]
    loaded = datasets.load(
        arguments.data, crop_size=first.config.data.crop_size, labels=first.labels
    )
    valid = loaded.splits["valid"]
    views = dihedral_views(valid.crops, max(VIEWS))
    # (networks, views, N, L)
    given = np.array([[run.probabilities(view) for view in views] for run in runs], np.float64)
    print(f"{len(valid)} crops of {arguments.data} valid: mean ROC AUC in percent, log loss")
    print("networks  " + "".join(f"{n} view{'s' if n > 1 else ' '}         " for n in VIEWS))
    for count in range(1, len(runs) + 1):
        cells = []
        for shown in VIEWS:
            mean = given[:count, :shown].mean((0, 1))
            columns = range(len(first.labels))
            auc = np.mean([roc_auc_score(valid.labels[:, c], mean[:, c]) for c in columns])
            loss = np.mean([log_loss(valid.labels[:, c], mean[:, c]) for c in columns])
            cells.append(f"{100 * auc:.1f}, {loss:.3f}")
        print(f"{count:<10}" + "".join(f"{cell:<16}" for cell in cells).rstrip())


if __name__ == "__main__":
    main()
