"""A locator's folder: ``model.onnx``, ``card.json`` and ``MODEL_CARD.md``, as a bundle has them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from androscope.errors import BundleError, BundleMismatchError, OutputError
from androscope.files import write_bytes, write_text
from androscope.model.bundle import CARD_FILE, MODEL_CARD_FILE, MODEL_FILE
from androscope.model.locator_card import (
    LocatorCard,
    LocatorCardDraft,
    locator_card_text,
    read_locator_card,
)

__all__ = ["DEFAULT_LOCATOR", "LocatorBundle", "is_shipped", "load_locator", "write_locator"]

SHIPPED = Path(__file__).resolve().parent.parent / "locators"
#: The shipped locator that is used when none is named.
DEFAULT_LOCATOR = "locator"
#: A locator is small: what is larger is none.
_MAX_BYTES = 5_000_000
#: How a tensor that is kept in another file names it, on the wire.
_EXTERNAL = b"\x0a\x08location\x12"


@dataclass(frozen=True, slots=True)
class LocatorBundle:
    """A locator that was read and whose model's hash was checked."""

    folder: Path
    card: LocatorCard
    model: bytes = field(repr=False, compare=False)


def is_shipped() -> bool:
    """Whether this installation holds a locator."""
    return (SHIPPED / DEFAULT_LOCATOR / CARD_FILE).is_file()


def load_locator(name_or_folder: str | Path = DEFAULT_LOCATOR) -> LocatorBundle:
    """Read a locator, the shipped one or a folder's, and check its model against its card.

    Raises
    ------
    BundleError
        If there is none, or a file is missing or cannot be read.
    BundleMismatchError
        If the model is not the one the card was written for.
    """
    shipped = SHIPPED / str(name_or_folder)
    folder = shipped if (shipped / CARD_FILE).is_file() else Path(name_or_folder)
    if not folder.is_dir():
        raise BundleError(
            f"no such locator: neither the shipped one ({DEFAULT_LOCATOR}) nor a folder",
            path=folder,
            advice="Name a folder that `androscope train-locator` wrote",
        )
    card = read_locator_card(_read(folder / CARD_FILE), path=str(folder / CARD_FILE))
    model = _read(folder / MODEL_FILE)
    got = hashlib.sha256(model).hexdigest()
    if got != card.model_sha256:
        raise BundleMismatchError(
            f"is not the model its card describes: expected SHA-256 {card.model_sha256}, got {got}",
            path=folder / MODEL_FILE,
            advice="The file was changed or damaged. Get the locator again, or train it anew",
        )
    if _EXTERNAL in model:
        raise BundleError(
            "keeps weights in another file, which no hash vouches for", path=folder / MODEL_FILE
        )
    return LocatorBundle(folder, card, model)


def write_locator(folder: str | Path, model: bytes, draft: LocatorCardDraft) -> LocatorBundle:
    """Write a locator into a new or empty folder, and prove it by finding nothing in a blank field.

    Raises
    ------
    OutputError
        If the folder holds something, or cannot be written.
    BundleError
        If the model does not run or is too large.
    """
    import numpy as np

    from androscope.model.locator import Locator

    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(
            "exists already and is not an empty folder",
            path=folder,
            advice="Choose another name, or remove it first",
        )
    if len(model) > _MAX_BYTES:
        raise BundleError(f"is too large: {len(model)} bytes, at most {_MAX_BYTES}", path=folder)
    sha256 = hashlib.sha256(model).hexdigest()
    known = draft.model_dump(exclude={"model_sha256", "model_bytes"})
    card = LocatorCard(**known, model_sha256=sha256, model_bytes=len(model))
    Locator(LocatorBundle(folder, card, model), threads=1)(np.full((50, 70), 128, np.uint8), 16.0)
    # The card comes last: without it the folder is no locator.
    write_bytes(folder / MODEL_FILE, model)
    write_text(folder / MODEL_CARD_FILE, locator_card_text(card))
    write_text(folder / CARD_FILE, card.to_json())
    return load_locator(folder.absolute())


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise BundleError(f"is too large: at most {_MAX_BYTES} bytes", path=path)
        return path.read_bytes()
    except OSError as error:
        what = "is missing" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise BundleError(
            f"{what}: a locator is a folder with {MODEL_FILE} and {CARD_FILE}",
            path=path,
            advice="Get the locator again, or train it anew",
        ) from error
