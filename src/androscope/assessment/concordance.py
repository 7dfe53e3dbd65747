"""Observers of the same sperm, compared: every pair, all together, sperm by sperm and by sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from androscope.assessment.bland_altman import BlandAltman, SamplePair, bland_altman
from androscope.assessment.matching import Matched
from androscope.assessment.observers import (
    UNDECIDED,
    Estimate,
    Pair,
    Verdicts,
    compare_pair,
    fleiss_kappa,
    whole_sperm,
)
from androscope.errors import VerdictsError
from androscope.types import NORMAL

__all__ = ["WHOLE", "By", "Concordance", "PairOfObservers", "concordance"]

#: The verdict on a whole sperm, beside those on its parts.
WHOLE = "every part"

#: What makes a sample.
By = Literal["patient", "folder"]


@dataclass(frozen=True, slots=True)
class PairOfObservers:
    """Observer B against observer A.

    Attributes
    ----------
    a, b
        Their names.
    pairs
        By label, and :data:`WHOLE`: sperm by sperm.
    samples
        By label, and :data:`WHOLE`: percentages of samples, over sperm that both decided. Empty
        where there are no samples.
    """

    a: str
    b: str
    pairs: Mapping[str, Pair]
    samples: Mapping[str, BlandAltman]


@dataclass(frozen=True, slots=True)
class Concordance:
    """Observers compared.

    Attributes
    ----------
    observers, labels
        Names. ``labels`` ends with :data:`WHOLE`.
    n
        Sperm that all observers looked at.
    abnormal, undecided
        By label: how many each observer called abnormal, and left undecided.
    pairs
        Every two observers.
    fleiss
        By label, Fleiss's kappa; empty for two observers. Over ``fleiss_n`` sperm that all decided.
    by
        What samples are, and how many there are; ``None`` where there are none.
    """

    observers: tuple[str, ...]
    labels: tuple[str, ...]
    n: int
    abnormal: Mapping[str, tuple[int, ...]]
    undecided: Mapping[str, tuple[int, ...]]
    pairs: tuple[PairOfObservers, ...]
    fleiss: Mapping[str, Estimate]
    fleiss_n: Mapping[str, int]
    by: By | None
    samples: int


def concordance(matched: Matched, by: By | None = None, *, seed: int = 0) -> Concordance:
    """Compare observers.

    Parameters
    ----------
    matched
        From :func:`~.matching.match`.
    by
        What makes a sample. Default: the patient where any file names one, else the folder where
        there are several.
    seed
        Of the bootstrap of Fleiss's kappa.

    Raises
    ------
    VerdictsError
        If ``by`` is ``"patient"`` and no file names one.
    """
    verdicts = {label: matched.verdicts[:, :, i] for i, label in enumerate(matched.labels)}
    verdicts[WHOLE] = whole_sperm(matched.verdicts)
    chosen, names = _samples(matched, by)
    pairs = tuple(
        PairOfObservers(
            matched.observers[i],
            matched.observers[j],
            {label: compare_pair(given[i], given[j]) for label, given in verdicts.items()},
            {label: _by_sample(given[i], given[j], names) for label, given in verdicts.items()}
            if chosen
            else {},
        )
        for i, j in combinations(range(len(matched.observers)), 2)
    )
    several = len(matched.observers) > 2
    return Concordance(
        observers=matched.observers,
        labels=tuple(verdicts),
        n=len(matched.rows),
        abnormal={k: tuple((v == 1).sum(axis=1).tolist()) for k, v in verdicts.items()},
        undecided={k: tuple((v == UNDECIDED).sum(axis=1).tolist()) for k, v in verdicts.items()},
        pairs=pairs,
        fleiss={k: fleiss_kappa(v, seed=seed) for k, v in verdicts.items()} if several else {},
        fleiss_n={k: int((v != UNDECIDED).all(axis=0).sum()) for k, v in verdicts.items()},
        by=chosen,
        samples=len(set(names) - {""}),
    )


def _samples(matched: Matched, by: By | None) -> tuple[By | None, Sequence[str]]:
    folders = [row.folder for row in matched.rows]
    if by is None:
        if any(matched.patients):
            by = "patient"
        elif len(set(folders)) > 1:
            by = "folder"
        else:
            return None, ()
    if by == "patient" and not any(matched.patients):
        raise VerdictsError(
            "no file names patients, by which samples were to be told apart",
            advice="Add a column patient to a label table, or use --by folder",
        )
    # Sperm of nobody in particular are in no sample.
    return by, matched.patients if by == "patient" else folders


def _by_sample(a: Verdicts, b: Verdicts, names: Sequence[str]) -> BlandAltman:
    decided = (a != UNDECIDED) & (b != UNDECIDED)
    samples = []
    of = np.asarray(names, dtype=object)
    for name in dict.fromkeys(names):
        here = decided & (of == name)
        if name and here.any():
            normal = [int((one[here] == NORMAL).sum()) for one in (a, b)]
            samples.append(SamplePair(name, int(here.sum()), *normal))
    return bland_altman(samples)
