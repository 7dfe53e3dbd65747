"""Files are there whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from androscope.errors import OutputError
from androscope.files import atomic_path, is_stream, sha256_of, write_bytes, write_text


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


@pytest.mark.parametrize("there", [True, False], ids=["target there", "target to be made"])
def test_a_link_stays_a_link_and_its_target_is_written(tmp_path: Path, there: bool) -> None:
    target, link = tmp_path / "elsewhere" / "target.csv", tmp_path / "link.csv"
    link.symlink_to(Path("elsewhere") / "target.csv")
    if there:
        write_bytes(target, b"old")
    write_bytes(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["elsewhere", "link.csv", "target.csv"]


def test_a_link_in_a_circle_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    write_bytes(tmp_path / "kept", b"")
    with pytest.raises(OutputError, match="cannot be written"):
        write_bytes(tmp_path / "a" / "r.csv", b"")


@pytest.mark.parametrize("link", [False, True], ids=["itself", "a link to it"])
def test_a_pipe_stays_a_pipe_and_its_reader_gets_everything(tmp_path: Path, link: bool) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    named = pipe
    if link:
        named = tmp_path / "link.csv"
        named.symlink_to(pipe)
    content = bytes(range(256)) * 1024  # more than a pipe holds
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_bytes(named, content)
    reader.join(10)
    assert got == [content]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert named.is_symlink() == link
    assert len(list(tmp_path.iterdir())) == 1 + link


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plain file that is taken for a character device: no test writes into a real one."""
    path = tmp_path / "device"
    path.touch()
    monkeypatch.setattr("stat.S_ISCHR", lambda mode: True)
    return path


def test_a_device_is_written_into_and_not_replaced(device: Path) -> None:
    before = device.stat()
    write_bytes(device, b"a,b\n")
    after = device.stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert device.read_bytes() == b"a,b\n"
    assert list(device.parent.iterdir()) == [device]


def test_a_full_device_is_an_output_error(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(OutputError, match="device: cannot be written: No space left on device"):
        write_bytes(device, b"a,b\n")


def test_what_is_made_in_vain_never_reaches_a_device(device: Path) -> None:
    def write_half() -> None:
        with atomic_path(device) as temporary:
            temporary.write_text("half")
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        write_half()
    assert device.read_bytes() == b""


@pytest.mark.parametrize("to", ["a file", "a pipe"])
def test_standard_output_gets_it_between_what_is_printed(tmp_path: Path, to: str) -> None:
    program = (
        "from androscope.files import write_text\n"
        "print('before'); write_text('/dev/stdout', 'content\\n'); print('behind')"
    )
    command = [sys.executable, "-c", program]
    if to == "a pipe":
        text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    else:
        with (tmp_path / "out.txt").open("w") as stream:
            subprocess.run(command, check=True, stdout=stream)
        text = (tmp_path / "out.txt").read_text()
    assert text == "before\ncontent\nbehind\n"


def test_a_dash_is_no_file_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError) as caught:
        write_bytes("-", b"")
    assert str(caught.value) == (
        "-: expected a file's name, got -. Name a file; /dev/stdout is standard output (with "
        "--quiet, if the command has it, nothing else is printed there)"
    )
    assert not list(tmp_path.iterdir())


def test_a_socket_is_refused_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path may be 100 bytes long
    with socket.socket(socket.AF_UNIX) as there:
        there.bind("s")
        with pytest.raises(OutputError, match="s: cannot be written: it is a socket, expected"):
            write_bytes("s", b"")
        assert stat.S_ISSOCK(Path("s").stat().st_mode)


def test_files_and_what_is_not_there_are_no_streams(tmp_path: Path) -> None:
    assert not is_stream(tmp_path)
    assert not is_stream(tmp_path / "none")
    assert not is_stream(__file__)


def test_sha256_of_a_known_text(tmp_path: Path) -> None:
    # FIPS 180-2, appendix B.1.
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_of(tmp_path / "abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
