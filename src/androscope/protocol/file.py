"""YAML file to :class:`~androscope.protocol.schema.FixedProtocol` and its configurations.

Read as training configurations are: a bad file is refused with all that is wrong with it at once,
each fault with its line and the nearest key that would do. The configurations it names are read
too, so that a wrong key in a recipe is found before anything is trained.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from androscope.errors import ConfigError
from androscope.learning.config import Config
from androscope.learning.config_file import (
    CONFIGS,
    load_config,
    parse_as,
    refusal,
)
from androscope.learning.config_yaml import Document, Place, Problem
from androscope.learning.shipped_yaml import read_yaml
from androscope.protocol.schema import Crossval, FixedProtocol, Recipe

__all__ = ["Loaded", "load_protocol", "parse_protocol", "shipped_protocol"]

_ADVICE = "docs/benchmark.md lists every key and what it takes"


@dataclass(frozen=True)
class Loaded:
    """A protocol and where it came from.

    Attributes
    ----------
    protocol
        The values.
    sha256
        Of the file's text.
    configs
        Of each recipe that is trained and each cross-validation: configurations with the seed 0
        and every change but seed, label and teachers, by ``("recipes", name)`` or ``("crossval",
        name)``.
    """

    protocol: FixedProtocol
    sha256: str
    configs: Mapping[tuple[str, str], Config]


def shipped_protocol() -> str:
    """Text of the protocol that comes with androscope, comments included."""
    return (resources.files("androscope.protocol") / "default.yaml").read_text(encoding="utf-8")


def load_protocol(path: str | Path | None = None) -> Loaded:
    """Read a protocol; the shipped one by default.

    Raises
    ------
    ConfigError
        If the file is missing or not text, or anything in it or in the configurations it names is
        wrong: all is listed.
    """
    if path is None:
        return parse_protocol(shipped_protocol(), "default.yaml")
    path = Path(path)
    if not path.is_file():
        kind = "a folder, not a file" if path.is_dir() else "no such file"
        raise ConfigError(f"{kind}: expected a protocol in YAML", path=path)
    return parse_protocol(read_yaml(path), str(path), path.resolve().parent)


def parse_protocol(text: str, source: str, folder: Path | None = None) -> Loaded:
    """Read a protocol from ``text``, called ``source`` in messages.

    Parameters
    ----------
    folder
        Where configurations and data that the protocol names by a relative path are; the working
        folder by default.

    Raises
    ------
    ConfigError
        With all that is wrong.
    """
    protocol, document = parse_as(text, source, FixedProtocol, what="protocol", advice=_ADVICE)
    folder = Path() if folder is None else folder
    beside = folder / protocol.dataset
    data = str(beside) if beside.exists() else protocol.dataset
    configs: dict[tuple[str, str], Config] = {}
    problems: list[Problem] = []
    entries: list[tuple[str, str, Recipe | Crossval]] = [
        *(("recipes", name, recipe) for name, recipe in protocol.recipes.items()),
        *(("crossval", name, entry) for name, entry in protocol.crossval.items()),
    ]
    for group, name, entry in entries:
        if entry.config is None:
            continue
        try:
            found = _config(entry, entry.config, protocol, data, folder)
        except ConfigError as error:
            problems += _faults(document, (group, name), error, source)
            continue
        strange = [label for label in found.labels if label not in protocol.labels]
        if strange and not entry.per_label:
            what = f"grades {', '.join(strange)}, which labels of the protocol do not name"
            problems.append(Problem(_place(document, (group, name), source), name, what))
        configs[group, name] = found
    if problems:
        raise refusal(problems, source, what="protocol", advice=_ADVICE)
    return Loaded(protocol, hashlib.sha256(text.encode()).hexdigest(), configs)


def _config(
    entry: Recipe | Crossval, name: str, protocol: FixedProtocol, data: str, folder: Path
) -> Config:
    seed = entry.seed if isinstance(entry, Crossval) else 0
    changes = [f"data.dataset={json.dumps(data)}", f"seed={seed}"]
    if entry.per_label:
        changes.append(f"labels={json.dumps([protocol.labels[0]])}")
    if isinstance(entry, Recipe) and entry.teachers is not None:
        # Their folders are known to the plan; whether the rest goes with teachers is seen here.
        changes.append(f"teacher.runs={json.dumps([entry.teachers])}")
    # A JSON value is a YAML value.
    changes += [f"{key}={json.dumps(value)}" for key, value in _flat(entry.set).items()]
    beside = folder / name
    # The shipped one goes first, unlike on the command line: a protocol must mean the same wherever
    # it is followed.
    source: str | Path = name if name in CONFIGS.names() or not beside.is_file() else beside
    return load_config(source, changes)


def _flat(values: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            found |= _flat(value, f"{path}{key}.")
        else:
            found[f"{path}{key}"] = value
    return found


def _faults(
    document: Document, path: tuple[str, str], error: ConfigError, source: str
) -> list[Problem]:
    """Faults of a configuration at the lines of the protocol: the changes', else `config`'s."""
    lines = [line.strip() for line in error.reason.splitlines()[1:]] or [error.reason]
    found = []
    for line in lines:
        changed = line.startswith("override ")
        key = "set" if changed else "config"
        what = line.partition("': ")[2] if changed else line
        place = _place(document, (*path, key), source)
        for step in (p for p in document.places if p[:3] == (*path, "set") and len(p) > 3):
            if changed and line.startswith(f"override '{'.'.join(map(str, step[3:]))}="):
                place = document.places[step]
        found.append(Problem(place, ".".join((*path, key)), what))
    return found


def _place(document: Document, path: tuple[str, ...], source: str) -> Place:
    steps: tuple[str | int, ...] = path
    while steps and steps not in document.places:
        steps = steps[:-1]
    return document.places.get(steps, Place(source, 1))
