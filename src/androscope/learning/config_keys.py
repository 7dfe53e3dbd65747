"""The configuration's keys, described in words: for error messages and for the documentation.

Everything is read from the schema in :mod:`androscope.learning.config`, so that what a message or
docs/configuration.md says of a key cannot differ from what is accepted.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Union

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from androscope.learning.config import Config

__all__ = [
    "Key",
    "all_keys",
    "choices",
    "describe",
    "field_at",
    "key_of",
    "keys_of",
    "markdown",
    "section",
    "takes_booleans",
]

#: Stands for the label's name in paths such as ``stage2.branches.<label>.dropout``.
ANY_LABEL = "<label>"

#: What the schema's patterns mean, for readers who do not read regular expressions.
_PATTERNS = {
    r"^[a-z][a-z0-9_]*$": "a label (lower-case letters, digits and _)",
    r"^[A-Za-z0-9][A-Za-z0-9._-]*$": "a name (letters, digits, '.', '_' and '-')",
    r"^[0-9a-f]{64}$": "64 lower-case hexadecimal digits",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its dotted path, what it takes, its default as YAML text, and what it is for."""

    path: str
    takes: str
    default: str
    description: str


def _bare(annotation: Any, metadata: tuple[Any, ...] = ()) -> tuple[Any, tuple[Any, ...]]:
    """Take ``Annotated`` off; give the type and all constraints on it."""
    while typing.get_origin(annotation) is typing.Annotated:
        annotation, *more = typing.get_args(annotation)
        for item in more:
            metadata += tuple(item.metadata) if isinstance(item, FieldInfo) else (item,)
    return annotation, metadata


def _members(annotation: Any) -> tuple[Any, ...]:
    bare, _ = _bare(annotation)
    if typing.get_origin(bare) in (Union, types.UnionType):
        return typing.get_args(bare)
    return (bare,)


def section(annotation: Any) -> type[BaseModel] | None:
    """Give the table's class if ``annotation`` is a section of the configuration."""
    bare, _ = _bare(annotation)
    return bare if isinstance(bare, type) and issubclass(bare, BaseModel) else None


def is_mapping(annotation: Any) -> bool:
    """Whether ``annotation`` is a mapping from label, or another name, to something."""
    return typing.get_origin(_bare(annotation)[0]) is dict


def key_of(annotation: Any) -> str:
    """Say in words what the keys of a mapping are: ``a label (lower-case letters, ...)``."""
    arguments = typing.get_args(_bare(annotation)[0])
    return describe(arguments[0]) if arguments else "a word"


def choices(annotation: Any) -> tuple[str, ...]:
    """Give the words that ``annotation`` accepts, if it is made of words to choose from."""
    words: list[str] = []
    for member in _members(annotation):
        if typing.get_origin(member) is Literal:
            words += [str(word) for word in typing.get_args(member)]
    return tuple(words)


def takes_booleans(annotation: Any) -> bool:
    """Whether ``true`` or ``false`` may stand here."""
    return any(_bare(member)[0] in (bool, Any) for member in _members(annotation))


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _bounds(metadata: tuple[Any, ...]) -> str:
    low = high = ""
    for item in metadata:
        if isinstance(item, annotated_types.Ge):
            low = f"from {_number(item.ge)}"
        elif isinstance(item, annotated_types.Gt):
            low = f"above {_number(item.gt)}"
        elif isinstance(item, annotated_types.Le):
            high = f"up to {_number(item.le)}"
        elif isinstance(item, annotated_types.Lt):
            high = f"below {_number(item.lt)}"
    return " ".join(part for part in (low, high) if part)


def _text(metadata: tuple[Any, ...]) -> str:
    patterns = [p for item in metadata if (p := getattr(item, "pattern", None))]
    return _PATTERNS.get(patterns[0], f"text that matches {patterns[0]}") if patterns else "text"


def _count(metadata: tuple[Any, ...]) -> str:
    least = next((m.min_length for m in metadata if isinstance(m, annotated_types.MinLen)), 0)
    most = next((m.max_length for m in metadata if isinstance(m, annotated_types.MaxLen)), None)
    if most is not None:
        return f" of {least} to {most}"
    return f" of at least {least}" if least else ""


def describe(annotation: Any, metadata: tuple[Any, ...] = ()) -> str:
    """Say in words what a key with this annotation takes, such as ``a number above 0 up to 10``."""
    bare, metadata = _bare(annotation, metadata)
    origin, arguments = typing.get_origin(bare), typing.get_args(bare)
    if origin in (Union, types.UnionType):
        return " or ".join(describe(member, metadata) for member in arguments)
    if origin is Literal:
        words = [str(word) for word in arguments]
        return words[0] if len(words) == 1 else "one of " + ", ".join(words)
    if origin is tuple:
        return f"a list{_count(metadata)}, each {describe(arguments[0])}"
    if origin is dict:
        kind = key_of(bare).removeprefix("a ").partition(" ")[0]
        return f"a mapping from {kind} to {describe(arguments[1])}"
    if section(bare) is not None:
        return "a section of keys"
    if bare is type(None):
        return "null"
    if bare is bool:
        return "true or false"
    if bare in (int, float):
        kind = "a whole number" if bare is int else "a number"
        return f"{kind} {_bounds(metadata)}".rstrip()
    if bare is str:
        return _text(metadata)
    if bare is Any:
        return "any value"
    raise AssertionError(f"config_keys.describe does not know {bare!r}")


