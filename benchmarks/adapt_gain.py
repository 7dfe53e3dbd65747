"""What adapting to a lab's own crops gains, on crops that are not like MHSMA's.

    python benchmarks/adapt_gain.py [--model NAME|DIR] [--seeds 5] [--budgets 50 100 200]
        [--only phantoms|mhsma] [--trunk] [--few]

Crops are altered strongly: fainter, blurred, and smaller (`dim`), or harder and larger (`hard`).
Phantoms are drawn for the purpose; of MHSMA, altered valid crops are adapted to and altered test
crops are reported on (train is what the model learned from). From the crops to adapt to, a budget
is drawn at random or chosen by `suggest`; three in ten of it are held out, as `androscope adapt`
does, and the rest is fitted and chosen by. What is printed is measured on the crops to report on:
before, after (mean and standard deviation over seeds), and what was chosen how often. A label of
which the budget has too few crops for adapting is kept, as with `--label`.

`--trunk` trains the trunk on as well (minutes each, one seed). `--few` prints what recalibrating
costs or gains with few crops of the rarer class, with the priors it has and without.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
from PIL import Image, ImageFilter

from androscope.assessment.label_next import rank
from androscope.datasets import LabelledCrops, load
from androscope.errors import DataError
from androscope.imaging.phantom_set import phantom_set
from androscope.learning.adapt.adapt import grade
from androscope.learning.adapt.choose import Graded, choose, fit
from androscope.learning.adapt.division import hold_out
from androscope.learning.adapt.heads import Head, recalibrate
from androscope.learning.adapt.losses import log_losses
from androscope.learning.adapt.measure import scores
from androscope.learning.adapt.minimum import feasible
from androscope.learning.trust.fitting import fit_parameters
from androscope.model.bundle import Bundle, load_bundle

#: Contrast around the mean, standard deviation of the blur in px, and scale.
ALTERED = {"dim": (0.35, 2.0, 0.6), "hard": (1.8, 1.0, 1.6)}

#: Phantoms have defects more often than MHSMA's sperm, so that 50 suffice for every label.
RATES = {"head": 0.35, "acrosome": 0.35, "vacuole": 0.35, "tail": 0.1}


def alter(crops: np.ndarray, contrast: float, blur: float, scale: float) -> np.ndarray:
    """``(N, S, S)`` uint8 crops blurred, scaled around their middle, and of other contrast."""
    size = crops.shape[1]
    new = round(size * scale)
    found = []
    for pixels in crops:
        image = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(blur))
        grey = np.asarray(image.resize((new, new), Image.Resampling.BICUBIC), dtype=np.float64)
        rest = abs(size - new)
        if new < size:
            grey = np.pad(grey, ((rest // 2, rest - rest // 2),) * 2, mode="symmetric")
        else:
            grey = grey[rest // 2 : rest // 2 + size, rest // 2 : rest // 2 + size]
        mean = grey.mean()
        found.append(np.clip((grey - mean) * contrast + mean, 0, 255).astype(np.uint8))
    return np.stack(found)


def phantoms(labels: tuple[str, ...], n: int, seed: int) -> LabelledCrops:
    """``n`` phantoms with their truth."""
    drawn = phantom_set(n, seed, rates=RATES)
    truth = np.array([[p.labels[label] for label in labels] for p in drawn], np.int8)
    pixels = np.stack([p.pixels for p in drawn])
    return LabelledCrops(pixels, truth, labels, tuple(f"p{seed}/{i}" for i in range(n)))


def altered(crops: LabelledCrops, how: str) -> LabelledCrops:
    """The same crops seen otherwise."""
    return LabelledCrops(
        alter(crops.crops, *ALTERED[how]), crops.labels, crops.label_names, crops.ids
    )


def chosen_rows(bundle: Bundle, pool: Graded, budget: int, by: str, seed: int) -> np.ndarray:
    """Rows of the crops that are labelled."""
    if by == "random":
        return np.random.default_rng(seed).permutation(len(pool))[:budget]
    thresholds = bundle.card.threshold_list()
    picks = rank(pool.current, thresholds, pool.embeddings, budget, seed=seed)
    return np.array([pick.row for pick in picks])


def adapted(
    bundle: Bundle, crops: LabelledCrops, pool: Graded, rows: np.ndarray, seed: int
) -> dict[str, tuple[str, Head | None]]:
    """What `androscope adapt` does to each label with these crops, the trunk frozen."""
    budget = crops.select(rows)
    counts = budget.counts()
    tried = {
        label: [how for how in feasible(counts, label, len(rows)) if how != "everything"]
        for label in bundle.card.labels
    }
    fit_rows, _ = hold_out(budget, seed=seed)
    found = choose(pool.select(rows[fit_rows]), bundle.card.labels, tried, seed=seed)
    return {
        label: (choice.how if tried[label] else "too few", choice.head)
        for label, choice in found.items()
    }


def measured(report: Graded, column: int, head: Head | None, threshold: float) -> np.ndarray:
    """Log loss, accuracy and ROC AUC of one label on the crops to report on."""
    truth = report.labels[:, column]
    given = report.current[:, column].astype(np.float64)
    if head is not None:
        raw = report.raw[:, column].astype(np.float64)
        given, threshold = head.probabilities(raw, report.embeddings), 0.5
    found = scores(truth, given, threshold, np.ones((1, len(truth))))
    return np.array([found[name][0] for name in ("log_loss", "accuracy", "roc_auc")])


def table(
    bundle: Bundle, name: str, pool: LabelledCrops, report: LabelledCrops, budgets, seeds: int
) -> None:
    """Print one domain's table."""
    labels = bundle.card.labels
    seen, judged = grade(bundle, pool), grade(bundle, report)
    print(f"\n{name}: {len(pool)} crops to choose from, {len(report)} to report on")
    print(
        f"{'crops':>6}{'chosen by':>10}  {'label':<10}{'log loss':>9}{'after':>15}{'accuracy':>10}"
        f"{'after':>15}{'ROC AUC':>9}{'after':>15}  what was done, in how many of {seeds}"
    )
    for budget in budgets:
        for by in ("random", "suggest"):
            if budget > len(pool):
                continue
            after = {label: [] for label in labels}
            done = {label: Counter() for label in labels}
            for seed in range(seeds):
                rows = chosen_rows(bundle, seen, budget, by, seed)
                for column, (label, (how, head)) in enumerate(
                    adapted(bundle, pool, seen, rows, seed).items()
                ):
                    threshold = bundle.card.thresholds[label]
                    after[label].append(measured(judged, column, head, threshold))
                    done[label][how] += 1
            for column, label in enumerate(labels):
                before = measured(judged, column, None, bundle.card.thresholds[label])
                mean = np.mean(after[label], axis=0)
                sd = np.std(after[label], axis=0, ddof=1) if seeds > 1 else np.zeros(3)
                cells = "".join(
                    f"{b:>{9 if i != 1 else 10}.3f}{f'{m:.3f} ({s:.3f})':>15}"
                    for i, (b, m, s) in enumerate(zip(before, mean, sd, strict=True))
                )
                told = ", ".join(f"{how} {n}" for how, n in done[label].most_common())
                print(f"{budget:>6}{by:>10}  {label:<10}{cells}  {told}", flush=True)


