from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from androscope.datasets import mhsma
from androscope.datasets.published import git_blob_id
from androscope.imaging.phantom_set import phantom_set, write_phantoms

from ..datasets.file_server import FileServer, serve  # noqa: TID252  (tests are no package)


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(array))
    return stream.getvalue()


def stand_in() -> dict[str, bytes]:
    """Phantoms and their labels under MHSMA's file names."""
    files = {}
    for seed, split in enumerate(("train", "valid", "test")):
        some = phantom_set(3, seed)
        for size in (64, 128):
            factor = size // 64
            stack = [p.pixels.repeat(factor, axis=0).repeat(factor, axis=1) for p in some]
            files[f"x_{size}_{split}.npy"] = npy(np.stack(stack))
        for part in ("head", "acrosome", "vacuole", "tail"):
            files[f"y_{part}_{split}.npy"] = npy([p.labels[part] for p in some])
    return files


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    files = stand_in()
    with serve(FileServer(files)) as running:
        toy = replace(
            mhsma.MHSMA,
            base_url=running.url,
            blob_ids={name: git_blob_id(content) for name, content in files.items()},
        )
        monkeypatch.setattr(mhsma, "MHSMA", toy)
        monkeypatch.delenv("ANDROSCOPE_DATA", raising=False)
        yield running


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ANDROSCOPE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mhsma"


