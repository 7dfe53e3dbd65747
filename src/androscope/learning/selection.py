"""Which epoch is kept: pure rules over validation scores."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

__all__ = ["EpochScores", "Rule", "better", "pick", "selection_score"]

Rule = Literal["balance", "mean", "accuracy", "loss", "last"]


@dataclass(frozen=True, slots=True)
class EpochScores:
    """Validation scores of one epoch.

    Attributes
    ----------
    epoch
        From 0.
    loss
        Validation loss.
    accuracies
        Per label, 0 to 1, at threshold 0.5; NaN where a label has no validation crop.
    """

    epoch: int
    loss: float
    accuracies: tuple[float, ...]


def selection_score(scores: EpochScores, rule: Rule) -> float:
    """The quantity that ``rule`` makes as small as possible.

    ``balance``
        ``sum_l e_l + (max_l e_l - min_l e_l)`` with the errors ``e_l = 1 - accuracy_l``: the paper
        keeps the epoch that serves all labels at once, of small total error and small spread.
    ``mean``, ``accuracy``
        ``1 -`` the mean accuracy over the labels.
    ``loss``
        The validation loss.
    ``last``
        ``-epoch``.

    Labels without a validation crop are left out.
    """
    errors = [1 - a for a in scores.accuracies if not math.isnan(a)]
    if rule == "last" or not errors:
        return float(-scores.epoch)
    if rule == "loss":
        return scores.loss
    if rule == "balance":
        return sum(errors) + (max(errors) - min(errors))
    return sum(errors) / len(errors)


def better(new: EpochScores, best: EpochScores | None, rule: Rule) -> bool:
    """Whether ``new`` is to be kept instead of ``best``.

    Ties go to the smaller loss, then to the earlier epoch. A loss that is not a number never wins.
    """
    if best is None:
        return True
    lost = tuple(math.isnan(scores.loss) for scores in (new, best))
    if rule != "last" and lost[0] != lost[1]:
        return lost[1]
    # Rounded: 0.1 + 0.2 and 0.3 are the same total error.
    one, two = (round(selection_score(s, rule), 12) for s in (new, best))
    if one != two:
        return one < two
    return new.loss < best.loss


def pick(epochs: Iterable[EpochScores], rule: Rule) -> EpochScores:
    """The epoch of ``epochs`` that ``rule`` keeps. Raises :class:`ValueError` if there is none."""
    best: EpochScores | None = None
    for scores in epochs:
        if better(scores, best, rule):
            best = scores
    if best is None:
        raise ValueError("no epoch to pick from")
    return best
