from __future__ import annotations

import pytest

pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

from androscope.learning.config import Config
from androscope.learning.config_check import check, nearest, shown
from androscope.learning.config_yaml import parse

from .refused import GOOD, check_refusal, message

pytestmark = pytest.mark.train


# Each row: what stands in the file, and the whole line the message must hold.
BAD = {
    "unknown key": (
        GOOD + "stage1:\n  epoch: 3\n",
        "my.yaml:4: stage1.epoch: unknown key; the nearest is 'epochs' "
        "(known here: epochs, batch_size, optimizer, balance, ema, swa, co_teaching, "
        "co_teaching_epochs, checkpoint)",
    ),
    "unknown key like none": (
        GOOD + "threshold: {zzz: 1}\n",
        "my.yaml:3: threshold.zzz: unknown key (known here: search, low, high, steps)",
    ),
    "wrong word": (
        GOOD + "stage1:\n  optimizer:\n    name: AdamWW\n",
        "my.yaml:5: stage1.optimizer.name: expected one of adamw, adam, sgd, rmsprop, adagrad, "
        "adadelta, adamax, nadam, got 'AdamWW'; the nearest is 'adamw'",
    ),
    "word for a number": (
        GOOD + "stage1: {optimizer: {lr: fast}}\n",
        "my.yaml:3: stage1.optimizer.lr: expected a number above 0 up to 10, got 'fast'",
    ),
    "number too small": (
        GOOD + "seed: -1\n",
        "my.yaml:3: seed: expected a whole number from 0 below 4294967296, got -1",
    ),
    "fraction for a whole number": (
        GOOD + "stage1:\n\n  epochs: 2.5\n",
        "my.yaml:5: stage1.epochs: expected a whole number from 1 up to 10000, got 2.5",
    ),
    "boolean for a number": (
        GOOD + "stage1: {epochs: true}\n",
        "my.yaml:3: stage1.epochs: expected a whole number from 1 up to 10000, got true",
    ),
    "infinity": (
        GOOD + "stage1: {optimizer: {weight_decay: .inf}}\n",
        "my.yaml:3: stage1.optimizer.weight_decay: expected a number from 0, got inf",
    ),
    "not a number": (
        GOOD + "loss: {weights: {head: .nan}}\n",
        "my.yaml:3: loss.weights.head: expected a number from 0, got nan",
    ),
    "word for a switch": (
        GOOD + "augment:\n  flip: maybe\n",
        "my.yaml:4: augment.flip: expected true or false, got 'maybe'",
    ),
    "either of two kinds": (
        GOOD + "trainer: {devices: all}\n",
        "my.yaml:3: trainer.devices: expected a whole number or auto, got 'all'",
    ),
    "nothing where something must be": (
        GOOD + "seed:\n",
        "my.yaml:3: seed: expected a whole number from 0 below 4294967296, got nothing (null)",
    ),
    "value for a list": (
        GOOD + "branch: {dense: 64}\n",
        "my.yaml:3: branch.dense: expected a list, each a whole number from 1 up to 8192, got 64",
    ),
    "one item of a list": (
        GOOD + "branch:\n  dense:\n    - 64\n    - wide\n",
        "my.yaml:6: branch.dense[1]: expected a whole number from 1 up to 8192, got 'wide'",
    ),
    "boolean in a list": (
        GOOD + "branch: {dense: [64, yes, true]}\n",
        "my.yaml:3: branch.dense[2]: expected a whole number from 1 up to 8192, got true",
    ),
    "too many labels": (
        GOOD + "labels: [a, b, c, d, e, f, g, h, i]\n",
        "my.yaml:3: labels: expected a list of 1 to 8, each a label (lower-case letters, digits "
        "and _), got the list ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']",
    ),
    "label in capitals": (
        GOOD + "labels: [head, Tail]\n",
        "my.yaml:3: labels[1]: expected a label (lower-case letters, digits and _), got 'Tail'",
    ),
    "label of a branch in capitals": (
        GOOD + "stage2:\n  branches:\n    Head: {dropout: 0.1}\n",
        "my.yaml:5: stage2.branches.Head: expected a label (lower-case letters, digits and _), "
        "got 'Head'",
    ),
    "value for a section": (
        GOOD + "loss: bce\n",
        "my.yaml:3: loss: expected a section of keys, got 'bce'",
    ),
    "name missing": (
        "method: dmtl\n",
        "my.yaml:1: name: missing; expected a name (letters, digits, '.', '_' and '-')",
    ),
    "method missing": ("name: run\n", "my.yaml:1: method: missing; expected one of dtl, dmtl"),
    "dtl with two labels": (
        "name: run\nmethod: dtl\n\nlabels: [head, tail]\n",
        "my.yaml:4: dtl trains one network per label: expected 1 label, got ['head', 'tail']",
    ),
    "branch of a label that is not learned": (
        GOOD + "labels: [head, vacuole]\nstage2: {branches: {tail: {}}}\n",
        "['tail'] named in stage2.branches or loss.weights, not in labels",
    ),
    "heads to fall back to of other layers": (
        GOOD + "stage2: {fallback: true, branches: {vacuole: {dense: [8]}}}\n",
        "stage2.fallback needs the layers of `branch` in stage 2 too, but those of vacuole differ "
        "in dense or activation",
    ),
    "ends the wrong way round": (
        GOOD + "threshold:\n  high: 0.3\n  low: 0.6\n",
        "my.yaml:5: threshold: low (0.6) must be below high (0.3)",
    ),
    "code in a tag": (
        GOOD + "seed: !!python/object/apply:os.system [ls]\n",
        "my.yaml:3: seed: expected a whole number from 0 below 4294967296, got the list ['ls']",
    ),
    "a list of things": ("- a\n- b\n", "my.yaml:1: expected keys and values, got the list"),
    "a sentence": ("just words\n", "my.yaml:1: expected keys and values, got 'just words'"),
}


