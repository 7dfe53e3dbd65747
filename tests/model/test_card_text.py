from __future__ import annotations

import json
from pathlib import Path

from androscope.model.card import SplitFacts, read_card
from androscope.model.card_interval import Interval
from androscope.model.card_text import card_text


def test_every_section_and_number_is_there(tiny: Path) -> None:
    card = read_card((tiny / "card.json").read_bytes())
    card = card.model_copy(
        update={
            "metrics": {
                "test": {
                    "head": {"accuracy": Interval(value=0.8071, low=0.7612, high=0.8466)},
                    "vacuole": {"auc": Interval(value=None)},
                }
            },
            "training": card.training.model_copy(
                update={
                    "splits": {
                        "train": SplitFacts(
                            crops=1000,
                            abnormal={"head": 273, "acrosome": 301},
                            labelled={"acrosome": 990},
                            files={"x_64_train.npy": "a" * 64},
                        )
                    }
                }
            ),
            "config": {"seed": 7, "name": "µ|x"},
            "ethics": ("It decides nothing.",),
        }
    )
    text = card_text(card)
    for heading in (
        "Intended use", "Out of scope", "Input and output", "Training data", "Evaluation",
        "Limits", "Ethical notes", "Licence", "How it was made", "Hashes",
    ):  # fmt: skip
        assert text.count(f"\n## {heading}\n") == 1
    assert "| accuracy | 0.807 (0.761 to 0.847) | - |" in text
    assert "| auc | - | not defined |" in text
    assert "| train | 1000 | 273 | 301 of 990 labelled | - |" in text
    assert f"| x_64_train.npy (train) | `{'a' * 64}` |" in text
    assert f"| model.onnx | `{card.model_sha256}` |" in text
    assert "For research use only: not a medical device" in text
    assert "| vacuole | 0.600 |" in text
    block = text.split("```json\n")[1].split("\n```")[0]
    assert json.loads(block) == {"seed": 7, "name": "µ|x"}
    assert card_text(card) == text


def test_a_card_without_metrics_says_so(tiny: Path) -> None:
    card = read_card((tiny / "card.json").read_bytes())
    assert "No metrics were recorded." in card_text(card)
    assert "## Ethical notes" not in card_text(card)
    assert (tiny / "MODEL_CARD.md").read_text(encoding="utf-8") == card_text(card)


def test_a_pipe_in_a_name_does_not_break_the_table(tiny: Path) -> None:
    card = read_card((tiny / "card.json").read_bytes())
    splits = {"a|b\nc": SplitFacts(crops=1)}
    training = card.training.model_copy(update={"splits": splits})
    assert "| a\\|b c | 1 | - | - | - |" in card_text(
        card.model_copy(update={"training": training})
    )
