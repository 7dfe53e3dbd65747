"""YAML file to :class:`~androscope.learning.config.Config`, and back.

A bad file is refused with all that is wrong with it at once: file and line, the full key, what was
expected and what stands there, and the nearest key or value that would do.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from androscope.errors import ConfigError
from androscope.learning import config_keys
from androscope.learning.config import Config
from androscope.learning.config_yaml import (
    UNREADABLE,
    Document,
    Path,
    Place,
    Problem,
    dotted,
    dump,
    parse,
    parse_value,
)

__all__ = ["dump_config", "load_config", "parse_config", "shipped_configs", "shipped_text"]

_ADVICE = "`androscope config keys` lists every key and what it takes"


def shipped_configs() -> tuple[str, ...]:
    """Names of the configurations that come with androscope, such as ``dmtl-paper``."""
    folder = resources.files("androscope.learning") / "configs"
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".yaml")))


def shipped_text(name: str) -> str:
    """Text of a shipped configuration, comments included.

    Raises
    ------
    ConfigError
        If there is none of that name; the nearest is named.
    """
    name = name.removesuffix(".yaml")
    known = shipped_configs()
    if name not in known:
        near = _nearest(name, known)
        raise ConfigError(
            f"{name!r} is neither a file nor a shipped configuration{near}",
            advice=f"Shipped are {', '.join(known)}",
        )
    folder = resources.files("androscope.learning") / "configs"
    return (folder / f"{name}.yaml").read_text(encoding="utf-8")


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
    path = FilePath(source)
    if not path.is_file():
        # Something that looks like a path is one, and is missing as such.
        if path.exists() or len(path.parts) > 1:
            kind = "a folder, not a file" if path.is_dir() else "no such file"
            raise ConfigError(f"{kind}: expected a configuration in YAML", path=path)
        text = shipped_text(str(source))
        return parse_config(text, f"{path.name.removesuffix('.yaml')}.yaml", overrides)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"not a text file: byte {error.object[error.start]:#04x} at {error.start} is not UTF-8",
            path=path,
            advice="Save it as UTF-8",
        ) from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", path=path) from error
    return parse_config(text, str(source), overrides)


def parse_config(text: str, source: str, overrides: Sequence[str] = ()) -> Config:
    """Read a configuration from ``text``, called ``source`` in messages; see :func:`load_config`.

    Raises
    ------
    ConfigError
        With all that is wrong.
    """
    document = parse(text, source)
    problems = list(document.problems)
    if not isinstance(document.values, Mapping):
        got = _shown(document.values)
        place = document.places.get((), Place(source, 1))
        problems.append(Problem(place, "", f"expected keys and values, got {got}"))
        document = Document({}, {})
    elif not problems or document.values:
        for override in overrides:
            problems += _override(document, override)
        values = _tidied(document, problems)
        config = _validated(document, values, source, problems)
        if config is not None and not problems:
            return config
    raise _error(problems, source)


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


def _tidied(document: Document, problems: list[Problem]) -> dict[str, Any]:
    """Settle what pydantic would let pass or put badly: empty sections, booleans for numbers."""

    def tidy(value: Any, path: Path) -> Any:
        known = config_keys.field_at(path)
        if isinstance(value, dict):
            return {
                k: v for k, raw in value.items() if (v := tidy(raw, (*path, k))) is not UNREADABLE
            }
        if isinstance(value, list):
            items = [tidy(item, (*path, i)) for i, item in enumerate(value)]
            return UNREADABLE if any(item is UNREADABLE for item in items) else items
        if value is None and known and _is_table(known[0]):
            return {}  # a section whose keys are all commented out
        # Python takes true for 1; whoever wrote `epochs: true` did not mean one epoch.
        if isinstance(value, bool) and known and not config_keys.takes_booleans(known[0]):
            wanted = config_keys.describe(*known)
            what = f"expected {wanted}, got {_shown(value)}"
            problems.append(Problem(_place(document, path), dotted(path), what))
            return UNREADABLE
        return value

    tidied: dict[str, Any] = tidy(document.values, ())
    return tidied


def _is_table(annotation: Any) -> bool:
    return config_keys.section(annotation) is not None or config_keys.is_mapping(annotation)


def _validated(
    document: Document, values: dict[str, Any], source: str, problems: list[Problem]
) -> Config | None:
    """Validate; collect what is wrong, then once more without it for what it had hidden.

    A rule that spans keys (labels against method) is only looked at when each key is right by
    itself. A further look at the rest finds such faults too, unless they involve a faulty key.
    """
    faulty: set[str] = {re.split(r"[.\[]", p.key)[-1] for p in problems}
    while True:
        try:
            return Config.model_validate(values)
        except ValidationError as error:
            details = error.errors(include_url=False)
        # A bad item also makes its list too short for pydantic: said of the item, that is enough.
        items = {s[:-1] for d in details if (s := _stem(d)) and isinstance(s[-1], int)}
        details = [d for d in details if _stem(d) not in items]
        found: dict[Path, Problem] = {}
        for detail in details:
            path, problem = _problem(document, detail, source)
            involved = {str(path[-1])} if detail["type"] == "missing" else set()
            if detail["type"] == "value_error":
                involved = set(_words(problem.what))
            # The first of the marks a union leaves behind says all there is to say.
            if not involved & faulty:
                found.setdefault(path, problem)
        problems += [problem for problem in found.values() if problem not in problems]
        removed = [gone for d in details if (gone := _drop(values, _stem(d)))]
        faulty |= {str(gone[-1]) for gone in removed}
        if "name" not in values:
            # The name bears on nothing else, so the look goes on with any.
            values["name"] = "unnamed"
            faulty.add("name")
        elif not removed:
            return None


def _drop(values: Any, path: Path) -> Path | None:
    """Take the faulty key out of ``values`` (the whole list for an item); give its path."""
    if not path:
        return None
    if isinstance(path[-1], int):
        return _drop(values, path[:-1])
    for step in path[:-1]:
        if not isinstance(values, dict) or step not in values:
            return None
        values = values[str(step)]
    if isinstance(values, dict) and path[-1] in values:
        del values[str(path[-1])]
        return path
    return None


def _stem(detail: ErrorDetails) -> Path:
    """Path of the key an error is about, without pydantic's marks for unions and keys."""
    path: list[str | int] = []
    for step in detail["loc"]:
        if step == "[key]":
            break
        if config_keys.field_at((*path, step)) is None and detail["type"] not in (
            "extra_forbidden",
            "missing",
        ):
            break
        path.append(step)
    return tuple(path)


