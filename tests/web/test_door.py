"""The closed door: where it may be opened, how one gets in, and what a browser is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from androscope.errors import ServeError
from androscope.records.people import Role
from androscope.web.app import create_app
from androscope.web.options import is_loopback
from androscope.web.security.headers import POLICY
from androscope.web.security.throttle import MOST_OF

PASSWORD = "correct horse battery"


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.9.9.9", True),
     ("0.0.0.0", False), ("192.168.1.5", False), ("::", False), ("lab.example", False)],
)  # fmt: skip
def test_what_this_machine_alone_reaches(host: str, own: bool) -> None:
    assert is_loopback(host) is own


def test_no_other_address_without_users(records, options) -> None:
    with pytest.raises(ServeError, match="there are no users") as caught:
        create_app(records, replace(options, host="0.0.0.0", https=True))
    assert "androscope users add NAME --role admin" in str(caught.value)


def test_no_other_address_if_all_users_are_shut_out(records, options, password_hash) -> None:
    records.users.create("maria", Role.ADMIN, password_hash, actor="test")
    records.users.change("maria", actor="test", disabled=True)
    with pytest.raises(ServeError, match="there are no users"):
        create_app(records, replace(options, host="0.0.0.0", https=True))


def test_a_proxy_opens_the_door_as_well(records, options) -> None:
    with pytest.raises(ServeError, match="the proxy in front of it can be reached"):
        create_app(records, replace(options, https=True, proxied=True))


def test_no_password_travels_in_the_clear(records, options, users) -> None:
    with pytest.raises(ServeError, match="passwords would travel unencrypted") as caught:
        create_app(records, replace(options, host="0.0.0.0"))
    assert "--certificate and --key, or --behind-https" in str(caught.value)
    create_app(records, replace(options, host="0.0.0.0", https=True))


def log_in(client, name: str, password: str = PASSWORD, **more: str):
    return client.submit("/login", "/login", name=name, password=password, **more)


def test_in_and_out(browser, users) -> None:
    client = browser()
    first = client.get("/samples?search=x", follow_redirects=False)
    assert (first.status_code, first.headers["location"]) == (
        303, "/login?next=/samples%3Fsearch%3Dx",
    )  # fmt: skip
    before = client.cookies.get("androscope")
    answer = log_in(client, users["viewer"], next="/samples?search=x")
    assert (answer.status_code, answer.headers["location"]) == (303, "/samples?search=x")
    cookie = answer.headers["set-cookie"]
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert word in cookie
    inside = client.cookies["androscope"]
    assert inside != before
    assert client.get("/samples").status_code == 200
    assert client.submit("/logout").status_code == 303
    client.cookies.set("androscope", inside, domain="127.0.0.1")
    assert client.get("/samples", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    ("name", "password"),
    [("a viewer", "wrong"), ("nobody", PASSWORD), ("a viewer", "x" * 1001), ("", "")],
    ids=["wrong password", "no such user", "endless password", "empty"],
)
def test_a_wrong_name_and_a_wrong_password_look_the_same(
    browser, users, name: str, password: str
) -> None:
    answer = log_in(browser(), name, password)
    assert answer.status_code in (401, 422)
    if answer.status_code == 401:
        assert "Name or password is wrong." in answer.text


def test_who_is_shut_out_is_out_at_once(logged_in, records, users) -> None:
    client = logged_in("viewer")
    assert client.get("/samples").status_code == 200
    records.users.change(users["viewer"], actor="test", disabled=True)
    assert client.get("/samples", follow_redirects=False).status_code == 303
    client.cookies.clear()
    assert log_in(client, users["viewer"]).status_code == 401


def test_passwords_are_not_to_be_guessed(browser, records, users) -> None:
    client = browser()
    for _ in range(MOST_OF):
        records.attempts.add(users["viewer"], "testclient")
    answer = log_in(client, users["viewer"])
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")
    assert "Too many failed attempts; try again in 15 minutes." in answer.text
    # Another name from the same place may.
    assert log_in(client, users["reviewer"]).status_code == 303


def test_login_leads_nowhere_else(browser, users) -> None:
    client = browser()
    for path in ("//evil.example/", "https://evil.example", "/\\evil.example", "evil", "js:0"):
        answer = log_in(client, users["viewer"], next=path)
        assert answer.headers["location"] == "/samples", path
        client.cookies.clear()


def test_other_hosts_names_are_refused(browser) -> None:
    client = browser(names=("lab.example",))
    assert client.get("/login", headers={"host": "lab.example"}).status_code == 200
    assert client.get("/login", headers={"host": "localhost:8311"}).status_code == 200
    answer = client.get("/login", headers={"host": "evil.example"})
    assert (answer.status_code, answer.text) == (400, "Invalid host header")


@pytest.mark.parametrize("path", ["/login", "/samples", "/static/page.js", "/no-such-page"])
def test_what_a_browser_is_told(browser, path: str) -> None:
    headers = browser().get(path).headers
    assert headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == ("no-cache" if "static" in path else "no-store")
    assert "strict-transport-security" not in headers


def test_https_is_remembered(browser) -> None:
    headers = browser(https=True).get("/login").headers
    assert headers["strict-transport-security"] == "max-age=31536000"


def test_pages_hold_no_inline_script_or_style(logged_in, graded) -> None:
    client = logged_in("admin")
    for path in ("/samples", "/samples/new", f"/samples/{graded.id}", "/users", "/me", "/login",
                 f"/samples/{graded.id}/images/{graded.field}"):  # fmt: skip
        text = client.get(path).text
        assert "style=" not in text, path
        assert "<style" not in text, path
        assert " onclick" not in text, path
        assert text.count("<script") == text.count('<script src="/static/'), path
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", ""), path
        assert "https://" not in text, path


def test_light_and_dark(logged_in) -> None:
    client = logged_in("viewer")
    assert "data-theme" not in client.get("/samples").text
    assert client.submit("/theme", theme="dark", next="/me").headers["location"] == "/me"
    assert 'data-theme="dark"' in client.get("/samples").text
    assert client.submit("/theme", theme="pink").status_code == 400
