"""Which of WHO's regions of a sperm a model's labels speak of: the one place where names are read.

WHO's manual counts defects in four regions: head, neck and midpiece, tail (principal piece), and
excess residual cytoplasm. The acrosome and vacuoles are parts of its *head* (WHO laboratory manual
for the examination and processing of human semen, 5th ed. 2010 and 6th ed. 2021, chapter 2, sperm
morphology).

Rules
-----
- A label named in :data:`REGION_OF` speaks of that region. Several labels of one region are taken
  as different kinds of defect in it.
- ``tail`` alone is not WHO's tail: MHSMA's, for one, is neck and tail together. It counts as the
  principal piece only beside a label of the midpiece; without one it is *merged*, and neither
  region is assessed. The names in :data:`MERGED` are so in any company.
- ``acrosome`` and ``vacuole`` say nothing of a head's shape: they do not make the head assessed.
- A label with another name belongs to no region. It is reported by its name and in no index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["MERGED", "REGION_OF", "Coverage", "Region", "coverage"]


class Region(StrEnum):
    """A region in which WHO counts defects."""

    HEAD = "head"
    MIDPIECE = "neck and midpiece"
    TAIL = "tail"
    CYTOPLASM = "excess residual cytoplasm"


def _named(region: Region, names: str) -> dict[str, Region]:
    return dict.fromkeys(names.split(), region)


#: The names of labels that are known, and the region that each speaks of.
REGION_OF: Mapping[str, Region] = {
    **_named(
        Region.HEAD,
        "head head_shape acrosome vacuole vacuoles post_acrosomal_region tapered_head thin_head "
        "pyriform_head round_head small_head large_head amorphous_head double_head multiple_heads",
    ),
    **_named(
        Region.MIDPIECE,
        "midpiece neck neck_and_midpiece bent_neck asymmetrical_neck thick_midpiece thin_midpiece "
        "irregular_midpiece",
    ),
    **_named(
        Region.TAIL,
        "tail principal_piece flagellum short_tail bent_tail coiled_tail broken_tail double_tail "
        "multiple_tails no_tail irregular_tail",
    ),
    **_named(
        Region.CYTOPLASM,
        "cytoplasm residual_cytoplasm excess_residual_cytoplasm cytoplasmic_droplet",
    ),
}

#: Names of labels that join midpiece and tail.
MERGED = frozenset({"neck_tail", "neck_and_tail", "midpiece_tail", "midpiece_and_tail"})

_TAIL_ALONE = "tail"
_DETAILS = frozenset({"acrosome", "vacuole", "vacuoles"})


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a model's labels can say of each region.

    Attributes
    ----------
    labels
        The labels that speak of each region, in the model's order; a region may have none.
    merged
        Labels that join neck, midpiece and tail.
    unknown
        Labels that belong to no region.
    """

    labels: Mapping[Region, tuple[str, ...]]
    merged: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def why_not(self, region: Region) -> str | None:
        """Why a region is not assessed; ``None`` if it is."""
        labels = self.labels[region]
        if region is Region.HEAD and labels and _DETAILS.issuperset(labels):
            return f"the model grades {' and '.join(labels)}, and not the head's shape"
        if labels:
            return None
        if region in (Region.MIDPIECE, Region.TAIL) and self.merged:
            return f"the model's label {self.merged[0]!r} joins neck, midpiece and tail"
        return "the model has no label for it"

    @property
    def missing(self) -> tuple[Region, ...]:
        """Regions that are not assessed."""
        return tuple(region for region in Region if self.why_not(region) is not None)


def coverage(labels: Sequence[str]) -> Coverage:
    """Sort a model's labels by region, after the rules at the head of this module."""
    midpiece = any(REGION_OF.get(label) is Region.MIDPIECE for label in labels)
    merged = {label for label in labels if label in MERGED}
    if not midpiece and _TAIL_ALONE in labels:
        merged.add(_TAIL_ALONE)
    known = {label: REGION_OF[label] for label in labels if label in REGION_OF}
    return Coverage(
        labels={
            region: tuple(n for n, r in known.items() if r is region and n not in merged)
            for region in Region
        },
        merged=tuple(label for label in labels if label in merged),
        unknown=tuple(n for n in labels if n not in known and n not in merged),
    )
