"""YAML text to plain values, with the line every key and value stands on.

Only a tree of nodes is asked of PyYAML; nothing in a file can construct an object. Plain words are
read by YAML 1.2's rules: ``1e-3`` is a number, ``1:30`` is not one in base 60, and ``no`` is the
word *no*, which a true-or-false key still takes for false and a label of that name keeps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

__all__ = [
    "UNREADABLE",
    "Document",
    "Path",
    "Place",
    "Problem",
    "dotted",
    "dump",
    "parse",
    "parse_value",
]

#: More nodes than this, after aliases are followed, is no configuration but an attack.
_MAX_NODES = 20_000

Path = tuple[str | int, ...]

#: Stands for a value that could not be read, and of which a problem says so.
UNREADABLE = object()

_BOOL = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")
_NULL = re.compile(r"^(?:~|null|Null|NULL|)$")
_INT = re.compile(r"^[-+]?[0-9]+$")
_BASED = re.compile(r"^(?:0o[0-7]+|0x[0-9a-fA-F]+)$")
_FLOAT = re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")
_SPECIAL = re.compile(r"^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$")

_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader that only composes, with YAML 1.2's plain scalars."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _tag, _pattern, _first in (
    ("bool", _BOOL, "tTfF"),
    ("null", _NULL, ["~", "n", "N", ""]),
    ("int", re.compile(f"{_INT.pattern}|{_BASED.pattern}"), "-+0123456789"),
    ("float", re.compile(f"{_FLOAT.pattern}|{_SPECIAL.pattern}"), "-+.0123456789"),
    ("merge", re.compile(r"^<<$"), "<"),
):
    _Loader.add_implicit_resolver(_TAG + _tag, _pattern, list(_first))


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file's line (from 1), or an override on the command line."""

    source: str
    line: int | None = None

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at one place."""

    place: Place
    key: str
    what: str

    def __str__(self) -> str:
        return (
            f"{self.place}: {self.key}: {self.what}" if self.key else f"{self.place}: {self.what}"
        )


@dataclass(slots=True)
class Document:
    """Plain values, where each of them stands, and what was wrong with the YAML itself."""

    values: Any
    places: dict[Path, Place]
    problems: list[Problem] = field(default_factory=list)


def parse(text: str, source: str) -> Document:
    """Read one YAML document.

    Parameters
    ----------
    text
        The file's content.
    source
        Its name, for :class:`Place`.

    Returns
    -------
    Document
        ``values`` is ``{}`` for an empty document. A syntax error ends the reading; duplicate keys,
        foreign tags and the like are collected in ``problems`` and reading goes on.
    """
    try:
        node = yaml.compose(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        what = ", ".join(part for part in (error.context, error.problem) if part)
        return Document({}, {}, [Problem(Place(source, line), "", f"not YAML: {what}")])
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        what = f"not YAML: character {error.character!r} is not allowed ({error.reason})"
        return Document({}, {}, [Problem(Place(source, line), "", what)])
    except RecursionError:
        return Document({}, {}, [Problem(Place(source), "", "nested too deeply to be read")])
    reader = _Reader(source)
    values = {} if node is None else reader.read(node, ())
    return Document(values, reader.places, reader.problems)


def parse_value(text: str, source: str) -> Document:
    """Read the value of an override, with every place being the override itself."""
    document = parse(text, source)
    document.places = {path: Place(source) for path in document.places}
    document.problems = [Problem(Place(source), p.key, p.what) for p in document.problems]
    if document.values == {} and not text.strip():
        document.values = None
    return document


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.places: dict[Path, Place] = {}
        self.problems: list[Problem] = []
        self._open: set[int] = set()
        self._read = 0

    def _wrong(self, node: yaml.Node, path: Path, what: str) -> None:
        self.problems.append(Problem(self._place(node), dotted(path), what))

    def _place(self, node: yaml.Node) -> Place:
        return Place(self.source, node.start_mark.line + 1)

    def read(self, node: yaml.Node, path: Path) -> Any:
        self.places.setdefault(path, self._place(node))
        self._read += 1
        if id(node) in self._open:
            self._wrong(node, path, "an alias must not stand inside what it names")
            return UNREADABLE
        if self._read > _MAX_NODES:
            if self._read == _MAX_NODES + 1:
                self._wrong(node, path, f"more than {_MAX_NODES} values once aliases are followed")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self.read(item, (*path, i)) for i, item in enumerate(node.value)]
            return self._scalar(node, path)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        own: dict[str, int] = {}
        merged: list[yaml.Node] = []
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._wrong(key, path, "a key must be a plain word, got a list or mapping")
            elif key.tag == _TAG + "merge":
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
            elif key.value in own:
                first = own[key.value]
                what = f"stands twice, first in line {first}; keep one of the two"
                self._wrong(key, (*path, key.value), what)
            else:
                own[key.value] = key.start_mark.line + 1
                # A key's line serves better than its value's, which may start on the next.
                self.places[*path, key.value] = self._place(key)
                values[key.value] = self.read(value, (*path, key.value))
        for base in merged:
            if not isinstance(base, yaml.MappingNode):
                self._wrong(base, path, "only a mapping can be merged with <<")
                continue
            inherited = self.read(base, path)
            if isinstance(inherited, Mapping):
                values = {**inherited, **values}
        return values

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        text, tag = str(node.value), node.tag.removeprefix(_TAG)
        if tag == "str":
            return text
        if tag == "null" and _NULL.match(text):
            return None
        if tag == "bool" and _BOOL.match(text):
            return text.lower() == "true"
        if tag == "int" and _INT.match(text):
            return int(text) if len(text) < 400 else text
        if tag == "int" and _BASED.match(text):
            return int(text, 0)
        if tag in ("int", "float") and _FLOAT.match(text):
            return float(text)
        if tag == "float" and _SPECIAL.match(text):
            return float(text.lower().replace(".", ""))
        shown = f"!!{tag}" if node.tag.startswith(_TAG) else node.tag
        self._wrong(node, path, f"the tag {shown} has no meaning here; write the plain value")
        return UNREADABLE


def dotted(path: Path) -> str:
    """Write a path as it is read aloud: ``stage1.optimizer.lr``, ``labels[0]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


class _Dumper(yaml.SafeDumper):
    """Quotes every text that either YAML 1.1 or our reader would take for something else."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: list(yaml.SafeDumper.yaml_implicit_resolvers.get(first, []))
        + _Loader.yaml_implicit_resolvers.get(first, [])
        for first in {*yaml.SafeDumper.yaml_implicit_resolvers, *_Loader.yaml_implicit_resolvers}
    }

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def dump(values: Mapping[str, Any]) -> str:
    """Write plain values as YAML that :func:`parse` reads back equal."""
    # ASCII alone: PyYAML does not read back every line break that it writes as it is (U+0085).
    text = yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=False, width=100)
    return str(text)
