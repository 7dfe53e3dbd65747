"""What a card says of the images that its model may grade: limits of every check, and their origin.

Fitted by :mod:`androscope.learning.trust.checks`, applied by :mod:`androscope.assessment.gate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["CHECKS", "CheckLimits", "CheckName", "Checks", "DomainFile", "Subgroup"]

CheckName = Literal[
    "focus",
    "detail",
    "contrast",
    "polarity",
    "saturation",
    "scale",
    "several heads",
    "beside",
    "edge",
    "colour",
    "domain",
]

#: In the order in which reasons are given.
CHECKS: tuple[CheckName, ...] = get_args(CheckName)

Finite = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, max_length=500)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Table(BaseModel):
    # Deferred, so that a cold start builds one validator, of the card, and none of its parts.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, defer_build=True)


class CheckLimits(_Table):
    """Between which values a crop passes one check, ends included; ``None`` where any will do."""

    low: Finite | None = None
    high: Finite | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("a check without any limit checks nothing: give low, high or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low ({self.low}) must not be above high ({self.high})")
        return self


class DomainFile(_Table):
    """The file beside the card from which the distance to the training data is measured."""

    file: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\.npz$", max_length=80)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=1, le=4_000_000)
    components: int = Field(ge=1, le=1024, description="Of the embedding's principal ones.")


class Subgroup(_Table):
    """How one label is graded in one part of the crops, such as the least sharp third."""

    name: Text
    label: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
    crops: int = Field(ge=0)
    abnormal: int = Field(ge=0)
    accuracy: Share | None
    low: Share | None = Field(description="95%, Wilson's interval.")
    high: Share | None
    roc_auc: Share | None = Field(description="Null where a class is missing.")


class Checks(_Table):
    """The checks of one model."""

    limits: dict[CheckName, CheckLimits] = Field(min_length=1)
    domain: DomainFile | None = Field(None, description="Of the domain check's distance.")
    data: Text = Field(description="The crops whose quantiles the limits are.")
    crops: int = Field(ge=1)
    tail: Share = Field(description="Share of them beyond each end that has a limit.")
    confirmed: Text = Field(
        description="The crops, not learned from, that say how large the share may be, and that "
        "the domain's limit is of."
    )
    confirmed_crops: int = Field(ge=1)
    passed: Share = Field(description="Share of those that pass every check.")
    subgroups: tuple[Subgroup, ...] = Field(
        (), description="Metrics on the confirming crops, by thirds of sharpness and size."
    )

    @model_validator(mode="after")
    def _domain_whole(self) -> Self:
        if ("domain" in self.limits) != (self.domain is not None):
            raise ValueError("the domain check needs both a limit and a file, or neither")
        return self

    def ordered(self) -> Mapping[CheckName, CheckLimits]:
        """The limits in the order of :data:`CHECKS`."""
        return {name: self.limits[name] for name in CHECKS if name in self.limits}
