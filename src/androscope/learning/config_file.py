"""YAML file to :class:`~androscope.learning.config.Config`, and back.

A bad file is refused with all that is wrong with it at once: file and line, the full key, what was
expected and what stands there, and the nearest key or value that would do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import TypeVar

from pydantic import BaseModel

from androscope.errors import ConfigError
from androscope.learning.config import Config
from androscope.learning.config_check import check, shown
from androscope.learning.config_yaml import (
    Document,
    Path,
    Place,
    Problem,
    dump,
    parse,
    parse_value,
)
from androscope.learning.shipped_yaml import ShippedYaml

__all__ = [
    "CONFIGS",
    "dump_config",
    "load_config",
    "parse_as",
    "parse_config",
    "refusal",
]

Schema = TypeVar("Schema", bound=BaseModel)

#: The configurations that come with androscope, such as ``dmtl-paper``.
CONFIGS = ShippedYaml("androscope.learning", "configs", "configuration")

_ADVICE = "`androscope config keys` lists every key and what it takes"


def load_config(source: str | FilePath, overrides: Sequence[str] = ()) -> Config:
    """Read a configuration.

    Parameters
    ----------
    source
        Path of a YAML file, or the name of a shipped configuration. A file goes first.
    overrides
        ``key=value`` each, the value in YAML: ``stage1.epochs=2``, ``labels=[tail]``.

    Raises
    ------
    ConfigError
        If the file is missing or not text, or holds unknown keys or wrong values: all are listed.
    """
    found = CONFIGS.find(source)
    return parse_config(found.text, found.source, overrides)


def parse_config(text: str, source: str, overrides: Sequence[str] = ()) -> Config:
    """Read a configuration from ``text``, called ``source`` in messages; see :func:`load_config`.

    Raises
    ------
    ConfigError
        With all that is wrong.
    """
    return parse_as(text, source, Config, overrides)[0]


def parse_as(
    text: str,
    source: str,
    schema: type[Schema],
    overrides: Sequence[str] = (),
    *,
    what: str = "configuration",
    advice: str = _ADVICE,
) -> tuple[Schema, Document]:
    """Read what ``schema`` describes from YAML, as :func:`parse_config` reads a configuration.

    Parameters
    ----------
    text, source, overrides
        As there.
    schema
        A table of keys with their descriptions.
    what, advice
        What messages call the file, and where the reader finds what may stand in it.

    Returns
    -------
    Schema, Document
        The values, and where each of them stands, for faults that are found later.

    Raises
    ------
    ConfigError
        With all that is wrong.
    """
    document = parse(text, source)
    problems = document.problems
    if not isinstance(document.values, Mapping):
        got = shown(document.values)
        place = document.places.get((), Place(source, 1))
        problems.append(Problem(place, "", f"expected keys and values, got {got}"))
    elif not problems or document.values:
        for override in overrides:
            problems += _override(document, override)
        found = check(document, source, schema)
        if found is not None and not problems:
            return found, document
    raise refusal(problems, source, what=what, advice=advice)


def dump_config(config: Config) -> str:
    """Write every key of ``config`` as YAML that :func:`parse_config` reads back equal."""
    return dump(config.model_dump(mode="json"))


def _override(document: Document, override: str) -> list[Problem]:
    key, equals, text = override.partition("=")
    key = key.strip()
    place = Place(f"override {override!r}")
    if not equals or not key:
        return [Problem(place, "", "expected key=value, such as stage1.epochs=2")]
    given = parse_value(text, place.source)
    if given.problems:
        return [Problem(place, key, p.what) for p in given.problems]
    path: Path = tuple(key.split("."))
    table = document.values
    for depth, step in enumerate(path[:-1], start=1):
        if not isinstance(table.get(step), dict):
            table[step] = {}
            document.places[path[:depth]] = place
        table = table[step]
    table[path[-1]] = given.values
    for stale in [p for p in document.places if p[: len(path)] == path]:
        del document.places[stale]
    document.places.update({(*path, *below): place for below in given.places})
    document.places[path] = place
    return []


def refusal(
    problems: Sequence[Problem],
    source: str,
    *,
    what: str = "configuration",
    advice: str = _ADVICE,
) -> ConfigError:
    """One error that lists every problem, in the order of the file's lines."""

    def order(problem: Problem) -> tuple[int, int]:
        return (problem.place.line is None, problem.place.line or 0)

    lines = [str(problem) for problem in sorted(problems, key=order)]
    count = "1 error" if len(lines) == 1 else f"{len(lines)} errors"
    listed = "".join(f"\n  {line}" for line in lines)
    return ConfigError(f"{count} in the {what}{listed}", path=source, advice=advice)
