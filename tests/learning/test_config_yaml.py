from __future__ import annotations

import typing
from typing import Any

import pytest

pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

from androscope.learning.config import Config
from androscope.learning.config_file import parse_config

from .refused import GOOD, check_refusal, message

pytestmark = pytest.mark.train


# Each row: what stands in the file, and the whole line the message must hold.
BAD = {
    "key twice": (
        GOOD + "seed: 1\nseed: 2\n",
        "my.yaml:4: seed: stands twice, first in line 3; keep one of the two",
    ),
    "key twice, deep": (
        GOOD + "stage2:\n  default:\n    l2: 0\n    l2: 0\n",
        "my.yaml:6: stage2.default.l2: stands twice, first in line 5; keep one of the two",
    ),
    "code in a scalar's tag": (
        GOOD + "seed: !!python/name:os.system 3\n",
        "my.yaml:3: seed: the tag !!python/name:os.system has no meaning here; "
        "write the plain value",
    ),
    "own tag": (
        GOOD + "seed: !mine 3\n",
        "my.yaml:3: seed: the tag !mine has no meaning here; write the plain value",
    ),
    "list as a key": (
        GOOD + "? [a, b]\n: 1\n",
        "my.yaml:3: a key must be a plain word, got a list or mapping",
    ),
    "tab": (GOOD + "stage1:\n\tepochs: 2\n", "my.yaml:4: not YAML: while scanning for the next"),
    "open bracket": (
        GOOD + "labels: [head\n",
        "my.yaml:4: not YAML: while parsing a flow sequence",
    ),
    "two documents": (GOOD + "---\n" + GOOD, "my.yaml:3: not YAML: expected a single document"),
    "control character": (
        GOOD + "seed: \x07\n",
        "my.yaml:3: not YAML: character 7 is not allowed (special characters are not allowed)",
    ),
    "unknown alias": (GOOD + "seed: *other\n", "my.yaml:3: not YAML: found undefined alias"),
    "alias within itself": (
        GOOD + "stage1: &a\n  optimizer: *a\n",
        "stage1.optimizer: an alias must not stand inside what it names",
    ),
    "merge of no mapping": (
        GOOD + "stage1:\n  <<: 3\n",
        "my.yaml:4: stage1: only a mapping can be merged with <<",
    ),
}


@pytest.mark.parametrize(("text", "line"), BAD.values(), ids=BAD.keys())
def test_bad_file(text: str, line: str) -> None:
    check_refusal(text, line)


# What YAML 1.1 would have made something else of, and what must be read.
TRAPS = {
    "1e-3": ("stage1: {optimizer: {lr: 1e-3}}", lambda c: c.stage1.optimizer.lr, 1e-3),
    "1E5-less": ("stage1: {optimizer: {lr: 5E-4}}", lambda c: c.stage1.optimizer.lr, 5e-4),
    ".5": ("branch: {dropout: .5}", lambda c: c.branch.dropout, 0.5),
    "no": ("augment: {flip: no}", lambda c: c.augment.flip, False),
    "Off": ("augment: {flip: Off}", lambda c: c.augment.flip, False),
    "yes": ("augment: {flip: yes}", lambda c: c.augment.flip, True),
    "label no": ("labels: [no, on]", lambda c: c.labels, ("no", "on")),
    "leading zero": ("stage1: {epochs: 010}", lambda c: c.stage1.epochs, 10),
    "base 60": ("data: {dataset: 1:30}", lambda c: c.data.dataset, "1:30"),
    "date": ("data: {dataset: 2024-01-01}", lambda c: c.data.dataset, "2024-01-01"),
    "equals": ("data: {dataset: =}", lambda c: c.data.dataset, "="),
    "whole number as float": ("stage1: {epochs: 40.0}", lambda c: c.stage1.epochs, 40),
    "null": ("stage1: {optimizer: {clip: null}}", lambda c: c.stage1.optimizer.clip, None),
    "tilde": ("stage1: {optimizer: {clip: ~}}", lambda c: c.stage1.optimizer.clip, None),
    "quoted number": ("seed: '7'", lambda c: c.seed, 7),
    "auto": ("trainer: {devices: auto}", lambda c: c.trainer.devices, "auto"),
    "empty section": ("stage1:\n  # epochs: 2\n", lambda c: c.stage1.epochs, 40),
    "empty branch": (
        "stage2:\n  branches:\n    head:\n",
        lambda c: c.stage2.branches["head"].epochs,
        60,
    ),
    "anchor": (
        "stage1:\n  optimizer: &o {lr: 0.5}\nstage2:\n  default: {optimizer: *o}",
        lambda c: c.stage2.default.optimizer.lr,
        0.5,
    ),
    "merge": (
        "stage2:\n  branches:\n    head: &h {l2: 0.5, dropout: 0.1}\n"
        "    vacuole: {<<: *h, dropout: 0.2}",
        lambda c: (c.stage2.branches["vacuole"].l2, c.stage2.branches["vacuole"].dropout),
        (0.5, 0.2),
    ),
}


@pytest.mark.parametrize(("line", "read", "expected"), TRAPS.values(), ids=TRAPS.keys())
def test_yaml_traps(line: str, read: typing.Callable[[Config], Any], expected: object) -> None:
    got = read(parse_config(GOOD + line, "my.yaml"))
    assert got == expected
    assert type(got) is type(expected)


def test_billion_laughs_are_cut_short() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "more than 20000 values once aliases are followed" in message("\n".join(lines))
