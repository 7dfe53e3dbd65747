# ruff: noqa: E501  a row of a table of cases stays on one line
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from androscope.errors import EmptyInputError, InputError
from androscope.imaging.inputs import read_inputs, sources_of
from androscope.types import GreyImage

PICTURE = np.arange(64 * 64, dtype=np.uint32).reshape(64, 64).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a2.png", "a10.png"):
        Image.fromarray(PICTURE).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("images", "names"),
    [
        pytest.param("a2.png", ["a2.png"], id="text"),
        pytest.param(Path("a2.png"), ["a2.png"], id="path"),
        pytest.param(".", ["a2.png", "a10.png"], id="folder"),
        pytest.param("a*.png", ["a2.png", "a10.png"], id="pattern"),
        pytest.param(["a10.png", "."], ["a10.png", "a2.png"], id="each file once"),
        pytest.param(PICTURE, ["<array>"], id="array"),
        pytest.param(Image.fromarray(PICTURE), ["<array>"], id="Pillow image"),
        pytest.param([PICTURE, "a2.png", PICTURE], ["<array 0>", "a2.png", "<array 2>"], id="mixture"),
        pytest.param((p for p in ("a2.png",)), ["a2.png"], id="generator"),
    ],
)  # fmt: skip
def test_sources_and_their_pictures(folder: Path, images: Any, names: list[str]) -> None:
    pictures = list(read_inputs(sources_of(images)))
    assert [Path(p.source).name for p in pictures] == names
    for picture in pictures:
        assert isinstance(picture, GreyImage)
        np.testing.assert_array_equal(picture.pixels, PICTURE)


@pytest.mark.parametrize("images", [[], (), iter(())], ids=["list", "tuple", "iterator"])
def test_nothing_named(images: Any) -> None:
    with pytest.raises(EmptyInputError) as caught:
        sources_of(images)
    assert str(caught.value) == "nothing was named to assess. Name a file or a folder"


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(EmptyInputError, match="no image in this folder"):
        sources_of([PICTURE, tmp_path])


def test_progress_is_told_when_the_next_is_asked_for(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    pictures = read_inputs(sources_of("."), lambda done, total: seen.append((done, total)))
    next(pictures)
    assert seen == []
    next(pictures)
    assert seen == [(1, 2)]
    assert list(pictures) == []
    assert seen == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("images", "got"),
    [
        pytest.param(None, "expected images, got None", id="None"),
        pytest.param(5, "expected images, got int '5'", id="number"),
        pytest.param(b"a.png", "expected images, got bytes", id="bytes"),
        pytest.param([[1, 2], [3, 4]], "got a list of int at place 0", id="rows of numbers"),
        pytest.param(
            np.zeros((2, 3, 3), np.uint8).tolist(), "got a list of list at place 0", id="tolist"
        ),
        pytest.param(["a.png", None], "got None at place 1", id="None beside a path"),
        pytest.param([np.zeros((40, 40)), object()], "got object at place 1", id="object"),
    ],
)
def test_other_kinds_are_refused_with_those_that_are_taken(images: Any, got: str) -> None:
    with pytest.raises(InputError) as caught:
        sources_of(images)
    assert isinstance(caught.value, TypeError)
    assert got in caught.value.reason
    assert str(caught.value.advice).startswith("Give a path, folder or pattern; a numpy array (H")
    assert "numpy.asarray" in str(caught.value.advice)


def test_what_numpy_takes_as_an_array_is_one(folder: Path) -> None:
    class Tensor:
        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
            return np.full((40, 40), 7, np.uint8)

    (source,) = sources_of([Tensor()])
    assert isinstance(source.what, np.ndarray)