def few(bundle: Bundle, name: str, pool: LabelledCrops, report: LabelledCrops) -> None:
    """Print what recalibrating does by the number of abnormal crops it is fitted to."""
    seen, judged = grade(bundle, pool), grade(bundle, report)
    print(f"\n{name}: log loss after recalibrating, by abnormal crops fitted to; mean, worst of 20")
    print(f"{'label':<10}{'abnormal':>9}{'kept':>8}{'with priors':>18}{'without':>18}")
    for column, label in enumerate(bundle.card.labels):
        truth = seen.labels[:, column]
        for count in (3, 5, 7, 10, 15):
            found = []
            for seed in range(20):
                draw = np.random.default_rng([seed, count])
                ill, well = np.flatnonzero(truth == 1), np.flatnonzero(truth == 0)
                healthy = min(len(well), round(count * len(well) / len(ill)))
                rows = np.r_[draw.permutation(ill)[:count], draw.permutation(well)[:healthy]]
                raw = seen.raw[rows, column].astype(np.float64)
                own = recalibrate(raw, truth[rows])
                other = fit_parameters("platt", truth[rows], raw)
                heads = (own, Head(other["slope"], other["intercept"]))
                found.append([measured(judged, column, head, 0.5)[0] for head in heads])
            kept = log_losses(judged.current[:, column], judged.labels[:, column]).mean()
            mean, worst = np.mean(found, axis=0), np.max(found, axis=0)
            cells = "".join(f"{f'{m:.3f}, {w:.3f}':>18}" for m, w in zip(mean, worst, strict=True))
            print(f"{label:<10}{count:>9}{kept:>8.3f}{cells}")


