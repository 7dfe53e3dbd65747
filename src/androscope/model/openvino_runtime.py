"""The optional second runtime: a model that onnxruntime has read, run by OpenVINO instead.

On Intel's processors it runs int8 networks faster (`python benchmarks/peers.py`). It computes the
same graph, but rounds differently inside int8 layers, so that probabilities move a little
(`python benchmarks/same_verdicts.py` lists what changes); that is why it is a choice, and one that
results name.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from androscope.extras import require
from androscope.model.runtime import cannot_load, threads_for
from androscope.types import UInt8Array

__all__ = ["openvino_version", "run_by_openvino"]

_WHY = "grade with ANDROSCOPE_BACKEND=openvino"


def openvino_version() -> str:
    """Version of the OpenVINO here, without its build.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    openvino = require("openvino", extra="openvino", why=_WHY)
    return str(openvino.__version__).partition("-")[0]


def run_by_openvino(
    model: bytes, path: Path, outputs: Sequence[str], *, threads: int = 0
) -> Callable[[UInt8Array], list[Any]]:
    """Compile a model; the function given runs it and may be called from several threads.

    Parameters
    ----------
    model
        The bytes that were hashed, and that :func:`androscope.model.runtime.open_model` has
        opened: it refuses weights in other files, which are not looked for again here.
    path
        Where they came from, for messages.
    outputs
        Names of the outputs, in the order they are to come in.
    threads
        Threads of one call; 0: see :func:`androscope.model.runtime.threads_for`.

    Raises
    ------
    BundleError
        If OpenVINO cannot compile it.
    MissingExtraError
        If it is not installed.
    """
    openvino = require("openvino", extra="openvino", why=_WHY)
    options = {
        # Without it, processors that have bfloat16 compute float32 layers in it.
        "INFERENCE_PRECISION_HINT": "f32",
        "NUM_STREAMS": 1,
        # Pinned, the threads of processes side by side would all sit on the first cores.
        "ENABLE_CPU_PINNING": False,
    }
    if count := threads_for(threads):
        options["INFERENCE_NUM_THREADS"] = count
    core = openvino.Core()

    def compiled() -> Any:
        try:
            return core.compile_model(core.read_model(model), "CPU", options).create_infer_request()
        except Exception as error:
            advice = "Unset ANDROSCOPE_BACKEND: onnxruntime, which is always there, grades it"
            raise cannot_load(f"OpenVINO {openvino_version()}", error, path, advice) from error

    # A request serves one call at a time, and those of one compiled model wait for each other in
    # its stream. So each of the calls that are under way together has a compiled model of its own.
    idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
    idle.put(compiled())

    def run(crops: UInt8Array) -> list[Any]:
        try:
            request = idle.get_nowait()
        except queue.Empty:
            request = compiled()
        try:
            found = request.infer([crops])
            # Copied: the next call writes into the same memory.
            return [np.array(found[name]) for name in outputs]
        finally:
            idle.put(request)

    return run
