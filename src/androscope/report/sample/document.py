"""The report as data: one schema, of which JSON is the text and PDF and HTML are renderings.

Its JSON Schema is published in docs/ and in the wheel (``schema.json`` beside this file).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

__all__ = [
    "SCHEMA",
    "AgreementReport",
    "AgreementRow",
    "CountsReport",
    "CutsRow",
    "Exclusion",
    "FailureRow",
    "FileRow",
    "IndexRow",
    "Measured",
    "ModelReport",
    "PartRow",
    "Reference",
    "RegionRow",
    "ReplicateRow",
    "SampleReport",
    "Share",
    "SpermPart",
    "SpermRow",
    "VerdictRule",
]

#: Its number is raised when a field changes its meaning or goes away.
SCHEMA = "androscope.sample-report/1"

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)


class Share(_Table):
    """A fraction and its 95% Wilson interval; null where it is of none."""

    count: Count
    of: Count = Field(description="How many were decided.")
    fraction: Fraction | None
    low: Fraction | None
    high: Fraction | None


class Measured(_Table):
    """A number of the model's card, measured on labelled crops it did not learn from."""

    split: str
    label: str
    metric: str
    value: float | None
    low: float | None
    high: float | None


class CutsRow(_Table):
    """Where a part is undecided."""

    abnormal_from: Fraction = Field(description="It may be abnormal from this probability upward.")
    normal_to: Fraction = Field(description="It may be normal up to this one.")


class VerdictRule(_Table):
    """What verdicts were made with."""

    error_rate: Fraction | None = Field(
        description="Share of wrong verdicts, of truly normal and of truly abnormal parts, that "
        "was allowed. Null: verdicts are by the thresholds, and none is undecided."
    )
    promise: str | None = Field(description="What that promises, in words.")
    cuts: dict[str, CutsRow] = Field(description="Per label; a part that may be both is undecided.")
    available: bool = Field(description="Whether the model can leave a part undecided at all.")


class ModelReport(_Table):
    """What graded."""

    name: str
    version: str
    sha256: str = Field(description="Of the model's file.")
    method: str
    labels: list[str]
    thresholds: dict[str, float] = Field(description="Abnormal from this probability upward.")
    data: str = Field(description="What it learned from.")
    intended_use: str
    out_of_scope: str
    limitations: list[str]
    licence: str
    measured: list[Measured]


class Exclusion(_Table):
    """Why some finds were not assessed."""

    reason: str
    count: Count
    sperm: bool = Field(description="Whether they count as sperm; debris and round cells do not.")


class CountsReport(_Table):
    """How many of what."""

    files: Count
    fields: Count = Field(description="Fields of view and videos among the pictures.")
    crops: Count = Field(description="Crops of single sperm among the pictures.")
    unreadable: Count = Field(description="Files or pictures that could not be used.")
    found: Count = Field(description="Sperm found, assessed or not.")
    assessed: Count
    normal: Count = Field(description="Every part that the model grades was normal.")
    abnormal: Count = Field(description="At least one part was abnormal.")
    undecided: Count | None = Field(
        description="No part abnormal, at least one undecided. Null: none could be."
    )
    excluded: list[Exclusion]


class PartRow(_Table):
    """One part that the model grades."""

    label: str
    region: str | None = Field(description="WHO's region it belongs to, if it is one alone.")
    normal: Count
    abnormal: Count
    undecided: Count | None
    share: Share = Field(description="Abnormal, of those decided.")


class RegionRow(_Table):
    """One of WHO's four regions."""

    region: str
    labels: list[str] = Field(description="The model's labels that speak of it.")
    why_not: str | None = Field(description="Why it is not assessed; null if it is.")
    share: Share | None = Field(description="Any defect in it, of those decided.")


class ReplicateRow(_Table):
    """One replicate."""

    name: str
    files: Count
    found: Count
    assessed: Count
    undecided: Count | None
    normal: Share
    parts: dict[str, Share]
    pixel_sizes_um: list[float]


