# ruff: noqa: E501  a row of a table of cases stays on one line
from __future__ import annotations

import io
import re
import resource
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import androscope
from androscope.batch import run, work
from androscope.batch.key import Options
from androscope.batch.peek import kept_rows
from androscope.batch.run import Batch, Outcome, Step
from androscope.batch.state import JOURNAL, folder_of
from androscope.batch.work import Done
from androscope.errors import BatchError, EmptyInputError, OutputError, SourceError

from .conftest import Rows, png

SMALL: dict[str, Any] = {"part_size": 5, "threads": 2}


def graded(named: str, out: str = "r.parquet", **further: Any) -> Outcome:
    return Batch([named], out, **(SMALL | further)).run()


def test_another_backend_is_one_of_the_facts(
    crops: Path, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    graded("crops")
    options = Options(backend="openvino")
    assert graded("crops", options=options).kept == 0  # nothing that onnxruntime graded is kept
    found = rows("r.parquet")
    graded("crops", "other.parquet", options=options, workers=2)
    assert rows("other.parquet") == found
    monkeypatch.setenv("ANDROSCOPE_BACKEND", "openvino")
    assert graded("crops").kept == 60
    results = androscope.assess("crops")
    assert {a.source: a.parts[0].probability for a in results.assessments} == {
        row["image"]: row[f"{results.labels[0]}_probability"]
        for row in found
        if row["status"] != "failed"
    }


def test_the_verdicts_are_those_of_assess(crops: Path, rows: Rows) -> None:
    outcome = graded("crops")
    assert (outcome.rows, outcome.kept, outcome.failed) == (60, 0, {"image-unreadable": 2})
    found = rows("r.parquet")
    assert [row["image"] for row in found] == [f"crops/img{number}.png" for number in range(60)]
    results = androscope.assess("crops")
    verdicts = {a.source: {part.label: part for part in a.parts} for a in results.assessments}
    for row in found:
        if row["status"] == "failed":
            continue
        for label, part in verdicts.pop(row["image"]).items():
            assert row[f"{label}_probability"] == part.probability
            assert row[f"{label}_verdict"] == part.verdict
    assert not verdicts
    assert [(f.source, f.code, f.reason, f.advice) for f in results.failures] == [
        (row["image"], row["error_code"], row["error_reason"], row["error_advice"])
        for row in found
        if row["status"] == "failed"
    ]
    assert {row["model_sha256"] for row in found} == {results.model_sha256}
    assert len({row["image_sha256"] for row in found}) == 60
    assert not folder_of(Path("r.parquet")).exists()


def _zip(crops: Path) -> str:
    with zipfile.ZipFile("crops.zip", "w") as archive:
        for path in sorted(crops.iterdir()):
            archive.write(path, path.name)
    return "crops.zip"


def _tar(crops: Path) -> str:
    with tarfile.open("crops.tar.gz", "w:gz") as archive:
        for number in range(60):
            archive.add(crops / f"img{number}.png", f"img{number}.png")
    return "crops.tar.gz"


def _table(crops: Path) -> str:
    names = [f"img{number}.png" for number in range(60)]
    data = [(crops / name).read_bytes() for name in names]
    pq.write_table(pa.table({"path": names, "bytes": data}), "c.parquet", row_group_size=7)
    return "c.parquet"


def _url(crops: Path) -> str:
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.put(str(crops), "/bank", recursive=True)
    return "memory://bank"


@pytest.mark.parametrize("made", [_zip, _tar, _table, _url], ids=lambda made: made.__name__[1:])
def test_every_kind_of_source_gives_the_same_rows(
    crops: Path, rows: Rows, made: Callable[[Path], str]
) -> None:
    graded("crops")
    outcome = graded(made(crops), "other.parquet")
    assert (outcome.rows, outcome.failed) == (60, {"image-unreadable": 2})

    def bare(path: str) -> list[dict[str, Any]]:
        return [row | {"image": row["image"].rpartition("/")[2]} for row in rows(path)]

    assert bare("other.parquet") == bare("r.parquet")


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 7, 32])
def test_threads_and_batches_change_no_byte(crops: Path, threads: int, batch_size: int) -> None:
    graded("crops")
    graded("crops", "other.parquet", threads=threads, batch_size=batch_size)
    assert Path("other.parquet").read_bytes() == Path("r.parquet").read_bytes()


