from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from androscope.learning.config_file import load_config
from androscope.learning.graph import Agreement
from androscope.learning.protocol import protocol
from androscope.learning.run import Run
from androscope.model.bundle import load_bundle, shipped_names

pytestmark = pytest.mark.train

BRANCH = "the epoch of each branch of stage 2 (by loss)"
FALLBACK = "for each label, whether its branch took the place of stage 1's head"
KEPT = "the last weights of stage 1 (their mean over the last epochs) were kept"


def said(name: str, *changes: str) -> str:
    """What a card says of a run of a shipped configuration, from \"train\" on."""
    config = load_config(name, changes)
    agreed = Agreement(probabilities=1e-6, embedding=1e-5, crops=4)
    text = protocol([Run(Path("none"), config, {}, {})], 1, agreed, [])
    return text.partition(" Training read no other split.")[0].partition(". ")[2]


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        pytest.param(
            "dmtl",
            (),
            f"Chosen on valid: {BRANCH}; {FALLBACK}. Not chosen: {KEPT}; thresholds are 0.5.",
            id="dmtl as shipped",
        ),
        pytest.param(
            "dmtl",
            ("stage2.fallback=false", "stage2.default.checkpoint=last", "stage1.swa=0"),
            "Chosen on valid: nothing. Not chosen: the last weights of stage 1 were kept; the last "
            "weights of branches of stage 2 were kept; thresholds are 0.5.",
            id="dmtl, nothing chosen",
        ),
        pytest.param(
            "dmtl",
            ("stage2.branches={head: {checkpoint: accuracy}, tail: {checkpoint: last}}",
             "stage2.fallback=false", "labels=[head, tail]"),
            "Chosen on valid: the epoch of each branch of stage 2 (by accuracy), but where the "
            f"last weights were kept. Not chosen: {KEPT}; thresholds are 0.5.",
            id="branches of their own",
        ),
        pytest.param(
            "dtl",
            (),
            "Chosen on valid: nothing. Not chosen: the last weights of training (their mean over "
            "the last epochs) were kept; thresholds are 0.5.",
            id="dtl as shipped",
        ),
        pytest.param(
            "dtl-paper",
            (),
            "Chosen on valid: the epoch of training (by mean accuracy); thresholds (by accuracy + "
            "F0.5, from 0.2 to 0.8).",
            id="dtl of the paper",
        ),
        pytest.param(
            "dmtl-paper",
            (),
            "Chosen on valid: the epoch of stage 1 (by the balance of accuracies); "
            f"{BRANCH}; thresholds (by accuracy + F0.5, from 0.2 to 0.8).",
            id="dmtl of the paper",
        ),
    ],
)  # fmt: skip
def test_a_card_says_what_was_chosen_on_valid(
    name: str, changes: tuple[str, ...], expected: str
) -> None:
    assert said(name, *changes) == expected


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_cards_say_so_of_dmtl(name: str) -> None:
    assert f". {said('dmtl')} Training read no other split." in load_bundle(name).card.protocol
