from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.datasets.mhsma import MHSMA, PUBLISHED_COUNTS
from androscope.datasets.published import git_blob_id, git_blob_id_of
from androscope.types import PARTS


def test_the_empty_blob_has_the_id_every_git_user_has_seen() -> None:
    assert git_blob_id(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


def test_ids_are_those_git_itself_gives(tmp_path: Path) -> None:
    path = tmp_path / "some file"
    path.write_bytes(bytes(range(256)) * 9000)  # more than one block of reading
    try:
        git = subprocess.run(
            ["git", "hash-object", "--no-filters", str(path)], capture_output=True, check=True
        )
    except FileNotFoundError:
        pytest.skip("git is not installed")
    assert git_blob_id_of(path) == git.stdout.decode().strip()


@given(st.binary(max_size=300))
def test_file_and_memory_agree(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("blob") / "f"
    path.write_bytes(content)
    assert git_blob_id_of(path) == git_blob_id(content)


def test_the_table_names_all_eighteen_files() -> None:
    expected = {f"x_{size}_{s}.npy" for size in (64, 128) for s in PUBLISHED_COUNTS}
    expected |= {f"y_{part}_{s}.npy" for part in PARTS for s in PUBLISHED_COUNTS}
    assert set(MHSMA.blob_ids) == expected
    assert len(set(MHSMA.blob_ids.values())) == 18
    assert MHSMA.names()[-2:] == ("x_128_test.npy", "x_128_train.npy")
    assert not MHSMA.large.intersection(MHSMA.names(large=False))


def test_the_table_is_the_one_beside_the_data(mhsma_dir: Path) -> None:
    listed = mhsma_dir / "GIT_BLOB_IDS"
    if not listed.is_file():
        pytest.skip(f"{listed} is not there")
    rows = [line.split() for line in listed.read_text().splitlines()]
    assert {name: blob for blob, name in rows} == dict(MHSMA.blob_ids)
