"""A finished run as a bundle: the graph, verified, and the card, filled in from the record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from androscope.errors import TrainingError
from androscope.imaging.phantom_set import phantom_set
from androscope.learning.graph import Agreement, check_graph, to_onnx
from androscope.learning.record import software
from androscope.learning.run import Run
from androscope.learning.subject import TEST_READS
from androscope.learning.summary import SUMMARY, read_summary
from androscope.model.bundle import Bundle, write_bundle
from androscope.model.card import (
    CardDraft,
    CropInput,
    Interval,
    Network,
    SplitFacts,
    TrainingData,
)
from androscope.types import UInt8Array

__all__ = ["draft_card", "export"]

_INTENDED = (
    "Research on sperm morphology: a second reading of crops of single, unstained, live sperm in "
    "bright field, beside an embryologist's own, and work on methods of grading."
)
_OUT_OF_SCOPE = (
    "Diagnosis, choosing a sperm for injection without a person's own look at it, stained smears, "
    "other microscopes or magnifications than the training crops' without validation on one's own "
    "data, animals. Not a medical device."
)
_LIMITS = (
    "A probability is the network's, not a frequency observed in patients; see the calibration "
    "plot of the evaluation.",
    "The labels are those of few people; how well experts agree with one another bounds what any "
    "score on them can mean.",
    "The network grades whatever crop it is given: one without a sperm, with two, or out of focus "
    "gets a verdict as well.",
)
_LIMITS_MHSMA = (
    "MHSMA's split was drawn over images, not over its 235 patients, so that one man's sperm may "
    "be in train and test: scores on a new patient may be lower.",
    "One laboratory, one microscope (Olympus IX70, DP71 camera), at 400x and 600x.",
)
_PIXEL_MHSMA = (
    "not published; crops come from images at 400x, and from such at 600x shrunk to two thirds"
)


def export(
    run: Run | str | Path,
    out: str | Path,
    *,
    name: str | None = None,
    version: str = "0.1.0",
    crops: UInt8Array | None = None,
    licence: str | None = None,
    pixel_size_um: float | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Write ``run`` as a bundle into the new folder ``out``.

    Parameters
    ----------
    run
        A finished run or its folder.
    out
        Must not exist yet, or be an empty folder.
    name, version
        Of the bundle; the run's name, and a version such as ``0.1.0``.
    crops
        ``(N, S, S)`` uint8 on all of which torch and ONNX must agree; 64 phantoms by default.
    licence
        Of the weights; by default that of the data they were learned from.
    pixel_size_um
        Micrometres per pixel of the training crops, if known.
    report
        Called with what was verified.

    Raises
    ------
    TrainingError
        If the run is not finished or damaged, the backbone cannot be exported, or torch and ONNX
        differ by more than 1e-4.
    OutputError, BundleError
        If ``out`` cannot be written, or name and version are none.
    """
    if not isinstance(run, Run):
        run = Run.load(run)
    network = run.network()
    size = run.config.data.crop_size
    if crops is None:
        crops = np.stack([phantom.pixels for phantom in phantom_set(64, 0, size=size)])
    model = to_onnx(network)
    agreement = check_graph(network, model, crops)
    report(str(agreement))
    draft = draft_card(
        run,
        name=name or run.config.name,
        version=version,
        agreement=agreement,
        licence=licence,
        pixel_size_um=pixel_size_um,
    )
    return write_bundle(out, model, draft)


