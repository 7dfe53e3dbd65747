from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="needs the train extra: matplotlib is not installed")

from androscope.errors import OutputError, TrainingError
from androscope.protocol.plot import plot_benchmark

from ..learning.pictures import colours  # noqa: TID252  (tests are no package)
from .made import benchmark

pytestmark = pytest.mark.train


def test_as_png(tmp_path: Path) -> None:
    plot_benchmark(tmp_path / "a.png", benchmark())
    assert colours(tmp_path / "a.png") > 20


def test_as_svg_and_the_same_again(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        plot_benchmark(tmp_path / name, benchmark())
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert ET.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")
    plot_benchmark(tmp_path / "valid.svg", benchmark(), "valid")
    # Validation has no lines of the paper.
    assert (tmp_path / "valid.svg").read_bytes() != (tmp_path / "a.svg").read_bytes()


def test_another_kind_of_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        plot_benchmark(tmp_path / "a.bmp", benchmark())
    assert str(caught.value) == (
        f"{tmp_path / 'a.bmp'}: expected a name that ends in .svg, .png, .pdf, got .bmp"
    )


def test_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        plot_benchmark(tmp_path / "a.svg", benchmark(recipes={}))
    assert str(caught.value) == (
        "no run has been read on test. Run `androscope benchmark run --split test` first"
    )
    assert list(tmp_path.iterdir()) == []
