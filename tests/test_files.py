"""Files are there whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from androscope.errors import OutputError
from androscope.files import atomic_path, sha256_of, write_bytes, write_text


@given(content=st.binary(max_size=4096))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_bytes_come_back_as_written(tmp_path: Path, content: bytes) -> None:
    write_bytes(tmp_path / "file.bin", content)
    assert (tmp_path / "file.bin").read_bytes() == content


def test_text_is_utf8(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "µm — spermatozoïde\n")
    assert (tmp_path / "a.txt").read_bytes() == "µm — spermatozoïde\n".encode()


def test_folders_are_made(tmp_path: Path) -> None:
    write_bytes(tmp_path / "new" / "deep" / "file.bin", b"x")
    assert (tmp_path / "new" / "deep" / "file.bin").read_bytes() == b"x"


def test_a_failure_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    target = tmp_path / "result.csv"
    target.write_text("old")

    def write_half() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        write_half()
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["result.csv"]


def test_the_temporary_file_keeps_the_suffix(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "picture.png") as temporary:
        assert temporary.suffix == ".png"
        assert temporary.parent == tmp_path


def test_a_result_has_the_mode_any_new_file_gets(tmp_path: Path) -> None:
    write_bytes(tmp_path / "ours", b"")
    (tmp_path / "plain").touch()
    modes = [stat.S_IMODE((tmp_path / n).stat().st_mode) for n in ("ours", "plain")]
    assert modes[0] == modes[1]


def test_a_file_where_a_folder_should_be_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError) as caught:
        write_bytes(tmp_path / "file" / "result.csv", b"")
    # Linux answers ENOTDIR or EEXIST, by whether the folder or the file is tried first.
    assert str(caught.value).startswith(f"{tmp_path / 'file' / 'result.csv'}: cannot be written: ")
    assert str(caught.value).endswith(". Choose a folder that exists, may be written and has room")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_an_output_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="Permission denied"):
            write_bytes(tmp_path / "result.csv", b"")
    finally:
        tmp_path.chmod(0o700)


def test_sha256_of_a_known_text(tmp_path: Path) -> None:
    # FIPS 180-2, appendix B.1.
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_of(tmp_path / "abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
