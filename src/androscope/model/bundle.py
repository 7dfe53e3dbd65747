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
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from androscope.errors import BundleError, BundleMismatchError, OutputError
from androscope.model.card import Card, CardDraft, read_card
from androscope.model.domain import Domain, read_domain

__all__ = [
    "CARD_FILE",
    "MODEL_CARD_FILE",
    "MODEL_FILE",
    "Bundle",
    "default_name",
    "load_bundle",
    "refuse_full",
    "shipped_names",
    "write_bundle",
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


def write_bundle(
    folder: str | Path, model: bytes, draft: CardDraft, domain: Domain | None = None
) -> Bundle:
    """Write a bundle, whole or not at all, and prove it by loading it and grading a batch of zeros.

    Parameters
    ----------
    folder
        Where to; must not exist yet, or be an empty folder.
    model
        A serialised ONNX model: input ``crops`` (N, S, S) uint8; outputs ``probabilities`` (N, L)
        and ``embedding`` (N, D) float32; only N free; metadata ``androscope.labels`` with the
        labels as a JSON list in the order of the columns (:data:`androscope.model.session.
        LABELS_KEY`).
    draft
        The card without the model's hash and size. A :class:`Card` is taken too, and gets the
        hash of ``model``.
    domain
        The reference that the card's checks name, if they do.

    Returns
    -------
    Bundle
        Read back from ``folder``.

    Raises
    ------
    BundleError, BundleMismatchError
        If card and model do not fit together or the model does not run; nothing is left behind.
    OutputError
        If the folder is there and not empty, or cannot be written.
    """
    from androscope.model.card_text import card_text

    folder = Path(folder)
    known = draft.model_dump(exclude={"model_sha256", "model_bytes"})
    sha256 = hashlib.sha256(model).hexdigest()
    card = Card(**known, model_sha256=sha256, model_bytes=len(model))
    refuse_full(folder)
    reference = _reference(card, domain, folder)
    temporary: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name[:40]}-", dir=folder.parent))
        for name, content in (
            (MODEL_FILE, model),
            (CARD_FILE, card.to_json().encode()),
            (MODEL_CARD_FILE, card_text(card).encode()),
            *reference,
        ):
            with (temporary / name).open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        _prove(temporary, card)
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o777 & ~mask)  # mkdtemp makes folders private.
        if folder.is_dir():
            folder.rmdir()  # Empty, see above; Windows does not rename over a folder.
        temporary.rename(folder)
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}",
            path=folder,
            advice="Choose a folder that may be written and has room",
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return load_bundle(folder.absolute())


def refuse_full(folder: Path) -> None:
    """Make sure that a bundle can be written to ``folder``.

    Raises
    ------
    OutputError
        If it exists and is not an empty folder.
    """
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists():
        raise OutputError(
            "exists already and is not an empty folder",
            path=folder,
            advice="Choose another name, or remove it first",
        )


def _reference(card: Card, domain: Domain | None, folder: Path) -> tuple[tuple[str, bytes], ...]:
    """Name and bytes of the file that the card's checks name; empty if they name none."""
    named = None if card.checks is None else card.checks.domain
    data = None if domain is None else domain.to_bytes()
    if (named is None) != (data is None) or (
        named and data and hashlib.sha256(data).hexdigest() != named.sha256
    ):
        raise BundleMismatchError(
            "the card's checks and the reference of the training data do not belong together",
            path=folder,
            advice="Give the reference that was fitted with the checks, or leave both out",
        )
    return () if named is None or data is None else ((named.file, data),)


def _prove(folder: Path, card: Card) -> None:
    import numpy as np

    from androscope.model.session import Session

    bundle = load_bundle(folder.absolute())
    if bundle.card != card:
        raise BundleError("the card does not survive being written and read", path=folder)
    size = card.input.size
    # More than one crop: a graph with N fixed to 1 must fail here, not on a user's folder.
    for n in (1, 3):
        Session(bundle, threads=1).predict(np.zeros((n, size, size), np.uint8), batch_size=n)
