"""The network as an ONNX graph, and the proof that it computes the same.

Exported in evaluation mode, so that dropout and stochastic depth are gone and every batch
normalisation that follows a convolution is folded into it (in a DenseNet most come before theirs,
and stay). Resizing is a pair of matrix products (see
:func:`androscope.learning.network.resize_matrix`): no operator whose border rules differ between
runtimes.
"""

from __future__ import annotations

import json
import logging
import warnings
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch

from androscope.errors import TrainingError
from androscope.learning.exported import Exported
from androscope.model.session import EMBEDDING, INPUT, LABELS_KEY, PROBABILITIES
from androscope.types import UInt8Array

__all__ = [
    "EMBEDDING_TOLERANCE",
    "OPSET",
    "TOLERANCE",
    "Agreement",
    "check_graph",
    "exported_model",
    "to_onnx",
]

#: ONNX operator set: read by every onnxruntime this package allows (1.20 and later read 21).
OPSET = 20

#: Largest difference allowed between torch and ONNX in a probability.
TOLERANCE = 1e-4

#: The same for the embedding, relative to its largest value. Float32 alone moves the embedding of
#: a short-trained network by some 4e-5 from float64, in either runtime, in either direction.
EMBEDDING_TOLERANCE = 1e-3

#: Crops per call when both are compared; the last odd batch shows that the batch size is free.
_BATCH = 33


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far torch (float32) and ONNX were apart at most, over ``crops`` crops.

    ``embedding`` is relative to the largest value of the embeddings.
    """

    crops: int
    probabilities: float
    embedding: float

    def __str__(self) -> str:
        return (
            f"torch and ONNX agree on {self.crops} crops: probabilities to "
            f"{self.probabilities:.1e}, embedding to {self.embedding:.1e}"
        )


def to_onnx(exported: Exported) -> bytes:
    """Serialise ``exported`` as ONNX; its networks are left as they are.

    Input ``crops`` ``(N, S, S)`` uint8; outputs ``probabilities`` ``(N, L)`` and ``embedding``
    ``(N, D)`` float32; N is free. The labels are in the metadata.

    Raises
    ------
    TrainingError
        If the backbone cannot be exported.
    """
    size = exported.crop_size
    plain = deepcopy(exported).cpu().float().eval().to(memory_format=torch.contiguous_format)
    example = torch.zeros((2, size, size), dtype=torch.uint8)
    model = exported_model(
        plain,
        example,
        inputs=[INPUT],
        outputs=[PROBABILITIES, EMBEDDING],
        shapes={"crops": {0: torch.export.Dim("N")}},
        what="the backbone",
        advice="Train another backbone; the shipped configurations' all export",
    )
    model.metadata_props.add(key=LABELS_KEY, value=json.dumps(list(exported.labels)))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def exported_model(
    module: torch.nn.Module,
    example: torch.Tensor,
    *,
    inputs: list[str],
    outputs: list[str],
    shapes: dict[str, Any],
    what: str,
    advice: str | None = None,
) -> onnx.ModelProto:
    """Export ``module``, silently, without what the exporter writes about this machine.

    Parameters
    ----------
    module
        In evaluation mode, on the CPU.
    example
        Its input.
    inputs, outputs, shapes
        Names, and which of the input's sides are free.
    what, advice
        For the message, if it cannot be exported.

    Raises
    ------
    TrainingError
        If it cannot be exported.
    """
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        loud = logging.getLogger("torch.onnx")
        level = loud.level
        loud.setLevel(logging.ERROR)
        try:
            program = torch.onnx.export(
                module,
                (example,),
                dynamo=True,
                opset_version=OPSET,
                input_names=inputs,
                output_names=outputs,
                dynamic_shapes=shapes,
                external_data=False,
                verbose=False,
            )
        except Exception as error:
            # The exporter raises its own classes, of torch's private modules, for any fault.
            raise TrainingError(
                f"{what} cannot be exported: {str(error).strip().splitlines()[0][:300]}",
                advice=advice,
            ) from error
        finally:
            loud.setLevel(level)
    if program is None:
        raise TrainingError("the exporter gave no model")
    model: onnx.ModelProto = program.model_proto
    graph = model.graph
    for item in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del item.metadata_props[:]
        item.doc_string = ""
    graph.doc_string = model.doc_string = ""
    del graph.metadata_props[:]
    del model.metadata_props[:]
    return model


def check_graph(exported: Exported, model: bytes, crops: UInt8Array) -> Agreement:
    """Grade ``crops`` with both, ONNX in batches and one by one, and compare.

    Parameters
    ----------
    exported
        Its networks in evaluation mode, on the CPU.
    model
        What :func:`to_onnx` gave.
    crops
        ``(N, S, S)`` uint8.

    Raises
    ------
    TrainingError
        If they differ by more than :data:`TOLERANCE` or :data:`EMBEDDING_TOLERANCE`.
    """
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    exported = exported.eval()
    far = [0.0, 0.0]
    for start in range(0, len(crops), _BATCH):
        batch = np.ascontiguousarray(crops[start : start + _BATCH])
        with torch.inference_mode():
            wanted = [t.numpy() for t in exported(torch.from_numpy(batch))]
        # One crop alone of each batch: how crops are divided must not matter.
        for rows in (slice(None), slice(0, 1)):
            got = session.run([PROBABILITIES, EMBEDDING], {INPUT: batch[rows]})
            scale = max(1e-6, float(np.abs(wanted[1]).max()))
            far[0] = max(far[0], float(np.abs(got[0] - wanted[0][rows]).max()))
            far[1] = max(far[1], float(np.abs(got[1] - wanted[1][rows]).max()) / scale)
    # `not below`, for NaN is not below either.
    if not (far[0] < TOLERANCE and far[1] < EMBEDDING_TOLERANCE):
        raise TrainingError(
            f"torch and ONNX differ by {far[0]:.1e} in probability (at most {TOLERANCE:.0e} is "
            f"allowed) and {far[1]:.1e} of its largest value in the embedding (at most "
            f"{EMBEDDING_TOLERANCE:.0e})",
            advice="Update torch and onnxruntime, and report the backbone if it stays",
        )
    return Agreement(len(crops), far[0], far[1])
