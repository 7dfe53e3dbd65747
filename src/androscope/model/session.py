"""The session: uint8 crops in, probabilities and embeddings out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from androscope.errors import (
    BundleError,
    BundleMismatchError,
    ImageDimensionsError,
    ImageValuesError,
)
from androscope.model.calibrate import calibrate
from androscope.model.runtime import open_model
from androscope.settings import Backend, load_settings
from androscope.types import FloatArray, UInt8Array

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from androscope.model.bundle import Bundle
    from androscope.model.card import Card

__all__ = ["EMBEDDING", "INPUT", "LABELS_KEY", "PROBABILITIES", "Predictions", "Session"]

#: Names in the ONNX graph.
INPUT, PROBABILITIES, EMBEDDING = "crops", "probabilities", "embedding"

#: Key of the model's metadata that repeats the labels as a JSON list, in the order of its columns.
#: Without it a card with two labels swapped would pass for whole.
LABELS_KEY = "androscope.labels"

_AGAIN = "Get the bundle again from where it came from, or export it anew"


@dataclass(frozen=True, slots=True)
class Predictions:
    """What the model says of ``N`` crops.

    Attributes
    ----------
    probabilities
        ``(N, L)`` float32, 0 to 1: the probability that each part is **abnormal**, calibrated as
        the card says.
    embeddings
        ``(N, D)`` float32: the shared trunk's features.
    """

    probabilities: FloatArray
    embeddings: FloatArray

    def __len__(self) -> int:
        return len(self.probabilities)


class Session:
    """A bundle made ready to grade; safe to call from several threads.

    Parameters
    ----------
    bundle
        A verified bundle, from :func:`androscope.model.bundle.load_bundle`.
    threads
        Threads of one call; 0: one per physical core, or this process's share of them.
    backend
        What runs the network. onnxruntime, by which every figure in a card was measured, unless
        another is asked for: the setting of that name is the grader's business.

    Raises
    ------
    BundleError
        If onnxruntime, or the backend, cannot load the model.
    BundleMismatchError
        If names, shapes, types or labels of the model are not those of the card.
    MissingExtraError
        If the backend is not installed.
    """

    def __init__(
        self, bundle: Bundle, *, threads: int = 0, backend: Backend = "onnxruntime"
    ) -> None:
        self.card: Card = bundle.card
        self.folder = bundle.folder
        #: Reference of the distance to the training data, if the card's checks have one.
        self.domain = bundle.domain
        self.backend: Backend = backend
        # Whatever runs it: what a model may be is checked in one place.
        opened = open_model(
            bundle.model, bundle.model_path, threads=threads, to_run=backend == "onnxruntime"
        )
        self._check(opened, str(bundle.model_path))
        outputs = [PROBABILITIES, EMBEDDING]
        self._outputs_of: Callable[[UInt8Array], list[Any]]
        if backend == "openvino":
            from androscope.model.openvino_runtime import run_by_openvino

            self._outputs_of = run_by_openvino(
                bundle.model, bundle.model_path, outputs, threads=threads
            )
        else:
            self._outputs_of = lambda batch: opened.run(outputs, {INPUT: batch})

    def predict(self, crops: UInt8Array, *, batch_size: int | None = None) -> Predictions:
        """Grade crops.

        Parameters
        ----------
        crops
            ``(N, S, S)`` uint8 with the card's ``S``; ``N`` may be 0.
        batch_size
            Crops per forward pass; default: the setting ``batch_size``. How crops are divided
            into batches changes probabilities by rounding only, by less than 1e-5.

        Raises
        ------
        ImageDimensionsError, ImageValuesError
            If the array has another shape or another dtype.
        BundleError
            If the model gives something that is no probability.
        """
        crops = np.asarray(crops)
        size = self.card.input.size
        if crops.dtype != np.uint8:
            raise ImageValuesError(
                f"crops must be uint8, got {crops.dtype}",
                advice="Make crops with androscope.imaging.crop.to_crop, which keeps them uint8",
            )
        if crops.ndim != 3 or crops.shape[1:] != (size, size):
            raise ImageDimensionsError(
                f"crops must be (N, {size}, {size}), got {crops.shape}",
                advice="Make crops with androscope.imaging.crop.to_crop, and stack them",
            )
        step = load_settings().batch_size if batch_size is None else batch_size
        if step < 1:
            raise ValueError(f"batch_size must be at least 1, got {step}")
        # A crop of eight views is eight crops to the network: the memory of a pass stays the same.
        step = max(1, step // self.card.network.views)
        probabilities = np.empty((len(crops), len(self.card.labels)), np.float32)
        embeddings = np.empty((len(crops), self.card.network.embedding_dim), np.float32)
        for start in range(0, len(crops), step):
            rows = slice(start, start + step)
            probabilities[rows], embeddings[rows] = self._run(np.ascontiguousarray(crops[rows]))
        # Here and nowhere else, so that every entrance gives the same probability.
        probabilities = calibrate(probabilities, self.card.calibration, self.card.labels)
        return Predictions(probabilities, embeddings)

    def _run(self, batch: UInt8Array) -> tuple[FloatArray, FloatArray]:
        probabilities, embedding = self._outputs_of(batch)
        # `not (all in range)` rather than `any outside`: NaN compares false with everything.
        if not bool(np.all((probabilities >= 0) & (probabilities <= 1))):
            raise BundleError(
                "the model gave values that are no probabilities (outside 0 to 1, or NaN)",
                path=self.folder,
                advice="The model is broken; do not use it. Export it anew",
            )
        return probabilities, embedding

    def _check(self, opened: InferenceSession, path: str) -> None:
        """Compare the graph with the card: names, types, shapes, labels."""
        card, size = self.card, self.card.input.size
        labels, dim = len(card.labels), card.network.embedding_dim
        expected_in = {INPUT: ("tensor(uint8)", ("N", size, size))}
        expected_out = {
            PROBABILITIES: ("tensor(float)", ("N", labels)),
            EMBEDDING: ("tensor(float)", ("N", dim)),
        }
        _compare("inputs", expected_in, _signature(opened.get_inputs()), path)
        _compare("outputs", expected_out, _signature(opened.get_outputs()), path)
        meta = opened.get_modelmeta().custom_metadata_map
        if LABELS_KEY not in meta:
            raise BundleMismatchError(
                f"the model does not name its labels: expected the metadata key {LABELS_KEY!r} "
                f"with {json.dumps(card.labels)}, got keys {sorted(meta)}",
                path=path,
                advice=_AGAIN,
            )
        try:
            named = tuple(json.loads(meta[LABELS_KEY]))
        except (ValueError, TypeError):
            named = (meta[LABELS_KEY],)
        if named != card.labels:
            raise BundleMismatchError(
                f"the card's labels are not the model's: the model has {list(named)}, "
                f"the card {list(card.labels)}",
                path=path,
                advice=_AGAIN,
            )


Signature = dict[str, tuple[str, tuple[Any, ...]]]


def _signature(nodes: Sequence[Any]) -> Signature:
    return {node.name: (node.type, tuple(map(_dimension, node.shape))) for node in nodes}


def _dimension(size: int | str | None) -> int | str:
    # onnxruntime gives a fixed dimension as an int and a free one as its name, or None.
    return size if isinstance(size, int) else "N"


def _compare(what: str, expected: Signature, got: Signature, path: str) -> None:
    if expected == got:
        return
    raise BundleMismatchError(
        f"the model's {what} are not the card's: expected {_describe(expected)}, "
        f"got {_describe(got)}",
        path=path,
        advice=_AGAIN,
    )


def _describe(signature: Signature) -> str:
    return " and ".join(
        f"{name} {kind} ({', '.join(map(str, shape))})" for name, (kind, shape) in signature.items()
    )
