"""Ratios of speed against others, from one run: the same network elsewhere, and the authors'.

    python benchmarks/peers.py [--turns 3] [--seconds 2] [--threads 2] [--clock wall]

The same network: in plain torch (channels last, inference mode), in OpenCV's DNN module and in
OpenVINO, which read the bundle's own ONNX file and its int8; and androscope's own session with the
optional backend, where its extra is installed. The authors' networks in Keras are
those of peer_keras.py. Each side has a process of its own, by turns, so that a drift of the
machine's speed touches all; of each turn the least time of a call counts, of the turns the median.
Peers that are no part of the project live in environments of their own under build/, made at the
first run; one that cannot be installed is left out, with the reason.

`--clock cpu` counts processor time in one thread: what a busy machine can still be asked.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BATCH = 32

#: Folder of the environment to what is installed there.
ENVIRONMENTS = {
    "inference-venv": ("openvino==2026.4.1", "opencv-python-headless==5.0.0.93", "numpy"),
    "peer-venv": ("tensorflow-cpu==2.21.0",),
}

#: Side to its environment; None is ours.
SIDES: dict[str, str | None] = {
    "androscope, float32": None,
    "androscope, int8": None,
    "androscope by OpenVINO, int8": None,
    "torch": None,
    "OpenCV, float32": "inference-venv",
    "OpenCV, int8": "inference-venv",
    "OpenVINO, float32": "inference-venv",
    "OpenVINO, int8": "inference-venv",
    "Keras": "peer-venv",
}

#: How much faster a peer must be to become a backend; in int8 OpenVINO was, and became one.
CLEARLY = 1.3


def least_ms(call: Callable[[], object], images: int, *, seconds: float, clock: str) -> float:
    """Least milliseconds per image of ``call``, repeated for about ``seconds``."""
    now = time.process_time if clock == "cpu" else time.perf_counter
    call()
    call()
    best, count, end = float("inf"), 0, time.perf_counter() + seconds
    while count < 3 or time.perf_counter() < end:
        start = now()
        call()
        best, count = min(best, (now() - start) * 1e3 / images), count + 1
    return best


def pixels(side: int = 64):
    """A batch of noise; what is in it changes no time."""
    import numpy as np

    return np.random.default_rng(0).integers(60, 190, (BATCH, side, side), dtype=np.uint8)


def runner(side: str, folder: Path, threads: int) -> Callable[[int], object]:
    """A function that grades so many crops on this side."""
    model = str(folder / ("int8" if side.endswith("int8") else "float32"))
    kind = side.partition(",")[0]
    if kind.startswith("androscope"):
        from androscope.model.bundle import load_bundle
        from androscope.model.session import Session

        backend = "openvino" if kind == "androscope by OpenVINO" else "onnxruntime"
        session = Session(load_bundle(model), threads=threads, backend=backend)
        crops = pixels(session.card.input.size)
        return lambda n: session.predict(crops[:n], batch_size=n)
    if kind == "torch":
        import torch

        from androscope.learning.config_file import parse_config
        from androscope.learning.exported import Exported
        from androscope.learning.network import build_network
        from androscope.model.bundle import load_bundle

        torch.set_num_threads(threads)
        card = load_bundle(model).card
        text = json.dumps(card.config)  # which is YAML, too
        network = build_network(parse_config(text, "card", ["backbone.weights=random"]))
        exported = Exported([network]).eval().to(memory_format=torch.channels_last)
        given = torch.from_numpy(pixels(card.input.size))

        def grade(n: int) -> object:
            with torch.inference_mode():
                return exported(given[:n])

        return grade
    crops = pixels()
    if kind == "OpenCV":
        import cv2

        cv2.setNumThreads(threads)
        net = cv2.dnn.readNetFromONNX(f"{model}/model.onnx")

        def forward(n: int) -> object:
            net.setInput(crops[:n], "crops")
            return net.forward(["probabilities", "embedding"])

        return forward
    import openvino

    core = openvino.Core()
    core.set_property("CPU", {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"})
    request = core.compile_model(f"{model}/model.onnx", "CPU").create_infer_request()
    return lambda n: request.infer([crops[:n]])


def measure(side: str, arguments: argparse.Namespace) -> dict[str, float]:
    """One turn of one side, in its own environment."""

    def timed(call: Callable[[], object], images: int, *, seconds: float) -> float:
        return least_ms(call, images, seconds=seconds, clock=arguments.clock)

    if side == "Keras":
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        import peer_keras
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(arguments.threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
        peer_keras.median_ms = timed
        found = peer_keras.measure_keras(arguments.seconds, (f"batch {BATCH}", "single"))
        return {f"authors' {name}": ms for name, ms in found.items()}
    grade = runner(side, arguments.folder, arguments.threads)
    return {
        f"batch {BATCH}": timed(lambda: grade(BATCH), BATCH, seconds=arguments.seconds),
        "single": timed(lambda: grade(1), 1, seconds=arguments.seconds),
    }


def environment(name: str) -> tuple[str | None, str]:
    """Interpreter of an environment, made if it is not there; or None and the reason."""
    folder = ROOT / "build" / name
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        print(f"making build/{name} with {', '.join(ENVIRONMENTS[name])} ...", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        command = [python, "-m", "pip", "install", "-q", *ENVIRONMENTS[name]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return None, (done.stderr.strip().splitlines() or ["pip failed"])[-1][:200]
        (folder / ".ready").touch()
    return str(python), ""


def turn(python: str, side: str, arguments: argparse.Namespace, folder: Path) -> dict | str:
    """One turn in a fresh process: its figures, or the last line of what went wrong."""
    command = [python, __file__, "--worker", side, "--folder", str(folder)]
    for name in ("seconds", "threads", "clock"):
        command += [f"--{name}", str(getattr(arguments, name))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or ["it died"])[-1][:200]
    return json.loads(done.stdout.splitlines()[-1])


def prepare(name: str, folder: Path) -> str:
    """Write the bundle in float32 and in int8 into ``folder``; gives its name."""
    from profile_model import in_int8

    from androscope.model.bundle import load_bundle
    from androscope.model.bundle_writing import write_bundle

    bundle = load_bundle(name)
    write_bundle(folder / "float32", bundle.model, bundle.card, bundle.domain)
    write_bundle(folder / "int8", in_int8(bundle), bundle.card, bundle.domain)
    return f"{bundle.card.name} {bundle.card.version}"


def show(turns: list[dict[str, dict[str, float]]]) -> None:
    """Print every figure beside androscope's float32 and int8 of the same turn."""
    print(f"{'':<40}{'ms':>9}{'/ float32':>12}{'/ int8':>9}")
    rows = [(side, what) for side in SIDES for what in turns[0].get(side, {})]
    for side, what in rows:
        ms = [t[side][what] for t in turns]
        same = f"batch {BATCH}" if f"batch {BATCH}" in what else "single"
        name = what if side == "Keras" else f"{side}, {what}"
        cells = [
            statistics.median(t[side][what] / t[f"androscope, {kind}"][same] for t in turns)
            for kind in ("float32", "int8")
        ]
        print(f"{name:<40}{statistics.median(ms):>9.2f}{cells[0]:>12.2f}{cells[1]:>9.2f}")
    for kind in ("float32", "int8"):
        if f"OpenVINO, {kind}" in turns[0]:
            what = f"batch {BATCH}"
            ratio = statistics.median(
                t[f"androscope, {kind}"][what] / t[f"OpenVINO, {kind}"][what] for t in turns
            )
            verdict = "clearly faster" if ratio >= CLEARLY else f"below {CLEARLY}"
            print(f"OpenVINO, {kind}, against ours: {ratio:.2f} times as fast: {verdict}")


