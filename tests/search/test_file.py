from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

from androscope.errors import ConfigError
from androscope.search.file import (
    SPACES,
    changed,
    is_whole,
    load_space,
    parse_space,
)
from androscope.search.schema import Parameter

pytestmark = pytest.mark.train

#: What the paper's authors are known to have tried.
PAPER = {
    "augment.enabled": (True, False),
    "stage1.balance": ("none", "smote", "adasyn", "batch"),
    "stage1.optimizer.name": None,
    "stage1.optimizer.lr": None,
    "branch.dense": None,
    "branch.activation": None,
    "branch.dropout": None,
    "branch.l2": None,
    "loss.name": ("bce", "focal"),
    "stage1.batch_size": None,
    "backbone.name": None,
}


def test_the_shipped_spaces_are_the_papers() -> None:
    assert SPACES.names() == ("dmtl", "dtl")
    for name in SPACES.names():
        found = load_space(name)
        assert found.base.method == name
        assert list(found.space.space) == list(PAPER)
        for key, choices in PAPER.items():
            assert choices is None or found.space.space[key].choices == choices


def test_the_two_shipped_spaces_differ_in_stage_2_alone() -> None:
    two = [load_space(name).space.space for name in ("dmtl", "dtl")]
    for key in PAPER:
        one = two[0][key].model_copy(update={"also": ()})
        assert one == two[1][key]
        assert all(also.startswith("stage2.default.") for also in two[0][key].also)


def test_changes_for_all_trials(tmp_path: Path) -> None:
    text = "name: s\nconfig: dtl\nset: {seed: 7}\nspace: {branch.l2: {low: 0, high: 1}}\n"
    found = parse_space(text, "s.yaml", tmp_path, ["labels=[tail]", "stage1.epochs=3"])
    base = found.base
    assert (base.seed, base.labels, base.stage1.epochs) == (7, ("tail",), 3)
    assert changed(base, {"branch.l2": 0.5, "branch.dense": [4, 4]}).branch.dense == (4, 4)
    with pytest.raises(ConfigError, match="no_such"):
        parse_space(text, "s.yaml", tmp_path, ["no_such=1"])


