"""What a phantom sperm is: its anatomy in micrometres, and what WHO's criteria say of it.

Criteria: *WHO laboratory manual for the examination and processing of human semen*, 6th ed. 2021,
section 2.4.8 (strict, "Tygerberg" criteria), with the head's size from its appendix. They are
applied to the anatomy, so a label is true by construction and never drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ACROSOME_RANGE",
    "HEAD_LENGTH_UM",
    "HEAD_RATIO",
    "HEAD_WIDTH_UM",
    "HeadShape",
    "PhantomSperm",
    "TailShape",
    "Vacuole",
]

HeadShape = Literal["oval", "tapered", "pyriform", "amorphous", "double"]
TailShape = Literal["normal", "absent", "short", "bent", "coiled", "double"]

#: Ranges that count as normal, ends included.
HEAD_LENGTH_UM = (3.7, 5.0)
HEAD_WIDTH_UM = (2.4, 3.5)
HEAD_RATIO = (1.3, 1.8)
ACROSOME_RANGE = (0.40, 0.70)
_VACUOLES = 2
_VACUOLE_SHARE = 0.20
_CYTOPLASM_SHARE = 1 / 3
_MIDPIECE_WIDTH_UM = 1.0
_NECK_BEND_DEG = 45.0
_NECK_OFFSET = 0.35


@dataclass(frozen=True, slots=True)
class Vacuole:
    """A round hole in the head.

    Attributes
    ----------
    along, across
        Centre, in half head lengths towards the tip and half head widths to its left; -1 to 1.
    diameter_um
        Diameter, um.
    """

    along: float
    across: float
    diameter_um: float


@dataclass(frozen=True, slots=True)
class PhantomSperm:
    """The anatomy of one sperm; the defaults are a textbook normal one.

    Attributes
    ----------
    head_length_um, head_width_um
        Axes of the head, um.
    head_shape
        ``"tapered"`` narrows at both ends, ``"pyriform"`` towards the tail, ``"amorphous"`` has
        an irregular outline, ``"double"`` a second head beside the first.
    shape_strength
        How far ``head_shape`` departs from the oval, 0 to 1.
    outline
        Which irregular outline an amorphous head and an irregular acrosome have; any integer.
    acrosome
        Share of the head's area under the acrosome; 0 for none.
    acrosome_irregularity
        How uneven and askew its rear edge is, 0 to 1; abnormal from 0.5.
    vacuoles
        Holes in the head.
    midpiece_length_um, midpiece_width_um
        Of the mid-piece, um.
    neck_bend_deg
        Angle between the head's axis and the mid-piece.
    neck_offset
        Where the mid-piece is inserted, in half head widths off the axis.
    cytoplasm
        Residual cytoplasm at the neck, as a share of the head's area.
    tail
        Shape of the principal piece.
    tail_curve_deg
        Turn of the tail from neck to end.
    """

    head_length_um: float = 4.4
    head_width_um: float = 2.9
    head_shape: HeadShape = "oval"
    shape_strength: float = 0.0
    outline: int = 0
    acrosome: float = 0.55
    acrosome_irregularity: float = 0.0
    vacuoles: tuple[Vacuole, ...] = ()
    midpiece_length_um: float = 5.0
    midpiece_width_um: float = 0.75
    neck_bend_deg: float = 0.0
    neck_offset: float = 0.0
    cytoplasm: float = 0.0
    tail: TailShape = "normal"
    tail_curve_deg: float = 15.0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("head_length_um", 1.0, 15.0),
            ("head_width_um", 0.5, 10.0),
            ("shape_strength", 0.0, 1.0),
            ("acrosome", 0.0, 0.95),
            ("acrosome_irregularity", 0.0, 1.0),
            ("midpiece_length_um", 0.5, 15.0),
            ("midpiece_width_um", 0.2, 3.0),
            ("neck_bend_deg", -180.0, 180.0),
            ("neck_offset", -1.0, 1.0),
            ("cytoplasm", 0.0, 2.0),
            ("tail_curve_deg", -360.0, 360.0),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} must be {low:g} to {high:g}, got {value!r}")

    @property
    def head_area_um2(self) -> float:
        """Area of the head's ellipse, um^2."""
        return math.pi / 4 * self.head_length_um * self.head_width_um

    @property
    def vacuole_share(self) -> float:
        """Area of all vacuoles over the head's."""
        area = sum(math.pi / 4 * vacuole.diameter_um**2 for vacuole in self.vacuoles)
        return area / self.head_area_um2

    @property
    def labels(self) -> dict[str, int]:
        """0 normal or 1 abnormal for head, acrosome, vacuole and tail (neck and tail as one)."""
        ratio = self.head_length_um / self.head_width_um
        head = (
            (self.head_shape != "oval" and self.shape_strength > 0)
            or self.head_shape == "double"
            or not HEAD_LENGTH_UM[0] <= self.head_length_um <= HEAD_LENGTH_UM[1]
            or not HEAD_WIDTH_UM[0] <= self.head_width_um <= HEAD_WIDTH_UM[1]
            or not HEAD_RATIO[0] <= ratio <= HEAD_RATIO[1]
        )
        acrosome = (
            not ACROSOME_RANGE[0] <= self.acrosome <= ACROSOME_RANGE[1]
            or self.acrosome_irregularity >= 0.5
        )
        vacuole = len(self.vacuoles) > _VACUOLES or self.vacuole_share > _VACUOLE_SHARE
        tail = (
            self.tail != "normal"
            or self.midpiece_width_um > _MIDPIECE_WIDTH_UM
            or abs(self.neck_bend_deg) > _NECK_BEND_DEG
            or abs(self.neck_offset) > _NECK_OFFSET
            or self.cytoplasm > _CYTOPLASM_SHARE
        )
        return {
            "head": int(head),
            "acrosome": int(acrosome),
            "vacuole": int(vacuole),
            "tail": int(tail),
        }