def test_again_nothing_is_graded(crops: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graded("crops")
    before = Path("r.parquet").stat()
    monkeypatch.setattr(work, "read_images", None)
    outcome = graded("crops")
    assert (outcome.rows, outcome.kept, outcome.unchanged) == (60, 60, True)
    assert outcome.failed == {"image-unreadable": 2}
    after = Path("r.parquet").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_new_and_a_changed_image_alone_are_graded_anew(crops: Path) -> None:
    graded("crops")
    (crops / "img30.png").write_bytes(png(1000))
    (crops / "img5b.png").write_bytes(png(1001))
    (crops / "img59.png").unlink()
    outcome = graded("crops")
    assert outcome.rows == 60
    assert 30 <= outcome.kept < 60
    graded("crops", "fresh.parquet")
    assert Path("r.parquet").read_bytes() == Path("fresh.parquet").read_bytes()


def test_a_stack_has_a_row_per_picture(crops: Path, rows: Rows) -> None:
    np.save("crops/stack.npy", np.zeros((40, 64, 64), np.uint8))
    outcome = graded("crops")
    assert outcome.rows == 100
    found = [row for row in rows("r.parquet") if row["image"] == "crops/stack.npy"]
    assert [row["index"] for row in found] == list(range(40))
    assert len({row["image_sha256"] for row in found}) == 1


def test_options_that_change_answers_change_the_rows(crops: Path) -> None:
    graded("crops")
    before = Path("r.parquet").read_bytes()
    outcome = graded("crops", options=Options(pixel_size=0.1))
    assert outcome.kept == 0
    assert Path("r.parquet").read_bytes() != before  # its metadata say so


class Interrupted(Exception):  # noqa: N818
    """Stands for Ctrl-C and the like."""


def interrupt(named: str, after: int, **further: Any) -> None:
    """Begin a batch and leave it after so many rows."""

    def watch(step: Step) -> None:
        if step.rows >= after:
            raise Interrupted

    with pytest.raises(Interrupted):
        Batch([named], "r.parquet", **(SMALL | further)).run(watch)


def test_what_was_begun_goes_on(crops: Path) -> None:
    graded("crops", "whole.parquet")
    interrupt("crops", 20)
    assert not Path("r.parquet").exists()
    steps: list[Step] = []
    outcome = Batch(["crops"], "r.parquet", **SMALL).run(steps.append)
    assert outcome.kept >= 20
    assert [steps[0].rows, steps[-1].rows, steps[-1].images] == [0, 60, 60]
    assert Path("r.parquet").read_bytes() == Path("whole.parquet").read_bytes()


@pytest.mark.parametrize(
    ("further", "message"),
    [
        pytest.param({"options": Options(fit="centre")}, "begun with --fit auto (now --fit centre)", id="fit"),
        pytest.param({"options": Options(bit_depth=12)}, "begun with --bit-depth None (now --bit-depth 12)", id="bit depth"),
        pytest.param({"options": Options(pixel_size=0.2)}, "begun with --pixel-size None (now --pixel-size 0.2)", id="pixel size"),
        pytest.param({"part_size": 6}, "begun with --part-size 5 (now --part-size 6)", id="part size"),
        pytest.param({"batch_size": 3}, "begun with --batch-size 8 (now --batch-size 3)", id="batch size"),
    ],
)  # fmt: skip
def test_other_options_do_not_go_on(crops: Path, further: dict[str, Any], message: str) -> None:
    interrupt("crops", 20, batch_size=8)
    with pytest.raises(BatchError) as caught:
        graded("crops", **further)
    assert message in str(caught.value)
    assert "--restart" in str(caught.value)
    assert graded("crops", **further, restart=True).kept == 0


def test_a_second_batch_at_one_output_is_refused(crops: Path) -> None:
    def watch(step: Step) -> None:
        with pytest.raises(BatchError) as caught:
            graded("crops")
        assert str(caught.value) == (
            "r.parquet: another `androscope batch` writes it. "
            "Wait for it, or choose another file with --out"
        )
        raise Interrupted

    with pytest.raises(Interrupted):
        Batch(["crops"], "r.parquet", **SMALL).run(watch)
    assert graded("crops").rows == 60


def test_a_source_that_goes_away_is_no_row_of_errors(crops: Path) -> None:
    graded("crops", "whole.parquet")

    def watch(step: Step) -> None:
        if step.rows >= 20 and Path("crops").exists():
            shutil.move("crops", "elsewhere")

    with pytest.raises(SourceError, match=r"crops: is gone: .* what was graded is kept"):
        Batch(["crops"], "r.parquet", part_size=5, threads=1).run(watch)
    shutil.move("elsewhere", "crops")
    assert graded("crops").kept >= 20
    assert Path("r.parquet").read_bytes() == Path("whole.parquet").read_bytes()


def test_an_archive_cut_short_keeps_what_was_whole(crops: Path) -> None:
    name = _tar(crops)
    graded(name, "whole.parquet")
    content = Path(name).read_bytes()
    Path(name).write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(SourceError, match=r"crops.tar.gz: truncated or damaged archive"):
        graded(name)
    Path(name).write_bytes(content)
    assert graded(name).kept > 0
    assert Path("r.parquet").read_bytes() == Path("whole.parquet").read_bytes()


LIMITED = """
import resource, signal, sys
from androscope.batch.run import Batch
from androscope.errors import OutputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for out, part_size, limit in (("a", 5, 3000), ("b", 1, 8000), ("c", 5, 10000)):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        Batch(["crops"], f"{out}.parquet", part_size=part_size, threads=1).run()
    except OutputError as error:
        print(error)
"""


def test_no_room_left_ends_in_an_error_and_goes_on(crops: Path) -> None:
    # No file may grow beyond a limit: that of a part, of the journal, of the output.
    done = subprocess.run(
        [sys.executable, "-c", LIMITED], capture_output=True, text=True, check=True
    )
    where = [
        r"a\.parquet\.parts/parts/\w+\.parquet",
        r"b\.parquet\.parts/journal\.jsonl",
        r"c\.parquet",
    ]
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    for place, line in zip(where, lines, strict=True):
        assert re.fullmatch(
            place + r": cannot be written: .*File too large\. What was graded is kept: make room, "
            r"and run the same command again",
            line,
        )
    graded("crops", "whole.parquet")
    graded("crops", "ones.parquet", part_size=1)
    for out, part_size, whole in (("a", 5, "whole"), ("b", 1, "ones"), ("c", 5, "whole")):
        assert not Path(f"{out}.parquet").exists()
        outcome = graded("crops", f"{out}.parquet", part_size=part_size)
        assert outcome.kept == {"a": 0, "b": outcome.kept, "c": 60}[out]
        assert Path(f"{out}.parquet").read_bytes() == Path(f"{whole}.parquet").read_bytes()


def test_one_that_ends_early_leaves_no_thread_at_work(crops: Path) -> None:
    interrupt("crops", 10)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("grade")]


