"""What searching thresholds on validation costs or gains on crops the search has not seen.

    python benchmarks/threshold_search.py RUN [--repeats 500]

The validation crops are split in halves at random, `repeats` times: the threshold of each label is
searched on one half (accuracy + F0.5, as in the paper) and judged on the other, beside 0.5. Test is
not read. Half of the crops make a noisier search than all of them, so the true cost is smaller.
"""

from __future__ import annotations

import argparse

import numpy as np

from androscope import datasets
from androscope.learning.config import ThresholdConfig
from androscope.learning.run import Run
from androscope.learning.thresholds import find_threshold


def main() -> None:
    """Print a line per label."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("--repeats", type=int, default=500)
    arguments = parser.parse_args()
    run = Run.load(arguments.run)
    config = run.config
    data = datasets.load(config.data.dataset, crop_size=config.data.crop_size, labels=config.labels)
    valid = data.splits["valid"].with_labels(config.labels)
    given = run.probabilities(valid.crops)
    search = ThresholdConfig(search=True)
    rng = np.random.default_rng(0)
    print(f"{arguments.run}: accuracy on the unseen half of {len(valid.crops)} validation crops")
    print(f"{'label':<10}{'at 0.5':>8}{'searched':>10}{'difference':>12}{'threshold, sd':>15}")
    for column, label in enumerate(config.labels):
        known = np.flatnonzero(valid.labels[:, column] >= 0)
        truth, p = valid.labels[known, column] == 1, given[known, column]
        fixed, searched, values = [], [], []
        for _ in range(arguments.repeats):
            order = rng.permutation(len(truth))
            seen, unseen = np.split(order, [len(order) // 2])
            value = find_threshold(truth[seen].astype(int), p[seen], search).value
            values.append(value)
            fixed.append(np.mean((p[unseen] >= 0.5) == truth[unseen]))
            searched.append(np.mean((p[unseen] >= value) == truth[unseen]))
        a, b = 100 * np.mean(fixed), 100 * np.mean(searched)
        print(f"{label:<10}{a:>8.1f}{b:>10.1f}{b - a:>+12.1f}{np.std(values):>15.2f}")


if __name__ == "__main__":
    main()
