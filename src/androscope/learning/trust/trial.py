"""A bundle and labelled crops made ready for the sections of ``benchmark trust``; the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from androscope import __version__
from androscope.datasets import load
from androscope.errors import TrainingError
from androscope.learning.subject import open_subject, record_test_read
from androscope.learning.trust.sections import SECTIONS, Row, Section, Trial, measure_sections
from androscope.model.bundle import load_bundle
from androscope.model.session import Session
from androscope.report.names import NOTICE
from androscope.settings import load_settings

__all__ = ["SCHEMA", "fell_short", "run_trial", "trust_document"]

#: Its number is raised when a field changes its meaning or goes away.
SCHEMA = "androscope.trust/1"


def run_trial(
    bundle: str | Path = "default",
    *,
    data: str = "mhsma",
    split: str = "test",
    names: tuple[str, ...] = (),
    seed: int = 0,
    resamples: int = 2000,
    report: Callable[[str], None] = lambda _: None,
) -> tuple[Trial, dict[str, Section], int | None]:
    """Grade labelled crops once and measure every section on them.

    Parameters
    ----------
    bundle
        A shipped name or a bundle's folder.
    data, split
        Labelled crops, as :func:`~androscope.datasets.load` takes them. A reading of a test split
        is recorded as ``androscope evaluate`` records it.
    names
        Sections to measure; all by default.
    seed, resamples
        Of every bootstrap.
    report
        Takes lines on progress.

    Returns
    -------
    trial, sections, reads
        What was graded, the sections by name, and how often this test split has been read with
        these weights, this time included; ``None`` for another split.

    Raises
    ------
    TrainingError
        If a section or the split is none, or no label of the model is in the data.
    BundleError
        If there is no such bundle, or it is not whole.
    """
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        raise TrainingError(
            f"no such section: {', '.join(unknown)}; there are {', '.join(SECTIONS)}"
        )
    found = load_bundle(bundle)
    session = Session(found, threads=load_settings().threads)
    card = found.card
    dataset = load(data, crop_size=card.input.size)
    if split not in dataset.splits:
        raise TrainingError(
            f"{dataset.name} has no {split} split; there are {', '.join(dataset.splits)}",
            advice="Choose one of these with --split",
        )
    crops = dataset.splits[split]
    if not len(crops) or not set(card.labels) & set(crops.label_names):
        raise TrainingError(
            f"the model grades {', '.join(card.labels)}; {dataset.name} {split} has {len(crops)} "
            f"crops labelled for {', '.join(crops.label_names)}: nothing to compare",
            advice="Name the data's label columns as the model's",
        )
    reads = None
    if split == "test":
        subject = open_subject(found.folder)
        reads = record_test_read(subject, data=dataset.name, data_sha256=crops.sha256)
    report(f"grading {len(crops)} crops")
    trial = Trial(
        session=session,
        data=dataset.name,
        split=split,
        crops=crops,
        predictions=session.predict(crops.crops),
        seed=seed,
        resamples=resamples,
        report=report,
    )
    return trial, measure_sections(trial, names), reads


def fell_short(sections: Mapping[str, Section]) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Give the rows with a goal: those that reached it, and those that did not."""
    rows = [row for section in sections.values() for row in section.rows]
    return (
        tuple(row for row in rows if row.reached is True),
        tuple(row for row in rows if row.reached is False),
    )


def trust_document(
    trial: Trial, sections: Mapping[str, Section], reads: int | None
) -> dict[str, Any]:
    """Give everything as plain dictionaries and lists, for JSON."""
    card = trial.card
    reached, short = fell_short(sections)
    return {
        "schema": SCHEMA,
        "notice": NOTICE,
        "androscope": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": {"name": card.name, "version": card.version, "sha256": card.model_sha256},
        "data": {
            "name": trial.data,
            "split": trial.split,
            "sha256": trial.crops.sha256,
            "crops": len(trial.crops),
            "test_reads": reads,
        },
        "seed": trial.seed,
        "resamples": trial.resamples,
        "goals_reached": len(reached),
        "fell_short": [row.what for row in short],
        "sections": {
            name: {
                "title": section.title,
                "rows": [asdict(row) | {"reached": row.reached} for row in section.rows],
                "remarks": list(section.remarks),
                "details": dict(section.details),
            }
            for name, section in sections.items()
        },
    }