def keys_of(annotation: Any) -> tuple[str, ...]:
    """Give the keys a section may hold; none for a mapping of labels and for plain values."""
    table = section(annotation)
    return () if table is None else tuple(table.model_fields)


def field_at(
    path: tuple[str | int, ...], schema: type[BaseModel] = Config
) -> tuple[Any, tuple[Any, ...]] | None:
    """Find the annotation and constraints of the key at ``path``; ``None`` if there is no such key.

    Labels of a mapping and indices of a list count as steps of the path from ``schema``.
    """
    annotation: Any = schema
    metadata: tuple[Any, ...] = ()
    for step in path:
        bare, _ = _bare(annotation)
        table = section(bare)
        if table is not None:
            field = table.model_fields.get(str(step))
            if field is None:
                return None
            annotation, metadata = field.annotation, tuple(field.metadata)
        elif typing.get_origin(bare) is dict:
            annotation, metadata = typing.get_args(bare)[1], ()
        elif typing.get_origin(bare) is tuple and isinstance(step, int):
            annotation, metadata = typing.get_args(bare)[0], ()
        else:
            return None
    return annotation, metadata


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "required"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    if isinstance(value, dict):
        return "{}"
    return _number(value)


def _walk(table: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in table.model_fields.items():
        inner = section(field.annotation)
        bare, _ = _bare(field.annotation)
        if typing.get_origin(bare) is dict:
            inner = section(typing.get_args(bare)[1])
            if inner is not None:
                yield from _walk(inner, f"{prefix}{name}.{ANY_LABEL}.")
                continue
        if inner is not None:
            yield from _walk(inner, f"{prefix}{name}.")
        else:
            yield prefix + name, field


def all_keys() -> tuple[Key, ...]:
    """Every key of the configuration, in the schema's order.

    Defaults are those in force where the key stands: ``stage2.default.optimizer.weight_decay``
    differs from ``stage1.optimizer.weight_decay``.
    """
    defaults = _defaults_in_place(Config)
    keys = []
    for path, field in _walk(Config, ""):
        keys.append(
            Key(
                path=path,
                takes=describe(field.annotation, tuple(field.metadata)),
                default=defaults.get(path, _default(field)),
                description=field.description or "",
            )
        )
    return tuple(keys)


def _defaults_in_place(table: type[BaseModel], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, field in table.model_fields.items():
        bare, _ = _bare(field.annotation)
        inner = section(bare)
        if typing.get_origin(bare) is dict and (branch := section(typing.get_args(bare)[1])):
            found |= _defaults_in_place(branch, f"{prefix}{name}.{ANY_LABEL}.")
        elif inner is not None:
            default = field.get_default(call_default_factory=True, validated_data={})
            found |= _of_instance(default, f"{prefix}{name}.")
        else:
            found[prefix + name] = _default(field)
    return found


def _of_instance(table: BaseModel, prefix: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, field in type(table).model_fields.items():
        value = getattr(table, name)
        bare, _ = _bare(field.annotation)
        if isinstance(value, BaseModel):
            found |= _of_instance(value, f"{prefix}{name}.")
        elif typing.get_origin(bare) is dict and (branch := section(typing.get_args(bare)[1])):
            found |= _defaults_in_place(branch, f"{prefix}{name}.{ANY_LABEL}.")
        else:
            found[prefix + name] = _default(FieldInfo(annotation=field.annotation, default=value))
    return found


def markdown() -> str:
    """The tables of all keys as docs/configuration.md holds them, one for each section."""
    tables: dict[str, list[str]] = {}
    for key in all_keys():
        part, _, name = key.path.rpartition(".")
        tables.setdefault(part, []).append(
            f"| `{name}` | {key.takes} | `{key.default}` | {key.description} |"
        )
    default, branch = "stage2.default", f"stage2.branches.{ANY_LABEL}"
    lines: list[str] = []
    for part, rows in tables.items():
        # Each label's branch takes what `stage2.default` takes; said once, checked here.
        if part.startswith(branch) and tables[part.replace(branch, default)] == rows:
            if part == branch:
                lines += ["", f"### `{part}`", "", f"The keys and sections of `{default}`."]
            continue
        lines += ["", f"### `{part}`" if part else "### The run itself", ""]
        lines += ["| Key | Takes | Default | What it is |", "| --- | --- | --- | --- |", *rows]
    return "\n".join(lines).strip() + "\n"
