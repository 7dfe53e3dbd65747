"""How far a crop's embedding lies from those that the network learned from.

Mahalanobis's distance under a Gaussian whose covariance is that of probabilistic principal
components (Tipping & Bishop 1999, J. R. Stat. Soc. B 61, 611-622): the leading principal components
with their own variances, and one variance for everything orthogonal to them. With ``D`` dimensions,
``K`` components, ``y`` the components of ``x - mean`` and ``r`` the rest of it,

    distance^2 = (sum_k y_k^2 / variance_k + |r|^2 / rest) / D,

which is 1 for a typical crop.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from androscope.errors import BundleError
from androscope.types import FloatArray

__all__ = ["DOMAIN_FILE", "Domain", "read_domain"]

#: What the file is called in bundles of ours.
DOMAIN_FILE = "domain.npz"

#: No array of it is larger: 1024 components of an embedding of a million would be refused.
_MOST_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class Domain:
    """A Gaussian in embedding space.

    Attributes
    ----------
    mean
        ``(D,)`` float32.
    components
        ``(K, D)`` float32, of values that float16 can hold: orthonormal directions, as rows.
    variances
        ``(K,)`` float32, along them.
    rest
        Variance along each direction orthogonal to all of them.
    """

    mean: FloatArray
    components: FloatArray
    variances: FloatArray
    rest: float

    def distance(self, embeddings: FloatArray) -> FloatArray:
        """Distance ``(N,)`` float32 of embeddings ``(N, D)``; about 1 for training data."""
        centred = np.asarray(embeddings, np.float32) - self.mean
        along = centred @ self.components.T
        square = (along**2 / self.variances).sum(axis=1)
        # Components in float16 are orthonormal to a thousandth: the rest is never below 0 by much.
        beside = np.maximum((centred**2).sum(axis=1) - (along**2).sum(axis=1), 0)
        return np.asarray(np.sqrt((square + beside / self.rest) / len(self.mean)), np.float32)

    def to_bytes(self) -> bytes:
        """As a ``.npz`` file, the same bytes every time; :func:`read_domain` reads it."""
        arrays: dict[str, np.ndarray[Any, Any]] = {
            "mean": self.mean.astype(np.float32),
            "components": self.components.astype(np.float16),
            "variances": self.variances.astype(np.float32),
            "rest": np.asarray(self.rest, np.float64),
        }
        # Not np.savez, which writes the time into the file: its hash would be another every time.
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for name, array in arrays.items():
                with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as member:
                    np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
        return stream.getvalue()


def read_domain(data: bytes, dimensions: int, components: int, *, path: str) -> Domain:
    """Read :meth:`Domain.to_bytes`; nothing is unpickled.

    Parameters
    ----------
    data
        The file.
    dimensions, components
        What the card says: ``D`` and ``K``.
    path
        Where it came from, for messages.

    Raises
    ------
    BundleError
        If it is no such file, or one of another model.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _MOST_BYTES:
                raise ValueError("it unpacks to more than any reference holds")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            mean, rows = arrays["mean"], arrays["components"]
            variances, rest = arrays["variances"], float(arrays["rest"])
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise BundleError(
            f"is no reference of the training data: {error}",
            path=path,
            advice="Get the bundle again from where it came from, or export it anew",
        ) from error
    got = (mean.shape, rows.shape, variances.shape)
    expected = ((dimensions,), (components, dimensions), (components,))
    whole = all(bool(np.isfinite(array).all()) for array in (mean, rows, variances))
    if got != expected or not (whole and rest > 0 and bool((variances > 0).all())):
        raise BundleError(
            f"is not the reference of this model: expected a mean, components and variances of "
            f"shapes {expected} with variances above 0, got {got}",
            path=path,
            advice="Get the bundle again from where it came from, or export it anew",
        )
    return Domain(
        mean.astype(np.float32), rows.astype(np.float32), variances.astype(np.float32), rest
    )
