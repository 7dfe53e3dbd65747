"""Findings made by hand, so that every number of a report can be counted on one's fingers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from androscope.assessment.findings import Findings, Overlay, SampleFile, SampleFind
from androscope.model.bundle import load_bundle
from androscope.model.card import Card
from androscope.model.card_trust import Conformal
from androscope.types import Assessment, Crop, Failure, PartVerdict, Verdict

TINY = Path(__file__).resolve().parent.parent.parent / "data" / "tiny-bundle"
KIND = {"n": Verdict.NORMAL, "a": Verdict.ABNORMAL, "u": Verdict.UNDECIDED}
PROBABILITY = {"n": 0.1, "a": 0.9, "u": 0.5}

Make = Callable[..., Findings]


def card_of(labels: tuple[str, ...]) -> Card:
    """The tests' own card with other labels, and no numbers measured."""
    card = load_bundle(TINY).card
    data = card.model_dump(mode="json")
    data |= {"labels": labels, "thresholds": dict.fromkeys(labels, 0.5), "metrics": {}}
    return Card.model_validate(data)


@pytest.fixture
def card_that_abstains() -> Callable[[tuple[str, ...]], Card]:
    """A card with conformal data: at 0.1, undecided from 0.41 to 0.59."""

    def card_with(labels: tuple[str, ...]) -> Card:
        scores = Conformal(
            data="x",
            normal=(*(0.1 for _ in range(8)), 0.59),
            abnormal=(0.41, *(0.9 for _ in range(8))),
        )
        return card_of(labels).model_copy(update={"conformal": dict.fromkeys(labels, scores)})

    return card_with


@pytest.fixture
def make() -> Make:
    def make_it(
        replicates: dict[str, list[str]],
        *,
        labels: tuple[str, ...] = ("head", "acrosome", "vacuole"),
        name: str = "field.tif",
        sample_id: str = "S-17",
        failures: tuple[Failure, ...] = (),
        excluded: tuple[tuple[str, bool], ...] = (),
        overlays: tuple[Overlay, ...] = (),
        **more: object,
    ) -> Findings:
        """``{"a": ["nnn", "nan"]}``: a replicate with a normal sperm and one bad acrosome."""
        finds, files = [], []
        for replicate, sperm in replicates.items():
            file = f"{replicate}/{name}"
            for number, verdicts in enumerate(sperm, start=1):
                # A little apart from one another, so that there is an order of certainty.
                parts = tuple(
                    PartVerdict(label, PROBABILITY[v] - 0.0001 * number, 0.5, KIND[v])
                    for label, v in zip(labels, verdicts, strict=True)
                )
                where = f"{file}#{number}"
                pixels = np.full((64, 64), number % 256, np.uint8)
                pixels[20:40, 20:40] = 200
                finds.append(
                    SampleFind(
                        file, replicate, where, (10.0, 20.0),
                        Assessment(where, None, parts), crop=Crop(pixels, where),
                    )
                )  # fmt: skip
            files.append(SampleFile(file, replicate, f"{len(files):064x}", ("field",), 1))
        first = next(iter(replicates))
        finds += [
            SampleFind(
                f"{first}/{name}", first, f"{first}/{name}#x{i}", (1.0, 2.0), None, why, sperm
            )
            for i, (why, sperm) in enumerate(excluded)
        ]
        settings = {
            "sample_id": sample_id, "card": card_of(labels), "replicates": tuple(replicates),
            "files": tuple(files), "finds": tuple(finds), "failures": failures,
            "overlays": overlays, "fields": len(files), **more,
        }  # fmt: skip
        return Findings(**settings)  # type: ignore[arg-type]

    return make_it
