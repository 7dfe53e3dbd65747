"""A measured value as cards hold it: with its 95% interval."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Interval"]

Finite = Annotated[float, Field(allow_inf_nan=False)]


class Interval(BaseModel):
    """A measured value and its 95% interval; ``None`` where it is not defined."""

    # Deferred, so that a cold start builds one validator, of the card, and none of its parts.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, defer_build=True)

    value: Finite | None
    low: Finite | None = None
    high: Finite | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high must both be given or both be left out")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low ({self.low}) must not be above high ({self.high})")
        return self
