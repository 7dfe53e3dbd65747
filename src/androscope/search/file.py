"""YAML file to :class:`~androscope.search.schema.Space` and the configuration that it changes.

Read as training configurations are: a bad file is refused with all that is wrong with it at once,
each fault with its line and the nearest key or value that would do. Each value that a key may
become is tried on the configuration, so that a wrong one is found before anything is trained.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from androscope.errors import ConfigError
from androscope.learning.config import Config
from androscope.learning.config_file import (
    CONFIGS,
    dump_config,
    load_config,
    parse_as,
    parse_config,
    refusal,
)
from androscope.learning.config_keys import field_at
from androscope.learning.config_yaml import Document, Place, Problem
from androscope.learning.config_yaml import Path as Steps
from androscope.learning.shipped_yaml import ShippedYaml
from androscope.search.schema import Parameter, Space

__all__ = ["SPACES", "LoadedSpace", "changed", "load_space", "parse_space"]

#: The spaces that come with androscope.
SPACES = ShippedYaml("androscope.search", "spaces", "space")

_ADVICE = "docs/search.md lists every key and what it takes"

#: What all trials share: they could not be compared, or not be told apart, otherwise.
_SHARED = ("name", "method", "labels", "data.dataset", "data.crop_size")


@dataclass(frozen=True)
class LoadedSpace:
    """A space and where it came from.

    Attributes
    ----------
    space
        The values.
    sha256
        Of the file's text.
    base
        The configuration that trials change, with all changes that they share.
    """

    space: Space
    sha256: str
    base: Config


def load_space(source: str | Path, overrides: Sequence[str] = ()) -> LoadedSpace:
    """Read a space.

    Parameters
    ----------
    source
        Path of a YAML file, or the name of a shipped space. A file goes first.
    overrides
        ``key=value`` each, of the configuration that trials change: for all of them alike.

    Raises
    ------
    ConfigError
        If the file is missing or not text, or anything in it is wrong: all is listed.
    """
    return parse_space(*SPACES.find(source), overrides)


def parse_space(
    text: str, source: str, folder: Path | None = None, overrides: Sequence[str] = ()
) -> LoadedSpace:
    """Read a space from ``text``, called ``source`` in messages; see :func:`load_space`.

    Parameters
    ----------
    folder
        Where a configuration that the space names by its file is; the working folder by default.

    Raises
    ------
    ConfigError
        With all that is wrong.
    """
    space, document = parse_as(text, source, Space, what="space", advice=_ADVICE)
    problems: list[Problem] = []
    base = _base(space, document, source, Path() if folder is None else folder, problems)
    if base is not None:
        base = load_changed(base, overrides)
        seen: dict[str, str] = {}
        for name, parameter in space.space.items():
            problems += _misplaced(name, parameter, document, seen)
        if not problems:
            for name, parameter in space.space.items():
                problems += _unfit(base, name, parameter, document, source)
    if problems or base is None:
        raise refusal(problems, source, what="space", advice=_ADVICE)
    return LoadedSpace(space, hashlib.sha256(text.encode()).hexdigest(), base)


def changed(base: Config, changes: Mapping[str, Any], source: str = "trial") -> Config:
    """``base`` with ``changes``, by dotted keys.

    Raises
    ------
    ConfigError
        If they do not go together.
    """
    # A JSON value is a YAML value.
    return load_changed(base, [f"{k}={json.dumps(v)}" for k, v in changes.items()], source)


def load_changed(base: Config, overrides: Sequence[str], source: str = "trial") -> Config:
    """``base`` with ``key=value`` changes. Raises :class:`ConfigError` if one is wrong."""
    return parse_config(dump_config(base), source, overrides) if overrides else base


def _base(
    space: Space, document: Document, source: str, folder: Path, problems: list[Problem]
) -> Config | None:
    overrides = [f"{key}={json.dumps(value)}" for key, value in space.set.items()]
    beside = folder / space.config
    # The shipped one goes first: a space must mean the same wherever it is followed.
    found = space.config if space.config in CONFIGS.names() or not beside.is_file() else beside
    try:
        return load_config(found, overrides)
    except ConfigError as error:
        lines = [line.strip() for line in error.reason.splitlines()[1:]] or [error.reason]
        for line in lines:
            key = "set" if line.startswith("override ") else "config"
            what = line.partition("': ")[2] if key == "set" else line
            steps: Steps = (key,)
            for given in space.set if key == "set" else ():
                if line.startswith(f"override '{given}="):
                    steps = (key, given)
            problems.append(Problem(_place(document, steps, source), key, what))
        return None


def _misplaced(
    name: str, parameter: Parameter, document: Document, seen: dict[str, str]
) -> Iterator[Problem]:
    """Keys that may not be searched, and keys that are set twice."""
    for number, key in enumerate((name, *parameter.also)):
        steps: Steps = ("space", name, "also", number - 1) if number else ("space", name)
        place = _place(document, steps, "")
        if key in _SHARED:
            yield Problem(place, f"space.{name}", f"{key} is the same in all trials; use `set`")
        elif key in seen:
            yield Problem(place, f"space.{name}", f"{key} is set by {seen[key]} already")
        seen.setdefault(key, name)


def _values(parameter: Parameter, *, whole: bool) -> Iterator[tuple[Steps, Any]]:
    """Values that must do if all are to do, each with its place below the parameter."""
    for i, value in enumerate(parameter.choices):
        yield ("choices", i), value
    for end in ("low", "high"):
        value = getattr(parameter, end)
        if value is not None:
            yield (end,), int(value) if whole and value == int(value) else value
    for width in parameter.widths:
        yield ("widths",), [width] * max(parameter.layers)


def _unfit(
    base: Config, name: str, parameter: Parameter, document: Document, source: str
) -> Iterator[Problem]:
    """Values that the configuration refuses, in its own words."""
    whole = is_whole(name)
    if whole and parameter.step is not None and parameter.step != int(parameter.step):
        place = _place(document, ("space", name, "step"), source)
        yield Problem(place, f"space.{name}.step", "expected a whole number, as the key takes")
    told: set[str] = set()
    for below, value in _values(parameter, whole=whole):
        try:
            changed(base, dict.fromkeys((name, *parameter.also), value))
        except ConfigError as error:
            lines = [line.strip() for line in error.reason.splitlines()[1:]] or [error.reason]
            for line in lines:
                what = line.partition("': ")[2] if line.startswith("override ") else line
                if what in told:
                    continue
                told.add(what)
                steps: Steps = ("space", name, *below)
                if "unknown key" in what:
                    # The key is wrong, not the value that was tried on it.
                    steps = ("space", name)
                    for i, key in enumerate(parameter.also):
                        if what.startswith(f"{key}:"):
                            steps = ("space", name, "also", i)
                # Said of the key itself, its name stands in front; of no key, a made-up line does.
                what = what.removeprefix(f"{name}: ")
                what = re.sub(r"^trial(:\d+)?: ", "", what)
                yield Problem(_place(document, steps, source), f"space.{name}", what)


def is_whole(key: str) -> bool:
    """Whether a key of the configuration takes whole numbers."""
    found = field_at(tuple(key.split(".")))
    return found is not None and found[0] in (int, int | None)


def _place(document: Document, path: Steps, source: str) -> Place:
    while path and path not in document.places:
        path = path[:-1]
    return document.places.get(path, Place(source, 1))