def draft_card(
    run: Run,
    *,
    name: str,
    version: str,
    agreement: Agreement,
    licence: str | None = None,
    pixel_size_um: float | None = None,
) -> CardDraft:
    """Fill in a card from a run's record and the evaluations in its folder.

    Raises
    ------
    TrainingError
        If a field cannot be what was given (such as a version that is none).
    """
    record, config = run.record, run.config
    data = record["data"]
    mhsma = data["name"] == "mhsma"
    metrics, remarks = _evaluations(run)
    weights = record["weights"]
    source = {"random": "a random start", "file": f"the file {Path(weights['name']).name}"}.get(
        weights["kind"], f"ImageNet, {weights['name']}"
    )
    try:
        return CardDraft(
            name=name,
            version=version,
            created=datetime.now(UTC),
            method=config.method,
            labels=run.labels,
            thresholds=dict(run.thresholds),
            input=CropInput(
                size=config.data.crop_size,
                pixel_size_um=pixel_size_um,
                pixel_size_note=_PIXEL_MHSMA if mhsma and pixel_size_um is None else "",
            ),
            network=Network(
                backbone=config.backbone.name,
                pretrained=source,
                input_size=config.backbone.input_size,
                embedding_dim=record["embedding_dim"],
                parameters=record["parameters"],
            ),
            training=TrainingData(
                name=data["name"],
                licence=data["licence"] or "not stated: own data of whoever trained this",
                citation=data["citation"] or "none",
                source=data["source"] or "not published",
                splits={split: _split(split, data) for split in data["splits"]},
                patients=_patients(data),
            ),
            protocol=_protocol(run, agreement, remarks),
            metrics=metrics,
            config=config.model_dump(mode="json"),
            software=record["software"]
            | {f"export:{k}": v for k, v in software().items() if record["software"].get(k) != v},
            intended_use=_INTENDED,
            out_of_scope=_OUT_OF_SCOPE,
            limitations=_LIMITS + (_LIMITS_MHSMA if mhsma else ()),
            licence=licence or data["licence"] or "not stated: ask whoever trained this",
        )
    except ValueError as error:
        raise TrainingError(
            f"the card cannot be written: {_first(error)}",
            path=run.folder,
            advice="A name is letters, digits, '.', '-' and '_'; a version is such as 0.1.0",
        ) from error


def _first(error: ValueError) -> str:
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    fault = error.errors(include_url=False)[0]
    where = ".".join(str(step) for step in fault["loc"])
    return f"{where}: {fault['msg'].lower()}, got {fault['input']!r}"


def _split(name: str, data: dict[str, Any]) -> SplitFacts:
    facts = data["splits"][name]
    counts = facts["counts"]
    some_missing = any(c["unlabelled"] for c in counts.values())
    return SplitFacts(
        crops=facts["crops"],
        abnormal={label: c["abnormal"] for label, c in counts.items()},
        labelled={label: c["normal"] + c["abnormal"] for label, c in counts.items()}
        if some_missing
        else {},
        files={f: h for f, h in data["files"].items() if Path(f).stem.endswith(f"_{name}")},
    )


def _patients(data: dict[str, Any]) -> str:
    if all(split["patients"] for split in data["splits"].values()):
        return "known; see the data set's notes on how the split treats them"
    if data["name"] == "mhsma":
        return "not published; the split was drawn over images, not over the 235 patients"
    return "not known for all crops"


def _evaluations(run: Run) -> tuple[dict[str, Any], list[str]]:
    """Metrics of every evaluation of exactly these weights, and a remark on each."""
    metrics: dict[str, Any] = {}
    remarks = []
    for path in sorted((run.folder / "evaluation").glob(f"*/{SUMMARY}")):
        found = read_summary(path)
        if found.model_sha256 != run.record["network_sha256"]:
            continue
        own = found.data == run.record["data"]["name"]
        key = found.split if own else f"{found.data}-{found.split}"
        metrics[key] = {
            label: {metric: Interval(**values) for metric, values in by_metric.items()}
            for label, by_metric in found.metrics().items()
            if label in run.labels
        }
        remarks.append(f"{key}: {found.crops} crops, {found.interval}")
    return metrics, remarks


def _protocol(run: Run, agreement: Agreement, remarks: list[str]) -> str:
    search = run.config.threshold
    thresholds = (
        f"and thresholds (by accuracy + F0.5, from {search.low:g} to {search.high:g}) were"
        if search.search
        else "(not the thresholds, which are 0.5) was"
    )
    phantoms = run.config.data.phantoms
    beside = f" and {phantoms} rendered sperm of known truth" if phantoms else ""
    teachers = run.record.get("teachers", [])
    taught = (
        f" to targets between the labels (weight {1 - run.config.teacher.share:g}) and the mean "
        f"probability of {len(teachers)} networks trained before on the same crops"
        if teachers
        else ""
    )
    lines = [
        f"Weights were fitted on train{beside}{taught}; the epoch {thresholds} chosen on valid. "
        "Training read no other split.",
        "Normal is the positive class; ROC AUC is from probabilities.",
        f"At export, {agreement}.",
    ]
    if remarks:
        lines.append(f"Metrics: {'; '.join(remarks)}.")
    reads = run.folder / TEST_READS
    if reads.is_file():
        count = sum(1 for line in reads.read_text(encoding="utf-8").splitlines() if line.strip())
        lines.append(f"Test was read {count} {'time' if count == 1 else 'times'} in this run.")
    return " ".join(lines)
