"""Signing: what is frozen, what is refused, what a signed version says after later changes."""

from __future__ import annotations

import html
import io
import json

import pytest

from androscope.records.store import Records
from androscope.types import Verdict


@pytest.fixture
def quiet(records: Records, graded):
    """The sample with nothing left to be graded."""
    records.jobs.cancel(graded.id)
    return graded


def sign(client, records: Records, sample_id: int, **fields: str):
    last = str(records.samples.get(sample_id).last_event)
    return client.submit(
        f"/samples/{sample_id}/sign", **({"name": "Dr A", "last_event": last} | fields)
    )


def test_a_version_is_frozen_and_later_changes_make_the_next(
    browser, records: Records, quiet
) -> None:
    client = browser()
    assert sign(client, records, quiet.id, comment=" clear ").status_code == 303
    text = client.get(f"/samples/{quiet.id}/sign").text
    for shown in ("Dr A", "clear", "version 2", "PDF of version 1"):
        assert shown in text
    first = {
        ending: client.get(f"/samples/{quiet.id}/signed/1.{ending}").content
        for ending in ("json", "html", "csv")
    }
    assert b"Signed by Dr A, " in first["html"]
    assert b"as version 1 of this report." in first["html"]
    assert b"<p>Signature</p>" not in first["html"]

    crop = quiet.crops[0]
    records.reviews.verdict(crop.id, next(iter(crop.verdicts)), Verdict.ABNORMAL, actor="anna")
    for ending, content in first.items():
        assert client.get(f"/samples/{quiet.id}/signed/1.{ending}").content == content, ending
    assert sign(client, records, quiet.id).status_code == 303
    second = json.loads(client.get(f"/samples/{quiet.id}/signed/2.json").content)
    assert second["normal"] != json.loads(first["json"])["normal"]


def test_the_pdf(browser, records: Records, quiet) -> None:
    pytest.importorskip("typst", reason="needs the report extra: typst is not installed")
    pypdf = pytest.importorskip("pypdf", reason="needs pypdf, of the dev group")
    client = browser()
    sign(client, records, quiet.id)
    answer = client.get(f"/samples/{quiet.id}/signed/1.pdf")
    assert 'filename="S-1 v1.pdf"' in answer.headers["content-disposition"]
    text = "".join(
        page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages
    )
    assert "Signed by Dr A" in " ".join(text.split())


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        pytest.param({"name": "  "}, 400, "a report is signed with a name", id="blank"),
        pytest.param({"last_event": "1"}, 409, "changed since the page was shown", id="stale"),
    ],
)
def test_refused(
    browser, records: Records, quiet, fields: dict[str, str], status: int, said: str
) -> None:
    answer = sign(browser(), records, quiet.id, **fields)
    assert answer.status_code == status
    assert said in html.unescape(answer.text).lower()
    assert records.reports.list(quiet.id) == ()


def test_nothing_to_sign(browser, records: Records) -> None:
    sample = records.samples.create("empty", actor="anna")
    client = browser()
    assert "There is nothing to sign yet" in client.get(f"/samples/{sample.id}/sign").text
    assert sign(client, records, sample.id).status_code == 409


def test_a_viewer_sees_and_does_not_sign(logged_in, quiet) -> None:
    assert (
        "<form"
        not in logged_in("viewer").get(f"/samples/{quiet.id}/sign").text.partition("<main")[2]
    )
