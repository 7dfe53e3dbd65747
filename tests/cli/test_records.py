"""``androscope records``: what is printed, and the exit codes."""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("sqlalchemy", reason="needs the web extra: SQLAlchemy is not installed")

from androscope.records.clean import clean_file
from androscope.records.store import Records
from androscope.records.types import CropRecord, Find, StoredModel
from androscope.types import PartVerdict, Verdict

from .conftest import Run

LABELS = ("head", "acrosome", "vacuole")


def graded_sample(records: Records) -> tuple[CropRecord, ...]:
    """A sample of one image with three crops; gives them."""
    pixels = np.random.default_rng(0).integers(0, 256, (3, 64, 64), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels[0]).save(stream, "PNG")
    sample = records.samples.create("S-1", actor="anna")
    file = clean_file(stream.getvalue(), "field.png")
    (image,) = records.images.add(sample.id, file, actor="anna", graded_later=False)
    parts = tuple(PartVerdict(label, 0.7, 0.5, Verdict.ABNORMAL) for label in LABELS)
    finds = [Find(pixels=crop, parts=parts) for crop in pixels]
    return records.crops.add(image.id, finds, StoredModel("m", "1", "0" * 64, "{}"), kind="field")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with one sample, two crops of which were reviewed; the settings name it."""
    monkeypatch.setenv("ANDROSCOPE_HOME", str(tmp_path / "home"))
    with Records.open() as records:
        crops = graded_sample(records)
        for crop in crops[:2]:
            records.reviews.accept(crop.id, actor="anna")
    return tmp_path / "home"


def test_verify_says_what_was_looked_at(run: Run, store: Path) -> None:
    done = run("records", "verify")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == (
        f"{store / 'records.db'}: 5 entries of the log, 3 crops, 1 pictures and 0 signed reports "
        "looked at."
    )
    assert lines[1] == "Nothing was altered."
    assert lines[2].startswith("Anchor, to be kept elsewhere: 5:")
    anchor = lines[2].rpartition(" ")[2]
    assert run("records", "verify", "--anchor", anchor, "-q").out == ""
    wrong = run("records", "verify", "--anchor", "9" + anchor[1:])
    assert wrong.code == 1
    assert "the log's end: cut: the anchor 9:" in wrong.out
    assert "knows 9 entries; entries 6 to 9 are missing" in wrong.out


def test_verify_names_what_was_altered(run: Run, store: Path) -> None:
    with sqlite3.connect(store / "records.db") as connection:
        connection.execute("UPDATE states SET normal = 7")
    done = run("records", "verify")
    assert done.code == 1
    lines = done.out.splitlines()
    assert lines[0].startswith("sample 'S-1': its summary was altered: normal is 7, by the records")
    assert "Not as recorded: 1 things." in done.out


def test_backup_restore_and_verify_again(run: Run, store: Path, tmp_path: Path) -> None:
    made = run("records", "backup", tmp_path / "b.zip")
    assert made.code == 0
    assert made.out.startswith(f"{tmp_path / 'b.zip'}: ")
    assert " rows and 1 pictures, checked.\nAnchor, to be kept elsewhere: 5:" in made.out
    assert run("records", "verify", "--backup", tmp_path / "b.zip").code == 0
    there = run("records", "restore", tmp_path / "b.zip")
    assert there.code == 2
    assert "there are records already, and they are not overwritten" in there.err
    place = ("--records", f"sqlite:///{tmp_path / 'n.db'}", "--images", tmp_path / "n")
    restored = run("records", "restore", tmp_path / "b.zip", *place)
    assert restored.code == 0
    assert restored.out.startswith("Restored: 5 entries of the log, as of ")
    again = run("records", "verify", *place, "--backup", tmp_path / "b.zip")
    assert again.code == 0
    assert "6 entries of the log" in again.out


def test_export_is_read_by_data_check(run: Run, store: Path, tmp_path: Path) -> None:
    done = run("records", "export", tmp_path / "out")
    assert done.code == 0
    assert done.out == (
        f"{tmp_path / 'out'}: 2 crops of 1 samples (0 changed by a person), labels head, "
        "acrosome, vacuole.\n"
    )
    assert run("data", "check", tmp_path / "out").code == 0
    full = run("records", "export", tmp_path / "out")
    assert full.code == 2
    assert f"{tmp_path / 'out'}: is there and not empty" in full.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["verify"], "there are no records", id="verify"),
        pytest.param(["backup", "b.zip"], "there are no records", id="backup"),
        pytest.param(["restore", "b.zip"], "there is no such backup", id="restore"),
        pytest.param(["export", "out"], "there are no records", id="export"),
        pytest.param(["verify", "--anchor", "x"], "expected an anchor COUNT:HASH", id="anchor"),
        pytest.param(["verify", "--backup", "b.zip"], "there is no such backup", id="no-backup"),
    ],
)
def test_where_there_is_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("records", *arguments)
    assert done.code == 2
    assert said in done.err
    assert list(tmp_path.iterdir()) in ([], [tmp_path / "androscope-home"])


def test_the_extra_that_is_missing_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("androscope.extras.import_module", missing)
    done = run("records", "verify")
    assert done.code == 2
    assert "Run: pip install 'androscope[web]'" in done.err
