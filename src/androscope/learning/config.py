"""What one training run is: the schema behind every YAML configuration.

Defaults are those of the shipped ``dtl`` and ``dmtl`` configurations, made for a CPU. Lengths are
in pixels of the stored crop (not of the network's input), angles in degrees.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from androscope.learning.config_crops import AugmentConfig, BackboneConfig, DataConfig
from androscope.learning.config_loss import LossConfig
from androscope.learning.config_table import Activation, Balance, Table
from androscope.model.card import LabelName
from androscope.types import Views

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
    "TeacherConfig",
    "ThresholdConfig",
    "TrainerConfig",
]


class BranchConfig(Table):
    """The layers on top of the trunk, for one label: dense layers, then one sigmoid."""

    dense: tuple[Annotated[int, Field(ge=1, le=8192)], ...] = Field(
        (), description="Widths of the dense layers before the sigmoid; empty for none."
    )
    activation: Activation = Field("relu", description="Between dense layers.")
    dropout: float = Field(0.3, ge=0, lt=1, description="Before each linear layer.")
    l2: float = Field(0.0, ge=0, description="L2 penalty on the dense layers' weights.")


class OptimizerConfig(Table):
    """How the weights move."""

    name: Literal["adamw", "adam", "sgd", "rmsprop", "adagrad", "adadelta", "adamax", "nadam"] = (
        Field("adamw", description="The rule of the steps.")
    )
    lr: float = Field(1e-3, gt=0, le=10, description="Learning rate, at its highest.")
    weight_decay: float = Field(0.02, ge=0, description="Decoupled for adamw; none on biases.")
    momentum: float = Field(0.9, ge=0, lt=1, description="For sgd and rmsprop.")
    schedule: Literal["cosine", "constant"] = Field(
        "cosine", description="The learning rate after the warm-up: down to zero, or as it is."
    )
    warmup_epochs: float = Field(
        2.0, ge=0, description="The learning rate rises from zero over this many epochs."
    )
    clip: float | None = Field(2.0, gt=0, description="Largest gradient norm; null for none.")


class Stage1Config(Table):
    """Trunk and heads together: all of DTL, and stage 1 of DMTL."""

    epochs: int = Field(40, ge=1, le=10_000, description="Passes over the training crops.")
    batch_size: int = Field(32, ge=2, le=4096, description="Crops per step.")
    optimizer: OptimizerConfig = OptimizerConfig()
    balance: Balance = Field(
        "none", description="Against rare classes: oversampled, or drawn evenly into each batch."
    )
    ema: float = Field(
        0.99, ge=0, lt=1, description="Decay of the averaged weights that are kept; 0 for none."
    )
    swa: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the epochs, the last ones, over all steps of which the kept weights "
        "are the plain mean (stochastic weight averaging); before, and with 0, `ema` holds.",
    )
    co_teaching: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of each batch's labels that is not learned from, for they may be wrong: "
        "those of the largest loss by a second network trained beside it, at twice the time "
        "(co-teaching, Han et al. 2018); 0: no second network.",
    )
    co_teaching_epochs: int = Field(
        10, ge=0, le=10_000, description="Epochs over which that share rises from 0."
    )
    checkpoint: Literal["balance", "mean", "loss", "last"] = Field(
        "balance",
        description="Which epoch is kept: the most balanced validation accuracies over the "
        "labels, the best mean accuracy, the smallest loss, or the last.",
    )

    @property
    def swa_start(self) -> int | None:
        """Epochs before the plain mean starts; None if it never does."""
        return None if self.swa == 0 else min(round((1 - self.swa) * self.epochs), self.epochs - 1)


class LabelBranchConfig(BranchConfig):
    """A branch of stage 2, with its label's own training."""

    epochs: int = Field(60, ge=1, le=10_000, description="Passes over the embedded crops.")
    batch_size: int = Field(64, ge=2, le=4096, description="Embedded crops per step.")
    optimizer: OptimizerConfig = OptimizerConfig(lr=1e-3, weight_decay=0.05)
    balance: Balance = Field(
        "none", description="Against rare classes: oversampled, or drawn evenly into each batch."
    )
    loss: LossConfig = LossConfig()
    checkpoint: Literal["accuracy", "loss", "last"] = Field(
        "loss",
        description="Which epoch is kept: the best validation accuracy, the smallest validation "
        "loss, or the last.",
    )


class Stage2Config(Table):
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
    fallback: bool = Field(
        False,
        description="Keep stage 1's head of a label where its own branch, of the same layers, is "
        "no better on validation by the branch's `checkpoint`.",
    )


