"""A bundle and a lab's labelled crops to a new bundle, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from androscope.datasets import LabelledCrops
from androscope.datasets.types import UNLABELLED
from androscope.datasets.whole import Whole, load_whole
from androscope.errors import AdaptError, MissingExtraError
from androscope.learning.adapt.card import adapted_draft
from androscope.learning.adapt.carried import checks_of
from androscope.learning.adapt.choose import Graded, choose
from androscope.learning.adapt.division import HELD, groups_of, hold_out, patients_of
from androscope.learning.adapt.measure import changes
from androscope.learning.adapt.minimum import feasible, lacking, refuse
from androscope.learning.adapt.plan import Plan, plan_of, with_everything
from androscope.learning.trust.bare import bare_session
from androscope.model.bundle import Bundle, load_bundle
from androscope.model.bundle_writing import write_bundle
from androscope.model.calibrate import calibrate
from androscope.model.card import Card
from androscope.model.card_parent import Adaptation, AdaptedData
from androscope.model.session import Session

__all__ = ["Adapted", "adapt"]

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Adapted:
    """What adapting came to.

    Attributes
    ----------
    parent
        The card of the bundle that was to be adapted.
    data
        What it was adapted to.
    labels
        Per label what was done, why, and its change on the held part.
    notes
        What was not tried, dropped or fitted anew, each a sentence.
    bundle
        The new bundle; ``None`` if every label is best kept as it is.
    """

    parent: Card
    data: AdaptedData
    labels: dict[str, Adaptation]
    notes: tuple[str, ...] = ()
    bundle: Bundle | None = field(default=None, repr=False)


def adapt(
    bundle: str | Path | Bundle,
    data: str | Path,
    out: str | Path,
    *,
    labels: Sequence[str] = (),
    name: str | None = None,
    version: str = "0.1.0",
    licence: str | None = None,
    run: str | Path | None = None,
    trunk: bool = True,
    held: float = HELD,
    resamples: int = 2000,
    threads: int = 0,
    seed: int = 0,
    report: Report = lambda _: None,
) -> Adapted:
    """Adapt a bundle to labelled crops, as far as they support it.

    Parameters
    ----------
    bundle
        A shipped name, a folder, or a bundle.
    data
        Labelled crops in any form that :func:`androscope.datasets.load` takes. Those that it calls
        ``test`` are the held part; else one is drawn.
    out
        The new bundle's folder; must not exist yet, or be empty.
    labels
        To adapt; default: all of the bundle's. The others stay as they are.
    name, version
        Of the new bundle; default: the parent's name with ``-adapted``.
    licence
        Under which the crops may be used, for the card.
    run
        The run that the bundle was exported from, if its network cannot be built from the bundle.
    trunk
        Try training the trunk on as well, where crops and bundle allow it.
    held
        Share of the crops that is held out.
    resamples, seed
        Of the bootstrap; the seed of every draw.
    threads
        Of onnxruntime; 0: one per core.
    report
        Called with lines on progress.

    Raises
    ------
    AdaptError
        If the crops are too few, with every reason at once; nothing is written.
    BundleError, DataError, OutputError
        If the bundle, the data or the folder is not to be had.
    """
    parent = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
    card = parent.card
    _free(Path(out))
    whole = load_whole(data, crop_size=card.input.size)
    wanted = _wanted(card, labels)
    crops, test = _crops(whole, card.labels, wanted)
    counts, patients = crops.counts(), patients_of(crops)
    shares = _shares(card)
    refuse(lacking(counts, wanted, len(crops), patients, shares), str(data))
    report(f"embedding {len(crops)} crops")
    graded = grade(parent, crops, threads=threads)
    fit_rows, held_rows = hold_out(crops, share=held, given=test, seed=seed)
    refuse(_one_sided(crops, wanted, fit_rows, held_rows), str(data))
    tried = {label: feasible(counts, label, len(crops)) for label in wanted}
    stray = [label for label in whole.crops.label_names if label not in card.labels]
    notes = tuple(f"{label} is labelled, and {card.name} does not grade it" for label in stray)
    notes += _not_tried(tried, wanted)
    report(f"choosing by {len(fit_rows)} crops in cross-validation; {len(held_rows)} are held out")
    frozen = {label: [how for how in tried[label] if how != "everything"] for label in wanted}
    fitted = graded.select(fit_rows)
    plan = plan_of(parent, choose(fitted, card.labels, frozen, seed=seed), graded, fit_rows)
    if trunk:
        try:
            plan, more = with_everything(
                plan, parent, crops, graded, fit_rows, tried, run=run, seed=seed, report=report
            )
        except (AdaptError, MissingExtraError) as error:
            more = (f"the trunk was not trained on: {error.reason}",)
        notes += more
    facts = AdaptedData(
        name=whole.name,
        sha256=crops.sha256,
        licence=licence or whole.licence or "not stated: own data of whoever adapted this",
        fitted=len(fit_rows),
        held=len(held_rows),
        normal={label: counts[label].normal for label in card.labels},
        abnormal={label: counts[label].abnormal for label in card.labels},
        patients=patients,
    )
    found = _measured(plan, graded, held_rows, resamples, seed)
    if not plan.changed:
        return Adapted(card, facts, found, notes)
    checks, domain, dropped = checks_of(
        card, plan.model, crops.select(fit_rows), crops.select(held_rows), whole.name
    )
    draft, more = adapted_draft(
        parent,
        plan,
        facts,
        found,
        crops.labels,
        fit_rows,
        checks=checks,
        notes=dropped,
        name=name,
        version=version,
        seed=seed,
    )
    new = write_bundle(out, plan.model, draft, domain)
    _prove(new, crops, plan, threads)
    return Adapted(card, facts, found, notes + more, new)


def grade(bundle: Bundle, crops: LabelledCrops, *, threads: int = 0) -> Graded:
    """See crops as a bundle does; their labels must be the bundle's, in its order."""
    found = bare_session(bundle.card, bundle.model, threads=threads).predict(crops.crops)
    current = calibrate(found.probabilities, bundle.card.calibration, bundle.card.labels)
    return Graded(found.probabilities, current, found.embeddings, crops.labels, groups_of(crops))


