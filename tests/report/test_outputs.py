from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from androscope.errors import OutputError
from androscope.report.outputs import check_outputs


def test_what_can_be_written_passes_and_leaves_no_file(tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_text("kept", encoding="utf-8")
    check_outputs(
        {"--csv": old, "--json": tmp_path / "new" / "r.json", "--html": None},
        folders=[tmp_path / "thumbs"],
        inputs=[tmp_path / "a.png"],
    )
    assert old.read_text(encoding="utf-8") == "kept"
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["new", "old.csv", "thumbs"]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        check_outputs({"--csv": tmp_path})
    assert str(caught.value) == (
        f"{tmp_path}: --csv expects a file's name, got a folder. "
        f"Name a file in it, such as {tmp_path}/results.csv"
    )


def test_two_outputs_are_not_one_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="--csv and --json name the same file"):
        check_outputs({"--csv": tmp_path / "r", "--json": tmp_path / "x" / ".." / "r"})


def test_an_image_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"precious")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    with pytest.raises(OutputError, match="--html would overwrite an image that is to be assessed"):
        check_outputs({"--html": tmp_path / "a.png"}, inputs=[tmp_path / "link.png"])


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_place_inside_a_file(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    path = tmp_path / "file" / "r.csv"
    files, folders = ({"--csv": path}, []) if kind == "file" else ({}, [path])
    with pytest.raises(OutputError) as caught:
        check_outputs(files, folders=folders)
    assert str(caught.value).startswith(f"{path}: cannot be written: ")
    assert str(caught.value).endswith("Choose a folder that may be written and has room")


def test_a_pipe_is_only_asked(tmp_path: Path) -> None:
    # Opening it would wait for a reader for ever.
    os.mkfifo(tmp_path / "pipe")
    check_outputs({"--csv": tmp_path / "pipe"})
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_link_is_tried_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link.csv").symlink_to(tmp_path / "file" / "r.csv")
    with pytest.raises(OutputError, match=r"link\.csv: cannot be written"):
        check_outputs({"--csv": tmp_path / "link.csv"})


def test_a_dash_is_refused_before_any_work() -> None:
    with pytest.raises(OutputError, match="-: expected a file's name, got -"):
        check_outputs({"--json": Path("-")})
