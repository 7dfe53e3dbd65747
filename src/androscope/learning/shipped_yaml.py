"""YAML files that come with androscope by name, or the user's own by path: one way to find both."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from androscope.errors import ConfigError
from androscope.learning.config_check import nearest

__all__ = ["ShippedYaml", "YamlText", "read_yaml"]


class YamlText(NamedTuple):
    """A YAML file's text, comments included.

    Attributes
    ----------
    text
        As it was written.
    source
        What messages call it.
    folder
        Where it is; ``None`` for one that comes with androscope.
    """

    text: str
    source: str
    folder: Path | None


@dataclass(frozen=True)
class ShippedYaml:
    """The YAML files of one kind that come with androscope.

    Attributes
    ----------
    package, folder
        Where they are.
    what
        What messages call one of them, such as ``configuration``.
    """

    package: str
    folder: str
    what: str

    def names(self) -> tuple[str, ...]:
        """Their names, such as ``dmtl-paper``, in alphabetical order."""
        found = (f.name for f in self._folder().iterdir())
        return tuple(sorted(name[:-5] for name in found if name.endswith(".yaml")))

    def text(self, name: str) -> str:
        """Text of one of them, comments included.

        Raises
        ------
        ConfigError
            If there is none of that name; the nearest is named.
        """
        name = name.removesuffix(".yaml")
        known = self.names()
        if name not in known:
            near = nearest(name, known)
            raise ConfigError(
                f"{name!r} is neither a file nor a shipped {self.what}{near}",
                advice=f"Shipped are {', '.join(known)}",
            )
        return (self._folder() / f"{name}.yaml").read_text(encoding="utf-8")

    def find(self, source: str | Path) -> YamlText:
        """Read the file at a path, or the shipped one of that name. A file goes first.

        Raises
        ------
        ConfigError
            If there is neither, or the file is not text.
        """
        path = Path(source)
        if path.is_file():
            return YamlText(read_yaml(path), str(source), path.resolve().parent)
        # Something that looks like a path is one, and is missing as such.
        if path.exists() or len(path.parts) > 1:
            kind = "a folder, not a file" if path.is_dir() else "no such file"
            raise ConfigError(f"{kind}: expected a {self.what} in YAML", path=path)
        name = path.name.removesuffix(".yaml")
        return YamlText(self.text(str(source)), f"{name}.yaml", None)

    def _folder(self) -> Traversable:
        return resources.files(self.package) / self.folder


def read_yaml(path: Path) -> str:
    """Text of the file at ``path``. Raises :class:`ConfigError` if it cannot be read as such."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"not a text file: byte {error.object[error.start]:#04x} at {error.start} is not UTF-8",
            path=path,
            advice="Save it as UTF-8",
        ) from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", path=path) from error
