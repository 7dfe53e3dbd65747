# ruff: noqa: E501  a row of a table of cases stays on one line
"""``androscope benchmark locate`` on made frames in the published layout."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("scipy", reason="needs the train extra: SciPy is not installed")

from androscope.imaging.phantom_field import render_field
from androscope.imaging.phantom_optics import Optics
from androscope.imaging.phantom_spec import PhantomSperm

from .conftest import Run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with two frames called svia."""
    for part in ("images", "labels"):
        (tmp_path / "svia" / part).mkdir(parents=True)
    for number in range(2):
        field = render_field(
            320, 240, 4, number, pixel_size_um=0.27, specs=[PhantomSperm()] * 4, optics=Optics()
        )
        name = f"S_0001_{number:04d}"
        Image.fromarray(field.pixels).save(tmp_path / "svia" / "images" / f"{name}.png")
        objects = "".join(
            "<object><name>S</name><bndbox>"
            + "".join(
                f"<{key}>{value}</{key}>"
                for key, value in zip(
                    ("xmin", "ymin", "xmax", "ymax"),
                    (s.box[0] + 1, s.box[1] + 1, s.box[2], s.box[3]),
                    strict=True,
                )
            )
            + "</bndbox></object>"
            for s in field.sperm
        )
        labels = tmp_path / "svia" / "labels" / f"{name}.xml"
        labels.write_text(f"<annotation>{objects}</annotation>", encoding="utf-8")
    monkeypatch.setenv("ANDROSCOPE_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("here")
def test_a_table_of_each_method(run: Run) -> None:
    done = run("benchmark", "locate", "--locator", "classical", "--out", "l.json")
    assert done.code == 0, done.err
    assert "note: visem is not on this machine" in done.err
    lines = done.out.splitlines()
    assert lines[0].split() == [
        "Video",
        "Method",
        "Precision",
        "Recall",
        "F1",
        "Found",
        "False",
        "Missed",
    ]
    assert re.match("svia S_0001, bright-field +classical ", lines[1])
    assert "blob filter tuned on the video" in lines[2]
    written = json.loads(Path("l.json").read_text(encoding="utf-8"))
    assert written["videos"][0]["frames"] == 2
    shown = run("benchmark", "locate", "svia", "--locator", "classical", "--json")
    assert json.loads(shown.out) == written
    assert run("benchmark", "locate", "--locator", "classical", "--markdown").out.startswith(
        "| Vid"
    )


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["visem"], "visem is not on this machine", id="a set that is not here"),
        pytest.param(["--json", "--markdown"], "choose one of --markdown and --json", id="two forms"),
        pytest.param(["--locator", "nowhere"], "no such locator", id="no locator"),
        pytest.param(["--head-length", "1"], "Invalid value for '--head-length'", id="no length"),
        pytest.param(["mhsma"], "'mhsma' is not one of", id="no frames"),
    ],
)  # fmt: skip
def test_wrong_use_is_two(run: Run, arguments: list[str], said: str) -> None:
    done = run("benchmark", "locate", *arguments)
    assert done.code == 2
    assert said in " ".join(done.err.replace("│", " ").split())


def test_nothing_is_here(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANDROSCOPE_DATA", str(tmp_path / "none"))
    done = run("benchmark", "locate")
    assert done.code == 2
    assert "none of visem, svia is on this machine" in done.err