def _place(document: Document, path: Path) -> Place:
    while path and path not in document.places:
        path = path[:-1]
    return document.places.get(path, Place("", None))


def _problem(document: Document, detail: ErrorDetails, source: str) -> tuple[Path, Problem]:
    path = _stem(detail)
    kind, got = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        siblings = config_keys.field_at(path[:-1])
        known = config_keys.keys_of(siblings[0]) if siblings else ()
        what = f"unknown key{_nearest(str(path[-1]), known)} (known here: {', '.join(known)})"
    elif kind == "missing":
        known_field = config_keys.field_at(path)
        wanted = config_keys.describe(*known_field) if known_field else "a value"
        what = f"missing; expected {wanted}"
    elif kind == "value_error":
        what = str(detail["ctx"]["error"])
        words = _words(what)
        keys = sorted(set(_keys_at(document, path)) & set(words), key=words.index)
        place = _place(document, (*path, keys[0]) if keys else path)
        place = place if place.source else Place(source, 1)
        return (*path, what), Problem(place, dotted(path), what)
    elif detail["loc"][-1] == "[key]":
        what = f"expected a label (lower-case letters, digits and _), got {_shown(got)}"
    else:
        annotation, metadata = config_keys.field_at(path) or (Any, ())
        wanted = config_keys.describe(annotation, metadata)
        near = _nearest(str(got), config_keys.choices(annotation)) if isinstance(got, str) else ""
        what = f"expected {wanted}, got {_shown(got)}{near}"
    place = _place(document, path)
    return path, Problem(place if place.source else Place(source, 1), dotted(path), what)


def _keys_at(document: Document, path: Path) -> list[str]:
    return [str(p[-1]) for p in document.places if p and p[:-1] == path]


def _words(text: str) -> list[str]:
    words = re.findall(r"[a-z_0-9]+", text)
    return words + [word + "s" for word in words]


def _shown(value: Any) -> str:
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a section of keys"
    if isinstance(value, list | tuple):
        return f"the list {list(value)!r}" if len(repr(value)) < 80 else f"{len(value)} values"
    return value.__repr__() if len(repr(value)) < 80 else repr(value)[:76] + "..."


def _nearest(word: str, known: Sequence[str]) -> str:
    # Without regard to case: difflib finds `adamW` far from nothing but `adamw`.
    folded = {k.lower(): k for k in known}
    near = difflib.get_close_matches(word.lower(), list(folded), n=1, cutoff=0.6)
    return f"; the nearest is {folded[near[0]]!r}" if near else ""


def _error(problems: list[Problem], source: str) -> ConfigError:
    def order(problem: Problem) -> tuple[int, int]:
        return (problem.place.line is None, problem.place.line or 0)

    lines = [str(problem) for problem in sorted(problems, key=order)]
    count = "1 error" if len(lines) == 1 else f"{len(lines)} errors"
    listed = "".join(f"\n  {line}" for line in lines)
    return ConfigError(f"{count} in the configuration{listed}", path=source, advice=_ADVICE)
