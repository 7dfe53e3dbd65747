"""The card: all that is known of a model, beside the model, for programs and for people.

``card.json`` is what the code reads; ``MODEL_CARD.md`` is made from it. The sections follow
Mitchell et al. 2019, *Model Cards for Model Reporting*, doi 10.1145/3287560.3287596.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)

from androscope.errors import BundleError
from androscope.model.card_checks import Checks
from androscope.model.card_int8 import Int8
from androscope.model.card_interval import Interval
from androscope.model.card_parent import Parent
from androscope.model.card_trust import Calibration, Conformal, check_labels
from androscope.types import Views

__all__ = [
    "SCHEMA_VERSION",
    "Card",
    "CardDraft",
    "CropInput",
    "Network",
    "SplitFacts",
    "TrainingData",
    "fault_text",
    "read_card",
]

#: Raised when a field changes its meaning; a card with another number is refused, not guessed at.
SCHEMA_VERSION = 1

LabelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(min_length=1, max_length=20_000)]


class _Table(BaseModel):
    # Deferred, so that a cold start builds one validator, of the card, and none of its parts.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, defer_build=True)


class CropInput(_Table):
    """The crop the model takes: ``(size, size)``, and how large a pixel of it is."""

    size: int = Field(64, ge=8, le=1024, description="Side of the crop, px.")
    dtype: Literal["uint8"] = "uint8"
    pixel_size_um: float | None = Field(
        None, gt=0, le=100, description="Micrometres per pixel of the training crops, if known."
    )
    pixel_size_note: str = Field(
        "", description="Where the pixel size comes from, or why it is not known."
    )


class Network(_Table):
    """What stands between the crop and the probabilities."""

    backbone: Text = Field(description="timm's name of the trunk.")
    pretrained: Text = Field(description="Where the trunk's first weights came from.")
    input_size: int = Field(ge=8, le=4096, description="Side the crop is resized to inside, px.")
    embedding_dim: int = Field(ge=1, le=1_000_000, description="Length of the embedding, D.")
    parameters: int | None = Field(None, ge=1, description="Number of learned parameters.")
    networks: int = Field(1, ge=1, le=100, description="Networks whose probabilities are averaged.")
    views: Views = Field(
        1, description="Views of a crop, turned and mirrored, that are averaged inside."
    )


class SplitFacts(_Table):
    """One split of the training data: how many crops, of which classes, in which files."""

    crops: int = Field(ge=0)
    abnormal: dict[LabelName, int] = Field(
        default_factory=dict, description="Crops labelled abnormal, per label."
    )
    labelled: dict[LabelName, int] = Field(
        default_factory=dict, description="Crops with this label known, where not all have it."
    )
    files: dict[str, Sha256] = Field(
        default_factory=dict, description="SHA-256 of each file the split was read from."
    )


class TrainingData(_Table):
    """What the model learned from, and under which terms that may be used."""

    name: Text
    licence: Text
    citation: Text
    source: Text = Field(description="URL or path, with the revision.")
    splits: dict[str, SplitFacts] = Field(min_length=1)
    patients: Text = Field(description="Whether patients are known and the split respects them.")


class CardDraft(_Table):
    """A card before the model's bytes are known: all but their hash and size.

    :func:`androscope.model.bundle_writing.write_bundle` makes a :class:`Card` of it.
    """

    schema_version: Literal[1] = 1
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)
    version: str = Field(pattern=r"^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$", max_length=40)
    created: AwareDatetime = Field(description="When the bundle was made; kept in UTC.")
    method: Literal["dtl", "dmtl"]
    labels: tuple[LabelName, ...] = Field(
        min_length=1, max_length=64, description="In the order of the model's columns."
    )
    thresholds: dict[LabelName, Annotated[float, Field(gt=0, lt=1)]] = Field(
        description="A part is abnormal from this probability upward."
    )
    calibration: dict[LabelName, Calibration] | None = Field(
        None, description="How the network's probabilities are calibrated; thresholds are of those."
    )
    conformal: dict[LabelName, Conformal] | None = Field(
        None, description="Calibrated probabilities of crops whose truth is known, per label."
    )
    checks: Checks | None = Field(
        None, description="Which images may be graded; without them every one is."
    )
    parent: Parent | None = Field(
        None, description="The bundle this one was adapted from, if it was, and to which crops."
    )
    int8: Int8 | None = Field(
        None, description="How the model came to compute in int8, if it does, and what that cost."
    )
    input: CropInput = CropInput()
    network: Network
    training: TrainingData
    protocol: Text = Field(description="How the metrics below were come by.")
    metrics: dict[str, dict[LabelName, dict[str, Interval]]] = Field(
        default_factory=dict, description="Split, then label, then metric."
    )
    config: dict[str, JsonValue] = Field(
        default_factory=dict, description="The run's configuration with every default filled in."
    )
    software: dict[str, str] = Field(min_length=1, description="Version of each package used.")
    intended_use: Text
    out_of_scope: Text
    limitations: tuple[Text, ...] = Field(min_length=1)
    ethics: tuple[Text, ...] = Field(
        (), description="Of whom it learned, whom its errors may harm, and what it must not decide."
    )
    licence: Text = Field(description="Licence of the weights.")

    @field_validator("created")
    @classmethod
    def _in_utc(cls, created: datetime) -> datetime:
        return created.astimezone(UTC)

    @field_validator("labels")
    @classmethod
    def _unique(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(labels)) != len(labels):
            raise ValueError(f"labels must differ, got {list(labels)}")
        return labels

    @model_validator(mode="after")
    def _labels_agree(self) -> Self:
        if set(self.thresholds) != set(self.labels):
            raise ValueError(
                f"thresholds must name exactly the labels: expected {list(self.labels)}, "
                f"got {list(self.thresholds)}"
            )
        check_labels("calibration", self.calibration, self.labels)
        check_labels("conformal", self.conformal, self.labels)
        for split, by_label in self.metrics.items():
            stray = sorted(set(by_label) - set(self.labels))
            if stray:
                raise ValueError(f"metrics.{split} names {stray}, which are no labels of the model")
        return self


class Card(CardDraft):
    """A whole card, tied to one ``model.onnx`` by its hash."""

    model_sha256: Sha256
    model_bytes: int = Field(ge=1)

    def to_json(self) -> str:
        """``card.json``'s text; :func:`read_card` gives back an equal card."""
        return self.model_dump_json(indent=2) + "\n"

    def threshold_list(self) -> tuple[float, ...]:
        """Thresholds in the order of :attr:`labels`."""
        return tuple(self.thresholds[label] for label in self.labels)


def read_card(text: str | bytes, *, path: str | None = None) -> Card:
    """Parse ``card.json``.

    Parameters
    ----------
    text
        UTF-8 JSON.
    path
        Where it came from, for messages.

    Raises
    ------
    BundleError
        If it is no JSON or no card; the message lists every fault with its field.
    """
    try:
        return Card.model_validate_json(text)
    except ValidationError as error:
        # Without pydantic's own formatting, which quotes inputs at length and links its website.
        faults = "; ".join(_fault(dict(e)) for e in error.errors(include_url=False))
        raise BundleError(
            f"is not a model card this version reads: {faults}",
            path=path,
            advice="Get the bundle again from where it came from, or export it anew",
        ) from error


def _fault(error: dict[str, Any]) -> str:
    if error["loc"] == ("schema_version",):
        return (
            f"schema_version: expected {SCHEMA_VERSION}, got {error['input']!r}: "
            "it was made by another version of androscope"
        )
    return fault_text(error)


def fault_text(error: dict[str, Any]) -> str:
    """One of pydantic's errors: the field it is of, and what is wrong there."""
    where = ".".join(str(step) for step in error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
