"""From a file of predictions to a verified entry: every score computed here, from the labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from androscope import __version__, datasets
from androscope.benchmark.entries import (
    Board,
    DatasetInfo,
    Entry,
    Line,
    PartialDate,
    Protocol,
    Reference,
    Url,
    Verification,
)
from androscope.benchmark.reasons import Reasons
from androscope.benchmark.submission import Predictions, read_predictions
from androscope.datasets import LabelledCrops
from androscope.errors import LeaderboardError
from androscope.files import sha256_of
from androscope.learning.summary import Measured, summarise_label
from androscope.settings import Settings

__all__ = ["RESAMPLES", "SEED", "Claim", "verify"]

#: Draws of the bootstrap, and their seed: the same for every entry.
RESAMPLES = 2000
SEED = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """What a submitter says, and no file can show. ``date``: YYYY, YYYY-MM or YYYY-MM-DD."""

    name: str
    date: str
    protocol: Protocol
    paper: str | None = None
    code: str | None = None

    def faults(self, today: str) -> list[str]:
        """Say what cannot be entered as it is on the day ``today``; nothing if all can."""
        found = []
        values = (
            ("name", self.name, Line),
            ("code", self.code, Url),
            ("date", self.date, PartialDate),
        )
        for option, value, kind in values:
            if value is None:
                continue
            try:
                TypeAdapter(kind).validate_python(value)
            except ValidationError as error:
                said = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
                found.append(f"--{option} {value!r}: {said[0].lower()}{said[1:]}")
        try:
            _ = self.reference
        except ValidationError:
            found.append(
                f"--paper {self.paper!r}: expected a DOI, an address, or a citation on a line"
            )
        if self.date > today and not any(fault.startswith("--date") for fault in found):
            found.append(f"--date {self.date}: expected no later day than today, {today}")
        return found

    @property
    def reference(self) -> Reference | None:
        """The paper; a DOI or an address becomes a link."""
        if self.paper is None:
            return None
        doi = self.paper.removeprefix("https://doi.org/").removeprefix("doi:").strip()
        if doi.startswith("10."):
            return Reference(text=f"doi:{doi}", url=f"https://doi.org/{doi}")
        is_link = self.paper.startswith(("https://", "http://"))
        return Reference(text=self.paper, url=self.paper if is_link else None)


def verify(
    predictions: str | Path,
    board: Board,
    info: DatasetInfo,
    claim: Claim,
    thresholds: Mapping[str, float] | None = None,
    *,
    settings: Settings | None = None,
) -> Entry:
    """Check a file of predictions and compute its scores.

    Parameters
    ----------
    predictions
        See :func:`androscope.benchmark.submission.read_predictions`.
    board
        Where it is to be entered, which has neither the file nor the name yet.
    info
        The data set, one of the board's; its labels must be on this machine.
    claim
        What goes with it.
    thresholds
        By label; from validation, never from the split that is scored.
    settings
        Where the data set is looked for; the environment's by default.

    Returns
    -------
    Entry
        With 95 % bootstrap intervals and the hashes of predictions and labels.

    Raises
    ------
    SubmissionError
        Listing every reason for which it is refused.
    DatasetMissingError, DatasetCorruptError
        If the labels are not here, or not the published ones.
    LeaderboardError
        If the labels are not those that the board is about.
    MissingExtraError
        If scikit-learn is not installed.
    """
    dataset = datasets.load(info.name, settings=settings)
    crops = dataset.splits[info.split].with_labels(list(info.labels))
    counts = {label: (n.normal, n.abnormal) for label, n in crops.counts().items()}
    if counts != info.labels:
        raise LeaderboardError(
            f"{info.name} {info.split}: expected (normal, abnormal) {info.labels}, got {counts}",
            advice="The board is about another version of this data set",
        )
    today = datetime.now(UTC).date()
    reasons = Reasons()
    faults = claim.faults(today.isoformat())
    entered, taken = _entered(predictions, board, info.name, claim.name)
    for fault in (*faults, *entered):
        reasons.add(fault)
    found = read_predictions(
        predictions,
        crops.ids,
        {label: crops.labels[:, i].tolist() for i, label in enumerate(info.labels)},
        thresholds,
        what=f"{info.name} {info.split}",
        taken=taken,
        reasons=reasons,
    )
    return Entry(
        name=claim.name,
        dataset=info.name,
        paper=claim.reference,
        code=claim.code,
        date=claim.date,
        protocol=claim.protocol,
        scores=_scores(found, crops),
        source=Reference(text="computed by androscope from the predictions submitted"),
        verification=Verification(
            predictions_sha256=found.sha256,
            probabilities_sha256=dict(found.digests),
            labels_sha256={
                label: dataset.file_hashes[f"y_{label}_{info.split}.npy"] for label in found.labels
            },
            thresholds=dict(found.thresholds),
            interval="95 % percentile bootstrap over crops",
            resamples=RESAMPLES,
            seed=SEED,
            androscope=__version__,
            checked=today,
        ),
    )


def _entered(
    predictions: str | Path, board: Board, dataset: str, name: str
) -> tuple[list[str], dict[tuple[str, str], str]]:
    """Say whether the file or the name is on the board already.

    Also gives the label and digest of every other file's probabilities, to where they stand. A row
    without digests, from before they were kept, is known by its file alone.
    """
    found, taken = [], {}
    try:
        digest = sha256_of(predictions)
    except OSError:
        digest = ""  # reading it says why
    for entry in board.entries:
        seen = entry.verification
        if seen is not None:
            where = f"as {entry.name!r} since {seen.checked}"
            if seen.predictions_sha256 == digest:
                found.append(
                    f"this very file is on the board {where}: a file is entered once, with one set "
                    "of thresholds"
                )
            elif entry.dataset == dataset:
                for label, probabilities in seen.probabilities_sha256.items():
                    taken[label, probabilities] = where
        if (entry.dataset, entry.name) == (dataset, name):
            found.append(
                f"--name {name!r} is taken by an entry of {entry.date}: choose another name"
            )
    return found, taken


def _scores(found: Predictions, crops: LabelledCrops) -> dict[str, dict[str, Measured]]:
    return {
        label: summarise_label(
            crops.labels[:, crops.label_names.index(label)],
            found.probabilities[:, i],
            found.thresholds[label],
            patients=crops.patients,
            seed=SEED,
            resamples=RESAMPLES,
        ).scores
        for i, label in enumerate(found.labels)
    }
