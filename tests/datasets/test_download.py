from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from androscope.datasets.download import Fetched, copy_from, fetch
from androscope.datasets.mhsma import MHSMA
from androscope.datasets.published import Published, git_blob_id
from androscope.errors import (
    DatasetCorruptError,
    DatasetMissingError,
    DownloadError,
    OutputError,
)

from .file_server import FileServer, serve

FILES = {
    "small.npy": bytes(range(200)),
    "middle.npy": bytes(range(256)) * 3000,
    "large.npy": bytes(reversed(range(256))) * 4000,
}


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serve(FileServer(dict(FILES))) as running:
        yield running


@pytest.fixture
def published(server: FileServer) -> Published:
    return Published(
        name="toy",
        base_url=server.url,
        blob_ids={name: git_blob_id(content) for name, content in FILES.items()},
        licence="CC0",
        citation="nobody",
        source="loopback",
        large=frozenset({"large.npy"}),
    )


def run(published: Published, into: Path, **options: object) -> Fetched:
    return fetch(published, into, **{"pause": 0.0, **options})  # type: ignore[arg-type]


def assert_complete(folder: Path, names: tuple[str, ...] = tuple(FILES)) -> None:
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {n: FILES[n] for n in names}


def test_all_files_come_and_nothing_else_stays(published: Published, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    got = run(published, tmp_path / "new" / "toy", report=lambda *told: seen.append(told))
    assert got == Fetched(
        tmp_path / "new" / "toy", added=("middle.npy", "small.npy", "large.npy"), kept=()
    )
    assert_complete(tmp_path / "new" / "toy")
    assert [told for told in seen if told[1] == told[2]] == [
        (name, len(FILES[name]), len(FILES[name])) for name in published.names()
    ]


def test_files_that_are_right_are_not_fetched_again(
    published: Published, server: FileServer, tmp_path: Path
) -> None:
    run(published, tmp_path)
    server.requests.clear()
    assert run(published, tmp_path).kept == published.names()
    assert server.requests == []


def test_files_right_elsewhere_are_not_fetched(
    published: Published, server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "small.npy").write_bytes(FILES["small.npy"])
    got = run(published, tmp_path / "cache", elsewhere=[tmp_path / "data"])
    assert got.kept == ("small.npy",)
    assert server.asked("small.npy") == []


def test_large_files_can_be_left_out(published: Published, tmp_path: Path) -> None:
    got = run(published, tmp_path, large=False)
    assert got.missing == ("large.npy",)
    assert_complete(tmp_path, ("small.npy", "middle.npy"))


def test_a_dropped_connection_is_resumed_where_it_broke(
    published: Published, server: FileServer, tmp_path: Path
) -> None:
    server.drops["middle.npy"] = [100_000]
    run(published, tmp_path)
    first, second = server.asked("middle.npy")
    assert first is None
    # All that came is kept, but for what the client had not yet read when the line went dead.
    start = int(str(second).removeprefix("bytes=").removesuffix("-"))
    assert 0 < start <= 100_000
    assert_complete(tmp_path)


def test_a_later_run_resumes_what_an_earlier_one_left(
    published: Published, server: FileServer, tmp_path: Path
) -> None:
    server.drops["middle.npy"] = [70_000, 0, 0]
    with pytest.raises(DownloadError) as caught:
        run(published, tmp_path, attempts=2)
    assert caught.value.reason.startswith("no answer in 2 tries: ")
    assert caught.value.advice is not None
    assert caught.value.advice.endswith("take a copy with --from DIR. 0 of 3 files are here")
    part = tmp_path / ".incoming" / "middle.npy.part"
    size = part.stat().st_size
    assert 0 < size <= 70_000
    assert part.read_bytes() == FILES["middle.npy"][:size]
    server.requests.clear()
    run(published, tmp_path)
    assert server.asked("middle.npy") == [f"bytes={size}-"]
    assert_complete(tmp_path)


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(FILES["middle.npy"][:5000], id="right-beginning"),
        pytest.param(b"\xff" * 5000, id="wrong-beginning"),
        pytest.param(FILES["middle.npy"], id="complete"),
        pytest.param(FILES["middle.npy"] + b"more", id="too-long"),
        pytest.param(b"", id="empty"),
    ],
)
@pytest.mark.parametrize(
    "way",
    [
        pytest.param({}, id="ranges"),
        pytest.param({"ranges": False}, id="ranges-ignored"),
        pytest.param({"lengths": False}, id="no-content-length"),
        pytest.param({"wrong_range_start": True}, id="range-from-elsewhere"),
    ],
)
def test_whatever_part_is_left_over_the_right_file_comes(
    published: Published,
    server: FileServer,
    tmp_path: Path,
    part: bytes,
    way: dict[str, bool],
) -> None:
    for name, value in way.items():
        setattr(server, name, value)
    (tmp_path / ".incoming").mkdir()
    (tmp_path / ".incoming" / "middle.npy.part").write_bytes(part)
    run(published, tmp_path)
    assert_complete(tmp_path)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_refusal_is_tried_again(
    published: Published, server: FileServer, tmp_path: Path, status: int
) -> None:
    server.statuses["small.npy"] = [status, status]
    run(published, tmp_path)
    assert len(server.asked("small.npy")) == 3
    assert_complete(tmp_path)


def test_a_missing_file_is_named_with_its_address(
    published: Published, server: FileServer, tmp_path: Path
) -> None:
    server.files = {name: FILES[name] for name in ("middle.npy", "small.npy")}
    with pytest.raises(DownloadError) as caught:
        run(published, tmp_path)
    assert str(caught.value) == (
        f"{server.url}large.npy: the server answered 404 Not Found. Check the address in a "
        "browser; a copy from elsewhere can be taken with --from DIR. 2 of 3 files are here"
    )
    assert len(server.asked("large.npy")) == 1
    # What did come is not lost.
    assert (tmp_path / "middle.npy").read_bytes() == FILES["middle.npy"]