class TestDownload:
    def test_everything(self, run: Any, server: FileServer, cache: Path) -> None:
        done = run("data", "download", "mhsma")
        assert done.code == 0
        assert done.out.splitlines() == [
            "licence:  CC BY-NC-SA 4.0",
            f"cite:     {mhsma.MHSMA.citation}",
            "source:   https://github.com/soroushj/mhsma-dataset at 7b1a965, folder mhsma/",
            f"added:    18 files to {cache}",
            "verified: 18 of 18 files have their git blob id",
        ]
        assert "10.1016/j.compbiomed.2019.04.030" in done.out
        assert {p.name: p.read_bytes() for p in cache.iterdir()} == server.files
        server.requests.clear()
        again = run("data", "download", "mhsma")
        assert "kept:     18 files, here already and right" in again.out
        assert server.requests == []

    def test_only_64(self, run: Any, server: FileServer, cache: Path) -> None:
        done = run("data", "download", "mhsma", "--only-64")
        assert done.code == 0
        assert (
            "missing:  x_128_test.npy, x_128_train.npy: work on 64-pixel crops needs neither"
            in done.out
        )
        assert "verified: 16 of 18" in done.out

    def test_a_refusal_is_one_line_and_exit_code_2(
        self, run: Any, server: FileServer, cache: Path
    ) -> None:
        server.statuses["x_64_test.npy"] = [403]
        done = run("data", "download", "mhsma")
        assert done.code == 2
        assert done.err.strip().startswith(
            f"error: {server.url}x_64_test.npy: the server answered 403 Forbidden. "
        )
        assert done.err.strip().endswith("1 of 18 files are here")

    def test_from_a_folder(self, run: Any, server: FileServer, cache: Path, tmp_path: Path) -> None:
        copy = tmp_path / "copy"
        copy.mkdir()
        for name, content in server.files.items():
            if name not in mhsma.MHSMA.large:
                (copy / name).write_bytes(content)
        done = run("data", "download", "mhsma", "--from", copy)
        assert done.code == 0
        assert f"source:   {copy}" in done.out
        assert f"added:    16 files to {cache}" in done.out
        assert server.requests == []

    def test_what_is_in_the_data_folder_is_not_fetched(
        self,
        run: Any,
        server: FileServer,
        cache: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        own = tmp_path / "data" / "mhsma"
        own.mkdir(parents=True)
        (own / "x_64_train.npy").write_bytes(server.files["x_64_train.npy"])
        monkeypatch.setenv("ANDROSCOPE_DATA", str(tmp_path / "data"))
        done = run("data", "download", "mhsma")
        assert "added:    17 files" in done.out
        assert server.asked("x_64_train.npy") == []

    def test_an_unknown_name(self, run: Any) -> None:
        done = run("data", "download", "hushem")
        assert done.code == 2
        assert "mhsma" in done.err


class TestCheck:
    def test_clean_is_0(self, run: Any, tmp_path: Path) -> None:
        write_phantoms(tmp_path / "phantoms", 30, 2)
        done = run("data", "check", tmp_path / "phantoms")
        assert done.code == 0
        assert done.out.rstrip().endswith("no problems in 30 crops")
        assert done.err == ""

    def test_problems_are_1_and_all_listed(self, run: Any, tmp_path: Path) -> None:
        table = write_phantoms(tmp_path, 4, 2)
        with table.open("a") as stream:
            stream.write("none.png,0,1,0,1\nphantom-2-0000.png,x,1,0,1\n")
        done = run("data", "check", table)
        assert done.code == 1
        lines = done.out.splitlines()
        assert lines[:3] == [
            "line 6: none.png: no such file. Check the spelling and the folder you are in",
            "line 7: phantom-2-0000.png: head: expected 0, 1, normal, abnormal or blank, got 'x'. "
            "0 is normal, 1 abnormal, blank not labelled",
            "line 7: phantom-2-0000.png: the same file as in line 2. Keep one row per picture",
        ]
        assert lines[-1] == "3 problems; 5 crops could be read"

    def test_nothing_there_is_a_problem_too(self, run: Any, tmp_path: Path) -> None:
        done = run("data", "check", tmp_path / "none")
        assert done.code == 1
        assert f"{tmp_path / 'none'}: no such file or folder. " in done.out


class TestDescribe:
    def test_own_data(self, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        table = write_phantoms(tmp_path / "phantoms", 12, 2)
        first = Image.open(tmp_path / "phantoms" / "phantom-2-0000.png")
        with table.open("a") as stream:
            for number in range(12, 16):
                # The same sperm a pixel away, in pictures of their own.
                moved = np.roll(np.asarray(first), number - 11, axis=1)
                Image.fromarray(moved).save(tmp_path / "phantoms" / f"moved-{number}.png")
                stream.write(f"moved-{number}.png,0,1,0,1\n")
        done = run("data", "describe", table)
        assert done.code == 0
        assert "over single crops, no patient known" in done.out
        assert "same sperm in two splits: " in done.out
        assert "same sperm in two splits: 0 pairs" not in done.out
        assert "published" not in done.out
        for name in ("labels.png", "labels-pairs.png"):
            assert Image.open(tmp_path / "build" / name).size[0] > 500

    @pytest.mark.mhsma
    def test_mhsma(
        self, run: Any, mhsma_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ANDROSCOPE_DATA", str(mhsma_dir.parent))
        done = run("data", "describe", "mhsma", "--sheet", tmp_path / "sheet.png")
        assert done.code == 0
        rows = [line.replace("|", " ").split() for line in done.out.splitlines()]
        for row in (
            ["train", "head", "727", "273"],
            ["acrosome", "699", "301"],
            ["tail", "954", "46"],
            ["test", "head", "219", "81"],
        ):
            assert row in rows
        assert "counts:        equal to the published table" in done.out
        assert "licence:       CC BY-NC-SA 4.0" in done.out
        assert "the split was drawn over images, not over the 235 patients" in done.out
        assert "  test: 45 of 300 crops show a sperm that train shows too" in done.out
        assert "and 84 more; --all lists them" in done.out
        assert (tmp_path / "sheet.png").is_file()
        assert (tmp_path / "sheet-pairs.png").is_file()

    def test_mhsma_that_is_not_here_names_the_command(
        self, run: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("ANDROSCOPE_DATA", raising=False)
        done = run("data", "describe", "mhsma")
        assert done.code == 2
        assert "error: MHSMA is not on this machine" in done.err
        assert "Run: androscope data download mhsma" in done.err


class TestCompare:
    @pytest.mark.mhsma
    def test_sheet_and_measures(
        self, run: Any, mhsma_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ANDROSCOPE_DATA", str(mhsma_dir.parent))
        done = run("data", "compare", "--out", tmp_path / "new" / "both.png", "--n", "8")
        assert done.code == 0
        assert "MHSMA train (1000)" in done.out
        assert "sensor noise (Immerkaer), grey" in done.out
        # Two rows of six of each, 128 px and a gap apart.
        assert Image.open(tmp_path / "new" / "both.png").size[0] == 12 * 130 - 2


class TestPhantom:
    def test_what_it_writes_checks_clean(self, run: Any, tmp_path: Path) -> None:
        done = run("data", "phantom", "--out", tmp_path / "p", "--n", "5", "--seed", "3")
        assert done.code == 0
        assert done.out == f"5 phantoms in {tmp_path / 'p'}; their labels are in " + (
            f"{tmp_path / 'p' / 'labels.csv'}\n"
        )
        assert len(list((tmp_path / "p").glob("*.png"))) == 5
        assert run("data", "check", tmp_path / "p").code == 0


@pytest.mark.parametrize("command", ["download", "describe", "check", "compare", "phantom"])
def test_each_command_has_an_example(run: Any, command: str) -> None:
    done = run("data", command, "--help")
    assert done.code == 0
    assert f"$ androscope data {command}" in done.out