def _free(out: Path) -> None:
    # Before the work, not after it; write_bundle asks again.
    from androscope.model.bundle_writing import refuse_full

    refuse_full(out)


def _wanted(card: Card, labels: Sequence[str]) -> tuple[str, ...]:
    stray = [label for label in labels if label not in card.labels]
    if stray:
        raise AdaptError(
            f"{card.name} does not grade {', '.join(stray)}; it grades {', '.join(card.labels)}",
            advice="Name one of these with --label; a new label takes `androscope train`",
        )
    return tuple(label for label in card.labels if not labels or label in labels)


def _crops(
    whole: Whole, labels: Sequence[str], wanted: Sequence[str]
) -> tuple[LabelledCrops, NDArray[np.bool_] | None]:
    """All of the bundle's labels as columns, and the crops that bear one that is to be adapted."""
    given = whole.crops
    columns = np.full((len(given), len(labels)), UNLABELLED, np.int8)
    for place, label in enumerate(labels):
        if label in given.label_names:
            columns[:, place] = given.labels[:, given.label_names.index(label)]
    crops = LabelledCrops(given.crops, columns, tuple(labels), given.ids, given.patients)
    places = [list(labels).index(label) for label in wanted]
    kept = (columns[:, places] != UNLABELLED).any(axis=1)
    return crops.select(kept), None if whole.test is None else whole.test[kept]


def _shares(card: Card) -> dict[str, float]:
    """Abnormal share of each label where the parent learned, as far as its card says."""
    shares = {}
    for label in card.labels:
        splits = [s for s in card.training.splits.values() if label in s.abnormal]
        crops = sum(split.labelled.get(label, split.crops) for split in splits)
        if crops:
            shares[label] = sum(split.abnormal[label] for split in splits) / crops
    return shares


def _one_sided(
    crops: LabelledCrops,
    wanted: Sequence[str],
    fit_rows: NDArray[np.intp],
    held_rows: NDArray[np.intp],
) -> list[str]:
    """Labels of which patients, or the data's own split, leave a part without a class."""
    reasons = []
    for what, rows, least in (("fit by", fit_rows, 5), ("hold out", held_rows, 1)):
        for label, found in crops.select(rows).counts().items():
            for kind, have in (("normal", found.normal), ("abnormal", found.abnormal)):
                if label in wanted and have < least:
                    reasons.append(
                        f"{label}: {have} {kind} crops to {what}, at least {least} are needed "
                        "there, whole patients and the data's own split kept: label more patients"
                    )
    return reasons


def _not_tried(tried: Mapping[str, Sequence[str]], wanted: Sequence[str]) -> tuple[str, ...]:
    few = [label for label in wanted if "branch" not in tried[label]]
    if not few:
        return ()
    return (f"branches were not fitted anew for {', '.join(few)}: too few crops of a class",)


def _measured(
    plan: Plan, graded: Graded, held_rows: NDArray[np.intp], resamples: int, seed: int
) -> dict[str, Adaptation]:
    found = {}
    held = graded.select(held_rows)
    for column, label in enumerate(plan.labels):
        known = held.labels[:, column] >= 0
        rows = held_rows[known]
        found[label] = Adaptation(
            how=plan.how[label],
            reason=plan.reasons[label],
            log_loss={how: round(loss, 6) for how, loss in plan.losses[label].items()},
            held=changes(
                held.labels[known, column],
                (graded.current[rows, column].astype(np.float64), plan.before[label]),
                (plan.after[rows, column], plan.thresholds[label]),
                held.groups[known],
                resamples=resamples,
                seed=seed,
            ),
        )
    return found


def _prove(new: Bundle, crops: LabelledCrops, plan: Plan, threads: int) -> None:
    from androscope.learning.adapt.graph import check_probabilities

    given = Session(new, threads=threads).predict(crops.crops).probabilities
    check_probabilities(given, plan.after)
