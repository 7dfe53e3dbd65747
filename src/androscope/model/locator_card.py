"""The card of a locator: what finds sperm in fields, what it learned from, how well it does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
)

from androscope.errors import BundleError
from androscope.model.card import fault_text

__all__ = [
    "LearnedFrames",
    "LocatorCard",
    "LocatorCardDraft",
    "VideoScore",
    "locator_card_text",
    "read_locator_card",
]

Share = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(min_length=1, max_length=20_000)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class LearnedFrames(_Table):
    """Real frames that were learned from, and those by which the threshold was chosen."""

    dataset: Text
    learned: tuple[str, ...] = Field(description="Ids of the frames that weights were fitted on.")
    chosen: tuple[str, ...] = Field(description="Ids of the frames that thresholds were chosen on.")
    licence: Text
    citation: Text
    source: Text


class VideoScore(_Table):
    """How well sperm of one video were located, and the baseline beside it."""

    dataset: Text
    video: Text
    microscopy: Text
    frames: int = Field(ge=1)
    known: bool = Field(description="Whether other frames of this very video were learned from.")
    precision: Share | None
    recall: Share | None
    f1: Share | None
    baseline_f1: Share | None = Field(description="Of the blob filter tuned on the video.")


class LocatorCardDraft(_Table):
    """A card before the model's bytes are known."""

    schema_version: Literal[1] = 1
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)
    version: str = Field(pattern=r"^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$", max_length=40)
    created: AwareDatetime
    head_px: float = Field(gt=0, description="Length of a normal head in the network's view, px.")
    thresholds: dict[Literal["sperm", "round", "debris"], Annotated[float, Field(gt=0, lt=1)]]
    parameters: int = Field(ge=1)
    phantoms: Text = Field(description="The rendered fields that were learned from.")
    frames: tuple[LearnedFrames, ...] = ()
    chosen_f1: dict[str, Share] = Field(
        description="F1 where the threshold was chosen, by source: no measure of unseen fields."
    )
    head_length_px: float = Field(gt=0, description="What the locator was told for the scores.")
    match_px: float = Field(gt=0, description="Largest distance of a right find, px.")
    scores: tuple[VideoScore, ...] = ()
    config: dict[str, JsonValue] = Field(default_factory=dict)
    software: dict[str, str] = Field(min_length=1)
    intended_use: Text
    limitations: tuple[Text, ...] = Field(min_length=1)
    licence: Text

    @field_validator("created")
    @classmethod
    def _in_utc(cls, created: datetime) -> datetime:
        return created.astimezone(UTC)

    @field_validator("thresholds")
    @classmethod
    def _all_classes(cls, thresholds: dict[str, float]) -> dict[str, float]:
        if set(thresholds) != {"sperm", "round", "debris"}:
            raise ValueError(f"expected sperm, round and debris, got {sorted(thresholds)}")
        return thresholds


class LocatorCard(LocatorCardDraft):
    """A whole card, tied to one ``model.onnx`` by its hash."""

    model_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    model_bytes: int = Field(ge=1)

    def to_json(self) -> str:
        """``card.json``'s text; :func:`read_locator_card` gives back an equal card."""
        return self.model_dump_json(indent=2) + "\n"


def read_locator_card(text: str | bytes, *, path: str | None = None) -> LocatorCard:
    """Parse ``card.json``.

    Raises
    ------
    BundleError
        If it is no JSON or no locator's card; the message lists every fault with its field.
    """
    try:
        return LocatorCard.model_validate_json(text)
    except ValidationError as error:
        faults = "; ".join(fault_text(dict(e)) for e in error.errors(include_url=False))
        raise BundleError(
            f"is not a locator's card this version reads: {faults}",
            path=path,
            advice="Get the locator again from where it came from, or train it anew",
        ) from error


def locator_card_text(card: LocatorCard) -> str:
    """Render a card as Markdown; the same card gives the same text."""
    sections = {
        "Intended use": card.intended_use,
        "Training data": _training(card),
        "Evaluation": _evaluation(card),
        "Limits": "\n".join(f"- {limit}" for limit in card.limitations),
        "Licence": card.licence,
        "How it was made": "\n".join(
            [*(f"- {name} {version}" for name, version in card.software.items()), "",
             *(f"- `{key}`: {value}" for key, value in card.config.items())]
        ),
        "Hash": f"`model.onnx`: SHA-256 `{card.model_sha256}`, {card.model_bytes:,} bytes",
    }  # fmt: skip
    head = (
        f"# {card.name} {card.version}\n\n"
        f"Finds sperm in fields of view: centres, axes and directions of heads; tells round cells "
        f"and debris apart. {card.parameters:,} parameters; made {card.created:%Y-%m-%d} UTC.\n\n"
        "**For research use only: not a medical device.**\n\n"
        "This page is made from `card.json`, which holds the same facts for programs."
    )
    return "\n\n".join([head, *(f"## {k}\n\n{v}" for k, v in sections.items())]) + "\n"


def _training(card: LocatorCard) -> str:
    frames = (
        f"{frames.dataset}: {len(frames.learned)} frames learned from, {len(frames.chosen)} to "
        f"choose the threshold by ({frames.licence}). {frames.citation} {frames.source}"
        for frames in card.frames
    )
    return "\n\n".join([card.phantoms, *frames])


def _evaluation(card: LocatorCard) -> str:
    if not card.scores:
        return "None."
    rows = [
        f"Right within {card.match_px:g} px of a box's centre, one to one; the locator was told a "
        f"head of {card.head_length_px:g} px for all. Beside it a plain blob filter tuned on the "
        "very video.",
        "",
        "| Video | Frames | Precision | Recall | F1 | Blob filter's F1 |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for score in card.scores:
        known = ", other frames of it learned from" if score.known else ", not learned from"
        numbers = (score.precision, score.recall, score.f1, score.baseline_f1)
        shown = " | ".join("-" if n is None else f"{n:.3f}" for n in numbers)
        rows.append(
            f"| {score.dataset} {score.video} ({score.microscopy}{known}) | {score.frames} | "
            f"{shown} |"
        )
    return "\n".join(rows)
