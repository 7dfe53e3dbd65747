from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from androscope.datasets.whole import load_whole
from androscope.errors import DatasetMissingError, LabelsError
from androscope.settings import Settings


def table(folder: Path, rows: list[str], header: str = "path,head,tail,patient,split") -> Path:
    draw = np.random.default_rng(0)
    for row in rows:
        pixels = draw.integers(0, 256, (64, 64), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / row.partition(",")[0])
    (folder / "labels.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder / "labels.csv"


def test_own_data_is_not_divided(tmp_path: Path) -> None:
    rows = ["a.png,0,,p1", "b.png,1,1,p1", "c.png,,0,"]
    whole = load_whole(table(tmp_path, rows, "path,head,tail,patient"))
    assert (whole.name, whole.test, whole.licence) == ("labels", None, None)
    assert whole.crops.label_names == ("head", "tail")
    assert whole.crops.labels.tolist() == [[0, -1], [1, 1], [-1, 0]]
    assert whole.crops.ids == ("a.png", "b.png", "c.png")
    assert whole.crops.patients == ("p1", "p1", "")


def test_its_own_test_is_known(tmp_path: Path) -> None:
    rows = ["a.png,0,1,,train", "b.png,1,1,,test", "c.png,1,0,,valid"]
    whole = load_whole(table(tmp_path, rows))
    assert whole.test.tolist() == [False, True, False]
    assert whole.crops.patients is None


def test_two_patients_are_enough_to_load(tmp_path: Path) -> None:
    """Which :func:`load`, that divides into three, refuses."""
    rows = ["a.png,0,1,p1", "b.png,1,1,p2"]
    assert len(load_whole(table(tmp_path, rows, "path,head,tail,patient")).crops) == 2


def test_every_bad_row_is_listed(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("path,head\nno.png,7\nnone.png,0\n")
    with pytest.raises(LabelsError) as caught:
        load_whole(tmp_path / "labels.csv")
    assert "line 2" in str(caught.value)
    assert "line 3" in str(caught.value)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match="no such file or folder"):
        load_whole(tmp_path / "nowhere.csv")


@pytest.mark.mhsma
@pytest.mark.parametrize("by_path", [False, True], ids=["by-name", "by-its-folder"])
def test_mhsma_knows_its_test_and_its_licence(mhsma_dir: Path, by_path: bool) -> None:
    settings = Settings(data=mhsma_dir.parent)
    whole = load_whole(mhsma_dir if by_path else "mhsma", settings=settings)
    assert (len(whole.crops), int(whole.test.sum())) == (1540, 300)
    assert whole.licence == "CC BY-NC-SA 4.0"
    assert whole.crops.ids[-1] == "test/299"
