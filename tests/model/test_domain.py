"""The distance to the training data: against scipy, its file, and what is wrong with one."""

from __future__ import annotations

import io

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis

from androscope.errors import BundleError
from androscope.model.domain import Domain, read_domain


def _domain(dimensions: int = 12, components: int = 3, seed: int = 0) -> Domain:
    rng = np.random.default_rng(seed)
    rows, _ = np.linalg.qr(rng.normal(size=(dimensions, components)))
    return Domain(
        rng.normal(size=dimensions).astype(np.float32),
        rows.T.astype(np.float16).astype(np.float32),
        np.array([9.0, 4.0, 1.0], np.float32)[:components],
        0.25,
    )


def test_it_is_mahalanobis_s_distance_of_the_whole_covariance() -> None:
    domain = _domain()
    rows = domain.components.astype(np.float64)
    outside = np.eye(12) - rows.T @ rows
    covariance = rows.T @ np.diag(domain.variances) @ rows + domain.rest * outside
    points = np.random.default_rng(1).normal(0, 3, (20, 12)).astype(np.float32)
    expected = [mahalanobis(p, domain.mean, np.linalg.inv(covariance)) for p in points]
    np.testing.assert_allclose(domain.distance(points), np.array(expected) / np.sqrt(12), rtol=5e-3)


def test_the_mean_is_at_no_distance() -> None:
    domain = _domain()
    assert domain.distance(domain.mean[None])[0] == 0
    assert domain.distance(np.zeros((0, 12), np.float32)).shape == (0,)


def test_a_file_is_the_same_bytes_every_time_and_comes_back() -> None:
    domain = _domain()
    data = domain.to_bytes()
    assert data == _domain().to_bytes()
    read = read_domain(data, 12, 3, path="d.npz")
    assert read.rest == domain.rest
    for name in ("mean", "components", "variances"):
        np.testing.assert_array_equal(getattr(read, name), getattr(domain, name))
    # Any other program reads it too.
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        assert sorted(arrays) == ["components", "mean", "rest", "variances"]


def _pickled() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, mean=np.array([object()], dtype=object))
    return stream.getvalue()


def _changed(**changes: object) -> bytes:
    whole = {"mean": np.zeros(12), "components": np.eye(12)[:3], "variances": np.ones(3)}
    stream = io.BytesIO()
    np.savez(stream, **{**whole, "rest": 1.0, **changes})
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "is no reference of the training data", id="empty"),
        pytest.param(b"PK\x03\x04 and then nothing", "is no reference", id="no-zip"),
        pytest.param(_pickled(), "is no reference", id="pickled"),
        pytest.param(_changed(mean=np.zeros(5)), "is not the reference of this model", id="shape"),
        pytest.param(_changed(variances=np.zeros(3)), "variances above 0", id="variance-0"),
        pytest.param(_changed(rest=-1.0), "variances above 0", id="rest-below-0"),
        pytest.param(_changed(mean=np.full(12, np.nan)), "is not the reference", id="nan"),
    ],
)
def test_what_is_no_reference_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(BundleError, match=message) as raised:
        read_domain(data, 12, 3, path="d.npz")
    assert str(raised.value).startswith("d.npz: ")
