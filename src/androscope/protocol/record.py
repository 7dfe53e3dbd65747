"""``benchmark.json``: all that the tables and plots of a benchmark need, and no crop.

Scores are from 0 to 1, MCC from -1 to 1. A *part* is what was graded: ``valid``, ``test``, or
``distinct``, which is test without the crops whose sperm train or valid shows too.
"""

from __future__ import annotations

import json
import math
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from androscope.errors import TrainingError
from androscope.files import write_text
from androscope.model.card import LabelName, Sha256

__all__ = [
    "FORMAT",
    "PARTS",
    "RECORD",
    "Benchmark",
    "CrossvalEntry",
    "Mean",
    "NearDuplicates",
    "Part",
    "RecipeEntry",
    "RunEntry",
    "Score",
    "read_benchmark",
    "rounded",
    "write_benchmark",
]

RECORD = "benchmark.json"

#: Its number is raised when a field changes its meaning; a file with another is refused.
FORMAT: Final = "androscope.benchmark/1"

Part = Literal["valid", "test", "distinct"]
PARTS: tuple[Part, ...] = ("valid", "test", "distinct")

Number = Annotated[float, Field(allow_inf_nan=False)]
Maybe = Number | None


class Score(NamedTuple):
    """A score of one model with its 95 % interval over crops; null where undefined."""

    value: Maybe
    low: Maybe
    high: Maybe


class Mean(NamedTuple):
    """A score over the runs of a recipe.

    ``mean`` and ``sd`` (n - 1) are over the ``n`` runs for which the score is defined; ``low`` and
    ``high`` are the 95 % interval of that mean over crops, the runs as they are.
    """

    mean: Maybe
    sd: Maybe
    n: int
    low: Maybe
    high: Maybe


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Baseline(_Table):
    """A label of a part: how many crops, and what calling all of them normal scores."""

    normal: int
    abnormal: int
    scores: dict[str, Maybe]


class RunEntry(_Table):
    """One trained run, or one reading of an ensemble."""

    name: str
    labels: tuple[LabelName, ...]
    seed: int | None
    config_sha256: Sha256 | None = Field(description="Of all keys but the seed; null: ensemble.")
    model_sha256: Sha256 = Field(description="Of network.pt; of an ensemble's networks together.")
    data_sha256: dict[str, Sha256] = Field(
        description="By split: pixels and labels as this run saw them."
    )
    predictions_sha256: dict[str, Sha256] = Field(description="Of predictions.csv, by split.")
    thresholds: dict[LabelName, Number]
    scores: dict[Part, dict[LabelName, dict[str, Score]]]
    test_readings: int = Field(description="Times that test was read with these weights.")
    seconds: Maybe = Field(None, description="Of training.")
    peak_memory_mb: Maybe = Field(None, description="Of training, MB (10^6 bytes).")
    threads: int | None = None
    software: str | None = Field(None, description="Which of the benchmark's `software`.")
    ended: datetime | None = None


class RecipeEntry(_Table):
    """A recipe, its runs, and their means."""

    config: str | None
    seeds: tuple[int, ...]
    teachers: str | None = None
    ensemble: str | None = None
    views: int | None = None
    planned: int = Field(description="Runs that the protocol asks for.")
    in_protocol: bool = Field(True, description="False for one that the protocol had before.")
    runs: tuple[RunEntry, ...] = ()
    means: dict[Part, dict[LabelName, dict[str, Mean]]] = Field(default_factory=dict)


class FoldScore(NamedTuple):
    """A score over folds (mean, sd with n - 1), and over all held-out crops with its interval."""

    mean: Maybe
    sd: Maybe
    pooled: Maybe
    low: Maybe
    high: Maybe


class CrossvalEntry(_Table):
    """A finished cross-validation."""

    config: str
    folds: int
    seed: int
    splits: tuple[str, ...]
    crops: int
    config_sha256: Sha256
    data_sha256: Sha256
    predictions_sha256: dict[LabelName, Sha256]
    seconds: Maybe = None
    in_protocol: bool = True
    baseline: dict[LabelName, Baseline]
    scores: dict[LabelName, dict[str, FoldScore]]


class NearDuplicates(_Table):
    """Crops that show one sperm, across splits; see :mod:`androscope.datasets.duplicates`."""

    threshold: Number
    pairs: dict[str, int] = Field(description="Pairs by their splits, such as `train-test`.")
    test_crops: int
    removed: int = Field(description="Test crops whose sperm train or valid shows too.")
    removed_sha256: Sha256 = Field(description="Of their ids, a line each, sorted.")


class ProtocolFacts(_Table):
    """The protocol that was followed."""

    name: str
    sha256: Sha256
    dataset: str
    labels: tuple[LabelName, ...]
    resamples: int
    bootstrap_seed: int


class Benchmark(_Table):
    """The whole file."""

    format: Literal["androscope.benchmark/1"] = FORMAT
    androscope: str
    updated: datetime
    protocol: ProtocolFacts
    baseline: dict[Part, dict[LabelName, Baseline]] = Field(default_factory=dict)
    near_duplicates: NearDuplicates | None = None
    recipes: dict[str, RecipeEntry] = Field(default_factory=dict)
    crossval: dict[str, CrossvalEntry] = Field(default_factory=dict)
    software: dict[str, dict[str, str]] = Field(default_factory=dict)
    tried_before: tuple[str, ...] = ()


def rounded(value: float | None) -> float | None:
    """Six decimals, which no table shows; ``None`` for NaN."""
    return None if value is None or math.isnan(value) else round(float(value), 6)


def read_benchmark(path: str | Path) -> Benchmark:
    """Read ``benchmark.json``, or the folder that holds it.

    Raises
    ------
    TrainingError
        If it is missing or malformed.
    """
    path = Path(path)
    path = path / RECORD if path.is_dir() else path
    try:
        return Benchmark.model_validate_json(path.read_bytes())
    except OSError as error:
        raise TrainingError(
            f"cannot be read: {error.strerror or error}",
            path=path,
            advice="Make it with `androscope benchmark run --out DIR`",
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise TrainingError(
            f"is no benchmark's record: {where}: {first['msg'].lower()}".replace(": : ", ": "),
            path=path,
            advice="Make it again: `androscope benchmark run` gathers it from the runs in its "
            "folder",
        ) from error


def write_benchmark(folder: Path, found: Benchmark) -> None:
    """Write ``benchmark.json`` atomically. Raises :class:`OutputError`."""
    values: dict[str, Any] = found.model_dump(mode="json")
    text = json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False)
    # A line for each score, not for each of its numbers: lists of numbers and nulls are drawn
    # together. No text can look like one, since a line break inside a text is escaped.
    text = re.sub(
        r"\[\n\s*((?:[-+.\deE]+|null)(?:,\n\s*(?:[-+.\deE]+|null))*)\n\s*\]",
        lambda match: "[" + re.sub(r",\s+", ", ", match[1]) + "]",
        text,
    )
    write_text(folder / RECORD, text + "\n")
