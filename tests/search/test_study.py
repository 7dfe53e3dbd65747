from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("optuna", reason="needs the train extra: optuna is not installed")
pytest.importorskip("yaml", reason="needs the train extra: PyYAML is not installed")

import optuna.storages
from sqlalchemy.exc import IntegrityError, OperationalError

from androscope.errors import TrainingError
from androscope.search import study
from androscope.search.address import shown_url
from androscope.search.study import open_storage, url_of

pytestmark = pytest.mark.train

RACES = [
    OperationalError("create", {}, Exception("table version_info already exists")),
    IntegrityError("insert", {}, Exception("UNIQUE constraint failed: alembic_version")),
    IntegrityError("insert", {}, Exception("duplicate key value violates")),
]


@pytest.fixture
def raced(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """Errors that the next attempts to open a database come upon."""
    errors: list[Exception] = []
    real = optuna.storages.RDBStorage

    def opened(*arguments: Any, **options: Any) -> Any:
        if errors:
            raise errors.pop(0)
        return real(*arguments, **options)

    monkeypatch.setattr(optuna.storages, "RDBStorage", opened)
    monkeypatch.setattr(study.time, "sleep", lambda _: None)
    return errors


def test_tables_that_another_process_makes_at_the_same_time(
    tmp_path: Path, raced: list[Exception]
) -> None:
    raced += RACES
    storage = open_storage(url_of(tmp_path, None))
    assert storage.get_all_studies() == []
    assert raced == []


def test_tables_that_stay_half_made(tmp_path: Path, raced: list[Exception]) -> None:
    raced += RACES * 10
    with pytest.raises(TrainingError) as caught:
        open_storage(url_of(tmp_path, None))
    assert str(caught.value) == (
        f"the tables of the database sqlite:///{tmp_path / 'study.db'} are half made. "
        "Start again; if it stays so, give another database"
    )


def test_what_is_wrong_otherwise_is_not_tried_again(tmp_path: Path, raced: list[Exception]) -> None:
    raced += [OperationalError("open", {}, Exception("disk I/O error")), RACES[0]]
    with pytest.raises(TrainingError, match=r"cannot be opened: .*disk I/O error"):
        open_storage(url_of(tmp_path, None))
    assert raced == [RACES[0]]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@host/db", "postgresql://me:***@host/db"),
        ("sqlite:///x.db", "sqlite:///x.db"),
        ("secret", "the address given"),
    ],
)
def test_a_password_is_not_shown(url: str, shown: str) -> None:
    assert shown_url(url) == shown
