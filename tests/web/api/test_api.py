from __future__ import annotations

import json
from typing import Any

import jsonschema
import numpy as np
import pytest
from fastapi.testclient import TestClient

from androscope.imaging.phantom_set import phantom_set
from androscope.report.sample.json import schema_text

from .conftest import TINY, files, png, wait

API = "/api/v1"
#: One that checks what it is given.
MODEL = {"model": "dmtl-lite0"}


def crops(client: TestClient, sample_id: int, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(f"{API}/samples/{sample_id}/crops{query}").json()[
        "items"
    ]
    return items


def review(client: TestClient, crop_id: int, **said: Any) -> Any:
    return client.post(f"{API}/crops/{crop_id}/reviews", json=said)


class TestAssess:
    def test_each_file_is_a_picture_or_a_failure_and_nothing_is_kept(
        self, client: TestClient
    ) -> None:
        before = client.get(f"{API}/samples").json()["total"]
        answer = client.post(f"{API}/assess", files=files(broken=True))
        assert answer.status_code == 200
        said = answer.json()
        assert [p["name"] for p in said["pictures"]] == ["0.png", "1.png", "2.png"]
        assert [f["name"] for f in said["failures"]] == ["broken.png"]
        assert "expected an image" in said["failures"][0]["reason"]
        assert said["notice"] == "For research use only: not a medical device."
        assert client.get(f"{API}/samples").json()["total"] == before

    def test_it_says_what_a_sample_says_of_the_same_picture(
        self, client: TestClient, graded: int
    ) -> None:
        pictures = client.post(f"{API}/assess", files=files()).json()["pictures"]
        opinions = [crop["opinion"] for crop in crops(client, graded)]
        assert [p["found"][0]["parts"] for p in pictures] == opinions

    @pytest.mark.parametrize(
        ("fields", "status", "said"),
        [
            pytest.param({"pixel_size_um": "-1"}, 422, "pixel_size_um", id="pixel-size"),
            pytest.param({"error_rate": "nan"}, 422, "error_rate", id="error-rate"),
            pytest.param(
                {"error_rate": "0.6"},
                422,
                "error_rate: Input should be less than or equal to 0.5",
                id="error-rate-that-guessing-keeps",
            ),
            pytest.param({"taken_as": "cells"}, 422, "taken_as", id="taken-as"),
            pytest.param({"model": "/etc"}, 400, "there is no model '/etc'", id="a-path"),
        ],
    )
    def test_fields_that_cannot_be(
        self, client: TestClient, fields: dict[str, str], status: int, said: str
    ) -> None:
        answer = client.post(f"{API}/assess", files=files(1), data=fields)
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True)

    def test_colour_is_seen_though_pictures_are_kept_grey(self, client: TestClient) -> None:
        (phantom,) = phantom_set(1, 7, size=64)
        stained = np.stack([phantom.pixels] * 3, axis=-1)
        stained[20:44, 20:44, 1] //= 3  # the lamp's own colour would be none of the sperm's
        form = [("files", ("stained.png", png(stained)))]
        (picture,) = client.post(f"{API}/assess", files=form, data=MODEL).json()["pictures"]
        assert "colour" in [flag["check"] for flag in picture["found"][0]["flags"]]
        assert picture["found"][0]["parts"] == []
        anyway = MODEL | {"grade_anyway": "true"}
        (picture,) = client.post(f"{API}/assess", files=form, data=anyway).json()["pictures"]
        assert "colour" in [flag["check"] for flag in picture["found"][0]["flags"]]
        assert len(picture["found"][0]["parts"]) == 3
        sample = client.post(f"{API}/samples", json={"name": "stained"} | MODEL).json()["id"]
        client.post(f"{API}/samples/{sample}/images", files=form)
        wait(client, sample)
        (crop,) = crops(client, sample)
        assert "colour" in [flag["check"] for flag in crop["flags"]]
        assert "colour" in crop["excluded"]

    def test_no_files(self, client: TestClient) -> None:
        answer = client.post(f"{API}/assess", data={"model": "x"}, files={"a": ("", b"")})
        assert answer.status_code == 400
        assert answer.json()["detail"] == "expected 1 to 100 files, got 0"


