"""The card of exported runs: filled in from their records, with the words that go with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any

from androscope.errors import TrainingError
from androscope.learning.export_metrics import metrics_of
from androscope.learning.graph import Agreement
from androscope.learning.protocol import protocol
from androscope.learning.record import software
from androscope.learning.run import Run
from androscope.learning.summary import Summary
from androscope.model.card import (
    CardDraft,
    CropInput,
    Network,
    SplitFacts,
    TrainingData,
)

__all__ = ["draft_card"]

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
_ETHICS = (
    "A verdict is of how one sperm looks. It says nothing of a man's worth or health, and of a "
    "couple's chances only what an embryologist makes of it: no decision on treatment is to rest "
    "on it alone.",
    "An error harms in two ways: a sound sperm called abnormal may be passed over, and one whose "
    "defect is missed may be used. Undecided verdicts and the checks send doubt to a person.",
    "Pictures of sperm are data of patients: they are graded on the machine they lie on, and "
    "nothing is sent anywhere.",
)
_ETHICS_MHSMA = (
    "It learned from 235 men with male factor infertility. Their consent and an ethics committee's "
    "vote are not stated with the data set: ask its publishers where a use needs them.",
    "Neither age nor origin of these men is published, so nobody can say for whom it grades worse.",
)
_PIXEL_MHSMA = (
    "not published; crops come from images at 400x, and from such at 600x shrunk to two thirds"
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
            ethics=_ETHICS + (_ETHICS_MHSMA if mhsma else ()),
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
