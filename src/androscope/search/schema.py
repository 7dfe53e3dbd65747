"""What a space is: the schema behind the YAML file that `androscope search run` follows."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from androscope.learning.config_table import Table

__all__ = ["Objective", "Parameter", "PruningConfig", "SamplerConfig", "Space"]

Objective = Literal["roc_auc", "loss"]

_Width = Annotated[int, Field(ge=1, le=8192)]


class Parameter(Table):
    """What one key of the configuration may become: words, a range, or dense layers."""

    choices: tuple[Any, ...] = Field((), description="The values to choose among.")
    low: float | None = Field(None, description="Smallest value of a range, which it may have.")
    high: float | None = Field(None, description="Largest value of a range, which it may have.")
    log: bool = Field(False, description="Draw the range's logarithm evenly, not the value.")
    step: float | None = Field(
        None, gt=0, description="The range's values are this far apart; null: any value."
    )
    layers: tuple[Annotated[int, Field(ge=0, le=16)], ...] = Field(
        (), description="For a key that lists dense layers: how many of them, to choose among."
    )
    widths: tuple[_Width, ...] = Field(
        (), description="Width of each of these layers, to choose among."
    )
    also: tuple[str, ...] = Field((), description="Further keys that take the same value.")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        ends = (self.low is not None, self.high is not None)
        kinds = [bool(self.choices), any(ends), bool(self.layers or self.widths)]
        if sum(kinds) != 1:
            raise ValueError("expected one of choices, low with high, and layers with widths")
        if any(ends) and not all(ends):
            raise ValueError("low and high go together")
        if bool(self.layers) != bool(self.widths):
            raise ValueError("layers and widths go together")
        if self.low is not None and self.high is not None:
            if self.low >= self.high:
                raise ValueError(f"low ({self.low:g}) must be below high ({self.high:g})")
            if self.log and self.low <= 0:
                raise ValueError(f"log needs low above 0, got {self.low:g}")
            if self.log and self.step is not None:
                raise ValueError("log and step exclude each other")
        elif self.log or self.step is not None:
            raise ValueError("log and step are for a range: low and high")
        for name in ("choices", "layers", "widths"):
            values = getattr(self, name)
            if len({repr(value) for value in values}) != len(values):
                raise ValueError(f"{name} must differ, got {list(values)}")
        return self


class SamplerConfig(Table):
    """How values are proposed: by TPE (Bergstra et al. 2011), after some drawn at random."""

    startup_trials: int = Field(
        10, ge=1, le=10_000, description="Trials drawn at random before TPE has enough to go by."
    )


class PruningConfig(Table):
    """When a trial is given up: below the median of the others at the same epoch of stage 1."""

    enabled: bool = Field(True, description="False: every trial is trained to its end.")
    startup_trials: int = Field(
        5, ge=1, le=10_000, description="Trials that are trained whole before any is given up."
    )
    warmup_epochs: int = Field(
        5, ge=0, le=10_000, description="No trial is given up in this many first epochs."
    )


class Space(Table):
    """What is searched, from which configuration, and by what it is judged."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80, description="The space's name."
    )
    config: str = Field(
        description="What the trials change: a shipped configuration, or a YAML file beside this."
    )
    set: dict[str, Any] = Field(
        default_factory=dict, description="Keys of it that are changed alike in every trial."
    )
    objective: Objective = Field(
        "roc_auc",
        description="What is best on validation: the largest mean ROC AUC over the labels, or the "
        "smallest mean cross-entropy.",
    )
    space: dict[str, Parameter] = Field(
        min_length=1, description="By keys of the configuration, what each may become."
    )
    sampler: SamplerConfig = SamplerConfig()
    pruning: PruningConfig = PruningConfig()

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key of the configuration that a trial sets."""
        return tuple(key for name, one in self.space.items() for key in (name, *one.also))
