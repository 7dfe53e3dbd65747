"""What a card says of its probabilities: how they are calibrated, and when to leave a part open.

Both are fitted on labelled crops that the network did not learn from (its validation split), one
label at a time, and applied by :mod:`androscope.model.calibrate` and
:mod:`androscope.assessment.conformal`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["METHODS", "PARAMETERS", "Calibration", "Conformal", "Method", "check_labels"]

Method = Literal["identity", "temperature", "platt", "beta"]

#: The parameters of each method, and with that its order of trial: the simplest first.
PARAMETERS: Mapping[Method, tuple[str, ...]] = {
    "identity": (),
    "temperature": ("temperature",),
    "platt": ("slope", "intercept"),
    "beta": ("a", "b", "c"),
}
METHODS: tuple[Method, ...] = tuple(PARAMETERS)

Probability = Annotated[float, Field(ge=0, le=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, max_length=500)]

#: How low and how high a parameter may be, where not any finite number will do. With these every
#: method rises with the probability, so that no calibration changes which of two crops is likelier
#: to be abnormal.
_ABOVE_ZERO = ("temperature", "slope")
_FROM_ZERO = ("a", "b")


class _Table(BaseModel):
    # Deferred, so that a cold start builds one validator, of the card, and none of its parts.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, defer_build=True)


class Calibration(_Table):
    """How one label's probability is calibrated, and what that was worth where it was fitted.

    Of ``p``, the network's own probability of abnormal, and ``logit p = ln(p / (1 - p))``:

    identity
        ``p``: nothing that was tried was better.
    temperature
        ``sigmoid(logit(p) / temperature)``: Guo et al. 2017, *On Calibration of Modern Neural
        Networks*, ICML.
    platt
        ``sigmoid(slope logit(p) + intercept)``: Platt 1999.
    beta
        ``sigmoid(a ln p - b ln(1 - p) + c)``: Kull, Silva Filho & Flach 2017, *Beta calibration*,
        AISTATS.
    """

    method: Method
    parameters: dict[str, Finite] = Field(default_factory=dict)
    data: Text = Field(description="The labelled crops it was fitted on.")
    crops: int = Field(ge=1, description="How many they are.")
    abnormal: int = Field(ge=0, description="How many of them are abnormal.")
    log_loss: dict[Method, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(
        default_factory=dict,
        description="Mean over held-out crops in repeated stratified cross-validation, for every "
        "method tried; identity is the network's own probability.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        expected = PARAMETERS[self.method]
        if set(self.parameters) != set(expected):
            raise ValueError(
                f"parameters of {self.method}: expected {list(expected)}, "
                f"got {sorted(self.parameters)}"
            )
        for name, value in self.parameters.items():
            if name in _ABOVE_ZERO and value <= 0:
                raise ValueError(f"{name} must be above 0, got {value}")
            if name in _FROM_ZERO and value < 0:
                raise ValueError(f"{name} must not be below 0, got {value}")
        if self.method == "beta" and self.parameters["a"] + self.parameters["b"] <= 0:
            raise ValueError("a and b must not both be 0: every probability would be the same")
        if self.abnormal > self.crops:
            raise ValueError(f"{self.abnormal} of {self.crops} crops cannot be abnormal")
        return self


class Conformal(_Table):
    """One label's calibrated probabilities of crops whose truth is known, by their true class.

    Class-conditional (Mondrian) split conformal prediction needs nothing else, at any error rate.
    """

    data: Text = Field(description="The labelled crops they are of.")
    normal: tuple[Probability, ...] = Field(
        min_length=1, description="Of crops that are normal, rising."
    )
    abnormal: tuple[Probability, ...] = Field(
        min_length=1, description="Of crops that are abnormal, rising."
    )

    @model_validator(mode="after")
    def _rising(self) -> Self:
        for name in ("normal", "abnormal"):
            scores: Sequence[float] = getattr(self, name)
            if any(one > other for one, other in pairwise(scores)):
                raise ValueError(f"{name} must rise")
        return self


def check_labels(name: str, by_label: Mapping[str, object] | None, labels: Sequence[str]) -> None:
    """Make sure that a card's table speaks of exactly its labels, if there is one.

    Raises
    ------
    ValueError
        If it lacks a label or names another.
    """
    if by_label is not None and set(by_label) != set(labels):
        raise ValueError(
            f"{name} must name exactly the labels: expected {list(labels)}, got {list(by_label)}"
        )