def test_a_part_that_comes_twice_counts_once(crops: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graded("crops", "whole.parquet")
    once = run.by_threads

    def twice(*arguments: Any) -> Iterator[Done]:
        for done in once(*arguments):
            yield from (done, done)

    monkeypatch.setattr(run, "by_threads", twice)
    assert graded("crops").rows == 60
    assert Path("r.parquet").read_bytes() == Path("whole.parquet").read_bytes()


def test_what_was_not_written_as_meant_is_not_put_in_place(
    crops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("r.parquet").write_bytes(b"before")
    tables = iter(range(1000))
    read = pq.read_table

    def altered(path: Path, **further: Any) -> pa.Table:
        table = read(path, **further)
        return table.slice(1) if next(tables) == 3 else table  # a row lost on the way to the file

    monkeypatch.setattr(pq, "read_table", altered)
    with pytest.raises(BatchError, match=r"r.parquet: what was written is not what was graded"):
        graded("crops")
    assert Path("r.parquet").read_bytes() == b"before"
    assert folder_of(Path("r.parquet")).exists()


def test_a_damaged_part_is_graded_again(crops: Path) -> None:
    graded("crops", "whole.parquet")
    interrupt("crops", 30)
    before = kept_rows(Path("r.parquet"))
    kept = sorted((folder_of(Path("r.parquet")) / "parts").iterdir())
    content = bytearray(kept[0].read_bytes())
    content[len(content) // 2] ^= 1
    kept[0].write_bytes(content)
    kept[1].unlink()
    with (folder_of(Path("r.parquet")) / JOURNAL).open("ab") as stream:
        stream.write(b'{"key": "abc", "sha')  # killed in the middle of a line
    assert 0 < graded("crops").kept < before
    assert Path("r.parquet").read_bytes() == Path("whole.parquet").read_bytes()


def test_an_output_of_something_else_is_replaced(crops: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), "r.parquet")
    assert graded("crops").kept == 0
    Path("r.parquet").write_bytes(b"no table")
    assert graded("crops").rows == 60


def test_row_groups_are_joined(crops: Path, monkeypatch: pytest.MonkeyPatch, rows: Rows) -> None:
    monkeypatch.setattr("androscope.batch.output.GROUP_ROWS", 25)
    graded("crops")
    groups = pq.ParquetFile("r.parquet").metadata
    sizes = [groups.row_group(number).num_rows for number in range(groups.num_row_groups)]
    assert sum(sizes) == 60
    assert all(25 <= size < 35 for size in sizes[:-1])
    (crops / "img59.png").unlink()
    assert graded("crops").kept >= 45
    assert [row["image"] for row in rows("r.parquet")] == [f"crops/img{n}.png" for n in range(59)]


def test_processes_give_the_same_bytes(crops: Path) -> None:
    graded("crops")
    outcome = graded("crops", "other.parquet", workers=2)
    assert outcome.rows == 60
    assert Path("other.parquet").read_bytes() == Path("r.parquet").read_bytes()


@pytest.mark.parametrize(
    ("named", "further", "kind", "message"),
    [
        pytest.param("crops", {"threads": -1}, ValueError, "threads must be at least 0, got -1", id="threads"),
        pytest.param("crops", {"part_size": 0}, ValueError, "part_size must be at least 1, got 0", id="part size"),
        pytest.param("crops/img0.png", {"out": "crops/img0.png"}, OutputError, "--out would overwrite an image", id="overwrite"),
        pytest.param("a.tar", {}, EmptyInputError, "a.tar: no image in it", id="an empty tar"),
    ],
)  # fmt: skip
def test_what_cannot_be_begun(
    crops: Path, named: str, further: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with tarfile.open("a.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("x.txt"), io.BytesIO())
    with pytest.raises(kind) as caught:
        graded(named, **further)
    assert message in str(caught.value)
    assert not list(Path().glob("*.parts"))


def test_memory_does_not_hold_large_pictures(crops: Path) -> None:
    # 40 pictures of 3 MB each, refused as fields; held together they would be 120 MB.
    for number in range(40):
        np.save(crops / f"field{number}.npy", np.zeros((1500, 2000), np.uint8))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = graded("crops", part_size=100, threads=1, batch_size=32)
    assert outcome.failed["image-dimensions"] == 40
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000
