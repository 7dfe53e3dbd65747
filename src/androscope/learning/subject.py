"""What is evaluated: a run's folder or a bundle, seen alike; and the record of reading *test*.

The protocol is: fit on train, choose on validation, read test once per reported model. Nobody can
be stopped from reading it again, so each reading is written down, and the count is shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from androscope import __version__
from androscope.errors import TrainingError
from androscope.extras import require
from androscope.files import write_text
from androscope.settings import load_settings
from androscope.types import FloatArray, UInt8Array

__all__ = ["TEST_READS", "Subject", "count_test_reads", "open_subject", "record_test_read"]

#: File in a run's folder that the readings of test are written to, a JSON object per line.
TEST_READS = "test_reads.jsonl"


@dataclass(frozen=True, slots=True)
class Subject:
    """A model that can be evaluated.

    Attributes
    ----------
    name
        As reports call it.
    kind
        ``"run"`` or ``"bundle"``.
    sha256
        Of its weights (a run's ``network.pt``, a bundle's ``model.onnx``).
    thresholds
        Per label, in the order of the columns of :attr:`grade`'s result.
    crop_size
        Side of the crops it takes, px.
    dataset
        The data it was trained on, as ``load`` takes it; ``None`` if only the name is known.
    reads
        Where readings of test are recorded: a run's own folder; for a bundle, which may be
        read-only and must stay as it was signed, the user's data folder.
    grade
        ``(N, S, S)`` uint8 to ``(N, L)`` float32, the probability of abnormal.
    learned
        Names of the data it learned from, as :attr:`androscope.datasets.Dataset.name` gives them.
    """

    name: str
    kind: str
    sha256: str
    thresholds: dict[str, float]
    crop_size: int
    dataset: str | None
    reads: Path
    grade: Callable[[UInt8Array], FloatArray]
    learned: tuple[str, ...] = ()

    def probabilities(self, crops: UInt8Array, /) -> FloatArray:
        """Grade ``crops``; see :attr:`grade`."""
        return self.grade(crops)


def open_subject(name_or_folder: str | Path) -> Subject:
    """Open a run's folder, a bundle's folder or a shipped bundle by its name.

    Raises
    ------
    TrainingError, BundleError
        If it is neither, or not whole.
    """
    folder = Path(name_or_folder)
    if folder.is_dir() and not (folder / "card.json").is_file():
        return _run(folder)
    return _bundle(name_or_folder)


def _run(folder: Path) -> Subject:
    require("torch", extra="train", why="evaluate a run; its exported bundle needs none")
    from androscope.learning.run import Run

    run = Run.load(folder)
    return Subject(
        name=run.config.name,
        kind="run",
        sha256=str(run.record["network_sha256"]),
        thresholds={label: run.thresholds[label] for label in run.labels},
        crop_size=run.config.data.crop_size,
        dataset=run.config.data.dataset,
        learned=(str(run.record["data"]["name"]),),
        reads=folder / TEST_READS,
        grade=run.probabilities,
    )


def _bundle(name_or_folder: str | Path) -> Subject:
    from androscope.model.bundle import load_bundle
    from androscope.model.session import Session

    bundle = load_bundle(name_or_folder)
    settings = load_settings()
    session = Session(bundle, threads=settings.threads)
    card = bundle.card
    return Subject(
        name=card.name,
        kind="bundle",
        sha256=card.model_sha256,
        thresholds={label: card.thresholds[label] for label in card.labels},
        crop_size=card.input.size,
        dataset=None,
        learned=(card.training.name, *([] if card.parent is None else [card.parent.data.name])),
        reads=settings.cache / TEST_READS,
        grade=lambda crops: session.predict(crops).probabilities,
    )


def record_test_read(subject: Subject, *, data: str, data_sha256: str) -> int:
    """Write down that ``subject`` is evaluated on a test split, and count how often it was.

    Returns
    -------
    int
        Readings of this data with these weights, this one included.

    Raises
    ------
    TrainingError
        If the record is damaged: it is evidence, and is neither mended nor overwritten.
    OutputError
        If it cannot be written.
    """
    path = subject.reads
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    count = 1 + count_test_reads(path, subject.sha256, data_sha256)
    entry = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": subject.name,
        "model_sha256": subject.sha256,
        "data": data,
        "data_sha256": data_sha256,
        "androscope": __version__,
    }
    kept = before if before.endswith("\n") or not before else before + "\n"
    write_text(path, kept + json.dumps(entry) + "\n")
    return count


def count_test_reads(path: Path, model_sha256: str, data_sha256: str | None = None) -> int:
    """Count the readings of test in the record at ``path``; 0 where there is none.

    Parameters
    ----------
    path
        As :attr:`Subject.reads`.
    model_sha256
        Of the weights that read it.
    data_sha256
        Of the split that was read; whatever data by default.

    Raises
    ------
    TrainingError
        If the record is damaged.
    """
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    count = 0
    for number, line in enumerate(before.splitlines(), start=1):
        try:
            entry = json.loads(line)
            same = entry["model_sha256"] == model_sha256 and data_sha256 in (
                None,
                entry["data_sha256"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise TrainingError(
                f"line {number} of the record of test readings cannot be read: {error!r}",
                path=path,
                advice="Restore the file, or move it away and say so where you report results",
            ) from error
        count += same
    return count
