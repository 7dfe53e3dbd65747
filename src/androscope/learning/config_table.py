"""What every section of a configuration has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

__all__ = ["Activation", "Balance", "Table"]

Activation = Literal["relu", "elu", "selu", "gelu", "silu", "tanh", "sigmoid", "linear"]
Balance = Literal["none", "smote", "adasyn", "batch"]


def _overlay(under: Any, over: Any) -> Any:
    if not (isinstance(under, Mapping) and isinstance(over, Mapping)):
        return over
    return {**under, **{key: _overlay(under.get(key), value) for key, value in over.items()}}


class Table(BaseModel):
    """Frozen, without unknown keys; a section given in part keeps its place's defaults."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _complete_sections(cls, given: Any) -> Any:
        # A section given in part keeps the defaults of the place it stands in for the rest:
        # `stage2.default.optimizer: {lr: 0.1}` leaves stage 2's weight decay, not stage 1's.
        if not isinstance(given, Mapping):
            return given
        completed = dict(given)
        for name, field in cls.model_fields.items():
            if isinstance(field.default, BaseModel) and isinstance(completed.get(name), Mapping):
                completed[name] = _overlay(field.default.model_dump(), completed[name])
        return completed
