"""Test crops whose sperm train or valid shows too, looked for once and kept beside the runs."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from androscope.datasets import Dataset
from androscope.datasets.duplicates import THRESHOLD, near_duplicates
from androscope.errors import TrainingError
from androscope.files import write_text
from androscope.protocol.record import NearDuplicates
from androscope.report.names import spreadsheet_name

__all__ = ["FILE", "Shared", "shared_crops"]

FILE = "near_duplicates.json"


@dataclass(frozen=True)
class Shared:
    """What was found; ``removed`` holds ids as ``predictions.csv`` has them."""

    facts: NearDuplicates
    removed: frozenset[str]


def shared_crops(dataset: Dataset, out: Path, *, look: bool) -> Shared | None:
    """Near-duplicates between test and what a run may learn from or choose by.

    Parameters
    ----------
    dataset
        With train, valid and test.
    out
        The benchmark's folder, where what is found is kept in ``near_duplicates.json``.
    look
        Whether test may be looked at; without, only what is kept is given.

    Returns
    -------
    Shared or None
        None if nothing is kept and test may not be looked at.

    Raises
    ------
    TrainingError
        If what is kept is of other data or cannot be read.
    """
    path = out / FILE
    hashes = {name: split.sha256 for name, split in dataset.splits.items()} if look else {}
    if path.is_file():
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            found = Shared(
                NearDuplicates.model_validate(values["facts"]), frozenset(values["removed"])
            )
            before = dict(values["data_sha256"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TrainingError(
                f"cannot be read: {error!r}",
                path=path,
                advice="Remove it; near-duplicates are looked for again",
            ) from error
        if look and before != hashes:
            raise TrainingError(
                "is about other data than the protocol's",
                path=path,
                advice="Choose another folder with --out for other data",
            )
        return found
    if not look:
        return None
    pairs = near_duplicates(dataset)
    test = dataset.splits["test"]
    rows = {pair.index_b for pair in pairs if pair.split_b == "test"}
    rows |= {pair.index_a for pair in pairs if pair.split_a == "test"}
    removed = sorted(spreadsheet_name(test.ids[row]) for row in rows)
    counts = Counter(f"{pair.split_a}-{pair.split_b}" for pair in pairs)
    facts = NearDuplicates(
        threshold=THRESHOLD,
        pairs=dict(sorted(counts.items())),
        test_crops=len(test),
        removed=len(removed),
        removed_sha256=hashlib.sha256("\n".join(removed).encode()).hexdigest(),
    )
    kept = {"facts": facts.model_dump(mode="json"), "data_sha256": hashes, "removed": removed}
    write_text(path, json.dumps(kept, indent=1) + "\n")
    return Shared(facts, frozenset(removed))
