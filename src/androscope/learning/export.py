"""Finished runs as a bundle: the graph, verified, and the card, filled in from the records."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.imaging.phantom_set import phantom_set
from androscope.learning.export_metrics import evaluations_of, metrics_of
from androscope.learning.exported import Exported
from androscope.learning.graph import Agreement, check_graph, to_onnx
from androscope.learning.protocol import fit_together, protocol
from androscope.learning.record import software
from androscope.learning.run import Run
from androscope.learning.summary import Summary
from androscope.learning.trust.checks import with_checks
from androscope.learning.trust.recalibrate import with_trust
from androscope.model.bundle import Bundle
from androscope.model.bundle_writing import write_bundle
from androscope.model.card import (
    CardDraft,
    CropInput,
    Network,
    SplitFacts,
    TrainingData,
)
from androscope.types import UInt8Array, Views

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
    "A probability is calibrated on validation crops, where this card says so: of such crops given "
    "0.3, some 3 in 10 are abnormal. On other microscopes, stains and patients it need not be.",
    "The labels are those of few people; how well experts agree with one another bounds what any "
    "score on them can mean.",
    "The network gives whatever crop it is given a verdict, and a sure one: one without a sperm, "
    "with two, or out of focus as well. The checks in this card, if it has any, refuse most of "
    "these, not all.",
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
    run: Run | str | Path | Sequence[Run | str | Path],
    out: str | Path,
    *,
    views: Views = 1,
    name: str | None = None,
    version: str = "0.1.0",
    crops: UInt8Array | None = None,
    validation: LabelledCrops | None = None,
    learned: LabelledCrops | None = None,
    licence: str | None = None,
    pixel_size_um: float | None = None,
    evaluations: Sequence[str | Path] = (),
    report: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Write ``run`` as a bundle into the new folder ``out``.

    Parameters
    ----------
    run
        A finished run or its folder; or several, whose probabilities the bundle averages.
    out
        Must not exist yet, or be an empty folder.
    views
        1, 2 or 8: the bundle grades each crop in so many views and gives the mean; see
        :func:`androscope.learning.views.dihedral_views`.
    name, version
        Of the bundle; the run's name, and a version such as ``0.1.0``.
    crops
        ``(N, S, S)`` uint8 on all of which torch and ONNX must agree, before calibration; 64
        phantoms by default.
    validation
        The run's validation crops, on which probabilities are calibrated and the conformal data is
        gathered; thresholds move with them, so that no verdict changes. None: neither is done.
    learned
        The run's training crops: with ``validation``, the checks before grading are fitted on them.
        None, or too few: the bundle's inputs are not checked.
    licence
        Of the weights; by default that of the data they were learned from.
    pixel_size_um
        Micrometres per pixel of the training crops, if known.
    evaluations
        Further ``evaluation.json``, or their folders, for the card beside those in a single run's
        own folder: those of this very bundle, exported and evaluated before.
    report
        Called with what was verified.

    Raises
    ------
    TrainingError
        If a run is not finished or damaged, several do not fit together, an evaluation is of other
        weights, ``validation`` is not what the run chose on, the backbone cannot be exported, or
        torch and ONNX differ by more than 1e-4.
    OutputError, BundleError
        If ``out`` cannot be written, or name and version are none.
    """
    given = [run] if isinstance(run, Run | str | Path) else run
    runs = [r if isinstance(r, Run) else Run.load(r) for r in given]
    fit_together(runs, views)
    if validation is not None:
        _same_validation(runs[0], validation)
    exported = Exported([r.network() for r in runs], views)
    size = exported.crop_size
    if crops is None:
        crops = np.stack([phantom.pixels for phantom in phantom_set(64, 0, size=size)])
    model = to_onnx(exported)
    agreement = check_graph(exported, model, crops)
    report(str(agreement))
    draft = draft_card(
        runs,
        views=views,
        evaluations=evaluations_of(runs, views, evaluations, hashlib.sha256(model).hexdigest()),
        name=name or runs[0].config.name,
        version=version,
        agreement=agreement,
        licence=licence,
        pixel_size_um=pixel_size_um,
    )
    if validation is None:
        report("not calibrated, and never undecided: the validation crops are not here")
        return write_bundle(out, model, draft)
    data = runs[0].record["data"]["name"]
    draft = with_trust(draft, model, validation, f"{data} valid", report=report)
    domain = None
    if learned is None:
        report("its inputs are not checked: the crops it learned from are not here")
    else:
        try:
            draft, domain = with_checks(draft, model, learned, validation, data, report=report)
        except TrainingError as error:
            # A model of few crops is still a model; its card then says that nothing is checked.
            report(f"its inputs are not checked: {error.reason}")
    return write_bundle(out, model, draft, domain)


def _same_validation(run: Run, crops: LabelledCrops) -> None:
    """Make sure that these crops are those that the run chose on, and did not learn from."""
    expected = run.record["data"]["splits"]["valid"]["sha256"]
    if (got := crops.with_labels(run.labels).sha256) != expected:
        raise TrainingError(
            f"its validation crops have changed: expected SHA-256 {expected}, got {got}; it may "
            "have learned from what is to calibrate it",
            path=run.folder,
            advice="Restore the data as it was, or train again",
        )


def draft_card(
    runs: Sequence[Run],
    *,
    views: int,
    evaluations: Sequence[Summary],
    name: str,
    version: str,
    agreement: Agreement,
    licence: str | None = None,
    pixel_size_um: float | None = None,
) -> CardDraft:
    """Fill in a card from the runs' records and the evaluations of what they are together.

    Raises
    ------
    TrainingError
        If a field cannot be what was given (such as a version that is none).
    """
    run = runs[0]
    record, config = run.record, run.config
    data = record["data"]
    mhsma = data["name"] == "mhsma"
    metrics, remarks = metrics_of(run, evaluations)
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
                embedding_dim=sum(r.record["embedding_dim"] for r in runs),
                parameters=sum(r.record["parameters"] for r in runs),
                networks=len(runs),
                views=views,
            ),
            training=TrainingData(
                name=data["name"],
                licence=data["licence"] or "not stated: own data of whoever trained this",
                citation=data["citation"] or "none",
                source=data["source"] or "not published",
                splits={split: _split(split, data) for split in data["splits"]},
                patients=_patients(data),
            ),
            protocol=protocol(runs, views, agreement, remarks),
            metrics=metrics,
            config=_config(run),
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


def _config(run: Run) -> dict[str, Any]:
    """The configuration, teachers by the names of their folders: where they lay says nothing."""
    config: dict[str, Any] = run.config.model_dump(mode="json")
    teacher = config["teacher"]
    teacher["runs"] = ["/".join(PurePath(path).parts[-2:]) for path in teacher["runs"]]
    return config


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
