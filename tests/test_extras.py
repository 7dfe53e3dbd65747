"""A missing extra names the pip install that mends it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from androscope.errors import MissingExtraError
from androscope.extras import require


def test_an_installed_module_is_returned() -> None:
    assert require("json.decoder", extra="train", why="read").__name__ == "json.decoder"


@pytest.mark.parametrize("module", ["surely_not_there", "surely_not_there.inside"])
def test_a_missing_one_says_what_to_install(module: str) -> None:
    with pytest.raises(MissingExtraError) as caught:
        require(module, extra="parquet", why="write Parquet")
    assert str(caught.value) == (
        "surely_not_there is needed to write Parquet, and is not installed. "
        "Run: pip install 'androscope[parquet]'"
    )


def test_a_broken_dependency_of_an_installed_module_is_not_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_installed.py").write_text("import its_own_dependency_is_missing\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "half_installed", raising=False)
    with pytest.raises(ModuleNotFoundError, match="its_own_dependency_is_missing"):
        require("half_installed", extra="train", why="test")
