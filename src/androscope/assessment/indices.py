"""Indices of sperm with several defects: TZI, SDI and MAI, by their definitions or not at all.

Sources
-------
TZI
    *Teratozoospermia index*: region defects per abnormal sperm, at most one in each of head, neck
    and midpiece, tail, and excess residual cytoplasm; so 1 to 4. WHO laboratory manual, 5th ed.
    2010, 3.1; Mortimer & Menkveld 2001, J. Androl. 22, 192-205.
SDI
    *Sperm deformity index*: deformities over all sperm, normal ones too; each kind of head defect
    counts, the other regions at most once each. Aziz et al. 1996, Fertil. Steril. 66, 1000-1008;
    WHO 2010, 3.1.
MAI
    *Multiple anomalies index*: anomalies per abnormal sperm; every kind counts. Jouannet et al.
    1988, Int. J. Androl. 11, 379-394; WHO 2010, 3.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from androscope.assessment.regions import Coverage, Region, coverage

__all__ = ["INDICES", "Index", "IndexFacts", "indices"]


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """What an index is."""

    short: str
    name: str
    formula: str
    source: str


INDICES: tuple[IndexFacts, ...] = (
    IndexFacts(
        "TZI",
        "teratozoospermia index",
        "region defects / abnormal sperm, at most one in each of four regions",
        "WHO 2010, 3.1; Mortimer & Menkveld 2001",
    ),
    IndexFacts(
        "SDI",
        "sperm deformity index",
        "deformities / all sperm, each kind of head defect counted",
        "Aziz et al. 1996; WHO 2010, 3.1",
    ),
    IndexFacts(
        "MAI",
        "multiple anomalies index",
        "anomalies / abnormal sperm, every kind counted",
        "Jouannet et al. 1988; WHO 2010, 3.1",
    ),
)


@dataclass(frozen=True, slots=True)
class Index:
    """An index of a sample.

    Attributes
    ----------
    facts
        What it is.
    defects, sperm
        Its numerator and denominator; ``None`` if it is not assessed.
    why_not
        Why it has no value: the labels cannot support it, or there is nothing to divide by.
    """

    facts: IndexFacts
    defects: int | None = None
    sperm: int | None = None
    why_not: str | None = None

    @property
    def value(self) -> float | None:
        """``defects / sperm``, or ``None``."""
        return self.defects / self.sperm if self.defects is not None and self.sperm else None


def indices(abnormal: Iterable[AbstractSet[str]], labels: Sequence[str]) -> tuple[Index, ...]:
    """TZI, SDI and MAI of a sample, each with its value or with why it has none.

    Parameters
    ----------
    abnormal
        For each sperm, its abnormal labels; empty for a normal one. Sperm of which any part is
        undecided do not belong here: their defects are not known.
    labels
        All labels of the model; what they can support is :func:`~.regions.coverage`.

    Returns
    -------
    tuple
        In the order of :data:`INDICES`. All are given one reason if a region is not assessed;
        SDI and MAI need several labels of the head, for they count each kind of head defect.
    """
    covered = coverage(labels)
    sperm = [frozenset(defects) for defects in abnormal]
    bad = [defects for defects in sperm if defects]
    tzi = sum(sum(bool(defects & set(of)) for of in covered.labels.values()) for defects in bad)
    sdi = sum(
        len(defects & set(of)) if region is Region.HEAD else bool(defects & set(of))
        for defects in sperm
        for region, of in covered.labels.items()
    )
    mai = sum(len(defects) for defects in bad)
    values = {"TZI": (tzi, len(bad)), "SDI": (sdi, len(sperm)), "MAI": (mai, len(bad))}
    return tuple(_index(facts, covered, *values[facts.short]) for facts in INDICES)


def _index(facts: IndexFacts, covered: Coverage, defects: int, sperm: int) -> Index:
    why_not = _unsupported(facts, covered)
    if why_not is not None:
        return Index(facts, why_not=f"not assessed: {why_not}")
    if not sperm:
        what = "sperm" if facts.short == "SDI" else "abnormal sperm"
        return Index(facts, defects, sperm, f"not defined: there is no {what}")
    return Index(facts, defects, sperm)


def _unsupported(facts: IndexFacts, covered: Coverage) -> str | None:
    reasons = [f"{region} ({covered.why_not(region)})" for region in covered.missing]
    if reasons:
        return f"all four regions are needed, and these are missing: {'; '.join(reasons)}"
    if covered.merged or covered.unknown:
        stray = ", ".join((*covered.merged, *covered.unknown))
        return f"the model also grades {stray}, which belongs to no single region of WHO's"
    if facts.short != "TZI" and len(covered.labels[Region.HEAD]) < 2:
        return "each kind of head defect counts, and the model has one label for the whole head"
    return None
