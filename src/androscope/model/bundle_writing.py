"""Bundles written: whole or not at all, and proved by being read and run."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from androscope.errors import BundleError, BundleMismatchError, OutputError
from androscope.model.bundle import (
    CARD_FILE,
    MODEL_CARD_FILE,
    MODEL_FILE,
    Bundle,
    load_bundle,
)
from androscope.model.card import Card, CardDraft
from androscope.model.domain import Domain

__all__ = ["refuse_full", "write_bundle"]


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
