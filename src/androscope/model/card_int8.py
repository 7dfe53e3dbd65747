"""What a card says of a bundle that computes in int8: from which one, how, and what it cost.

The section is there only where ``androscope quantise`` wrote the bundle. Every figure in it is of
crops that neither the network nor the quantisation learned from.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Cost", "Int8", "Ranges"]

#: How the range of each activation was found.
Ranges = Literal["minmax", "percentile", "entropy"]

Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1, max_length=500)]


class _Table(BaseModel):
    # Deferred, so that a cold start builds one validator, of the card, and none of its parts.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, defer_build=True)


class Cost(_Table):
    """One label before (float32) and after (int8), on the same crops, calibrated in both."""

    crops: int = Field(ge=1, description="Crops whose truth is known.")
    accuracy: tuple[Share, Share] = Field(description="At the card's threshold.")
    log_loss: tuple[Finite, Finite]
    calibration_error: tuple[Share, Share] = Field(description="In 15 bins of equal mass.")
    changed: Count = Field(description="Crops with another verdict, whether right or wrong.")
    largest_move: Share = Field(description="Largest difference of a probability.")


class Int8(_Table):
    """How float32 became int8."""

    name: Text = Field(description="The float32 bundle's name.")
    version: Text
    model_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    float_convolutions: Count = Field(description="First convolutions that stay in float32.")
    weight_bits: Literal[7, 8] = Field(
        description="With 7 no sum of two products leaves 16 bits, so that processors without "
        "VNNI instructions compute the same."
    )
    ranges: Ranges
    ranges_from: Text = Field(description="Crops that the activations' ranges are of.")
    compared_on: Text = Field(description="Crops that the costs are of.")
    costs: dict[str, Cost] = Field(min_length=1, description="Label to what int8 cost it.")