class TestSamples:
    @pytest.mark.parametrize("rate", [0, 0.51, 0.8])
    def test_an_error_rate_that_no_grader_takes(self, client: TestClient, rate: float) -> None:
        answer = client.post(f"{API}/samples", json={"name": "rate", "error_rate": rate})
        assert answer.status_code == 422
        assert "body.error_rate: Input should be" in answer.json()["detail"]
        assert client.get(f"{API}/samples?search=rate").json()["total"] == 0

    def test_made_found_and_given(self, client: TestClient) -> None:
        made = client.post(f"{API}/samples", json={"name": "day 3", "pixel_size_um": 0.11})
        assert made.status_code == 201
        assert client.get(made.headers["location"]).json() == made.json()
        found = client.get(f"{API}/samples?search=DAY").json()
        assert [sample["name"] for sample in found["items"]] == ["day 3"]
        assert (found["page"], found["pages"], found["total"]) == (1, 1, 1)

    def test_a_name_is_unique(self, client: TestClient) -> None:
        assert client.post(f"{API}/samples", json={"name": "twice"}).status_code == 201
        again = client.post(f"{API}/samples", json={"name": "twice"})
        assert again.status_code == 409
        assert again.headers["content-type"] == "application/problem+json"
        assert again.json()["type"] == "urn:androscope:error:record-exists"
        assert again.json()["detail"] == "there is a sample 'twice' already"

    def test_counts_follow_the_grading(self, client: TestClient, graded: int) -> None:
        sample = client.get(f"{API}/samples/{graded}").json()
        assert (sample["images"], sample["failures"], sample["assessed"]) == (3, 1, 3)
        share = sample["normal_share"]
        assert share["n"] == sample["normal"] + sample["abnormal"]
        assert share["low"] <= share["fraction"] <= share["high"]
        assert (sample["undecided"], sample["normal_bounds"]) == (0, None)
        (failure,) = client.get(f"{API}/samples/{graded}/failures").json()
        assert (failure["name"], failure["code"]) == ("broken.png", "image-unreadable")

    def test_what_is_not_there(self, client: TestClient) -> None:
        for path in ("", "/progress", "/failures", "/images", "/crops", "/reports", "/report.csv"):
            answer = client.get(f"{API}/samples/4711{path}")
            assert answer.status_code == 404, path
            assert answer.json()["detail"] == "there is no sample 4711"


class TestUploads:
    def test_a_key_gives_the_first_answer_again(self, client: TestClient) -> None:
        sample_id = client.post(f"{API}/samples", json={"name": "keys"}).json()["id"]
        path, key = f"{API}/samples/{sample_id}/images", {"idempotency-key": "k1"}
        first = client.post(path, files=files(), headers=key)
        again = client.post(path, files=files(), headers=key)
        other = client.post(path, files=files(1), headers=key)
        assert (first.status_code, again.status_code, other.status_code) == (202, 202, 409)
        assert first.json() == again.json()
        assert other.json()["detail"] == "the idempotency key 'k1' was used for another upload"

    def test_pictures_are_kept_without_their_files_tags(
        self, client: TestClient, graded: int
    ) -> None:
        images = client.get(f"{API}/samples/{graded}/images").json()["items"]
        assert [image["name"] for image in images] == ["0.png", "1.png", "2.png"]
        kept = client.get(f"{API}/images/{images[0]['id']}/pixels")
        assert kept.headers["content-type"] == "image/png"
        assert kept.content[:8] == b"\x89PNG\r\n\x1a\n"
        assert client.get(f"{API}/images/{images[0]['id']}").json() == images[0]


class TestReviews:
    def test_a_change_stands_beside_the_opinion_and_is_taken_back(
        self, client: TestClient, graded: int
    ) -> None:
        before = crops(client, graded)[0]
        part, was = next(iter(before["verdicts"].items()))
        changed = review(client, before["id"], do="verdict", part=part, to="undecided", why="dim")
        assert changed.status_code == 201
        assert changed.json()["verdicts"][part] == "undecided"
        assert changed.json()["opinion"] == before["opinion"]
        stale = review(client, before["id"], do="verdict", part=part, to="normal", expected=was)
        assert (stale.status_code, "by now" in stale.json()["detail"]) == (409, True)
        undone = review(client, before["id"], do="undo").json()
        assert undone["verdicts"] == before["verdicts"]
        events = client.get(f"{API}/crops/{before['id']}/events").json()
        assert [event["kind"] for event in events] == ["verdict", "undo"]
        assert events[0]["data"] == {"part": part, "from": was, "to": "undecided", "why": "dim"}
        assert events[1]["actor"] == "local"

    def test_no_sperm_accepted_observed(self, client: TestClient, graded: int) -> None:
        crop = crops(client, graded)[1]
        assert review(client, crop["id"], do="sperm", is_sperm=False).json()["is_sperm"] is False
        assert review(client, crop["id"], do="undo").json()["is_sperm"] is True
        assert review(client, crop["id"], do="accept").json()["reviewed"] is True
        opposite = dict.fromkeys(crop["verdicts"], "abnormal")
        observed = review(client, crop["id"], do="observe", verdicts=opposite).json()
        assert observed["verdicts"] == crop["verdicts"]
        assert crops(client, graded, "?order=need")[-1]["id"] == crop["id"]
        assert [c["id"] for c in crops(client, graded, "?reviewed=true")] == [crop["id"]]

    @pytest.mark.parametrize(
        ("said", "status", "detail"),
        [
            pytest.param(
                {"do": "verdict", "part": "nose", "to": "normal"}, 400, "no graded part", id="part"
            ),
            pytest.param({"do": "praise"}, 422, "praise", id="unknown"),
            pytest.param({"do": "accept", "when": 1}, 422, "Extra inputs", id="extra"),
            pytest.param({"do": "undo", "number": 1}, 409, "could be taken back", id="nothing"),
        ],
    )
    def test_refused(
        self, client: TestClient, graded: int, said: dict[str, Any], status: int, detail: str
    ) -> None:
        answer = review(client, crops(client, graded)[2]["id"], **said)
        assert answer.status_code == status
        assert detail in answer.json()["detail"]


