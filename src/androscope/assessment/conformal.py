"""When to leave a part undecided: class-conditional split conformal prediction.

Of labelled crops that the network did not learn from, the card keeps the calibrated probabilities,
by true class. A new crop's p-value for *normal* is ``(1 + n) / (1 + N)``, where ``n`` of the ``N``
normal ones look at least as abnormal as it does; for *abnormal* likewise, where ``n`` look at least
as normal. A class whose p-value is at most the error rate is ruled out. If exactly one class is
left, that is the verdict; if both are left, or neither, the part is undecided.

The promise: among truly normal sperm, the share of which *normal* is ruled out is at most the error
rate, and among truly abnormal ones the share of which *abnormal* is; so no more than that are
decided wrongly, of either class (Vovk, Gammerman & Shafer 2005, *Algorithmic Learning in a Random
World*, 4.5, "Mondrian" for holding in each class by itself; Lei et al. 2018). It holds on average
over draws of the crops it was fitted on, and for sperm that could have been among them: not for
another microscope.

Only ranks count. Every calibration rises with the network's own probability, and so ranks are the
same before and after it: that both are fitted on the same crops costs the promise nothing.
"""

from __future__ import annotations

import math
from fractions import Fraction

from androscope.errors import BundleError
from androscope.model.card import Card
from androscope.model.card_trust import Conformal
from androscope.types import Cuts, Verdict

__all__ = ["MOST", "cuts_at", "cuts_of", "promise", "unreachable", "verdict_at"]

#: From here on, guessing would keep the promise.
MOST = 0.5


def cuts_at(conformal: Conformal, error_rate: float) -> Cuts:
    """Give the probabilities at which classes are ruled out.

    Parameters
    ----------
    conformal
        One label's, of the card.
    error_rate
        Above 0, at most 0.5.

    Raises
    ------
    ValueError
        If ``error_rate`` is outside its range.
    """
    if not 0 < error_rate <= MOST:
        raise ValueError(f"error_rate must be above 0 and at most {MOST:g}, got {error_rate:g}")
    # The p-value (1 + n) / (1 + N) is above the rate exactly if n is at least this; of the rate as
    # it was written (0.1 is not the float's 0.1000000000000000055).
    rate = Fraction(repr(float(error_rate)))
    at_least = math.floor(rate * (len(conformal.normal) + 1))
    normal_to = 1.0 if at_least == 0 else conformal.normal[-at_least]
    at_least = math.floor(rate * (len(conformal.abnormal) + 1))
    abnormal_from = 0.0 if at_least == 0 else conformal.abnormal[at_least - 1]
    return Cuts(abnormal_from=abnormal_from, normal_to=normal_to)


def cuts_of(card: Card, error_rate: float | None) -> dict[str, Cuts]:
    """Give each label's cuts; empty if no error rate is asked for.

    Raises
    ------
    BundleError
        If the card has no conformal data.
    ValueError
        If ``error_rate`` is outside its range.
    """
    if error_rate is None:
        return {}
    if card.conformal is None:
        raise BundleError(
            f"{card.name} {card.version} cannot leave a part undecided: expected conformal data in "
            "its card, which an error rate needs, got none",
            advice="Make a bundle that has it: `androscope calibrate BUNDLE --data DATA --out DIR` "
            "from labelled crops, or `androscope export` anew from its run",
        )
    return {label: cuts_at(card.conformal[label], error_rate) for label in card.labels}


def verdict_at(probability: float, cuts: Cuts) -> Verdict:
    """Give the verdict on a part: the one class that is not ruled out, or undecided."""
    may_be_normal = probability <= cuts.normal_to
    may_be_abnormal = probability >= cuts.abnormal_from
    if may_be_normal == may_be_abnormal:
        return Verdict.UNDECIDED
    return Verdict.NORMAL if may_be_normal else Verdict.ABNORMAL


def promise(error_rate: float) -> str:
    """What an error rate promises, in words."""
    share = f"{100 * error_rate:.3g}%"
    return (
        f"Of each part, at most {share} of the truly normal sperm are called abnormal and at most "
        f"{share} of the truly abnormal normal, where images are like those of the model's "
        "validation data; what cannot be decided so is undecided."
    )


def unreachable(card: Card, error_rate: float) -> tuple[str, ...]:
    """Name the labels, with the class, that no crop can be told from at this rate.

    With ``N`` crops of a class no p-value is below ``1 / (1 + N)``: at a lower error rate the class
    is never ruled out.
    """
    return tuple(
        f"{label} {name} ({len(scores)} crops, from {1 / (len(scores) + 1):.3g} on)"
        for label, found in (card.conformal or {}).items()
        for name, scores in (("normal", found.normal), ("abnormal", found.abnormal))
        if math.floor(Fraction(repr(float(error_rate))) * (len(scores) + 1)) == 0
    )
