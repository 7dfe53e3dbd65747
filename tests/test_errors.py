"""Errors say where, what and what to do, and their codes are distinct."""

from __future__ import annotations

import pickle

import pytest

from androscope import errors
from androscope.errors import AndroscopeError, ImageUnreadableError

ALL = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param({}, "is empty", id="reason-alone"),
        pytest.param({"path": "a.png"}, "a.png: is empty", id="with-path"),
        pytest.param({"advice": "Copy it again"}, "is empty. Copy it again", id="with-advice"),
        pytest.param(
            {"path": "a.png", "advice": "Copy it again"},
            "a.png: is empty. Copy it again",
            id="with-both",
        ),
    ],
)
def test_text(arguments: dict[str, str], text: str) -> None:
    assert str(ImageUnreadableError("is empty", **arguments)) == text


def test_codes_are_distinct_and_all_are_exported() -> None:
    codes = [kind.code for kind in ALL]
    assert len(set(codes)) == len(codes)
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, AndroscopeError)
    }
    assert defined == set(errors.__all__)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_kind_crosses_a_process_border(kind: type[AndroscopeError]) -> None:
    # Worker processes send errors back; only our own bytes are unpickled here.
    error = kind("too small", path="x.png", advice="Crop again")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error)