def test_a_configuration_beside_the_space(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("name: own\nmethod: dtl\nlabels: [tail]\n")
    (tmp_path / "s.yaml").write_text(
        "name: s\nconfig: own.yaml\nspace: {seed: {low: 0, high: 9}}\n"
    )
    found = load_space(tmp_path / "s.yaml")
    assert found.base.name == "own"
    assert len(found.sha256) == 64


@pytest.mark.parametrize(
    ("key", "whole"),
    [("stage1.epochs", True), ("init_seed", True), ("branch.l2", False), ("loss.name", False)],
)
def test_whole_numbers(key: str, whole: bool) -> None:
    assert is_whole(key) is whole


BAD = [
    pytest.param(
        "spaces: 1\n",
        ["bad.yaml:3: spaces: unknown key; the nearest is 'space' (known here: name, "],
        id="unknown key",
    ),
    pytest.param(
        "space:\n  stage1.optimiser.lr: {low: 0.1, high: 1}\n",
        [
            "bad.yaml:4: space.stage1.optimiser.lr: stage1.optimiser: unknown key; the nearest is "
            "'optimizer' (known here: epochs, "
        ],
        id="key of the configuration",
    ),
    pytest.param(
        "space:\n  loss.name:\n    choices: [bce, fokal]\n",
        [
            "bad.yaml:5: space.loss.name: expected one of bce, focal, asymmetric, got 'fokal'; "
            "the nearest is 'focal'"
        ],
        id="choice",
    ),
    pytest.param(
        "space:\n  branch.dropout: {low: 0.1, high: 1}\n  stage1.batch_size: {low: 1, high: 8}\n",
        [
            "bad.yaml:4: space.branch.dropout: expected a number from 0 below 1, got 1",
            "bad.yaml:5: space.stage1.batch_size: expected a whole number from 2 up to 4096, got 1",
        ],
        id="ends of ranges",
    ),
    pytest.param(
        "space:\n  stage1.batch_size: {low: 2, high: 8, step: 0.5}\n",
        ["bad.yaml:4: space.stage1.batch_size.step: expected a whole number, as the key takes"],
        id="step",
    ),
    pytest.param(
        "space:\n  branch.l2: {low: 0, high: 1, also: [branch.l3, branch.dropout]}\n"
        "  branch.dropout: {low: 0, high: 0.5}\n  labels: {choices: [[head]]}\n",
        [
            "bad.yaml:5: space.branch.dropout: branch.dropout is set by branch.l2 already",
            "bad.yaml:6: space.labels: labels is the same in all trials; use `set`",
        ],
        id="also",
    ),
    pytest.param(
        "space:\n  branch.l2: {low: 0, high: 1, also: [branch.l3]}\n",
        ["bad.yaml:4: space.branch.l2: branch.l3: unknown key (known here: dense, activation, "],
        id="unknown also",
    ),
    pytest.param(
        "space:\n  branch.dense: {layers: [1], widths: [64]}\n",
        [
            "bad.yaml:4: space.branch.dense: stage2.fallback needs the layers of `branch` in "
            "stage 2 too, but those of head differ in dense or activation"
        ],
        id="keys that do not go together",
    ),
    pytest.param(
        "set: {stage1.epoch: 3}\nspace: {branch.l2: {low: 0, high: 1}}\n",
        ["bad.yaml:3: set: stage1.epoch: unknown key; the nearest is 'epochs' (known here: "],
        id="set",
    ),
    pytest.param(
        "objective: auc\nspace: {branch.l2: {low: 0, high: 1}}\n",
        ["bad.yaml:3: objective: expected one of roc_auc, loss, got 'auc'; the nearest is "],
        id="objective",
    ),
    pytest.param(
        "space: {}\n",
        ["bad.yaml:3: space: expected a mapping from text to a section of keys, got a section"],
        id="empty",
    ),
]


@pytest.mark.parametrize(("text", "expected"), BAD)
def test_a_bad_space_is_refused_with_line_and_nearest(text: str, expected: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_space(f"name: s\nconfig: dmtl\n{text}", "bad.yaml")
    head, *lines = str(caught.value).splitlines()
    assert re.fullmatch(r"bad.yaml: \d+ errors? in the space", head)
    assert lines[-1].endswith(". docs/search.md lists every key and what it takes")
    for line in expected:
        assert any(found.strip().startswith(line) for found in lines), lines


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({}, "expected one of choices, low with high, and layers with widths"),
        (
            {"choices": [1], "low": 1, "high": 2},
            "expected one of choices, low with high, and layers with widths",
        ),
        ({"low": 1}, "low and high go together"),
        ({"layers": [1]}, "layers and widths go together"),
        ({"low": 2, "high": 1}, "low (2) must be below high (1)"),
        ({"low": 0, "high": 1, "log": True}, "log needs low above 0, got 0"),
        ({"low": 1, "high": 9, "log": True, "step": 1}, "log and step exclude each other"),
        ({"choices": [1, 2], "log": True}, "log and step are for a range: low and high"),
        ({"choices": [1, 1]}, "choices must differ, got [1, 1]"),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value),
)
def test_one_kind_of_values(values: dict[str, object], what: str) -> None:
    with pytest.raises(ValueError, match=re.escape(what)):
        Parameter.model_validate(values)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        SPACES.text("dmlt")
    assert str(caught.value) == (
        "'dmlt' is neither a file nor a shipped space; the nearest is 'dmtl'. Shipped are dmtl, dtl"
    )
    with pytest.raises(ConfigError, match="a folder, not a file: expected a space in YAML"):
        load_space(tmp_path)
    with pytest.raises(ConfigError, match="no such file: expected a space in YAML"):
        load_space(tmp_path / "s.yaml")
