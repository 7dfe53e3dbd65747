"""How many of a sample are normal: by labels, by counting verdicts, and by adding up probabilities.

    python benchmarks/expected_share.py [BUNDLE ...] [--split valid]

Normal in every part, percent, with the 95 % intervals that a report gives (Wilson's for counts, the
bootstrap over sperm for expected shares). Checks are left out, so that all crops count.
"""

from __future__ import annotations

import argparse

from androscope import datasets
from androscope.assessment.expected import expected_normal
from androscope.assessment.sample import proportion
from androscope.assessment.tally import tally
from androscope.predict import Graded, Grader
from androscope.types import Crop

BUNDLES = ("dmtl-lite0-int8", "accurate")


def main() -> None:
    """Print a table for each bundle."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundles", nargs="*", default=list(BUNDLES))
    parser.add_argument("--split", choices=("train", "valid", "test"), default="test")
    arguments = parser.parse_args()
    for name in arguments.bundles:
        grader = Grader(name, grade_anyway=True)
        labels = grader.card.labels
        split = datasets.load("mhsma", crop_size=grader.card.input.size).splits[arguments.split]
        true = (split.with_labels(labels).labels == 0).all(axis=1)
        crops = [Crop(*one) for one in zip(split.crops, split.ids, strict=True)]
        given = [one.assessment for one in grader.grade(crops) if isinstance(one, Graded)]
        assert len(given) == len(crops)
        print(f"{name} {grader.card.version}, {len(given)} crops of mhsma {arguments.split}")
        people = proportion(int(true.sum()), len(true))
        verdicts = tally(given, labels).whole.fraction_normal
        expected = expected_normal(given, labels)
        for what, share in (("labels", people), ("verdicts", verdicts), ("expected", expected)):
            value, low, high = (100 * v for v in (share.fraction, share.low, share.high))
            print(f"  {what:<10}{value:5.1f}  ({low:.1f} to {high:.1f})")


if __name__ == "__main__":
    main()
