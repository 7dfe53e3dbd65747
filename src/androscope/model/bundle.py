"""The bundle: a folder with ``model.onnx``, ``card.json`` and ``MODEL_CARD.md``.

Where the card has checks with a distance to the training data, its reference is in a file of its
own beside them, whose SHA-256 the card holds. Any other file in the folder is left alone and never
read: a lab's notes do no harm there. All of the weights are inside ``model.onnx``, whose SHA-256
the card holds; a model that keeps weights in further files (ONNX "external data") is refused,
because nothing would vouch for those.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from androscope.errors import BundleError, BundleMismatchError
from androscope.model.card import Card, read_card
from androscope.model.domain import Domain, read_domain

__all__ = [
    "CARD_FILE",
    "MODEL_CARD_FILE",
    "MODEL_FILE",
    "Bundle",
    "default_name",
    "load_bundle",
    "shipped_names",
]

MODEL_FILE, CARD_FILE, MODEL_CARD_FILE = "model.onnx", "card.json", "MODEL_CARD.md"
SHIPPED = Path(__file__).resolve().parent.parent / "bundles"

_MAX_CARD_BYTES = 10_000_000
_MAX_MODEL_BYTES = 2**31 - 1  # A protobuf cannot be larger.
#: How a tensor that is kept in another file names it, on the wire: the key "location", a value.
_EXTERNAL = b"\x0a\x08location\x12"
_AGAIN = "Get the bundle again from where it came from, or export it anew"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was read and whose model's hash was checked.

    Attributes
    ----------
    folder
        Where it was read from.
    card
        Its card.
    model
        The very bytes of ``model.onnx`` that were hashed, so that nothing can come between the
        check and the use.
    domain
        Reference of the distance to the training data; ``None`` without such a check.
    """

    folder: Path
    card: Card
    model: bytes = field(repr=False, compare=False)
    domain: Domain | None = field(default=None, repr=False, compare=False)

    @property
    def model_path(self) -> Path:
        """``model.onnx`` in :attr:`folder`."""
        return self.folder / MODEL_FILE

    def files(self) -> dict[str, bytes]:
        """All that a copy of the bundle needs in its folder, by the files' names.

        Raises
        ------
        BundleError
            If the reference of its checks cannot be read any more.
        """
        found = {MODEL_FILE: self.model, CARD_FILE: self.card.to_json().encode()}
        named = None if self.card.checks is None else self.card.checks.domain
        if named is not None:
            found[named.file] = _read(self.folder / named.file, named.bytes)
        return found


def shipped_names() -> tuple[str, ...]:
    """Names of the bundles inside this installation, sorted."""
    if not SHIPPED.is_dir():
        return ()
    return tuple(sorted(p.parent.name for p in SHIPPED.glob(f"*/{CARD_FILE}")))


def default_name() -> str | None:
    """Name of the shipped bundle that grades when none is named; ``None`` if none is shipped."""
    index = SHIPPED / "index.json"
    if not index.is_file():
        return None
    return str(json.loads(index.read_text(encoding="utf-8"))["default"])


def load_bundle(name_or_folder: str | Path = "default") -> Bundle:
    """Find a bundle, read it, and check its model against its card's hash.

    Parameters
    ----------
    name_or_folder
        ``"default"``, a shipped name, or a folder. A shipped name wins over a folder of the same
        name in the working directory; write ``./name`` for the folder.

    Raises
    ------
    BundleError
        If there is no such bundle, a file is missing, or the card cannot be read.
    BundleMismatchError
        If the model, or the reference of its checks, is not the one the card was written for.
    """
    folder = _find(name_or_folder)
    card_path, model_path = folder / CARD_FILE, folder / MODEL_FILE
    card = read_card(_read(card_path, _MAX_CARD_BYTES), path=str(card_path))
    model = _read(model_path, _MAX_MODEL_BYTES)
    got = hashlib.sha256(model).hexdigest()
    if got != card.model_sha256:
        raise BundleMismatchError(
            f"is not the model its card describes: expected SHA-256 {card.model_sha256} "
            f"({card.model_bytes} bytes), got {got} ({len(model)} bytes)",
            path=model_path,
            advice=f"The file was changed or damaged. {_AGAIN}",
        )
    if _EXTERNAL in model:
        raise BundleError(
            "keeps weights in another file, which no hash vouches for",
            path=model_path,
            advice="Export it with all weights inside model.onnx",
        )
    return Bundle(folder=folder, card=card, model=model, domain=_domain(folder, card))


def _domain(folder: Path, card: Card) -> Domain | None:
    """Read and verify the reference that the card's checks name."""
    named = None if card.checks is None else card.checks.domain
    if named is None:
        return None
    path = folder / named.file
    data = _read(path, named.bytes)
    got = hashlib.sha256(data).hexdigest()
    if got != named.sha256:
        raise BundleMismatchError(
            "is not the reference of the training data that the card describes: expected SHA-256 "
            f"{named.sha256} ({named.bytes} bytes), got {got} ({len(data)} bytes)",
            path=path,
            advice=f"The file was changed or damaged. {_AGAIN}",
        )
    return read_domain(data, card.network.embedding_dim, named.components, path=str(path))


def _find(name_or_folder: str | Path) -> Path:
    name = str(name_or_folder)
    shipped = shipped_names()
    if name == "default":
        default = default_name()
        if default is None:
            raise BundleError(
                "no model is shipped with this installation",
                advice="Name a bundle's folder with --model, or reinstall androscope",
            )
        name = default
    if name in shipped:
        return SHIPPED / name
    folder = Path(name)
    if folder.is_dir():
        return folder
    if folder.is_file():
        raise BundleError(
            f"is a file; a bundle is a folder with {MODEL_FILE} and {CARD_FILE}",
            path=folder,
            advice="Name the folder that holds it",
        )
    have = ", ".join(shipped) if shipped else "none"
    raise BundleError(
        f"no such model: neither a shipped one (there are: {have}) nor a folder",
        path=folder,
        advice="`androscope models list` shows the shipped ones",
    )


def _read(path: Path, most: int) -> bytes:
    try:
        size = path.stat().st_size
        if size > most:
            raise BundleError(f"is too large: {size} bytes, at most {most}", path=path)
        return path.read_bytes()
    except OSError as error:
        what = "is missing" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise BundleError(
            f"{what}: a bundle is a folder with {MODEL_FILE} and {CARD_FILE}",
            path=path,
            advice=_AGAIN,
        ) from error
