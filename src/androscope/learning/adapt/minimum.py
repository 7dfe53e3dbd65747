"""How many labelled crops it takes, and how many more to label where they are too few.

Counted over all crops given, of which three in ten are held out (:mod:`.division`). Recalibrating
fits two numbers per label: with 10 crops of either class, 7 are left to fit by, so that each of
five parts of a cross-validation has one and 3 stand behind each number with the help of a prior.
With half as many, recalibrating made a rare label's probabilities worse on altered crops of MHSMA
(docs/adapt.md). A branch has more to say and needs more to be held against; training the trunk on
changes every label at once and is not tried below 100 crops and 25 of either class of each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from androscope.datasets.types import Counts
from androscope.errors import AdaptError
from androscope.model.card_parent import How

__all__ = ["LEAST", "LEAST_CROPS", "LEAST_PATIENTS", "feasible", "lacking", "more_needed", "refuse"]

#: Crops in all, without which nothing is done.
LEAST_CROPS = 50

#: Patients, where they are known: whole ones are held out and divided.
LEAST_PATIENTS = 5

#: Crops of either class of a label, and crops in all, without which each way is not tried.
LEAST: Mapping[How, tuple[int, int]] = {
    "recalibrated": (10, LEAST_CROPS),
    "branch": (15, LEAST_CROPS),
    "everything": (25, 100),
}


def more_needed(have: int, least: int, of: int, share: float | None = None) -> int:
    """How many crops to label so that ``least`` of a class may be expected.

    Parameters
    ----------
    have, of
        Crops of the class, of how many labelled.
    share
        What share of crops is of that class, where ``have`` is 0 and cannot tell.

    Returns
    -------
    int
        Rounded up, to tens from 20 on. As many as are lacking where no share is known.
    """
    lacking = least - have
    if lacking <= 0:
        return 0
    share = have / of if have and of else share
    wanted = math.ceil(lacking / share) if share else lacking
    return wanted if wanted <= 20 else 10 * math.ceil(wanted / 10)


def lacking(
    counts: Mapping[str, Counts],
    labels: Sequence[str],
    crops: int,
    patients: int | None,
    shares: Mapping[str, float] | None = None,
) -> list[str]:
    """Every reason why these crops cannot support adapting ``labels``; empty if they can.

    Parameters
    ----------
    counts
        Of the labels that the data has.
    labels
        Those to adapt.
    crops, patients
        How many there are; ``None``: patients are not known.
    shares
        Abnormal share of each label where the parent learned, for labels without an abnormal crop.
    """
    reasons = []
    if crops < LEAST_CROPS:
        reasons.append(
            f"{_number(crops, 'labelled crop')}, at least {LEAST_CROPS} are needed: "
            f"label {LEAST_CROPS - crops} more"
        )
    if patients is not None and patients < LEAST_PATIENTS:
        reasons.append(
            f"{_number(patients, 'patient')}, at least {LEAST_PATIENTS} are needed, for whole "
            f"patients are held out: label crops of {LEAST_PATIENTS - patients} more"
        )
    for label in labels:
        found = counts.get(label)
        if found is None or not found.normal + found.abnormal:
            reasons.append(f"{label}: no crop is labelled for it")
            continue
        reasons += _classes(label, found, (shares or {}).get(label))
    return reasons


def _classes(label: str, found: Counts, share: float | None) -> list[str]:
    least = LEAST["recalibrated"][0]
    reasons = []
    known = {"normal": None if share is None else 1 - share, "abnormal": share}
    for name, have in (("normal", found.normal), ("abnormal", found.abnormal)):
        if have < least:
            more = more_needed(have, least, found.normal + found.abnormal, known[name])
            reasons.append(
                f"{label}: {_number(have, f'{name} crop')}, at least {least} are needed: "
                f"label about {more} more"
            )
    return reasons


def refuse(reasons: Sequence[str], path: str) -> None:
    """Raise one error that lists every reason, if there is any.

    Raises
    ------
    AdaptError
        With all of them.
    """
    if reasons:
        listed = "".join(f"\n  {reason}" for reason in reasons)
        raise AdaptError(
            f"too little to adapt to:{listed}\n",
            path=path,
            advice="Label more (`androscope suggest` ranks which), or name the labels that there "
            "are enough of with --label; the others stay as they are",
        )


def feasible(counts: Mapping[str, Counts], label: str, crops: int) -> tuple[How, ...]:
    """What may be tried for a label beside keeping it, simplest first."""
    found = counts.get(label, Counts(0, 0))
    rarer = min(found.normal, found.abnormal)
    return tuple(how for how, (least, of) in LEAST.items() if rarer >= least and crops >= of)


def _number(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
