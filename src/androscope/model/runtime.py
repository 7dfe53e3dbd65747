"""One way to open a model in onnxruntime: threads, silence, and no weights from other files."""

from __future__ import annotations

import os
from pathlib import Path

import onnxruntime as ort

from androscope.errors import BundleError
from androscope.processes import available_threads
from androscope.settings import Backend

__all__ = ["cannot_load", "open_model", "runtime_of", "threads_for"]


def runtime_of(backend: Backend) -> str:
    """Name and version of what runs the network here, such as ``"onnxruntime 1.30.0"``.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    if backend == "openvino":
        from androscope.model.openvino_runtime import openvino_version

        return f"openvino {openvino_version()}"
    return f"onnxruntime {ort.__version__}"


def threads_for(wanted: int) -> int:
    """Threads to ask onnxruntime for; 0 leaves the choice to it, which is one per physical core.

    It looks neither at what a process may use (a container's share, a pinned process) nor at
    ``OMP_NUM_THREADS``, by which processes that run side by side are told their share: left alone,
    each of them starts a thread per core of the whole machine, and pins it there.

    Parameters
    ----------
    wanted
        What the user asked for, which is what is given; 0: nothing.
    """
    if wanted:
        return wanted
    said = os.environ.get("OMP_NUM_THREADS", "")
    if said.isdigit() and int(said):
        return int(said)
    available = available_threads()
    return available if available < (os.cpu_count() or 1) else 0


def open_model(
    model: bytes, path: Path, *, threads: int = 0, to_run: bool = True
) -> ort.InferenceSession:
    """Open a serialised ONNX model that came from ``path``.

    Parameters
    ----------
    model
        The bytes that were hashed.
    path
        Where they came from, for messages.
    threads
        Threads of one call; 0: see :func:`threads_for`.
    to_run
        False where another runtime runs it and the graph is looked at alone: it is not optimised.

    Raises
    ------
    BundleError
        If onnxruntime cannot load it.
    """
    # Some of onnxruntime's Windows builds report usage; images and their traces stay here.
    ort.disable_telemetry_events()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads_for(threads)
    options.inter_op_num_threads = 1
    # Threads that wait by spinning take the cores from the decoding of the next files, and from
    # other processes (`python benchmarks/grading.py`: from PNG files 3.7 ms a crop with it, 2.4
    # without; from memory the same; one crop alone is 0.7 ms slower without).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not to_run:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4  # Faults come as exceptions; no second voice on stderr.
    # Weights in further files would be vouched for by no hash: there is nowhere to find them.
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path",
        str(path.parent / "weights-outside-the-model-are-refused"),
    )
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        advice = "Update onnxruntime, or get the model again"
        raise cannot_load(f"onnxruntime {ort.__version__}", error, path, advice) from error


def cannot_load(runtime: str, error: Exception, path: Path, advice: str) -> BundleError:
    """What is raised where a runtime refuses the model at ``path``, with its first line of why."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
    return BundleError(f"{runtime} cannot load the model: {first}", path=path, advice=advice)