class AgreementRow(_Table):
    """Two percentages held against WHO's table."""

    what: str
    first: float = Field(description="%")
    second: float = Field(description="%")
    average: int = Field(description="%, rounded: the row of the table.")
    difference: float = Field(description="Percentage points.")
    limit: int = Field(description="Largest difference that chance explains, percentage points.")
    within: bool


class AgreementReport(_Table):
    """WHO's test of two replicates."""

    replicates: list[str]
    accepted: bool | None = Field(description="By the percentage normal; null if not tested.")
    verdict: str
    rows: list[AgreementRow]
    notes: list[str]


class IndexRow(_Table):
    """TZI, SDI or MAI."""

    short: str
    name: str
    formula: str
    source: str
    value: float | None
    defects: int | None
    sperm: int | None
    why_not: str | None


class Reference(_Table):
    """WHO's lower reference limit: a reference, not a diagnosis."""

    percent: float
    low: float
    high: float
    source: str
    meaning: str
    comparable: str = Field(description="Why this report's number may not be held against it.")


class FileRow(_Table):
    """One file of the sample."""

    name: str
    replicate: str
    sha256: str | None
    taken_as: list[str]
    pictures: Count
    pixel_sizes_um: list[float]
    head_lengths_px: list[float]
    estimated: bool = Field(description="Whether a head length was estimated from the heads.")
    found: Count
    assessed: Count
    notes: list[str]


class FailureRow(_Table):
    """A file or picture that could not be used."""

    name: str
    code: str
    reason: str
    advice: str | None


class SpermPart(_Table):
    """The verdict on one part."""

    verdict: Literal["normal", "abnormal", "undecided"]
    probability: Fraction = Field(description="That the part is abnormal.")
    threshold: float


class FlagRow(_Table):
    """One check that a crop did not pass before it was to be graded."""

    check: str
    value: float
    limit: float
    reason: str


class SpermRow(_Table):
    """One thing found."""

    number: int = Field(ge=1, description="In the order of the report.")
    replicate: str
    file: str
    name: str
    x_px: float | None
    y_px: float | None
    frame: int | None = Field(None, ge=0, description="Of a video: frame of this place, from 0.")
    outcome: Literal["normal", "abnormal", "undecided", "excluded"]
    parts: dict[str, SpermPart]
    excluded: str | None
    sperm: bool
    flags: list[FlagRow] = Field(
        default_factory=list,
        description="Checks not passed: why it was excluded, or graded all the same.",
    )


class ExpectedShare(_Table):
    """A share by probabilities, and its 95 % bootstrap interval over sperm."""

    fraction: Fraction
    low: Fraction
    high: Fraction
    of: int = Field(ge=1)


class SampleReport(_Table):
    """A sample's report."""

    schema_: Literal["androscope.sample-report/1"] = Field(
        "androscope.sample-report/1", alias="schema"
    )
    notice: str
    androscope: str = Field(description="Version of the software.")
    created: AwareDatetime
    sample: str = Field(description="The sample's id.")
    settings: dict[str, str]
    warnings: list[str]
    verdicts: VerdictRule
    counts: CountsReport
    normal: Share = Field(description="Normal in every graded part, of those decided.")
    normal_bounds: tuple[Fraction, Fraction] | None = Field(
        description="Fraction normal if every undecided sperm were abnormal, and normal; null "
        "where none is undecided."
    )
    normal_expected: ExpectedShare | None = Field(
        None,  # reports of earlier versions have none
        description="Normal in every graded part by the model's probabilities, of all assessed; "
        "null where they are not calibrated, or nothing is assessed.",
    )
    parts: list[PartRow]
    regions: list[RegionRow]
    replicates: list[ReplicateRow]
    agreement: AgreementReport
    indices: list[IndexRow]
    reference: Reference
    model: ModelReport
    files: list[FileRow]
    failures: list[FailureRow]
    finds: list[SpermRow]
