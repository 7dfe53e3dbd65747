"""``run.json``: what a run did, on what, with what, and what came of it."""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from androscope import __version__
from androscope.datasets import Dataset
from androscope.errors import TrainingError
from androscope.files import write_text
from androscope.learning.config import Config

__all__ = [
    "RECORD",
    "data_facts",
    "different_keys",
    "peak_memory_mb",
    "read_record",
    "software",
    "write_record",
]

RECORD = "run.json"

_PACKAGES = (
    "torch",
    "timm",
    "lightning",
    "numpy",
    "scikit-learn",
    "imbalanced-learn",
    "onnx",
    "onnxscript",
    "onnxruntime",
)


def software() -> dict[str, str]:
    """Version of Python, of androscope and of each package that shapes a result."""
    found = {"python": platform.python_version(), "androscope": __version__}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def peak_memory_mb() -> float | None:
    """Largest resident memory of this process so far, MB (10^6 bytes); ``None`` on Windows."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts bytes, everyone else kibibytes.
    return round(peak * (1 if sys.platform == "darwin" else 1024) / 1e6, 1)


def data_facts(dataset: Dataset, splits: tuple[str, ...] = ("train", "valid")) -> dict[str, Any]:
    """Name, terms and files of ``dataset``; hash and counts of ``splits``, and of no other."""
    return {
        "name": dataset.name,
        "licence": dataset.licence,
        "citation": dataset.citation,
        "source": dataset.source,
        "files": dict(dataset.file_hashes),
        "notes": list(dataset.notes),
        "splits": {
            name: {
                "crops": len(dataset.splits[name]),
                "sha256": dataset.splits[name].sha256,
                "patients": dataset.splits[name].patients is not None,
                "counts": {k: v._asdict() for k, v in dataset.splits[name].counts().items()},
            }
            for name in splits
        },
    }


def different_keys(one: Config, two: Config) -> list[str]:
    """Dotted keys whose values differ between two configurations, sorted."""

    def flat(value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            return {path: value}
        found: dict[str, Any] = {}
        for key, below in value.items():
            found |= flat(below, f"{path}.{key}" if path else key)
        return found

    a, b = flat(one.model_dump(mode="json"), ""), flat(two.model_dump(mode="json"), "")
    missing = object()
    return sorted(k for k in a.keys() | b.keys() if a.get(k, missing) != b.get(k, missing))


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write ``run.json`` atomically. Raises :class:`OutputError`."""
    write_text(folder / RECORD, json.dumps(record, indent=2, allow_nan=True) + "\n")


def read_record(folder: Path) -> dict[str, Any]:
    """Read ``run.json``.

    Raises
    ------
    TrainingError
        If it is missing or no JSON object.
    """
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise TrainingError(
            f"is no run: {RECORD} is missing",
            path=folder,
            advice="Name the folder that `androscope train` wrote",
        ) from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise TrainingError(f"cannot be read: {error}", path=path) from error
    if not isinstance(record, dict):
        raise TrainingError("is not a run's record: expected a JSON object", path=path)
    return record