class TeacherConfig(Table):
    """Finished runs whose mean opinion is learned beside the labels (distillation)."""

    runs: tuple[str, ...] = Field(
        (), description="Folders of finished runs, of the same crop size; empty for none."
    )
    share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Weight of their mean probability in a target; the rest is the label.",
    )
    held_out: bool = Field(
        False,
        description="Of a training crop only the runs are asked that held it out "
        "(`data.held_out_folds`): who learned a crop repeats its label.",
    )
    views: Views = Field(
        8,
        description="Views of a crop their opinion is the mean of: itself, two, or all eight "
        "turned and mirrored.",
    )
    match: bool = Field(
        False,
        description="In stage 1 they are asked at each step of the very crops that are learned "
        "from, turned and mixed as those are (Beyer et al. 2022).",
    )

    @model_validator(mode="after")
    def _whoever_is_asked_of_a_view_may_have_learned_the_crop(self) -> Self:
        if self.match and self.held_out:
            raise ValueError(
                "match asks all teachers of each view, held_out only those that had not learned "
                "its crop: choose one"
            )
        return self


class ThresholdConfig(Table):
    """The search on validation: accuracy + F0.5 over a grid (paper, section on thresholds)."""

    search: bool = Field(True, description="False: every threshold is 0.5.")
    low: float = Field(0.2, gt=0, lt=1, description="Lowest threshold tried.")
    high: float = Field(0.8, gt=0, lt=1, description="Highest threshold tried.")
    steps: int = Field(61, ge=2, le=10_001, description="Thresholds tried, both ends included.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low}) must be below high ({self.high})")
        return self


class TrainerConfig(Table):
    """The machine: passed on to Lightning, so that a GPU is a matter of configuration alone."""

    accelerator: str = Field("auto", description="`cpu`, `gpu`, or what Lightning finds.")
    devices: int | Literal["auto"] = Field(1, description="How many of them, or all: `auto`.")
    num_nodes: int = Field(1, ge=1, description="Machines that train together.")
    strategy: str = Field("auto", description="Lightning's strategy for several, such as `ddp`.")
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field(
        "bf16-mixed", description="Of the arithmetic; 16-mixed is for GPUs alone."
    )
    channels_last: bool = Field(True, description="Memory layout; faster on most CPUs and GPUs.")
    threads: int = Field(0, ge=0, description="Torch's CPU threads; 0 leaves torch's choice.")
    deterministic: bool = Field(True, description="Only algorithms that give the same twice.")


class Config(Table):
    """One run. ``labels`` holds one label for DTL and two to eight for DMTL."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80, description="The run's name."
    )
    method: Literal["dtl", "dmtl"] = Field(
        description="One network for one label, or one for all in two stages."
    )
    labels: tuple[LabelName, ...] = Field(
        ("head", "acrosome", "vacuole"),
        min_length=1,
        max_length=8,
        description="What is learned, in the order of every table and bundle.",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="Of everything that is drawn at random.")
    init_seed: int | None = Field(
        None,
        ge=0,
        lt=2**32,
        description="Of the heads' first weights; null: `seed`.",
    )
    data: DataConfig = DataConfig()
    backbone: BackboneConfig = BackboneConfig()
    branch: BranchConfig = Field(
        BranchConfig(), description="The head of DTL, and each head of DMTL's stage 1."
    )
    augment: AugmentConfig = AugmentConfig()
    loss: LossConfig = LossConfig()
    stage1: Stage1Config = Stage1Config()
    stage2: Stage2Config = Stage2Config()
    teacher: TeacherConfig = TeacherConfig()
    threshold: ThresholdConfig = ThresholdConfig()
    trainer: TrainerConfig = TrainerConfig()

    @property
    def first_weights_seed(self) -> int:
        """The seed of the heads' first weights."""
        return self.seed if self.init_seed is None else self.init_seed

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
        made = ("smote", "adasyn")
        branches = (self.stage2.default, *self.stage2.branches.values())
        balances = {self.stage1.balance, *(branch.balance for branch in branches)}
        if self.method == "dtl" and self.loss.weighting == "uncertainty":
            raise ValueError(
                "loss.weighting: uncertainty weighs labels against each other; dtl has 1"
            )
        if self.stage1.co_teaching and (self.teacher.match or self.loss.weighting != "fixed"):
            raise ValueError(
                "stage1.co_teaching goes with neither teacher.match nor loss.weighting: uncertainty"
            )
        if self.teacher.runs and not balances.isdisjoint(made):
            raise ValueError(
                "teacher.runs knows nothing of crops made by smote or adasyn: use batch"
            )
        stray = sorted((set(self.stage2.branches) | set(self.loss.weights)) - set(self.labels))
        if stray:
            raise ValueError(f"{stray} named in stage2.branches or loss.weights, not in labels")
        for label in self.labels if self.stage2.fallback else ():
            own = self.stage2.branches.get(label, self.stage2.default)
            if (own.dense, own.activation) != (self.branch.dense, self.branch.activation):
                raise ValueError(
                    f"stage2.fallback needs the layers of `branch` in stage 2 too, but those of "
                    f"{label} differ in dense or activation"
                )
        return self
