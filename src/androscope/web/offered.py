"""The models that a server offers: those inside the installation, and the lab's own beside them.

A lab's own lie in the folder ``models`` beside the records, one bundle each. A name that comes from
outside is looked up among these and is never a path.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from androscope.errors import BundleError
from androscope.files import write_text
from androscope.model.bundle import CARD_FILE, default_name, load_bundle, shipped_names
from androscope.model.card import Card

__all__ = ["NAME", "Offer", "OfferedModel"]

#: What a lab may call a model of its own; also the name of its folder.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")

_CHOSEN = "chosen.json"


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """One model: its card, whether it came with the installation, whether it grades by default.

    ``fault`` says why it cannot grade; it has no card then.
    """

    name: str
    shipped: bool
    default: bool
    card: Card | None
    fault: str | None = None


class Offer:
    """What grades a server's samples.

    Parameters
    ----------
    folder
        Of the lab's own bundles; it need not exist.
    fixed
        What the server was started with (``--model``): a shipped name or a folder; it then is the
        default, and none can be chosen.
    """

    def __init__(self, folder: Path, fixed: str | None = None) -> None:
        self.folder = folder
        self.fixed = fixed
        self._cards: dict[tuple[str, float], Card] = {}

    def own_names(self) -> tuple[str, ...]:
        """Names of the lab's own, sorted."""
        if not self.folder.is_dir():
            return ()
        found = (path.parent.name for path in self.folder.glob(f"*/{CARD_FILE}"))
        return tuple(sorted(name for name in found if NAME.fullmatch(name)))

    def names(self) -> tuple[str, ...]:
        """All names, the shipped first."""
        shipped = shipped_names()
        fixed = () if self.fixed is None or self.fixed in shipped else (self.fixed,)
        own = (name for name in self.own_names() if name not in shipped and name not in fixed)
        return (*fixed, *shipped, *own)

    def default(self) -> str | None:
        """Name of the model that grades where a sample names none."""
        chosen = None if self.fixed is not None else self._chosen()
        return self.fixed or (chosen if chosen in self.names() else default_name())

    def where(self, name: str | None) -> str | None:
        """Where :func:`~androscope.model.bundle.load_bundle` finds a model by its name here.

        Raises
        ------
        BundleError
            If none of that name is offered, by now.
        """
        name = self.default() if name is None else name
        if name is None or name == self.fixed or name in shipped_names():
            return name
        if name not in self.own_names():
            raise BundleError(
                f"there is no model {name!r} on this server; it has {', '.join(self.names())}",
                advice="Choose another for the sample, or put it back into the models' folder",
            )
        return str(self.folder / name)

    def card(self, name: str) -> Card:
        """Give a model's card, the model checked against it once.

        Raises
        ------
        BundleError
            If it is not offered, or not whole.
        """
        where = self.where(name)
        assert where is not None
        path = Path(where) / CARD_FILE
        key = (name, path.stat().st_mtime if path.is_file() else 0.0)
        if key not in self._cards:
            self._cards[key] = load_bundle(where).card
        return self._cards[key]

    def models(self) -> list[OfferedModel]:
        """Describe each of :meth:`names`; one that is not whole says why."""
        default, shipped = self.default(), shipped_names()
        found = []
        for name in self.names():
            card, fault = None, None
            try:
                card = self.card(name)
            except BundleError as error:
                fault = error.reason
            found.append(OfferedModel(name, name in shipped, name == default, card, fault))
        return found

    def choose(self, name: str, *, actor: str) -> None:
        """Make a model grade the samples that name none, from the next picture on.

        Raises
        ------
        BundleError
            If it is not offered, or not whole.
        ValueError
            If the server was started with a model of its own.
        """
        if self.fixed is not None:
            raise ValueError(f"the server was started with --model {self.fixed}")
        self.card(name)
        self.folder.mkdir(parents=True, exist_ok=True)
        said = {"name": name, "by": actor, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        write_text(self.folder / _CHOSEN, json.dumps(said) + "\n")

    def _chosen(self) -> str | None:
        try:
            said = json.loads((self.folder / _CHOSEN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return said.get("name") if isinstance(said, dict) else None
