"""``androscope users``: who may come in, said at this machine's shell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the web extra: FastAPI is not installed")

from androscope.records.store import Records
from androscope.web.security import passwords

PASSWORD = "correct horse battery\n"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDROSCOPE_HOME", str(tmp_path / "home"))


def test_added_listed_changed_and_removed(run: Any) -> None:
    assert "No users" in run("users", "list").out
    done = run("users", "add", "maria", "--role", "admin", stdin=PASSWORD)
    assert (done.code, done.out) == (0, "Added: maria (admin)\n")
    done = run("users", "add", "Maria", stdin=PASSWORD)
    assert done.code == 2
    assert "maria" in done.err.lower()
    run("users", "add", "li", stdin=PASSWORD)
    assert run("users", "list").out == "li  reviewer\nmaria  admin\n"
    assert run("users", "change", "li", "--role", "viewer").out == "Changed: li (viewer)\n"
    token = run("users", "token", "li", "--role", "viewer").out.strip()
    with Records.open() as records:
        user = records.users.get("li")
        assert user is not None
        assert passwords.check(PASSWORD.strip(), user.password_hash)
        assert records.tokens.user(token) is not None
    assert run("users", "remove", "li").out.startswith("Shut out: li.")
    assert run("users", "list").out == "li  viewer  shut out\nmaria  admin\n"
    with Records.open() as records:
        assert records.tokens.user(token) is None


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (("add", "li"), "short\n", "expected a password of 10 to 1000 characters, got 5"),
        (("add", "li", "--role", "king"), PASSWORD, "expected a role (viewer, reviewer, admin)"),
        (("token", "nobody"), "", "there is no user 'nobody'"),
        (("remove", "nobody"), "", "there is no user"),
    ],
    ids=["a short password", "no such role", "no such user", "nobody to remove"],
)
def test_what_cannot_be(run: Any, arguments: tuple[str, ...], stdin: str, says: str) -> None:
    done = run("users", *arguments, stdin=stdin)
    assert done.code == 2
    assert says in " ".join(done.err.replace("│", " ").split())


def test_another_address_is_refused_until_there_are_users(run: Any) -> None:
    done = run("serve", "--host", "0.0.0.0", "--behind-https")
    assert done.code == 2
    assert "androscope users add NAME --role admin" in done.err
