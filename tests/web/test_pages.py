"""The pages of samples and users: what they show, and what their forms do."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from androscope.types import Verdict
from androscope.web.app import create_app
from androscope.web.reporting import FORMATS

PASSWORD = "correct horse battery"


def test_no_sample_yet(browser) -> None:
    text = browser().get("/samples").text
    assert "No sample yet." in text
    assert 'href="/samples/new"' in text


def test_the_list(logged_in, graded) -> None:
    text = logged_in("viewer").get("/samples").text
    assert f'href="/samples/{graded.id}">S-1</a>' in text
    assert "to be reviewed" in text
    # 2 of 3 decided are normal; the undecided one is left.
    assert "67% (21% to 94%)" in text
    assert '<td data-label="Undecided" class="number">1</td>' in text
    assert 'href="/samples/new"' not in text  # a viewer adds nothing


@pytest.mark.parametrize(
    ("query", "found"),
    [("search=s-1", True), ("search=first", True), ("search=zzz", False), ("status=signed", False),
     ("status=graded", True), ("status=nonsense", True), ("page=7", False)],
)  # fmt: skip
def test_the_search(browser, graded, query: str, found: bool) -> None:
    text = browser().get(f"/samples?{query}").text
    assert (">S-1</a>" in text) is found
    if not found and "page" not in query:
        assert "No sample matches." in text


def test_a_search_as_it_is_typed_gets_the_table_alone(browser, graded) -> None:
    text = browser().get("/samples?search=S", headers={"hx-target": "found"}).text
    assert text.lstrip().startswith("<table")


def test_names_are_text(browser, records) -> None:
    name = "<script>alert(1)</script>"
    sample = records.samples.create(name, actor="x", comment='"><img src=x>')
    client = browser()
    for path in ("/samples", f"/samples/{sample.id}"):
        text = client.get(path).text
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)" in text
        assert "<img src=x>" not in text


def test_a_sample(browser, graded) -> None:
    text = browser().get(f"/samples/{graded.id}").text
    assert "<strong>66.7%</strong>" in text
    assert "2 of 3 sperm; 95% interval 20.8% to 93.9%" in text
    assert "Fewer than 200 sperm were assessed (4)" in text
    assert "1 sperm are undecided and not in this fraction" in text
    # Boxes of the field, by outcome: three sperm and a round cell.
    assert [text.count(f'<rect class="box {kind}" x="') for kind in (
        "normal", "abnormal", "undecided", "excluded"
    )] == [2, 2, 2, 2]  # one each, and one each in the legend  # fmt: skip
    assert text.count('<img src="/images/') == 1  # the crop


def test_a_field_enlarged(browser, graded) -> None:
    text = browser().get(f"/samples/{graded.id}/images/{graded.field}").text
    assert 'viewBox="0 0 120 90"' in text
    # length 20, width 12, at (20, 20): half a pixel and a margin of 3 px around it.
    assert '<rect class="box normal" x="7.5" y="11.5" width="26.0" height="18.0"/>' in text
    assert "2: head abnormal (0.90), acrosome normal (0.10)" in text
    assert "4: a round cell by its size and shape, not a sperm" in text


def test_a_field_of_another_sample_is_not_there(browser, records, graded) -> None:
    other = records.samples.create("S-2", actor="x")
    answer = browser().get(f"/samples/{other.id}/images/{graded.field}")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_pictures(browser, graded) -> None:
    client = browser()
    answer = client.get(f"/images/{graded.field_sha256}.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert "immutable" in answer.headers["cache-control"]
    assert client.get(f"/crops/{graded.crops[0].id}.png").content.startswith(b"\x89PNG")
    assert client.get(f"/crops/{graded.crops[3].id}.png").status_code == 404  # nothing was cut


@pytest.mark.parametrize("ending", FORMATS)
def test_downloads(browser, graded, ending: str) -> None:
    answer = browser().get(f"/samples/{graded.id}/report.{ending}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == FORMATS[ending]
    assert answer.headers["content-disposition"].startswith(
        f'attachment; filename="S-1.{ending}"; '
    )
    if ending == "json":
        assert json.loads(answer.content)["counts"]["assessed"] == 4
    if ending == "pdf":
        assert answer.content.startswith(b"%PDF")
    if ending == "html":
        assert "data:image/jpeg" in answer.text  # the field, drawn


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/samples/99", 404, "There is no such page"),
        ("/samples/x", 422, "Something is missing or wrong"),
        ("/nowhere", 404, "There is no such page"),
        ("/images/../../etc/passwd.png", 404, "There is no such page"),
    ],
)
def test_what_is_not_there(browser, path: str, status: int, says: str) -> None:
    answer = browser().get(path)
    assert answer.status_code == status
    assert f"<h1>{says}</h1>" in answer.text


def test_programs_get_problem_details(browser, graded) -> None:
    answer = browser().get("/samples/99", headers={"accept": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (404, "record-missing")
    assert problem["type"] == "urn:androscope:error:record-missing"


def test_nothing_graded_has_no_report(browser, records) -> None:
    sample = records.samples.create("S-2", actor="x")
    client = browser()
    assert "Nothing was graded." in client.get(f"/samples/{sample.id}").text
    answer = client.get(f"/samples/{sample.id}/report.csv")
    assert answer.status_code == 409
    assert "Nothing of sample &#39;S-2&#39; was graded yet." in answer.text


class TestUsers:
    def test_the_first_user_is_an_admin(self, browser, records) -> None:
        client = browser()
        assert "No users yet" in client.get("/users").text
        answer = client.submit("/users", name="maria", password=PASSWORD, role="viewer")
        assert answer.status_code == 400
        assert "The first user must be an admin" in answer.text
        answer = client.submit("/users", name="maria", password=PASSWORD, role="admin")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        assert client.get("/samples", follow_redirects=False).status_code == 303

    def test_added_changed_and_shut_out(self, logged_in, records) -> None:
        client = logged_in("admin")
        answer = client.submit("/users", name="li", password="short", role="viewer")
        assert "Expected a password of 10 to 1000 characters, got 5" in answer.text
        assert client.submit("/users", name="li", password=PASSWORD, role="viewer").is_redirect
        answer = client.submit("/users", name="LI", password=PASSWORD, role="viewer")
        assert answer.status_code == 409
        client.submit("/users/li", role="reviewer")
        client.submit("/users/li", role="reviewer", disabled="true")
        user = records.users.get("li")
        assert (user.role.value, user.disabled) == ("reviewer", True)
        assert "shut out" in client.get("/users").text

    def test_nobody_shuts_themselves_out(self, logged_in, records, users) -> None:
        answer = logged_in("admin").submit(f"/users/{users['admin']}", disabled="true")
        assert answer.status_code == 400
        assert not records.users.get(users["admin"]).disabled

    def test_a_token_is_shown_once(self, logged_in, records, users) -> None:
        client = logged_in("reviewer")
        answer = client.submit("/me/tokens", "/me", name="a script", role="reviewer")
        token = answer.text.partition('<code class="secret">')[2].partition("<")[0]
        assert records.tokens.user(token) is not None
        text = client.get("/me").text
        assert token not in text
        assert "a script" in text
        answer = client.submit("/me/tokens", "/me", name="more", role="admin")
        assert answer.status_code == 400  # more than its user may
        (listed,) = records.tokens.list(records.users.get(users["reviewer"]).id)
        assert client.submit(f"/me/tokens/{listed.id}/revoke", "/me").is_redirect
        assert records.tokens.user(token) is None

    def test_a_token_of_another_is_not_theirs_to_revoke(self, logged_in, records, users) -> None:
        from androscope.records.people import Role

        admin = records.users.get(users["admin"])
        _, listed = records.tokens.create(admin.id, "x", Role.VIEWER, actor="test")
        answer = logged_in("viewer").submit(f"/me/tokens/{listed.id}/revoke", "/me")
        assert answer.status_code == 404

    def test_another_password(self, logged_in, records, users) -> None:
        client = logged_in("viewer")
        answer = client.submit("/me/password", "/me", old="wrong", new="another password")
        assert "The present password is wrong." in answer.text
        answer = client.submit("/me/password", "/me", old=PASSWORD, new="another password")
        assert answer.headers["location"] == "/login"
        assert client.get("/samples", follow_redirects=False).status_code == 303  # sessions end


def test_a_page_is_never_of_before_the_last_review(browser, records, graded) -> None:
    client = browser()
    path = f"/samples/{graded.id}"
    assert "<strong>66.7%</strong>" in client.get(path).text
    records.reviews.verdict(graded.crops[1].id, "head", Verdict.NORMAL, actor="li")
    assert "<strong>100.0%</strong>" in client.get(path).text


def test_cookies_of_http_on_this_machine_need_no_https(records, options) -> None:
    with TestClient(create_app(records, options), base_url="http://127.0.0.1") as client:
        assert "Secure" not in client.get("/samples").headers["set-cookie"]
    with TestClient(create_app(records, options), base_url="https://127.0.0.1") as client:
        assert "Secure" in client.get("/samples").headers["set-cookie"]
