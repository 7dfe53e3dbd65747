"""How often a model reads a clear phantom defect as that defect.

    python benchmarks/phantom_defects.py [--model NAME|DIR] [--n 100]

For each defect of a part that the model grades: `n` phantoms with that defect and no other, and the
share whose part is called abnormal. Beside it the same share of phantoms without any defect, the
false alarms, and the ROC AUC between the two. Phantoms are a check that the model looks at the part
it names; how well it grades real sperm is measured on real sperm.
"""

from __future__ import annotations

import argparse

import numpy as np

from androscope.imaging.phantom import render_crop
from androscope.imaging.phantom_random import DEFECTS, random_spec
from androscope.model.bundle import load_bundle
from androscope.model.session import Session


def phantoms(defects: tuple[str, ...], n: int, seed: int) -> np.ndarray:
    """``n`` crops ``(n, 64, 64)`` uint8 with exactly these defects."""
    crops = []
    for number in range(n):
        rng = np.random.default_rng([seed, number])
        phantom = render_crop(random_spec(rng, defects), int(rng.integers(2**31)))
        crops.append(phantom.crop.pixels)
    return np.stack(crops)


def auc(above: np.ndarray, below: np.ndarray) -> float:
    """Chance that one of ``above`` exceeds one of ``below``; ties count half."""
    greater = (above[:, None] > below[None]).mean()
    return float(greater + 0.5 * (above[:, None] == below[None]).mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="default")
    parser.add_argument("--n", type=int, default=100)
    arguments = parser.parse_args()
    bundle = load_bundle(arguments.model)
    session = Session(bundle)
    card = bundle.card
    plain = session.predict(phantoms((), arguments.n, 1)).probabilities
    print(f"{card.name} {card.version}; {arguments.n} phantoms each")
    print(f"{'defect':<20}{'part':<10}{'read as such':>13}{'false alarms':>14}{'AUC':>7}")
    for column, part in enumerate(card.labels):
        threshold = card.thresholds[part]
        alarms = float((plain[:, column] >= threshold).mean())
        read = []
        for defect in (name for name, of in DEFECTS.items() if of == part):
            found = session.predict(phantoms((defect,), arguments.n, 2)).probabilities[:, column]
            read.append(float((found >= threshold).mean()))
            score = auc(found, plain[:, column])
            print(f"{defect:<20}{part:<10}{read[-1]:>13.0%}{alarms:>14.0%}{score:>7.2f}")
        print(f"{'mean':<20}{part:<10}{np.mean(read):>13.0%}{alarms:>14.0%}")


if __name__ == "__main__":
    main()
