"""Ratios of speed against the authors' two networks, rebuilt in Keras, from one run.

    python benchmarks/peer_keras.py

The peer is what the paper describes: VGG19 of keras.applications on tripled grey crops with dense
layers and a sigmoid on top; *DTL* is three such networks at 128 px, one per label, *DMTL* one trunk
at 64 px with a branch per label. Their weights are random: speed does not depend on them. The peer
runs in a virtual environment of its own (build/peer-venv, made at the first run), each side in a
process of its own, by turns, so that a drift of the machine's speed touches both. The peer is given
its fastest way: a compiled graph, called without Keras's predict loop (`predict` is printed too).

Figures are milliseconds per image with all parts graded; ratios are taken turn by turn.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEER_REQUIREMENT = "tensorflow-cpu==2.21.0"
BATCH = 32


def median_ms(call: Callable[[], object], images: int, *, seconds: float) -> float:
    """Median milliseconds per image of ``call``, repeated for about ``seconds``."""
    call()
    call()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e3 / images)
    return statistics.median(times)


def measure_keras(seconds: float, only: tuple[str, ...] = ()) -> dict[str, float]:
    """One turn of the peer, inside its own environment; of ``only`` these figures, or of all."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras
    import numpy as np
    import tensorflow as tf

    def trunk(side: int):
        return keras.applications.VGG19(
            include_top=False, weights=None, input_shape=(side, side, 3)
        )

    def top(features, name: str):
        x = keras.layers.Flatten()(features)
        x = keras.layers.Dense(1024, activation="relu")(x)
        return keras.layers.Dense(1, activation="sigmoid", name=name)(x)

    def dtl():
        base = trunk(128)
        return keras.Model(base.input, top(base.output, "part"))

    def dmtl():
        base = trunk(64)
        parts = [top(base.output, name) for name in ("head", "acrosome", "vacuole")]
        return keras.Model(base.input, parts)

    generator = np.random.default_rng(0)

    def figures(name: str, model, side: int, networks: int) -> dict[str, float]:
        # The three networks of DTL are alike: one is timed and counted three times.
        pixels = generator.random((BATCH, side, side, 3), dtype=np.float32)
        graph = tf.function(lambda x: model(x, training=False))
        x32, x1 = tf.constant(pixels), tf.constant(pixels[:1])
        zeros = np.zeros((BATCH, 1), np.float32)
        target = [zeros] * len(model.outputs) if len(model.outputs) > 1 else zeros
        model.compile(optimizer=keras.optimizers.SGD(1e-6), loss="binary_crossentropy")
        calls: dict[str, tuple[Callable[[], object], int]] = {
            f"batch {BATCH}": (lambda: graph(x32), BATCH),
            "single": (lambda: graph(x1), 1),
            "single, predict()": (lambda: model.predict(pixels[:1], verbose=0), 1),
            "training step": (lambda: model.train_on_batch(pixels, target), BATCH),
        }
        return {
            f"{name}, {what}": networks * median_ms(call, images, seconds=seconds)
            for what, (call, images) in calls.items()
            if not only or what in only
        }

    found = figures("DMTL 64 px", dmtl(), 64, networks=1)
    keras.backend.clear_session()
    found |= figures("3 x DTL 128 px", dtl(), 128, networks=3)
    return found


def measure_androscope(seconds: float, model: str) -> dict[str, float]:
    """One turn of ours: the bundle for grading, the shipped `dmtl` configuration for training."""
    import numpy as np

    from androscope.model.bundle import load_bundle
    from androscope.model.session import Session

    session = Session(load_bundle(model))
    crops = np.random.default_rng(0).integers(60, 190, (BATCH, 64, 64), dtype=np.uint8)
    found = {
        f"batch {BATCH}": median_ms(lambda: session.predict(crops), BATCH, seconds=seconds),
        "single": median_ms(lambda: session.predict(crops[:1]), 1, seconds=seconds),
    }
    from step_time import training_step

    found["training step"] = median_ms(training_step("dmtl", BATCH), BATCH, seconds=seconds)
    return found


def run_worker(python: str, side: str, arguments: argparse.Namespace) -> dict[str, float]:
    """Run one turn of one side in a fresh process and read its figures."""
    command = [python, __file__, "--worker", side, "--seconds", str(arguments.seconds)]
    done = subprocess.run(
        [*command, "--model", arguments.model], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{side} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def peer_python() -> str:
    """The peer's interpreter; makes its environment at the first run."""
    folder = ROOT / "build" / "peer-venv"
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        print(f"making {folder.relative_to(ROOT)} with {PEER_REQUIREMENT} ...", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", PEER_REQUIREMENT], check=True)
        (folder / ".ready").touch()
    return str(python)


#: What is compared: the peer's figure, ours, and the least ratio the project wants.
PAIRS = (
    (f"DMTL 64 px, batch {BATCH}", f"batch {BATCH}", 7),
    (f"3 x DTL 128 px, batch {BATCH}", f"batch {BATCH}", 60),
    ("DMTL 64 px, single", "single", None),
    ("3 x DTL 128 px, single", "single", 35),
    ("DMTL 64 px, single, predict()", "single", None),
    ("3 x DTL 128 px, single, predict()", "single", None),
    ("DMTL 64 px, training step", "training step", 2),
    ("3 x DTL 128 px, training step", "training step", 25),
)


def main() -> None:
    """Take turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="per figure and turn")
    parser.add_argument("--model", default="default")
    parser.add_argument("--worker", choices=["keras", "androscope"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker == "keras":
        print(json.dumps(measure_keras(arguments.seconds)))
        return
    if arguments.worker == "androscope":
        print(json.dumps(measure_androscope(arguments.seconds, arguments.model)))
        return

    python = peer_python()
    turns = [
        (
            run_worker(python, "keras", arguments),
            run_worker(sys.executable, "androscope", arguments),
        )
        for _ in range(arguments.turns)
    ]
    print(f"{platform.machine()}, {os.cpu_count()} cores, {arguments.turns} turns, ms per image")
    print(f"{'peer':<36}{'peer ms':>9}{'ours ms':>9}{'ratio':>8}  {'(min - max)':<16}goal")
    for theirs, ours, goal in PAIRS:
        peer_ms = statistics.median(turn[0][theirs] for turn in turns)
        our_ms = statistics.median(turn[1][ours] for turn in turns)
        ratios = sorted(turn[0][theirs] / turn[1][ours] for turn in turns)
        ratio = statistics.median(ratios)
        wanted = "" if goal is None else f"{goal}: {'met' if ratio >= goal else 'NOT met'}"
        spread = f"({ratios[0]:.1f} - {ratios[-1]:.1f})"
        print(f"{theirs:<36}{peer_ms:>9.2f}{our_ms:>9.2f}{ratio:>8.1f}  {spread:<16}{wanted}")


if __name__ == "__main__":
    main()
