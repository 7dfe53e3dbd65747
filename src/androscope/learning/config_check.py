"""Plain values against a schema such as :class:`~androscope.learning.config.Config`: all faults.

Each fault is put in the words of the file: its line, the full key, what was expected and what
stands there, and the nearest key or value that would do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from androscope.learning import config_keys
from androscope.learning.config_yaml import UNREADABLE, Document, Path, Place, Problem, dotted
from androscope.spelling import closest

__all__ = ["check", "nearest", "shown"]

Schema = TypeVar("Schema", bound=BaseModel)


def check(document: Document, source: str, schema: type[Schema]) -> Schema | None:
    """Validate a document's values.

    Parameters
    ----------
    document
        Keys and values. What is found wrong with them is added to its ``problems``.
    source
        Name of the file, for what stands in no line of it.
    schema
        What the file is to hold; with a ``name``.

    Returns
    -------
    Schema or None
        None if not even the values that are right make one. One that is returned is
        only what was asked for if the document has no problems.
    """
    values = _tidied(document, document.problems, schema)
    return _validated(document, values, source, document.problems, schema)


def nearest(word: str, known: Sequence[str]) -> str:
    """Words that name the one of ``known`` that is most like ``word``; none if none is like it."""
    near = closest(word, known)
    return "" if near is None else f"; the nearest is {near!r}"


def shown(value: Any) -> str:
    """A value as messages show it: in YAML's words, and short."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a section of keys"
    if isinstance(value, list | tuple):
        return f"the list {list(value)!r}" if len(repr(value)) < 80 else f"{len(value)} values"
    return value.__repr__() if len(repr(value)) < 80 else repr(value)[:76] + "..."


def _tidied(document: Document, problems: list[Problem], schema: type[BaseModel]) -> dict[str, Any]:
    """Settle what pydantic would let pass or put badly: empty sections, booleans for numbers."""

    def tidy(value: Any, path: Path) -> Any:
        known = config_keys.field_at(path, schema)
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
            what = f"expected {wanted}, got {shown(value)}"
            problems.append(Problem(_place(document, path), dotted(path), what))
            return UNREADABLE
        return value

    tidied: dict[str, Any] = tidy(document.values, ())
    return tidied


def _is_table(annotation: Any) -> bool:
    return config_keys.section(annotation) is not None or config_keys.is_mapping(annotation)


def _validated(
    document: Document,
    values: dict[str, Any],
    source: str,
    problems: list[Problem],
    schema: type[Schema],
) -> Schema | None:
    """Validate; collect what is wrong, then once more without it for what it had hidden.

    A rule that spans keys (labels against method) is only looked at when each key is right by
    itself. A further look at the rest finds such faults too, unless they involve a faulty key.
    """
    faulty: set[str] = {re.split(r"[.\[]", p.key)[-1] for p in problems}
    while True:
        try:
            return schema.model_validate(values)
        except ValidationError as error:
            details = error.errors(include_url=False)
        # A bad item also makes its list too short for pydantic: said of the item, that is enough.
        items = {s[:-1] for d in details if (s := _stem(d, schema)) and isinstance(s[-1], int)}
        details = [d for d in details if _stem(d, schema) not in items]
        found: dict[Path, Problem] = {}
        for detail in details:
            path, problem = _problem(document, detail, source, schema)
            involved = {str(path[-1])} if detail["type"] == "missing" else set()
            if detail["type"] == "value_error":
                involved = set(_words(problem.what))
            # The first of the marks a union leaves behind says all there is to say.
            if not involved & faulty:
                found.setdefault(path, problem)
        problems += [problem for problem in found.values() if problem not in problems]
        removed = [gone for d in details if (gone := _drop(values, _stem(d, schema)))]
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


def _stem(detail: ErrorDetails, schema: type[BaseModel]) -> Path:
    """Path of the key an error is about, without pydantic's marks for unions and keys."""
    path: list[str | int] = []
    for step in detail["loc"]:
        if step == "[key]":
            break
        if config_keys.field_at((*path, step), schema) is None and detail["type"] not in (
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


def _problem(
    document: Document, detail: ErrorDetails, source: str, schema: type[BaseModel]
) -> tuple[Path, Problem]:
    path = _stem(detail, schema)
    kind, got = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        siblings = config_keys.field_at(path[:-1], schema)
        known = config_keys.keys_of(siblings[0]) if siblings else ()
        what = f"unknown key{nearest(str(path[-1]), known)} (known here: {', '.join(known)})"
    elif kind == "missing":
        known_field = config_keys.field_at(path, schema)
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
        mapping, _ = config_keys.field_at(path[:-1], schema) or (Any, ())
        what = f"expected {config_keys.key_of(mapping)}, got {shown(got)}"
    else:
        annotation, metadata = config_keys.field_at(path, schema) or (Any, ())
        wanted = config_keys.describe(annotation, metadata)
        near = nearest(str(got), config_keys.choices(annotation)) if isinstance(got, str) else ""
        what = f"expected {wanted}, got {shown(got)}{near}"
    place = _place(document, path)
    return path, Problem(place if place.source else Place(source, 1), dotted(path), what)


def _keys_at(document: Document, path: Path) -> list[str]:
    return [str(p[-1]) for p in document.places if p and p[:-1] == path]


def _words(text: str) -> list[str]:
    words = re.findall(r"[a-z_0-9]+", text)
    return words + [word + "s" for word in words]
