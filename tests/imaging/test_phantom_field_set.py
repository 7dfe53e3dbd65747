"""Phantom fields as files: what is read back, and what is not overwritten."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from androscope.errors import OutputError
from androscope.imaging.phantom_field_set import write_phantom_fields
from androscope.imaging.read import read_image


def test_fields_state_their_pixel_size_and_the_table_their_truth(tmp_path: Path) -> None:
    table = write_phantom_fields(tmp_path, 2, 3, sperm=3, size=(320, 240), pixel_size_um=0.2)
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    names = sorted({row["image"] for row in rows})
    assert names == ["field-3-000.ome.tif", "field-3-001.ome.tif"]
    for name in names:
        image = read_image(tmp_path / name)
        assert image.pixels.shape == (240, 320)
        assert image.pixel_size_um == pytest.approx(0.2)
        kinds = [row["kind"] for row in rows if row["image"] == name]
        assert kinds == ["sperm"] * 3 + ["round-cell"] + ["debris"] * 3


def test_the_same_again_is_fine_and_another_truth_is_kept(tmp_path: Path) -> None:
    write_phantom_fields(tmp_path, 1, 0, sperm=1, size=(200, 160))
    write_phantom_fields(tmp_path, 1, 0, sperm=1, size=(200, 160))
    with pytest.raises(OutputError, match="holds another truth already"):
        write_phantom_fields(tmp_path, 1, 1, sperm=1, size=(200, 160))