def main() -> None:
    """Take turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="per figure and turn")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--model", default="dmtl-lite0")
    parser.add_argument("--without", nargs="*", default=[], choices=list(SIDES))
    parser.add_argument("--worker", choices=list(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        print(json.dumps(measure(arguments.worker, arguments)))
        return
    from machine import cores, describe

    arguments.threads = 1 if arguments.clock == "cpu" else arguments.threads or cores()
    print(describe())
    with tempfile.TemporaryDirectory() as temporary:
        name = prepare(arguments.model, Path(temporary))
        sides: dict[str, str] = {}
        for side, place in SIDES.items():
            python, why = (sys.executable, "") if place is None else environment(place)
            if side in arguments.without:
                python, why = None, "as asked"
            if python is None:
                print(f"left out: {side}: {why}")
            else:
                sides[side] = python
        turns: list[dict[str, dict[str, float]]] = []
        for _ in range(arguments.turns):
            taken: dict[str, dict[str, float]] = {}
            for side in list(sides):
                found = turn(sides[side], side, arguments, Path(temporary))
                if isinstance(found, str):
                    print(f"left out: {side}: {found}")
                    del sides[side]
                else:
                    taken[side] = found
            turns.append(taken)
    clock = "processor time" if arguments.clock == "cpu" else "wall time"
    print(
        f"{name}; {arguments.turns} turns, {arguments.threads} threads, {clock}, ms per crop with "
        "all parts graded"
    )
    show(turns)


if __name__ == "__main__":
    main()
