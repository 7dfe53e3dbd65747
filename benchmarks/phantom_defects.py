"""How often a model reads a clear phantom defect as that defect.

    python benchmarks/phantom_defects.py [--model NAME|DIR] [--n 100] [--all]

Textbook cases: for each part that the model grades, `n` phantoms with one clear defect of it, and
the share whose part is called abnormal. Beside it the same share of phantoms without any defect,
once in the focus most normal sperm of MHSMA are seen in, once in the same focus as the defects (in
MHSMA bright heads are abnormal more often than dark ones, and a model learns that too), and the ROC
AUC against the latter. `--all` goes on with every kind of defect there is, in random focus.

Phantoms check that the model looks at the part it names; how well it grades is measured on real
sperm. The kinds that count as textbook cases were chosen with an earlier network at hand
(docs/images.md), so these rates flatter.
"""

from __future__ import annotations

import argparse

import numpy as np

from androscope.imaging.phantom import render_crop
from androscope.imaging.phantom_random import DEFECTS, random_spec
from androscope.imaging.phantom_set import clear_phantoms
from androscope.model.bundle import load_bundle
from androscope.model.session import Session


def pixels(phantoms: list) -> np.ndarray:
    """Their crops, ``(n, 64, 64)`` uint8."""
    return np.stack([phantom.pixels for phantom in phantoms])


def normal_like(defective: list) -> np.ndarray:
    """Normal phantoms seen through the very optics of ``defective``, ``(n, 64, 64)`` uint8."""
    sources = [np.random.default_rng([3, number]) for number in range(len(defective))]
    return pixels(
        [
            render_crop(random_spec(rng), int(rng.integers(2**31)), optics=phantom.optics)
            for rng, phantom in zip(sources, defective, strict=True)
        ]
    )


def with_defects(defects: tuple[str, ...], n: int) -> np.ndarray:
    """``n`` crops ``(n, 64, 64)`` uint8 with exactly these defects, in random focus."""
    sources = [np.random.default_rng([2, number]) for number in range(n)]
    return pixels(
        [render_crop(random_spec(rng, defects), int(rng.integers(2**31))) for rng in sources]
    )


def auc(above: np.ndarray, below: np.ndarray) -> float:
    """Chance that one of ``above`` exceeds one of ``below``; ties count half."""
    greater = (above[:, None] > below[None]).mean()
    return float(greater + 0.5 * (above[:, None] == below[None]).mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="default")
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--all", action="store_true", help="every kind of defect as well")
    arguments = parser.parse_args()
    bundle = load_bundle(arguments.model)
    session, card, n = Session(bundle), bundle.card, arguments.n
    print(f"{card.name} {card.version}; {n} phantoms each; share called abnormal")
    print(f"{'clear defect of':<18}{'defect':>8}{'normal':>8}{'normal, same focus':>20}{'AUC':>7}")
    plain = session.predict(pixels(clear_phantoms(None, n, 1))).probabilities
    for column, part in enumerate(card.labels):
        threshold = card.thresholds[part]
        defective = clear_phantoms(part, n, 1)
        found = session.predict(pixels(defective)).probabilities[:, column]
        same = session.predict(normal_like(defective)).probabilities[:, column]
        rates = [float((p >= threshold).mean()) for p in (found, plain[:, column], same)]
        print(
            f"{part:<18}{rates[0]:>8.0%}{rates[1]:>8.0%}{rates[2]:>20.0%}{auc(found, same):>7.2f}"
        )
    if not arguments.all:
        return
    print(f"\n{'any focus':<20}{'part':<10}{'defect':>8}{'normal':>8}{'AUC':>7}")
    plain = session.predict(with_defects((), n)).probabilities
    for column, part in enumerate(card.labels):
        threshold = card.thresholds[part]
        alarms = float((plain[:, column] >= threshold).mean())
        for defect in (name for name, of in DEFECTS.items() if of == part):
            found = session.predict(with_defects((defect,), n)).probabilities[:, column]
            read = float((found >= threshold).mean())
            score = auc(found, plain[:, column])
            print(f"{defect:<20}{part:<10}{read:>8.0%}{alarms:>8.0%}{score:>7.2f}")


if __name__ == "__main__":
    main()
