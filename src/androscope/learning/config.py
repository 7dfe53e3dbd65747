"""What one training run is: the schema behind every YAML configuration.

Defaults are those of the shipped ``dtl`` and ``dmtl`` configurations, made for a CPU. Lengths are
in pixels of the stored crop (not of the network's input), angles in degrees.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = [
    "AugmentConfig",
    "BackboneConfig",
    "BranchConfig",
    "Config",
    "DataConfig",
    "LossConfig",
    "OptimizerConfig",
    "Stage1Config",
    "Stage2Config",
    "ThresholdConfig",
    "TrainerConfig",
]

LabelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Activation = Literal["relu", "elu", "gelu", "silu", "tanh", "linear"]
Balance = Literal["none", "smote", "adasyn", "batch"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class DataConfig(_Table):
    """Which crops to learn from."""

    dataset: str = Field("mhsma", description="`mhsma`, or the path of an own labelled set.")
    crop_size: int = Field(64, ge=32, le=512, description="Side of the stored crops, px.")


class BackboneConfig(_Table):
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
    standardize: bool = Field(
        False, description="Zero mean and unit deviation per crop instead of fixed constants."
    )
    drop_path: float = Field(0.1, ge=0, lt=1, description="Stochastic depth of the trunk.")


class BranchConfig(_Table):
    """The layers on top of the trunk, for one label: dense layers, then one sigmoid."""

    dense: tuple[Annotated[int, Field(ge=1, le=8192)], ...] = Field(
        (), description="Widths of the dense layers before the sigmoid; empty for none."
    )
    activation: Activation = Field("relu", description="Between dense layers.")
    dropout: float = Field(0.3, ge=0, lt=1, description="Before each linear layer.")
    l2: float = Field(0.0, ge=0, description="L2 penalty on the dense layers' weights.")


class AugmentConfig(_Table):
    """Random changes of a training crop that leave its labels true."""

    enabled: bool = True
    rotation: float = Field(360.0, ge=0, le=360, description="Angles drawn from 0 to this.")
    shift: float = Field(4.0, ge=0, le=32, description="Largest shift in x and in y, px.")
    flip: bool = Field(True, description="Mirror half of the crops.")
    scale: float = Field(1.05, ge=1, le=2, description="Zoom between 1/scale and scale.")
    brightness: float = Field(1.0, ge=1, le=4, description="Grey times 1/b to b.")
    contrast: float = Field(
        1.35, ge=1, le=4, description="Spread about the crop's mean times 1/c to c."
    )


class OptimizerConfig(_Table):
    """How the weights move."""

    name: Literal["adamw", "adam", "sgd", "rmsprop", "adagrad", "adadelta", "adamax", "nadam"] = (
        "adamw"
    )
    lr: float = Field(1e-3, gt=0, le=10)
    weight_decay: float = Field(0.02, ge=0, description="Decoupled for adamw; none on biases.")
    momentum: float = Field(0.9, ge=0, lt=1, description="For sgd and rmsprop.")
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup_epochs: float = Field(2.0, ge=0)
    clip: float | None = Field(2.0, gt=0, description="Largest gradient norm; null for none.")


class LossConfig(_Table):
    """Binary cross-entropy or focal loss; crops without a label are masked out."""

    name: Literal["bce", "focal"] = "bce"
    label_smoothing: float = Field(0.0, ge=0, lt=0.5)
    focal_gamma: float = Field(2.0, ge=0, description="Lin et al. 2017, eq. 4.")
    weights: dict[LabelName, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict, description="Weight of a label in the sum; 1 where not named."
    )


class Stage1Config(_Table):
    """Trunk and heads together: all of DTL, and stage 1 of DMTL."""

    epochs: int = Field(40, ge=1, le=10_000)
    batch_size: int = Field(32, ge=2, le=4096)
    optimizer: OptimizerConfig = OptimizerConfig()
    balance: Balance = "none"
    ema: float = Field(
        0.99, ge=0, lt=1, description="Decay of the averaged weights that are kept; 0 for none."
    )
    checkpoint: Literal["balance", "mean", "loss", "last"] = Field(
        "balance",
        description="Which epoch is kept: the most balanced validation accuracies over the "
        "labels, the best mean accuracy, the smallest loss, or the last.",
    )


class LabelBranchConfig(BranchConfig):
    """A branch of stage 2, with its label's own training."""

    epochs: int = Field(60, ge=1, le=10_000)
    batch_size: int = Field(64, ge=2, le=4096)
    optimizer: OptimizerConfig = OptimizerConfig(lr=1e-3, weight_decay=0.05)
    balance: Balance = "none"
    loss: LossConfig = LossConfig()


class Stage2Config(_Table):
    """DMTL's second stage: the trunk is frozen, each label gets a branch of its own."""

    views: int = Field(
        8,
        ge=1,
        le=1000,
        description="Augmented views of each training crop embedded by the frozen trunk.",
    )
    default: LabelBranchConfig = Field(
        LabelBranchConfig(), description="Branch of every label that `branches` does not name."
    )
    branches: dict[LabelName, LabelBranchConfig] = Field(default_factory=dict)


class ThresholdConfig(_Table):
    """The search on validation: accuracy + F0.5 over a grid (paper, section on thresholds)."""

    search: bool = Field(True, description="False: every threshold is 0.5.")
    low: float = Field(0.2, gt=0, lt=1)
    high: float = Field(0.8, gt=0, lt=1)
    steps: int = Field(61, ge=2, le=10_001)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low}) must be below high ({self.high})")
        return self


class TrainerConfig(_Table):
    """The machine: passed on to Lightning, so that a GPU is a matter of configuration alone."""

    accelerator: str = "auto"
    devices: int | Literal["auto"] = 1
    num_nodes: int = Field(1, ge=1)
    strategy: str = "auto"
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "bf16-mixed"
    channels_last: bool = True
    threads: int = Field(0, ge=0, description="Torch's CPU threads; 0 leaves torch's choice.")
    deterministic: bool = True


class Config(_Table):
    """One run. ``labels`` holds one label for DTL and two to eight for DMTL."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)
    method: Literal["dtl", "dmtl"]
    labels: tuple[LabelName, ...] = Field(("head", "acrosome", "vacuole"), min_length=1)
    seed: int = Field(0, ge=0, lt=2**32)
    data: DataConfig = DataConfig()
    backbone: BackboneConfig = BackboneConfig()
    branch: BranchConfig = Field(
        BranchConfig(), description="The head of DTL, and each head of DMTL's stage 1."
    )
    augment: AugmentConfig = AugmentConfig()
    loss: LossConfig = LossConfig()
    stage1: Stage1Config = Stage1Config()
    stage2: Stage2Config = Stage2Config()
    threshold: ThresholdConfig = ThresholdConfig()
    trainer: TrainerConfig = TrainerConfig()

    @model_validator(mode="after")
    def _labels_fit_the_method(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels must differ, got {list(self.labels)}")
        if self.method == "dtl" and len(self.labels) != 1:
            raise ValueError(
                f"dtl trains one network per label: expected 1 label, got {list(self.labels)}"
            )
        if self.method == "dmtl" and len(self.labels) < 2:
            raise ValueError(f"dmtl needs at least 2 labels, got {list(self.labels)}")
        stray = sorted((set(self.stage2.branches) | set(self.loss.weights)) - set(self.labels))
        if stray:
            raise ValueError(f"{stray} named in stage2.branches or loss.weights, not in labels")
        return self
