"""The configuration's part on the loss: which it is, and how labels are weighed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from androscope.learning.config_table import Table
from androscope.model.card import LabelName

__all__ = ["LossConfig"]


class LossConfig(Table):
    """Binary cross-entropy, focal or asymmetric loss; crops without a label are masked out."""

    name: Literal["bce", "focal", "asymmetric"] = Field(
        "bce", description="Cross-entropy, focal or asymmetric loss."
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=0.5, description="Targets become this and 1 minus this."
    )
    focal_gamma: float = Field(2.0, ge=0, description="Lin et al. 2017, eq. 4.")
    asymmetric_normal: float = Field(
        4.0, ge=0, description="Focusing of normal entries; Ridnik et al. 2021, gamma- of eq. 7."
    )
    asymmetric_abnormal: float = Field(
        1.0, ge=0, description="Focusing of abnormal entries; gamma+ of eq. 7."
    )
    asymmetric_margin: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="Normal entries of a probability below this cost nothing; m of eq. 5.",
    )
    weighting: Literal["fixed", "uncertainty"] = Field(
        "fixed",
        description="Of the labels in stage 1: `weights`, or learned with them besides as each "
        "label's uncertainty (Kendall et al. 2018).",
    )
    weights: dict[LabelName, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict, description="Weight of a label in the sum; 1 where not named."
    )
