from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

from androscope.errors import ConfigError
from androscope.learning.config_file import load_config
from androscope.protocol.file import load_protocol, parse_protocol

from .small import PROTOCOL, write_protocol

pytestmark = pytest.mark.train

START = "name: mine\nlabels: [head, acrosome, vacuole]\n"


def test_the_shipped_protocol_is_good_and_asks_for_five_seeds() -> None:
    loaded = load_protocol()
    assert loaded.protocol.name == "mhsma"
    assert loaded.protocol.seeds == (0, 1, 2, 3, 4)
    assert loaded.configs["recipes", "dmtl-real"] == load_config("dmtl")
    assert loaded.configs["recipes", "dmtl"] == load_config("dmtl", ["data.phantoms=100"])
    assert loaded.configs["recipes", "dmtl-random"].backbone.weights == "random"
    assert loaded.configs["recipes", "dmtl-distilled"].teacher.runs == ("dmtl-folds",)
    assert loaded.protocol.crossval["dmtl"].splits == ("train", "valid", "test")
    assert len(loaded.sha256) == 64


def test_configurations_beside_the_protocol_and_their_changes(tmp_path: Path) -> None:
    text = PROTOCOL.replace("teacher.views: 1", "stage1: {epochs: 7}, stage2.views: 3")
    loaded = load_protocol(write_protocol(tmp_path, text))
    taught = loaded.configs["recipes", "taught"]
    assert (taught.stage1.epochs, taught.stage1.batch_size, taught.stage2.views) == (7, 32, 3)
    assert taught.data.dataset == "discs"
    assert loaded.configs["recipes", "dtl"].labels == ("head",)


def test_data_beside_the_protocol(tmp_path: Path) -> None:
    (tmp_path / "discs").mkdir()
    loaded = load_protocol(write_protocol(tmp_path))
    assert loaded.configs["recipes", "dmtl"].data.dataset == str(tmp_path / "discs")


BAD = {
    "unknown key": (
        "recipes:\n  one: {confg: dmtl}\n",
        "mine.yaml:4: recipes.one.confg: unknown key; the nearest is 'config' (known here: "
        "config, seeds, set, per_label, teachers, ensemble, views)",
    ),
    "unknown section": (
        "recipe:\n  one: {config: dmtl}\n",
        "mine.yaml:3: recipe: unknown key; the nearest is 'recipes'",
    ),
    "no recipes": ("seed: [1]\n", "mine.yaml:1: recipes: missing; expected a mapping from name"),
    "seeds": (
        "recipes:\n  one: {config: dmtl, seeds: [0, one]}\n",
        "mine.yaml:4: recipes.one.seeds: expected a list of at least 1, each a whole number",
    ),
    "a name": (
        "recipes:\n  one/two: {config: dmtl}\n",
        "mine.yaml:4: recipes.one/two: expected a name (letters, digits, '.', '_' and '-')",
    ),
    "neither": (
        "recipes:\n  one: {seeds: [1]}\n",
        "mine.yaml:4: recipes.one: expected either config, to train by, or ensemble, to average",
    ),
    "an ensemble's seeds": (
        "recipes:\n  one: {config: dmtl}\n  two: {ensemble: one, seeds: [1]}\n",
        "mine.yaml:5: recipes.two: seeds says how to train, and an ensemble is not trained",
    ),
    "views of a run": (
        "recipes:\n  one: {config: dmtl, views: 8}\n",
        "views are those of an ensemble; for a teacher's set teacher.views",
    ),
    "teachers below": (
        "recipes:\n  two: {config: dmtl, teachers: one}\n  one: {config: dmtl}\n",
        "teachers of two: there is no recipe 'one' above it",
    ),
    "a mistyped teacher": (
        "recipes:\n  first: {config: dmtl}\n  two: {config: dmtl, teachers: frist}\n",
        "teachers of two: there is no recipe 'frist' above it; the nearest is 'first'",
    ),
    "an ensemble of an ensemble": (
        "recipes:\n  a: {config: dmtl}\n  b: {ensemble: a}\n  c: {ensemble: b}\n",
        "ensemble of c: b is an ensemble and has no runs",
    ),
    "the same seed twice": (
        "recipes:\n  a: {config: dmtl, seeds: [1, 1]}\n",
        "seeds of a must differ, got [1, 1]",
    ),
    "an unknown configuration": (
        "recipes:\n  one:\n    config: dmtll\n",
        "mine.yaml:5: recipes.one.config: 'dmtll' is neither a file nor a shipped configuration; "
        "the nearest is 'dmtl'",
    ),
    "a change of an unknown key": (
        "recipes:\n  one:\n    config: dmtl\n    set:\n      stage1.epoch: 3\n",
        "mine.yaml:7: recipes.one.set: stage1.epoch: unknown key; the nearest is 'epochs'",
    ),
    "a change that does not do": (
        "recipes:\n  one: {config: dmtl}\n  two:\n    config: dmtl\n    teachers: one\n"
        "    set: {stage1.balance: smote}\n",
        "teacher.runs knows nothing of crops made by smote or adasyn: use batch",
    ),
    "labels of its own": (
        "recipes:\n  one: {config: dmtl, set: {labels: [head, tail]}}\n",
        "mine.yaml:4: one: grades tail, which labels of the protocol do not name",
    ),
    "true for a number": (
        "recipes:\n  one: {config: dmtl}\ncrossval:\n  a: {config: dmtl, folds: true}\n",
        "mine.yaml:6: crossval.a.folds: expected a whole number from 2 up to 100, got true",
    ),
    "no mapping": ("", "recipes: missing"),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_protocol(START + text, "mine.yaml")
    assert said in str(caught.value)
    assert " in the protocol" in str(caught.value)
    assert str(caught.value).endswith("docs/benchmark.md lists every key and what it takes")


def test_a_switch_may_be_changed() -> None:
    text = START + "recipes:\n  one: {config: dmtl, set: {threshold.search: true}}\n"
    assert parse_protocol(text, "mine.yaml").configs["recipes", "one"].threshold.search


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file: expected a protocol in YAML"):
        load_protocol(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="a folder, not a file"):
        load_protocol(tmp_path)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not a text file"):
        load_protocol(tmp_path / "bytes.yaml")
