"""A bundle's reference of the training data: verified on load, and refused with the reason."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from androscope.errors import BundleError, BundleMismatchError
from androscope.model.bundle import load_bundle
from androscope.model.bundle_writing import write_bundle
from androscope.model.card_checks import CheckLimits, Checks
from androscope.model.card_text import card_text

from .checked import LIMITS, checks_for, phantom_domain, write_checked


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checked") / "bundle"
    write_checked(folder)
    return folder


@pytest.fixture
def copy(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "bundle"))


def test_it_comes_back_whole(written: Path) -> None:
    bundle = load_bundle(written)
    assert bundle.card.checks is not None
    assert bundle.domain is not None
    assert bundle.domain.to_bytes() == (written / "domain.npz").read_bytes()


def test_another_file_is_refused(copy: Path) -> None:
    path = copy / "domain.npz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleMismatchError, match="is not the reference of the training data") as e:
        load_bundle(copy)
    assert "expected SHA-256" in str(e.value)
    assert str(path) in str(e.value)


def test_a_missing_file_is_refused(copy: Path) -> None:
    (copy / "domain.npz").unlink()
    with pytest.raises(BundleError, match="is missing"):
        load_bundle(copy)


def test_a_larger_file_is_refused_unread(copy: Path) -> None:
    (copy / "domain.npz").write_bytes(bytes(10_000_000))
    with pytest.raises(BundleError, match="is too large"):
        load_bundle(copy)


def test_a_path_out_of_the_bundle_is_no_file_of_it(copy: Path) -> None:
    card = json.loads((copy / "card.json").read_text(encoding="utf-8"))
    card["checks"]["domain"]["file"] = "../domain.npz"
    (copy / "card.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(BundleError, match=r"checks\.domain\.file"):
        load_bundle(copy)


def test_card_and_reference_must_belong_together(written: Path, tmp_path: Path) -> None:
    bundle = load_bundle(written)
    with pytest.raises(BundleMismatchError, match="do not belong together"):
        write_bundle(tmp_path / "a", bundle.model, bundle.card)
    bare = bundle.card.model_copy(update={"checks": None})
    with pytest.raises(BundleMismatchError, match="do not belong together"):
        write_bundle(tmp_path / "b", bundle.model, bare, bundle.domain)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"low": 2, "high": 1}, "must not be above"),
        ({}, "a check without any limit checks nothing"),
    ],
)
def test_limits_that_mean_nothing(limits: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CheckLimits(**limits)


def test_a_domain_limit_needs_its_file(written: Path) -> None:
    checks = load_bundle(written).card.checks
    assert checks is not None
    with pytest.raises(ValidationError, match="needs both a limit and a file"):
        Checks.model_validate({**checks.model_dump(), "domain": None})


def test_the_card_s_page_has_every_limit(written: Path) -> None:
    card = load_bundle(written).card
    text = card_text(card)
    assert "## Input checks" in text
    for name in LIMITS:
        assert f"| {name} |" in text
    assert card.checks is not None
    assert card.checks.domain is not None
    assert card.checks.domain.sha256 in text
    assert checks_for(phantom_domain(load_bundle(written))) == card.checks