@pytest.mark.parametrize("before", [None, b"an older wrong file"], ids=["nothing", "wrong-file"])
def test_a_corrupted_byte_is_refused_and_what_was_there_stays(
    published: Published, server: FileServer, tmp_path: Path, before: bytes | None
) -> None:
    spoilt = bytearray(FILES["small.npy"])
    spoilt[77] ^= 1
    server.files = {**FILES, "small.npy": bytes(spoilt)}
    if before is not None:
        (tmp_path / "small.npy").write_bytes(before)
    with pytest.raises(DownloadError) as caught:
        run(published, tmp_path)
    assert caught.value.reason == (
        "what came is not the published file: expected git blob "
        f"{published.blob_ids['small.npy']}, got {git_blob_id(bytes(spoilt))} (200 bytes)"
    )
    assert not list((tmp_path / ".incoming").iterdir())
    if before is None:
        assert not (tmp_path / "small.npy").exists()
    else:
        assert (tmp_path / "small.npy").read_bytes() == before


def test_a_truncated_file_on_the_server_is_refused(
    published: Published, server: FileServer, tmp_path: Path
) -> None:
    server.files = {**FILES, "small.npy": FILES["small.npy"][:-1]}
    with pytest.raises(DownloadError, match=r"not the published file: .* \(199 bytes\)"):
        run(published, tmp_path)


def test_a_wrong_file_is_replaced_by_the_right_one(published: Published, tmp_path: Path) -> None:
    (tmp_path / "small.npy").write_bytes(b"an older wrong file")
    assert "small.npy" in run(published, tmp_path).added
    assert_complete(tmp_path)


def test_a_closed_port_is_said(published: Published, tmp_path: Path) -> None:
    nobody = replace(published, base_url="http://127.0.0.1:9/")
    with pytest.raises(DownloadError, match="no answer in 2 tries") as caught:
        run(nobody, tmp_path, attempts=2)
    assert "Without a network, take a copy with --from DIR" in str(caught.value)


def test_a_file_where_the_folder_should_be(published: Published, tmp_path: Path) -> None:
    (tmp_path / "toy").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written") as caught:
        run(published, tmp_path / "toy")
    assert "ANDROSCOPE_CACHE" in str(caught.value)


class TestCopyFrom:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "copy"
        folder.mkdir()
        for name, content in FILES.items():
            (folder / name).write_bytes(content)
        return folder

    def test_all_files(self, published: Published, folder: Path, tmp_path: Path) -> None:
        assert copy_from(published, folder, tmp_path / "toy").added == published.names()
        assert_complete(tmp_path / "toy")

    def test_the_folder_above(self, published: Published, folder: Path, tmp_path: Path) -> None:
        folder.rename(tmp_path / "toy")
        copy_from(published, tmp_path, tmp_path / "cache")
        assert_complete(tmp_path / "cache")

    def test_into_itself(self, published: Published, folder: Path) -> None:
        assert copy_from(published, folder, folder).kept == published.names()
        assert_complete(folder)

    def test_large_files_may_be_missing(
        self, published: Published, folder: Path, tmp_path: Path
    ) -> None:
        (folder / "large.npy").unlink()
        got = copy_from(published, folder, tmp_path / "toy")
        assert got.missing == ("large.npy",)
        assert_complete(tmp_path / "toy", ("small.npy", "middle.npy"))

    def test_small_files_may_not(self, published: Published, folder: Path, tmp_path: Path) -> None:
        (folder / "small.npy").unlink()
        (folder / "middle.npy").unlink()
        with pytest.raises(DatasetMissingError) as caught:
            copy_from(published, folder, tmp_path / "toy")
        assert caught.value.reason == "lacks middle.npy, small.npy"
        assert not (tmp_path / "toy").exists()

    def test_wrong_files_are_all_named(
        self, published: Published, folder: Path, tmp_path: Path
    ) -> None:
        (folder / "small.npy").write_bytes(b"something else")
        (folder / "large.npy").write_bytes(b"")
        with pytest.raises(DatasetCorruptError) as caught:
            copy_from(published, folder, tmp_path / "toy")
        assert caught.value.reason == (
            "not the published files (their git blob ids differ): small.npy, large.npy"
        )
        assert not (tmp_path / "toy").exists()

    def test_no_such_folder(self, published: Published, tmp_path: Path) -> None:
        with pytest.raises(DatasetMissingError, match="no such folder"):
            copy_from(published, tmp_path / "nowhere", tmp_path / "toy")

    @pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
    def test_copies_can_be_read_by_others(
        self, published: Published, folder: Path, tmp_path: Path
    ) -> None:
        mask = os.umask(0)
        os.umask(mask)
        copy_from(published, folder, tmp_path / "toy")
        mode = (tmp_path / "toy" / "small.npy").stat().st_mode & 0o777
        assert mode == 0o666 & ~mask


@pytest.mark.mhsma
def test_the_real_files_are_taken_and_verified(mhsma_dir: Path, tmp_path: Path) -> None:
    got = copy_from(MHSMA, mhsma_dir, tmp_path / "mhsma")
    assert len(got.added) >= 16
    assert set(got.added) | set(got.missing) == set(MHSMA.blob_ids)
    again = copy_from(MHSMA, mhsma_dir, tmp_path / "mhsma")
    assert again.added == ()
