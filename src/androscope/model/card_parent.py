"""What a card says of a bundle that was adapted: from which one, to what data, and what it gained.

The section is there only where ``androscope adapt`` wrote the bundle. Every figure in it is of the
lab's own crops, of the part that neither fitting nor choosing saw.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from androscope.model.card_interval import Interval

__all__ = ["HOW", "Adaptation", "AdaptedData", "Change", "How", "Parent"]

How = Literal["kept", "recalibrated", "branch", "everything"]

#: What was done to a label, in words.
HOW: dict[How, str] = {
    "kept": "kept as it was",
    "recalibrated": "recalibrated",
    "branch": "branch fitted anew, the trunk frozen",
    "everything": "trunk and branch trained on",
}

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Count = Annotated[int, Field(ge=0)]


class _Table(BaseModel):
    # Deferred, so that a cold start builds one validator, of the card, and none of its parts.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, defer_build=True)


class Change(_Table):
    """One metric of one label before and after, and their difference (after minus before)."""

    before: Interval
    after: Interval
    difference: Interval


class Adaptation(_Table):
    """What was done to one label, why, and what it changed on the held part."""

    how: How
    reason: Text = Field(description="Why this and nothing else.")
    log_loss: dict[How, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(
        default_factory=dict,
        description="Mean over the fitted part in cross-validation, for all that was tried.",
    )
    held: dict[str, Change] = Field(
        default_factory=dict, description="Metric to its change on the held part."
    )


class AdaptedData(_Table):
    """The lab's crops: how many, and under which terms they may be used."""

    name: Text
    sha256: Sha256 = Field(description="Of all their pixels and labels.")
    licence: Text
    fitted: Count = Field(description="Crops that were fitted and chosen by.")
    held: Count = Field(description="Crops that were held out, for the figures below.")
    normal: dict[str, Count] = Field(description="Per label, in both parts together.")
    abnormal: dict[str, Count]
    patients: Annotated[int, Field(ge=1)] | None = Field(
        None, description="How many patients, who were kept whole; None where not known."
    )


class Parent(_Table):
    """The bundle this one was made from, and by which crops."""

    name: Text
    version: Text
    model_sha256: Sha256
    data: AdaptedData
    labels: dict[str, Adaptation] = Field(min_length=1)
    notes: tuple[Text, ...] = Field(
        (), description="What was dropped or fitted anew, because it no longer held."
    )
    seed: Count = 0

    @model_validator(mode="after")
    def _something_changed(self) -> Self:
        if all(adapted.how == "kept" for adapted in self.labels.values()):
            raise ValueError("every label was kept: such a bundle is its parent")
        return self