def trunk(
    bundle: Bundle, name: str, pool: LabelledCrops, report: LabelledCrops, budget: int
) -> None:
    """Print what training on all weights gains over new branches alone, once."""
    from androscope.learning.adapt.configuration import configuration
    from androscope.learning.adapt.everything import network_probabilities, try_everything
    from androscope.learning.adapt.network import network_of

    seen, judged = grade(bundle, pool), grade(bundle, report)
    rows = chosen_rows(bundle, seen, budget, "random", 0)
    fit_rows, _ = hold_out(pool.select(rows), seed=0)
    rows = rows[fit_rows]
    network = network_of(bundle, pool.crops[:64], seen.raw[:64])
    found = try_everything(
        network, pool.select(rows), seen.select(rows), configuration(bundle).augment
    )
    given = network_probabilities(found.network, report.crops, bundle.card.network.views)
    print(f"\n{name}, {budget} crops ({len(rows)} to fit by), one seed: log loss and ROC AUC")
    print(f"{'label':<10}{'before':>16}{'branch':>16}{'everything':>16}")
    for column, label in enumerate(bundle.card.labels):
        head = fit("branch", seen.select(rows), column)
        every = found.heads[label].probabilities(given[:, column], np.empty((0, 0)))
        truth, one = judged.labels[:, column], np.ones((1, len(judged)))
        last = scores(truth, every, 0.5, one)
        cells = [measured(judged, column, h, 0.5) for h in (None, head)]
        cells.append(np.array([last[n][0] for n in ("log_loss", "accuracy", "roc_auc")]))
        print(f"{label:<10}" + "".join(f"{f'{c[0]:.3f}, {c[2]:.3f}':>16}" for c in cells))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="default")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budgets", type=int, nargs="+", default=[50, 100, 200])
    parser.add_argument("--altered", choices=[*ALTERED], nargs="+", default=[*ALTERED])
    parser.add_argument("--only", choices=["phantoms", "mhsma"])
    parser.add_argument("--trunk", action="store_true")
    parser.add_argument("--few", action="store_true")
    arguments = parser.parse_args()
    bundle = load_bundle(arguments.model)
    labels = bundle.card.labels
    sets = {"phantoms": (phantoms(labels, 600, 101), phantoms(labels, 300, 102))}
    try:
        real = load("mhsma", labels=labels).splits
        sets["MHSMA"] = (real["valid"], real["test"])
    except DataError as error:
        print(f"without MHSMA: {error.reason}")
    print(f"{bundle.card.name} {bundle.card.version}; mean (standard deviation) over seeds")
    for name, (pool, report) in sets.items():
        if arguments.only not in (None, name.lower()):
            continue
        for how in arguments.altered:
            seen = altered(pool, how), altered(report, how)
            title = "{}, contrast x {:g}, blur {:g} px, scale x {:g}".format(name, *ALTERED[how])
            if arguments.few:
                few(bundle, title, *seen)
            elif arguments.trunk:
                trunk(bundle, title, *seen, arguments.budgets[0])
            else:
                table(bundle, title, *seen, arguments.budgets, arguments.seeds)


if __name__ == "__main__":
    main()
