"""A float32 bundle to one that computes in int8, measured on validation before it is written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from androscope.datasets import Dataset, LabelledCrops
from androscope.errors import TrainingError
from androscope.learning.export_metrics import evaluation_of, metrics_by_label
from androscope.learning.int8.cost import Limits, costs, faults
from androscope.learning.int8.graph import FLOAT_CONVOLUTIONS, quantise_graph
from androscope.learning.trust.checks import with_checks
from androscope.learning.trust.fitting import fit_conformal
from androscope.model.bundle import Bundle
from androscope.model.bundle_writing import write_bundle
from androscope.model.card import Card, CardDraft
from androscope.model.card_int8 import Cost, Int8, Ranges
from androscope.model.session import Session
from androscope.types import FloatArray

__all__ = ["CROPS", "cost_lines", "quantise"]

#: Training crops that the activations' ranges are taken from.
CROPS = 256


def quantise(
    bundle: Bundle,
    dataset: Dataset,
    out: str | Path,
    *,
    crops: int = CROPS,
    float_convolutions: int = FLOAT_CONVOLUTIONS,
    weight_bits: int = 7,
    ranges: Ranges = "minmax",
    limits: Limits | None = None,
    name: str | None = None,
    version: str | None = None,
    evaluations: Sequence[str | Path] = (),
    report: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Write ``bundle`` with its convolutions in int8 into the new folder ``out``.

    The card keeps calibration and thresholds, which is what the limits see to; its conformal data
    is gathered anew from int8's own answers, on the crops that costs are measured on, and its
    checks, if it has any and these are the crops it learned from, are fitted anew. Metrics are
    float32's and go; those of ``evaluations`` come in their place.

    Parameters
    ----------
    bundle
        In float32; it is left as it is.
    dataset
        With a train split, for the ranges of activations, and a valid split, for the costs.
    out
        Must not exist yet, or be an empty folder.
    crops
        How many train crops are looked at, drawn by a fixed seed.
    float_convolutions, weight_bits, ranges
        See :func:`~androscope.learning.int8.graph.quantise_graph`.
    limits
        What it may cost; by default :class:`~androscope.learning.int8.cost.Limits` as they are.
    name, version
        Of the new bundle; by default the old one's name with ``-int8``, and its version.
    evaluations
        ``evaluation.json``, or their folders, of this very int8 model, written and evaluated
        before: the same command gives the same bytes.
    report
        Called with the table of costs.

    Raises
    ------
    TrainingError
        If int8 costs more than the limits, a split or a label is missing, the model cannot be
        quantised, or an evaluation is of another model.
    OutputError, BundleError
        If ``out`` cannot be written, or name and version are none.
    """
    lacks = [split for split in ("train", "valid") if split not in dataset.splits]
    if lacks:
        raise TrainingError(
            f"{dataset.name} has no {' and no '.join(lacks)} split: ranges are taken from train, "
            "and costs are measured on valid",
            advice="Name data with both",
        )
    train, valid = dataset.splits["train"], dataset.splits["valid"]
    rows = np.random.default_rng(0).permutation(len(train))[:crops]
    model = quantise_graph(
        bundle.model,
        train.crops[rows],
        float_convolutions=float_convolutions,
        weight_bits=weight_bits,
        ranges=ranges,
    )
    before = Session(bundle).predict(valid.crops).probabilities
    after = _answers(bundle.card, model, valid)
    found = costs(valid, bundle.card, before, after)
    report("\n".join(cost_lines(found, len(bundle.model), len(model))))
    wrong = faults(found, limits or Limits())
    if wrong:
        raise TrainingError(
            f"int8 costs too much on {len(valid)} crops of {dataset.name} valid: "
            f"{'; '.join(wrong)}",
            advice="Keep more convolutions in float32, take the ranges from more crops or by "
            "percentile, or stay with float32",
        )
    how = {
        "name": bundle.card.name,
        "version": bundle.card.version,
        "model_sha256": bundle.card.model_sha256,
        "float_convolutions": float_convolutions,
        "weight_bits": weight_bits,
        "ranges": ranges,
        "ranges_from": f"{len(rows)} crops of {dataset.name} train",
        "compared_on": f"{dataset.name} valid",
        "costs": found,
    }
    draft = _draft(bundle.card, Int8(**how), name, version)
    draft = draft.model_copy(
        update={
            "conformal": _conformal(bundle.card, valid, after, f"{dataset.name} valid"),
            "metrics": _metrics(bundle.card, model, evaluations),
        }
    )
    domain = bundle.domain
    if draft.checks is not None and dataset.name == draft.training.name:
        # Distances are of embeddings, and int8 moves those.
        draft, domain = with_checks(draft, model, train, valid, dataset.name, report=report)
    return write_bundle(out, model, draft, domain)


