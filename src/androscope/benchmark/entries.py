"""What the leaderboard's data file holds: data sets, and entries with their sources.

An entry is *verified* if this program computed its scores from a file of predictions and the data
set's labels; else it is a claim of its source.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from androscope.learning.metrics import METRICS
from androscope.learning.summary import Measured
from androscope.model.card import LabelName, Sha256
from androscope.report.names import printable

__all__ = [
    "FORMAT",
    "Board",
    "DatasetInfo",
    "Entry",
    "Kind",
    "Protocol",
    "Reference",
    "Verification",
    "first_day",
]

#: Its number is raised when a field changes its meaning; a file with another is refused.
FORMAT: Final = "androscope.leaderboard/1"


class Kind(StrEnum):
    """What an entry is."""

    RESULT = "result"
    #: Something to compare with that learns nothing; shown at its place, without a rank.
    BASELINE = "baseline"


class Protocol(StrEnum):
    """On what a result was measured."""

    #: The data set's own test split, nothing of which was learned from.
    OFFICIAL = "official"
    #: Folds of a cross-validation.
    FOLDS = "folds"
    UNKNOWN = "unknown"

    @property
    def words(self) -> str:
        """What tables call it."""
        return "official split" if self is Protocol.OFFICIAL else self.value


def _one_line(text: str) -> str:
    if printable(text) != text or text.strip() != text:
        raise ValueError("expected one line without control characters or outer blanks")
    return text


def _address(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s<>\"']+", text):
        raise ValueError("expected an address that begins with https://")
    return text


def first_day(text: str) -> date:
    """The first day of a date of YYYY, YYYY-MM or YYYY-MM-DD. Raises :class:`ValueError`."""
    return date.fromisoformat((text + "-01-01")[:10])


def _partial_date(text: str) -> str:
    if not re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", text):
        raise ValueError("expected YYYY, YYYY-MM or YYYY-MM-DD")
    first_day(text)
    return text


Line = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_one_line)]
#: Only what a reader may follow safely: no `javascript:`, no `file:`.
Url = Annotated[str, Field(max_length=500), AfterValidator(_address)]
PartialDate = Annotated[str, AfterValidator(_partial_date)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reference(_Table):
    """A paper, or where numbers are from."""

    text: Line
    url: Url | None = None


class DatasetInfo(_Table):
    """A data set that results are compared on."""

    name: LabelName
    title: Line
    task: Line
    split: Line = Field(description="The split that is scored.")
    crops: int = Field(ge=1, description="Crops of that split.")
    labels: dict[LabelName, tuple[int, int]] = Field(
        min_length=1, description="Normal and abnormal crops of the split, by label."
    )
    licence: Line
    source: Reference
    notes: tuple[Line, ...] = ()

    @model_validator(mode="after")
    def _check_counts(self) -> Self:
        for label, counts in self.labels.items():
            if min(counts) < 0 or sum(counts) != self.crops:
                raise ValueError(f"{label}: {counts} do not sum to {self.crops} crops")
        return self


class Verification(_Table):
    """What a verified entry was computed from, and how."""

    predictions_sha256: Sha256 = Field(description="Of the submitted file.")
    probabilities_sha256: dict[LabelName, Sha256] = Field(
        {}, description="By label, of its probabilities as numbers; old rows have none."
    )
    labels_sha256: dict[LabelName, Sha256] = Field(
        description="Of the data set's file of labels, by label."
    )
    thresholds: dict[LabelName, float] = Field(
        description="Probability from which a verdict is abnormal, as submitted."
    )
    interval: Line
    resamples: int
    seed: int
    androscope: Line = Field(description="The version that computed the scores.")
    checked: date


class Entry(_Table):
    """One method's scores on one data set. Scores are from 0 to 1, MCC from -1 to 1."""

    name: Line
    dataset: LabelName
    kind: Kind = Kind.RESULT
    paper: Reference | None = None
    code: Url | None = None
    date: PartialDate = Field(description="Of the publication or submission.")
    protocol: Protocol
    scores: dict[LabelName, dict[str, Measured]] = Field(min_length=1)
    decimals: int = Field(2, ge=0, le=2, description="Of the percentages in the source.")
    source: Reference = Field(description="Where the scores are from.")
    remarks: tuple[Line, ...] = ()
    verification: Verification | None = None

    @property
    def verified(self) -> bool:
        """Whether the scores were computed here from predictions."""
        return self.verification is not None

    @property
    def status(self) -> str:
        """``"verified"``, ``"unverified"``, or ``"baseline"`` for what needs no predictions."""
        if self.kind is Kind.BASELINE:
            return "baseline"
        return "verified" if self.verified else "unverified"

    @model_validator(mode="after")
    def _check_scores(self) -> Self:
        for label, found in self.scores.items():
            if not found:
                raise ValueError(f"{label}: expected at least one score")
            for metric, measured in found.items():
                if metric not in METRICS:
                    raise ValueError(
                        f"{label}: expected one of {', '.join(METRICS)}, got {metric!r}"
                    )
                low = -1 if metric == "mcc" else 0
                for value in (measured.value, measured.low, measured.high):
                    if value is not None and not low <= value <= 1:
                        raise ValueError(
                            f"{label} {metric}: expected {low} to 1, got {value:g}; "
                            "percentages are divided by 100"
                        )
        if self.verification and set(self.verification.thresholds) != set(self.scores):
            raise ValueError("a verified entry has a threshold for each of its labels")
        return self


class Board(_Table):
    """The whole data file."""

    format: Literal["androscope.leaderboard/1"] = FORMAT
    datasets: tuple[DatasetInfo, ...] = Field(min_length=1)
    entries: tuple[Entry, ...]

    @property
    def by_name(self) -> Mapping[str, DatasetInfo]:
        """Data sets by their names."""
        return {info.name: info for info in self.datasets}

    def of(self, dataset: str) -> tuple[Entry, ...]:
        """Entries of one data set, in the order of the file."""
        return tuple(entry for entry in self.entries if entry.dataset == dataset)

    @model_validator(mode="after")
    def _check_entries(self) -> Self:
        if len(self.by_name) != len(self.datasets):
            raise ValueError("two data sets have one name")
        names: set[tuple[str, str]] = set()
        files: dict[str, str] = {}
        for entry in self.entries:
            info = self.by_name.get(entry.dataset)
            if info is None:
                raise ValueError(f"{entry.name}: there is no data set {entry.dataset!r}")
            strange = [label for label in entry.scores if label not in info.labels]
            if strange:
                raise ValueError(f"{entry.name}: {entry.dataset} has no label {strange[0]!r}")
            if (entry.dataset, entry.name) in names:
                raise ValueError(f"two entries on {entry.dataset} are named {entry.name!r}")
            names.add((entry.dataset, entry.name))
            if entry.verification is not None:
                digest = entry.verification.predictions_sha256
                if digest in files:
                    raise ValueError(f"{entry.name} and {files[digest]} are of one file")
                files[digest] = entry.name
        return self
