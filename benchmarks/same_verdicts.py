"""Every verdict of MHSMA's test crops in which two bundles differ; no label is looked at.

    python benchmarks/same_verdicts.py BEFORE AFTER [--split test] [--backend openvino]

What makes grading faster must not change an answer: each change is listed, with both probabilities.
BEFORE is run by onnxruntime, AFTER by the backend.
"""

from __future__ import annotations

import argparse
from typing import get_args

import numpy as np

from androscope import datasets
from androscope.model.bundle import load_bundle
from androscope.model.runtime import runtime_of
from androscope.model.session import Session
from androscope.settings import Backend


def main() -> None:
    """Print the list."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--data", default="mhsma")
    parser.add_argument("--split", default="test")
    parser.add_argument("--backend", default="onnxruntime", choices=get_args(Backend))
    arguments = parser.parse_args()
    bundles = [load_bundle(name) for name in (arguments.before, arguments.after)]
    first = bundles[0].card
    split = datasets.load(arguments.data, crop_size=first.input.size).splits[arguments.split]
    backends: tuple[Backend, Backend] = ("onnxruntime", arguments.backend)
    given = [
        Session(bundle, threads=1, backend=backend).predict(split.crops).probabilities
        for bundle, backend in zip(bundles, backends, strict=True)
    ]
    limits = [np.float32([b.card.thresholds[k] for k in first.labels]) for b in bundles]
    abnormal = [p >= t for p, t in zip(given, limits, strict=True)]
    differ = abnormal[0] != abnormal[1]
    names = " and ".join(
        f"{b.card.name} {b.card.version} by {runtime_of(backend)}"
        for b, backend in zip(bundles, backends, strict=True)
    )
    moved = np.abs(given[0] - given[1])
    print(
        f"{names}: {len(split)} crops of {arguments.data} {arguments.split}, "
        f"{differ.size} verdicts, {differ.sum()} changed on {differ.any(1).sum()} crops; "
        f"probabilities move by {moved.mean():.4f} on average and {moved.max():.3f} at most"
    )
    for row, column in np.argwhere(differ):
        words = [("normal", "abnormal")[int(a[row, column])] for a in abnormal]
        print(
            f"  {split.ids[row]:<16}{first.labels[column]:<10}{words[0]} -> {words[1]}  "
            f"{given[0][row, column]:.3f} -> {given[1][row, column]:.3f}, abnormal from "
            f"{limits[1][column]:.3f}"
        )


if __name__ == "__main__":
    main()