def _answers(card: Card, model: bytes, crops: LabelledCrops) -> FloatArray:
    """Calibrated probabilities of int8, as the new bundle will give them."""
    facts = {"model_sha256": hashlib.sha256(model).hexdigest(), "model_bytes": len(model)}
    session = Session(Bundle(Path(), card.model_copy(update=facts), model))
    return session.predict(crops.crops).probabilities


def _draft(card: Card, int8: Int8, name: str | None, version: str | None) -> CardDraft:
    from onnxruntime import __version__

    known = card.model_dump(exclude={"model_sha256", "model_bytes", "metrics", "conformal"})
    try:
        return CardDraft.model_validate(
            known
            | {
                "name": f"{card.name}-int8" if name is None else name,
                "version": card.version if version is None else version,
                "created": datetime.now(UTC),
                "int8": int8.model_dump(),
                "software": card.software | {"quantise:onnxruntime": __version__},
                "protocol": f"{card.protocol} Quantised from {card.name} {card.version}; the "
                "training above is that of its weights.",
            }
        )
    except ValueError as error:
        raise TrainingError(
            f"the card cannot be written with name {name!r} and version {version!r}",
            advice="A name is letters, digits, '.', '-' and '_'; a version is such as 0.1.0",
        ) from error


def _conformal(card: Card, crops: LabelledCrops, given: FloatArray, data: str) -> Any:
    if card.conformal is None:
        return None
    truth = crops.with_labels(card.labels).labels
    found = {
        label: fit_conformal(truth[:, i], given[:, i], data=data)
        for i, label in enumerate(card.labels)
    }
    return None if None in found.values() else found


def _metrics(card: Card, model: bytes, evaluations: Sequence[str | Path]) -> dict[str, Any]:
    sha256 = hashlib.sha256(model).hexdigest()
    advice = (
        "Quantise, evaluate the bundle with `androscope evaluate`, and quantise again with that "
        "evaluation"
    )
    found = (evaluation_of(path, sha256, advice) for path in evaluations)
    return dict(metrics_by_label(one, card.training.name, card.labels) for one in found)


def cost_lines(found: dict[str, Cost], before: int, after: int) -> list[str]:
    """The table of costs, float32 beside int8, and the sizes of the models in bytes."""
    lines = [
        f"{'float32 -> int8':<17}{'accuracy, %':>18}{'log loss':>20}{'calibration error':>20}"
        f"{'changed':>9}{'largest move':>14}"
    ]
    for label, cost in found.items():
        right, loss, error = cost.accuracy, cost.log_loss, cost.calibration_error
        lines.append(
            f"{label:<17}{f'{100 * right[0]:.2f} -> {100 * right[1]:.2f}':>18}"
            f"{f'{loss[0]:.4f} -> {loss[1]:.4f}':>20}{f'{error[0]:.3f} -> {error[1]:.3f}':>20}"
            f"{f'{cost.changed}/{cost.crops}':>9}{cost.largest_move:>14.3f}"
        )
    return [*lines, f"{'model, MB':<17}{f'{before / 1e6:.1f} -> {after / 1e6:.1f}':>18}"]
