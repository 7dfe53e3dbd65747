# ruff: noqa: E501  a row of a table of cases stays on one line
from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

pytest.importorskip("pyarrow", reason="needs the batch extra: pyarrow is not installed")
pytest.importorskip("filelock", reason="needs the batch extra: filelock is not installed")

from androscope.batch.run import Batch, Step
from androscope.cli.batch_progress import Rate, duration, line_of, size_text, watching

NOTICE = "For research use only: not a medical device."


@pytest.fixture(autouse=True)
def _here(crops: Path, tiny_model: Path) -> None:
    pass


def test_a_folder_to_a_file(run: Any) -> None:
    done = run("batch", "crops", "--out", "r.parquet")
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(rf"r\.parquet written: 3 rows in [0-9.]+ s\n{NOTICE}\n", done.out)
    done = run("batch", "crops", "--out", "r.parquet")
    assert re.match(r"r\.parquet is as it was: 3 rows in [0-9.]+ s, 3 of them from", done.out)


def test_images_without_a_verdict_are_counted(run: Any) -> None:
    Path("crops/bad.png").write_bytes(b"")
    done = run("batch", "crops", "--out", "r.parquet")
    assert done.code == 1
    assert done.err == "without a verdict: 1 (1 image-unreadable); error_reason says why\n"
    done = run("batch", "crops", "--out", "q.parquet", "--quiet")
    assert (done.code, done.out, done.err) == (1, "", "")


def test_a_dry_run_says_what_would_be_done_and_does_nothing(run: Any) -> None:
    Path("crops/notes.txt").write_text("")
    done = run("batch", "crops", "--out", "r.parquet", "--dry-run", "--threads", 2)
    assert done.code == 0
    lines = done.out.splitlines()
    assert re.fullmatch(r"crops \(folder\): 3 images, [0-9.]+ k?B; 1 other files", lines[0])
    assert lines[1] == "in all: 3 images"
    assert re.fullmatch(
        r"tiny 0\.0\.1: [0-9.]+ ms per crop in one thread, \d+ crops per pass", lines[2]
    )
    assert re.fullmatch(
        r"grading takes about 0\.\d s with 2 threads, reading not counted", lines[3]
    )
    assert sorted(path.name for path in Path().iterdir()) == ["crops"]


def test_a_dry_run_knows_of_an_unfinished_batch(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Batch._write

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Batch, "_write", interrupted)
    done = run("batch", "crops", "--out", "r.parquet")
    assert done.code == 130
    assert done.err == (
        "interrupted: what was graded is kept beside r.parquet; the same command goes on\n"
    )
    shown = run("batch", "crops", "--out", "r.parquet", "--dry-run").out
    assert "an unfinished batch is kept at r.parquet: 3 rows\n" in shown
    monkeypatch.setattr(Batch, "_write", original)
    assert "3 of them from before" in run("batch", "crops", "--out", "r.parquet").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["gone", "--out", "r.parquet"], "error: gone: no such file or folder. Check the spelling", id="gone"),
        pytest.param(["crops", "--out", "crops"], "error: crops: --out expects a file's name, got a folder", id="folder"),
        pytest.param(["crops", "--out", "r.parquet", "-m", "none"], "error: none: no such model", id="model"),
    ],
)  # fmt: skip
def test_what_cannot_be_done(run: Any, arguments: list[str], message: str) -> None:
    done = run("batch", *arguments)
    assert done.code == 2
    assert done.err.startswith(message)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"), (59.94, "59.9 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"),
        (3600, "1 h 0 min"), (7300, "2 h 1 min"), (172_800, "2 d 0 h"), (300_000, "3 d 11 h"),
    ],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (4_200_000, "4.2 MB"), (10**16, "10.0 PB")],
)
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("step", "text"),
    [
        pytest.param(Step(0, 0, 1000, {}), "0 of 1,000 images, 0 errors", id="begun"),
        pytest.param(Step(500, 0, 2000, {"image": 1}), "500 of 2,000 images, 50/s, 30.0 s left, 1 error", id="on the way"),
        pytest.param(Step(500, 400, 2000, {"image": 2}), "500 of 2,000 images, 10/s, 2 min 30 s left, 2 errors", id="resumed"),
        pytest.param(Step(500, 0, None, {}), "500 images, 50/s, 0 errors", id="of unknown length"),
    ],
)  # fmt: skip
def test_a_line_of_progress(step: Step, text: str) -> None:
    times = iter([0.0, 10.0])
    rate = Rate(lambda: next(times))
    rate.see(step)
    assert line_of(step, rate) == text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_now_and_then_where_no_terminal_is() -> None:
    now = 0.0
    stream = io.StringIO()
    with watching(stream, quiet=False, clock=lambda: now) as watch:
        for now in (0.0, 5.0, 10.0, 15.0, 19.0, 25.0):
            watch(Step(int(now) * 10, 0, 300, {}))
    assert stream.getvalue() == (
        "100 of 300 images, 10/s, 20.0 s left, 0 errors\n"
        "250 of 300 images, 10/s, 5.0 s left, 0 errors\n"
    )


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with watching(stream, quiet=False) as watch:
        watch(Step(5, 0, 10, {}))
    assert "Grading" in stream.getvalue()
    silent = Terminal()
    with watching(silent, quiet=True) as watch:
        watch(Step(5, 0, 10, {}))
    assert silent.getvalue() == ""


@pytest.mark.parametrize(
    ("largest", "said"),
    [
        (
            (900, 900),
            "note: the bit depth was guessed (10 bits in 2 rows): give --bit-depth to be sure\n",
        ),
        (
            (900, 1100),
            "note: the bit depth was guessed file by file, and differs (10 bits in 1 rows, 12 bits in 1 rows): verdicts on images of one camera were made at different contrast; give --bit-depth\n",
        ),
    ],
    ids=["one guess", "two"],
)
def test_guessed_bit_depths_are_told(
    run: Any, tmp_path: Path, largest: tuple[int, ...], said: str
) -> None:
    Path("wide").mkdir()
    for number, value in enumerate(largest):
        samples = np.random.default_rng(number).integers(0, value, (64, 64), dtype=np.uint16)
        samples[0, 0] = value
        tifffile.imwrite(f"wide/{number}.tif", samples)
    command = ("batch", "wide", "--out", "r.parquet", "--grade-anyway")
    assert run(*command).err == said
    assert run(*command).err == said  # kept with what was graded before
    assert run(*command, "--bit-depth", 12).err == ""