class TestReports:
    def test_as_it_stands(self, client: TestClient, graded: int) -> None:
        path = f"{API}/samples/{graded}/report"
        document = client.get(f"{path}.json").json()
        jsonschema.validate(document, json.loads(schema_text()))
        assert client.get(f"{path}.csv").text.startswith("sample,replicate,image")
        assert client.get(f"{path}.html").headers["content-disposition"].startswith("attachment")
        assert client.get(f"{path}.docx").status_code == 422

    def test_as_fhir(self, client: TestClient, graded: int) -> None:
        pytest.importorskip("fhir.resources", reason="needs the fhir extra")
        answer = client.get(f"{API}/samples/{graded}/fhir")
        assert answer.headers["content-type"] == "application/fhir+json"
        kinds = [entry["resource"]["resourceType"] for entry in answer.json()["entry"]]
        assert kinds.count("DiagnosticReport") == 1
        assert "Observation" in kinds

    def test_signed_versions_are_frozen(self, client: TestClient, graded: int) -> None:
        path = f"{API}/samples/{graded}/reports"
        assert client.post(path, json={"name": "  "}).status_code == 400
        signed = client.post(path, json={"name": "Dr A", "comment": "clear"}).json()
        assert (signed["version"], signed["signed_name"]) == (1, "Dr A")
        document = client.get(f"{path}/1/document").content
        review(client, crops(client, graded)[0]["id"], do="sperm", is_sperm=False)
        assert client.get(f"{API}/samples/{graded}").json()["status"] == "changed"
        assert client.get(f"{path}/1/document").content == document
        assert client.post(path, json={"name": "Dr A"}).json()["version"] == 2
        assert [report["version"] for report in client.get(path).json()] == [1, 2]
        assert client.get(f"{path}/1/report.json").content == document
        assert "as version 1 of this report" in client.get(f"{path}/1/report.html").text
        assert client.get(f"{path}/1").json() == signed

    def test_of_nothing(self, client: TestClient) -> None:
        sample_id = client.post(f"{API}/samples", json={"name": "nothing"}).json()["id"]
        answer = client.get(f"{API}/samples/{sample_id}/report.json")
        assert answer.status_code == 409
        assert (
            client.post(f"{API}/samples/{sample_id}/reports", json={"name": "A"}).status_code == 409
        )


def test_models_and_their_cards(client: TestClient) -> None:
    models = {model["name"]: model for model in client.get(f"{API}/models").json()}
    card = client.get(f"{API}/models/dmtl-lite0").json()
    assert card["model_sha256"] == models["dmtl-lite0"]["sha256"]
    assert [name for name, model in models.items() if model["default"]] == [str(TINY)]
    assert client.get(f"{API}/models/none").json()["detail"] == "there is no model 'none'"


class TestDoor:
    def test_a_browser_needs_its_pages_token(self, client: TestClient) -> None:
        headers = {"x-androscope-client": ""}
        answer = client.post(f"{API}/samples", json={"name": "x"}, headers=headers)
        assert answer.status_code == 403

    def test_another_sites_page_is_refused(self, client: TestClient) -> None:
        headers = {"origin": "https://elsewhere.example"}
        answer = client.post(f"{API}/samples", json={"name": "x"}, headers=headers)
        assert answer.status_code == 403
        assert client.get(f"{API}/samples?search=x").json()["total"] == 0

    def test_an_unknown_token_is_refused(self, client: TestClient) -> None:
        headers = {"authorization": "Bearer guessed"}
        answer = client.get(f"{API}/samples", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