@pytest.mark.parametrize(("text", "line"), BAD.values(), ids=BAD.keys())
def test_bad_file(text: str, line: str) -> None:
    check_refusal(text, line)


def test_all_errors_come_at_once_in_the_order_of_the_file() -> None:
    said = message(
        "name: my run\nmetod: dmtl\nlabels: [head, Acrosome]\nseed: -1\n"
        "stage1: {epoch: 3}\nthreshold: {low: 0.8, high: 0.2}\n"
    ).splitlines()
    assert said[0] == "my.yaml: 7 errors in the configuration"
    assert [line.split(": ")[1] for line in said[1:]] == [
        "name",
        "method",
        "metod",
        "labels[1]",
        "seed",
        "stage1.epoch",
        "threshold",
    ]


def test_a_rule_over_several_keys_is_looked_at_although_another_key_is_wrong() -> None:
    said = message("name: run\nmethod: dtl\nseed: x\nlabels: [head, tail]\n")
    assert "2 errors" in said
    assert "expected 1 label, got ['head', 'tail']" in said


def test_a_faulty_key_brings_no_complaint_about_its_default() -> None:
    # Without `labels` the default has three, too many for dtl: that is not what is wrong.
    said = message("name: run\nmethod: dtl\nlabels: [Head]\n")
    assert "1 error in" in said


def test_what_is_right_is_a_configuration_beside_what_is_wrong() -> None:
    document = parse(GOOD + "seed: 3\nstage1: {epochs: two}\n", "my.yaml")
    config = check(document, "my.yaml", Config)
    assert config is not None
    assert (config.seed, config.stage1.epochs) == (3, 40)
    assert [problem.key for problem in document.problems] == ["stage1.epochs"]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        pytest.param("AdamW", "; the nearest is 'adamw'", id="case"),
        pytest.param("adma", "; the nearest is 'adam'", id="typing error"),
        pytest.param("newton", "", id="like none"),
        pytest.param("", "", id="empty"),
    ],
)
def test_nearest(word: str, said: str) -> None:
    assert nearest(word, ("adam", "adamw", "sgd")) == said
    assert nearest(word, ()) == ""


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(None, "nothing (null)", id="null"),
        pytest.param(True, "true", id="switch"),
        pytest.param({"a": 1}, "a section of keys", id="section"),
        pytest.param((1, "a"), "the list [1, 'a']", id="list"),
        pytest.param(list(range(99)), "99 values", id="long list"),
        pytest.param(1e-3, "0.001", id="number"),
        pytest.param("a" * 99, "'" + "a" * 75 + "...", id="long word"),
    ],
)
def test_shown(value: object, said: str) -> None:
    assert shown(value) == said
