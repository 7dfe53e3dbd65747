"""What to do to each label: what is better than keeping it, beyond noise, in cross-validation.

Everything here works on arrays: what the bundle says of the crops and how it embeds them is found
once, before. Each candidate grades crops that it was not fitted on, several times over with other
divisions. Keeping the label as it is wins unless the log loss of another falls by more than chance
explains (:func:`androscope.learning.adapt.losses.gain`). Of those others, the simplest is taken
whose log loss is within one standard error of the smallest (Breiman, Friedman, Olshen & Stone 1984,
*Classification and Regression Trees*, 3.4.3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from androscope.learning.adapt.heads import Head, fit_branch, recalibrate, turned
from androscope.learning.adapt.losses import Gain, gain, log_losses
from androscope.learning.adapt.parts import label_parts
from androscope.model.card_parent import HOW, How

__all__ = [
    "PARTS",
    "REPEATS",
    "Choice",
    "Graded",
    "choose",
    "choose_label",
    "fit",
    "out_of_fold",
    "reason_for",
]

Vector = NDArray[np.float64]

PARTS, REPEATS = 5, 3


@dataclass(frozen=True, slots=True, eq=False)
class Graded:
    """A lab's crops as the bundle sees them.

    Attributes
    ----------
    raw
        ``(N, L)``: the network's own probabilities of abnormal.
    current
        ``(N, L)``: those the bundle gives, calibrated by its card.
    embeddings
        ``(N, D)``.
    labels
        ``(N, L)`` int8: 0, 1, or -1 for not labelled.
    groups
        ``(N,)``: a number for each patient; crops of unknown patients have one each.
    """

    raw: NDArray[np.floating]
    current: NDArray[np.floating]
    embeddings: NDArray[np.floating]
    labels: NDArray[np.int8]
    groups: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, rows: NDArray[np.intp]) -> Graded:
        """Some of the crops."""
        return Graded(
            self.raw[rows],
            self.current[rows],
            self.embeddings[rows],
            self.labels[rows],
            self.groups[rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What is done to one label.

    Attributes
    ----------
    how, reason
        What, and why.
    head
        The head fitted to all crops given; ``None`` if the label is kept.
    losses
        Mean log loss of each candidate on crops it was not fitted on.
    held_out
        ``(N,)`` probabilities that the chosen one gave to crops it was not fitted on (means over
        the repeats); NaN where a crop is not labelled.
    column
        Their log losses ``(N,)``; NaN where not labelled.
    """

    how: How
    reason: str
    head: Head | None
    losses: Mapping[How, float]
    held_out: Vector = field(repr=False)
    column: Vector = field(repr=False)


def fit(how: How, crops: Graded, column: int, *, seed: int = 0) -> Head:
    """Fit one candidate to the crops that bear the label in ``column``."""
    known = crops.labels[:, column] >= 0
    raw, truth = crops.raw[known, column].astype(np.float64), crops.labels[known, column]
    if how == "recalibrated":
        return recalibrate(raw, truth)
    return fit_branch(raw, crops.embeddings[known], truth, crops.groups[known], seed=seed)


def choose(
    crops: Graded, names: Sequence[str], tried: Mapping[str, Sequence[How]], *, seed: int = 0
) -> dict[str, Choice]:
    """Choose for every label.

    Parameters
    ----------
    crops
        To fit and choose by.
    names
        Of the ``L`` labels.
    tried
        Per label, what may be tried beside keeping it, simplest first; none for a label that is
        to be kept.
    seed
        Of the divisions.
    """
    return {
        name: choose_label(crops, column, tried.get(name, ()), seed=seed)
        for column, name in enumerate(names)
    }


def choose_label(
    crops: Graded, column: int, tried: Sequence[How], *, seed: int = 0, repeats: int = REPEATS
) -> Choice:
    """Choose for the label in ``column``; see :func:`choose`."""
    known = np.flatnonzero(crops.labels[:, column] >= 0)
    given = crops.select(known)
    small = replace(given, embeddings=turned(given.embeddings))
    truth = given.labels[:, column]
    current = given.current[:, column].astype(np.float64)
    opinions: dict[How, Vector] = {"kept": current}
    columns: dict[How, Vector] = {"kept": log_losses(current, truth)}
    for how in tried:
        opinions[how], columns[how] = out_of_fold(how, small, column, seed=seed, repeats=repeats)
    gains = {how: gain(columns["kept"], columns[how], given.groups) for how in tried}
    better = [how for how in tried if gains[how].beyond_noise]
    chosen: How = "kept"
    if better:
        best = max(better, key=lambda how: gains[how].mean)
        chosen = next(how for how in better if _as_good(columns[how], columns[best], given.groups))
    return Choice(
        how=chosen,
        reason=reason_for(chosen, gains),
        head=None if chosen == "kept" else fit(chosen, given, column, seed=seed),
        losses={how: float(losses.mean()) for how, losses in columns.items() if len(losses)},
        held_out=_spread(opinions[chosen], known, len(crops)),
        column=_spread(columns[chosen], known, len(crops)),
    )


def out_of_fold(
    how: How, crops: Graded, column: int, *, seed: int = 0, repeats: int = REPEATS
) -> tuple[Vector, Vector]:
    """Grade each crop by fits that did not see it, nor a crop of its patient.

    Returns
    -------
    probabilities, losses
        ``(N,)`` each: means over the repeats. All crops must bear the label.
    """
    truth = crops.labels[:, column]
    probabilities, losses = np.zeros(len(crops)), np.zeros(len(crops))
    for repeat in range(repeats):
        for rows, out in label_parts(truth, crops.groups, PARTS, seed + repeat):
            head = fit(how, crops.select(rows), column, seed=seed + repeat)
            raw = crops.raw[out, column].astype(np.float64)
            given = head.probabilities(raw, crops.embeddings[out])
            probabilities[out] += given / repeats
            losses[out] += log_losses(given, truth[out]) / repeats
    return probabilities, losses


def reason_for(chosen: How, gains: Mapping[How, Gain]) -> str:
    """Why ``chosen`` was chosen, given by how much each candidate's log loss was below keeping."""
    if not gains:
        return "nothing else was tried"
    if chosen != "kept":
        found = gains[chosen]
        return (
            f"in cross-validation its log loss is {found.mean:.3f} below that of keeping the label "
            f"as it is (standard error {found.error:.3f})"
        )
    told = ", ".join(
        f"{HOW[how]} {abs(found.mean):.3f} {'lower' if found.mean > 0 else 'higher'} (standard "
        f"error {found.error:.3f})"
        for how, found in gains.items()
    )
    return f"in cross-validation nothing is better beyond noise; log loss against keeping: {told}"


def _as_good(losses: Vector, best: Vector, groups: NDArray[np.intp]) -> bool:
    found = gain(losses, best, groups)
    return found.mean <= found.error


def _spread(values: Vector, rows: NDArray[np.intp], n: int) -> Vector:
    whole = np.full(n, np.nan)
    whole[rows] = values
    return whole
