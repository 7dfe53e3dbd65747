"""The configuration's part on crops: which are learned from, how they are changed, how they enter.

Lengths are in pixels of the stored crop (not of the network's input), angles in degrees.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from androscope.learning.config_table import Table
from androscope.model.card import LabelName

__all__ = ["AugmentConfig", "BackboneConfig", "DataConfig"]


class DataConfig(Table):
    """Which crops to learn from."""

    dataset: str = Field("mhsma", description="`mhsma`, or the path of an own labelled set.")
    crop_size: int = Field(64, ge=32, le=512, description="Side of the stored crops, px.")
    held_out_folds: int = Field(
        0,
        ge=0,
        le=100,
        description="Train crops are divided into so many folds, and those of fold `seed` modulo "
        "this are not learned from (`teacher.held_out`); 0: all are learned from.",
    )
    train_share: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Share of the train crops (of those not held out) that is learned from, alike "
        "in its labels, drawn by `seed`: for curves over training size.",
    )
    doubted: str | None = Field(
        None,
        description="A list of `androscope audit-labels`: labels of train crops in it are not "
        "learned from, unless they were changed since.",
    )
    phantoms: int = Field(
        0, ge=0, le=100_000, description="Rendered sperm of known truth added to the train split."
    )
    phantom_labels: tuple[LabelName, ...] | None = Field(
        None, description="Labels of the run that phantoms teach; null: all that they know."
    )

    @model_validator(mode="after")
    def _one_fold_is_none(self) -> Self:
        if self.held_out_folds == 1:
            raise ValueError("held_out_folds is 0 for none, or 2 at least: one fold is all crops")
        return self


class BackboneConfig(Table):
    """The ImageNet-pretrained trunk."""

    name: str = Field("tf_efficientnet_lite0", description="Any timm model name.")
    weights: str = Field(
        "imagenet",
        description="`imagenet` (offline package, else timm's hub), `random`, or a file.",
    )
    weights_sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="Hash a weights file must have."
    )
    input_size: int = Field(
        128, ge=32, le=1024, description="The crop is resized to this side inside the graph, px."
    )
    upright: bool = Field(
        False,
        description="Each crop is turned inside the graph until its head's long axis is vertical.",
    )
    standardize: bool = Field(
        False, description="Zero mean and unit deviation per crop instead of fixed constants."
    )
    grey_mean: float | None = Field(
        None, ge=0, le=255, description="Grey level that becomes 0; null: as the weights expect."
    )
    grey_std: float | None = Field(
        None,
        gt=0,
        le=255,
        description="Grey levels that become 1; null: as the weights expect. MHSMA's crops are "
        "of low contrast: a smaller value spreads them like a photograph.",
    )
    drop_path: float = Field(0.1, ge=0, lt=1, description="Stochastic depth of the trunk.")

    @model_validator(mode="after")
    def _one_normalization(self) -> Self:
        if self.grey_mean is not None and self.grey_std is None:
            raise ValueError("grey_mean needs grey_std beside it")
        if self.standardize and self.grey_std is not None:
            raise ValueError("standardize and grey_std exclude each other")
        return self


class AugmentConfig(Table):
    """Random changes of a training crop that leave its labels true."""

    enabled: bool = Field(True, description="False: crops are learned from as they are.")
    rotation: float = Field(360.0, ge=0, le=360, description="Angles drawn from 0 to this.")
    shift: float = Field(4.0, ge=0, le=32, description="Largest shift in x and in y, px.")
    flip: bool = Field(True, description="Mirror half of them left-right, half up-down.")
    scale: float = Field(1.05, ge=1, le=2, description="Zoom between 1/scale and scale.")
    brightness: float = Field(1.0, ge=1, le=4, description="Grey times 1/b to b.")
    contrast: float = Field(
        1.35, ge=1, le=4, description="Spread about the crop's mean times 1/c to c."
    )
    mixup: float = Field(
        0.0,
        ge=0,
        le=10,
        description="Crops and labels of a batch are blended in shares drawn from Beta(a, a) "
        "(Zhang et al. 2018); 0 for none.",
    )
    cutmix: float = Field(
        0.0,
        ge=0,
        le=10,
        description="A box of another crop is pasted in, its area drawn from Beta(a, a) (Yun et "
        "al. 2019); 0 for none. With mixup besides, each batch gets one of both.",
    )
    mixed: float = Field(
        1.0, ge=0, le=1, description="Share of the batches that are mixed; the others stay whole."
    )
