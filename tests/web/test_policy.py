"""Who may what: every route of the pages by every role, and none that the table forgets."""

from __future__ import annotations

import pytest

from androscope.web.pages import ROUTERS

# Route -> what a stranger, a viewer, a reviewer and an admin get. A form with too little in it gets
# 400 or 422 from whoever may send it at all; a stranger's GET is led to the login page (303).
ANYBODY, VIEWERS, REVIEWERS, ADMINS = "anybody", "viewers", "reviewers", "admins"
POLICY = {
    "GET /": ANYBODY,
    "GET /login": ANYBODY,
    "POST /login": ANYBODY,
    "POST /logout": VIEWERS,
    "POST /theme": VIEWERS,
    "GET /users": ADMINS,
    "POST /users": ADMINS,
    "POST /users/{name}": ADMINS,
    "GET /me": VIEWERS,
    "POST /me/password": VIEWERS,
    "POST /me/tokens": VIEWERS,
    "POST /me/tokens/{token_id}/revoke": VIEWERS,
    "GET /samples": VIEWERS,
    "GET /samples/new": REVIEWERS,
    "POST /samples": REVIEWERS,
    "GET /samples/{sample_id}": VIEWERS,
    "POST /samples/{sample_id}/images": REVIEWERS,
    "GET /samples/{sample_id}/images/{image_id}": VIEWERS,
    "GET /samples/{sample_id}/progress": VIEWERS,
    "POST /samples/{sample_id}/cancel": REVIEWERS,
    "POST /samples/{sample_id}/retry": REVIEWERS,
    "GET /samples/{sample_id}/report.{ending}": VIEWERS,
    "GET /samples/{sample_id}/review": REVIEWERS,
    "GET /samples/{sample_id}/observers": VIEWERS,
    "GET /samples/{sample_id}/history": VIEWERS,
    "GET /crops/{crop_id}/heat.png": REVIEWERS,
    "POST /crops/{crop_id}/verdict": REVIEWERS,
    "POST /crops/{crop_id}/undecided": REVIEWERS,
    "POST /crops/{crop_id}/sperm": REVIEWERS,
    "POST /crops/{crop_id}/accept": REVIEWERS,
    "POST /crops/{crop_id}/undo": REVIEWERS,
    "POST /crops/{crop_id}/observe": REVIEWERS,
    "GET /images/{sha256}.png": VIEWERS,
    "GET /crops/{crop_id}.png": VIEWERS,
    "GET /samples/{sample_id}/sign": VIEWERS,
    "POST /samples/{sample_id}/sign": REVIEWERS,
    "GET /samples/{sample_id}/signed/{version}.{ending}": VIEWERS,
    "GET /models": VIEWERS,
    "GET /models/leaderboard": VIEWERS,
    "GET /models/{name}": VIEWERS,
    "POST /models/{name}/choose": ADMINS,
    "GET /learn": VIEWERS,
    "GET /learn/labels.zip": REVIEWERS,
    "POST /learn": ADMINS,
}
RANK = {ANYBODY: 0, VIEWERS: 1, REVIEWERS: 2, ADMINS: 3}
ROLES = {"viewer": 1, "reviewer": 2, "admin": 3}

#: Refusals of the door; anything else came from behind it.
REFUSED = {401, 403}


def routes() -> list[str]:
    """Every route of the pages."""
    return [
        f"{method} {route.path}"
        for router in ROUTERS
        for route in router.routes
        for method in sorted(route.methods - {"HEAD"})
    ]


def test_the_table_holds_every_route_and_no_other() -> None:
    assert sorted(POLICY) == sorted(routes())


def address(route: str, graded) -> str:
    path = route.partition(" ")[2]
    values = {
        "{sample_id}": graded.id, "{image_id}": graded.field, "{sha256}": graded.field_sha256,
        "{crop_id}": graded.crops[0].id, "{ending}": "csv", "{name}": "nobody", "{token_id}": 99,
        "{version}": 1,
    }  # fmt: skip
    for name, value in values.items():
        path = path.replace(name, str(value))
    return path


def statuses(client, graded, token: str) -> dict[str, int]:
    found = {}
    # Leaving comes last.
    for route in sorted(POLICY, key=lambda route: route == "POST /logout"):
        method = route.partition(" ")[0]
        headers = {"x-csrf-token": token} if method == "POST" else {}
        answer = client.request(
            method, address(route, graded), headers=headers, follow_redirects=False
        )
        found[route] = answer.status_code
        if answer.status_code == 303 and answer.headers["location"].startswith("/login?"):
            found[route] = 401
    return found


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_what_it_may(logged_in, graded, role: str) -> None:
    client = logged_in(role)
    found = statuses(client, graded, client.token())
    for route, allowed in POLICY.items():
        assert found[route] < 500, route
        if route != "POST /login":  # whose token is a visitor's
            assert (found[route] in REFUSED) == (ROLES[role] < RANK[allowed]), route


def test_a_stranger_gets_the_login_page_alone(browser, graded, users) -> None:
    client = browser()
    found = statuses(client, graded, client.token("/login"))
    let_in = {route for route, status in found.items() if status not in REFUSED}
    assert let_in == {route for route, allowed in POLICY.items() if allowed == ANYBODY}


def test_without_users_this_machine_may_all(browser, graded) -> None:
    client = browser()
    found = statuses(client, graded, client.token())
    assert {route for route, status in found.items() if status in REFUSED} == set()


def test_no_form_is_taken_without_the_pages_token(logged_in, graded) -> None:
    client = logged_in("admin")
    token = client.token()
    for route in POLICY:
        if route.startswith("GET"):
            continue
        path = address(route, graded)
        for data in ({}, {"csrf": "0" * 64}):
            status = client.post(path, data=data, follow_redirects=False).status_code
            # A form that a route reads by itself is none here, and is refused before it is read.
            streamed = path.endswith(("/samples", "/images"))
            assert status in ((400,) if streamed else (403, 422)), (route, status)
        elsewhere = {"x-csrf-token": token, "sec-fetch-site": "cross-site"}
        assert client.post(path, headers=elsewhere).status_code == 403, route


def test_a_token_may_no_more_than_it_says(browser, records, graded, users) -> None:
    from androscope.records.people import Role

    admin = records.users.get(users["admin"])
    token, listed = records.tokens.create(admin.id, "script", Role.VIEWER, actor="test")
    client = browser()
    headers = {"authorization": f"Bearer {token}"}
    assert client.get(f"/samples/{graded.id}", headers=headers).status_code == 200
    # No form token is needed: no browser sends a bearer token by itself.
    answer = client.post(f"/samples/{graded.id}/cancel", headers=headers)
    assert answer.status_code == 403
    assert "a viewer may not do that; it takes a reviewer" in answer.text.lower()
    records.tokens.revoke(listed.id, actor="test")
    answer = client.get("/samples", headers=headers | {"accept": "application/json"})
    assert answer.status_code == 401
