"""The leaderboard's data file, read and written whole."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from androscope.benchmark.entries import Board, Entry
from androscope.benchmark.reasons import counted
from androscope.errors import LeaderboardError, OutputError
from androscope.extras import require
from androscope.files import write_text
from androscope.spelling import closest

__all__ = ["SHIPPED", "alone", "board_text", "known", "read_board", "with_entry", "write_board"]

#: The one that comes with androscope.
SHIPPED = Path(__file__).resolve().with_name("leaderboard.json")


def read_board(path: str | Path = SHIPPED) -> Board:
    """Read a data file.

    Raises
    ------
    LeaderboardError
        If it is missing or malformed; every fault is listed.
    """
    try:
        return Board.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        raise LeaderboardError(
            f"cannot be read: {error.strerror or error}",
            path=path,
            advice="Leave --file out to read the leaderboard that comes with androscope",
        ) from error
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}".removeprefix(": ")
            for fault in error.errors(include_url=False)
        ]
        listed = "".join(f"\n  {fault}" for fault in faults)
        raise LeaderboardError(
            f"is no leaderboard; {counted(len(faults), 'fault')}:{listed}\n",
            path=path,
            advice="docs/leaderboard.md describes the file",
        ) from error


def board_text(board: Board) -> str:
    """Give the file's text: what is not said is left out, so that a row changes a few lines."""
    values = board.model_dump(mode="json", exclude_defaults=True)
    return json.dumps({"format": board.format, **values}, indent=1, ensure_ascii=False) + "\n"


def write_board(path: str | Path, board: Board) -> None:
    """Write a data file, whole or not at all. Raises :class:`OutputError`."""
    write_text(path, board_text(board))


@contextmanager
def alone(path: str | Path, *, timeout: float = 120.0) -> Iterator[None]:
    """Keep every other submission away from a data file while the block reads and writes it.

    Parameters
    ----------
    path
        The data file, which need not be there yet; an empty ``.<name>.lock`` stays beside it.
    timeout
        For how many seconds others are waited for.

    Raises
    ------
    LeaderboardError
        If another one is still at work after that.
    OutputError
        If the file's folder cannot be made or written.
    MissingExtraError
        If filelock is not installed.
    """
    filelock = require("filelock", extra="train", why="keep two submissions from one file")
    real = Path(os.path.realpath(path))  # two names of one file have one lock
    lock = filelock.FileLock(real.with_name(f".{real.name}.lock"), timeout=timeout)
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout as error:
        raise LeaderboardError(
            f"another submission is at work on this file, for {timeout:g} seconds now",
            path=path,
            advice="Wait for it, and submit again",
        ) from error
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}",
            path=path,
            advice="Choose a folder that exists, may be written and has room",
        ) from error
    try:
        yield
    finally:
        lock.release()


def with_entry(board: Board, entry: Entry) -> Board:
    """Give a board with one entry more.

    Raises
    ------
    ValueError
        If the entry's file or name is on the board already.
    """
    return Board(format=board.format, datasets=board.datasets, entries=(*board.entries, entry))


def known(kind: str, name: str, names: Iterable[str]) -> str:
    """Give ``name`` if it is one of ``names``.

    Raises
    ------
    LeaderboardError
        If not; names what there is, and the nearest.
    """
    names = list(names)
    if name in names:
        return name
    near = closest(name, names)
    nearest = "" if near is None else f"; the nearest is {near}"
    raise LeaderboardError(
        f"the leaderboard has no {kind} {name!r}{nearest}",
        advice=f"Choose one of {', '.join(names)}",
    )
