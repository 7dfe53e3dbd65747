from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from androscope.benchmark.board import (
    SHIPPED,
    alone,
    board_text,
    known,
    read_board,
    with_entry,
    write_board,
)
from androscope.errors import LeaderboardError, OutputError

from .conftest import board, entry


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    there = board(entry(), entry("größe", 0.25, remarks=["one"], decimals=0))
    write_board(tmp_path / "sub" / "b.json", there)
    assert read_board(tmp_path / "sub" / "b.json") == there
    assert "größe" in (tmp_path / "sub" / "b.json").read_text(encoding="utf-8")


def test_what_is_not_said_is_left_out() -> None:
    (found,) = json.loads(board_text(board(entry())))["entries"]
    assert set(found) == {"name", "dataset", "date", "protocol", "scores", "source"}
    assert found["scores"] == {"head": {"accuracy": {"value": 0.8}}}


def test_an_undefined_score_stays_undefined(tmp_path: Path) -> None:
    there = board(entry(scores={"head": {"mcc": {"value": None, "why": "one class"}}}))
    write_board(tmp_path / "b.json", there)
    assert read_board(tmp_path / "b.json") == there


def test_the_shipped_file_is_written_as_the_program_writes_it() -> None:
    # So that a submission changes its own lines alone.
    assert SHIPPED.read_text(encoding="utf-8") == board_text(read_board())


def test_every_fault_of_a_file_is_listed(tmp_path: Path) -> None:
    values = json.loads(board_text(board(entry())))
    values["entries"][0] |= {"date": "soon", "code": "ftp://x", "stars": 5}
    path = tmp_path / "b.json"
    path.write_text(json.dumps(values))
    with pytest.raises(LeaderboardError) as caught:
        read_board(path)
    assert str(caught.value) == (
        f"{path}: is no leaderboard; 3 faults:\n"
        "  entries.0.code: Value error, expected an address that begins with https://\n"
        "  entries.0.date: Value error, expected YYYY, YYYY-MM or YYYY-MM-DD\n"
        "  entries.0.stars: Extra inputs are not permitted\n"
        ". docs/leaderboard.md describes the file"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "cannot be read: No such file", id="missing"),
        pytest.param(b"", "is no leaderboard; 1 fault:\n  Invalid JSON: EOF", id="empty"),
        pytest.param(b"\xff\xfe", "is no leaderboard; 1 fault:\n  Invalid JSON", id="no text"),
        pytest.param(b"[]", "Input should be an object", id="list"),
        pytest.param(b'{"datasets": [{}]}', "entries: Field required", id="no entries"),
    ],
)
def test_what_is_no_board(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "b.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LeaderboardError, match=message) as caught:
        read_board(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_an_entry_is_added_behind_the_others() -> None:
    there = board(entry())
    after = with_entry(there, entry("new"))
    assert [e.name for e in after.entries] == ["net", "new"]
    assert [e.name for e in there.entries] == ["net"]
    with pytest.raises(ValidationError, match="two entries on discs are named 'net'"):
        with_entry(there, entry())


def test_a_file_that_cannot_be_written_stays(tmp_path: Path) -> None:
    (tmp_path / "b.json").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        write_board(tmp_path / "b.json", board())


def test_names_that_there_are_not() -> None:
    assert known("label", "head", ["head", "tail"]) == "head"
    with pytest.raises(LeaderboardError) as caught:
        known("label", "haed", ["head", "tail"])
    assert str(caught.value) == (
        "the leaderboard has no label 'haed'; the nearest is head. Choose one of head, tail"
    )
    with pytest.raises(LeaderboardError, match=r"has no label 'wing'\. Choose one of head, tail"):
        known("label", "wing", iter(["head", "tail"]))


class TestAlone:
    """One submission at a time."""

    @pytest.fixture(autouse=True)
    def _filelock(self) -> None:
        pytest.importorskip("filelock", reason="needs the train extra: filelock is not installed")

    def test_no_row_is_lost(self, tmp_path: Path) -> None:
        path, link = tmp_path / "b.json", tmp_path / "link.json"
        write_board(path, board())
        link.symlink_to(path)

        def add(number: int) -> None:
            named = link if number % 2 else path
            with alone(named):
                write_board(named, with_entry(read_board(named), entry(f"net {number}")))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(add, range(24)))
        assert {e.name for e in read_board(path).entries} == {f"net {n}" for n in range(24)}

    def test_it_is_not_waited_for_ever(self, tmp_path: Path) -> None:
        with (
            alone(tmp_path / "b.json"),
            pytest.raises(LeaderboardError) as caught,
            alone(tmp_path / "b.json", timeout=0.01),
        ):
            pass
        assert str(caught.value) == (
            f"{tmp_path / 'b.json'}: another submission is at work on this file, for 0.01 seconds "
            "now. Wait for it, and submit again"
        )

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with (
            pytest.raises(OutputError, match="cannot be written"),
            alone(tmp_path / "file" / "b.json"),
        ):
            pass
