"""What people said of crops, given as a labelled set and learned from beside the server."""

from __future__ import annotations

import html
import io
import time
import zipfile
from dataclasses import replace

import pytest

from androscope.imaging.phantom_set import phantom_set
from androscope.predict import Grader
from androscope.records.clean import clean_file
from androscope.records.store import Records
from androscope.records.types import Find, JobState, StoredModel
from androscope.types import PARTS, Crop, Verdict
from androscope.web.work.learn import ADAPT

from .conftest import png


@pytest.fixture
def reviewed(records: Records) -> int:
    """Ninety crops of six samples of which a person said the opposite of what the model says."""
    # Phantoms do not pass its checks.
    grader = Grader("dmtl-lite0", threads=1, grade_anyway=True)
    model = StoredModel(
        grader.card.name, grader.card.version, grader.card.model_sha256, grader.card.to_json()
    )
    opposite = {Verdict.NORMAL: Verdict.ABNORMAL, Verdict.ABNORMAL: Verdict.NORMAL}
    count, per_sample = 90, 15
    phantoms = phantom_set(count, 3, rates=dict.fromkeys(PARTS, 0.5))
    crops = [Crop(phantom.pixels, f"{number}.png") for number, phantom in enumerate(phantoms)]
    said = [graded.assessment.parts for graded in grader.grade(crops)]
    for start in range(0, count, per_sample):
        sample = records.samples.create(f"S-{start}", actor="anna")
        for number in range(start, start + per_sample):
            (image,) = records.images.add(
                sample.id, clean_file(png(number), f"{number}.png"), actor="anna"
            )
            find = Find(
                pixels=crops[number].pixels,
                parts=tuple(replace(p, verdict=opposite[p.verdict]) for p in said[number]),
            )
            job = records.jobs.claim("test")
            (crop,) = records.crops.add(image.id, [find], model, kind="crop", job=job)
            records.reviews.accept(crop.id, actor="anna")
    return count


def test_nothing_was_reviewed(browser, graded) -> None:
    client = browser()
    assert "0 crops were reviewed" in client.get("/learn").text
    answer = client.get("/learn/labels.zip", headers={"accept": "application/json"})
    assert answer.status_code == 400
    assert "nobody has reviewed a crop" in answer.json()["detail"]


def test_the_labelled_set(browser, records: Records, graded) -> None:
    for crop in graded.crops[:2]:
        records.reviews.accept(crop.id, actor="anna")
    client = browser()
    assert "2 crops were reviewed" in client.get("/learn").text
    answer = client.get("/learn/labels.zip")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        lines = archive.read("labels.csv").decode().splitlines()
        assert len(lines) == 3
        assert lines[0].startswith("path,")
        assert sum(name.endswith(".png") for name in archive.namelist()) == 2


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        pytest.param({"name": "../x"}, 400, "Letters, digits", id="a-path"),
        pytest.param({"name": "dmtl-lite0"}, 409, "already", id="taken"),
        pytest.param({"name": "new", "parent": "none"}, 400, "no model", id="parent"),
    ],
)
def test_what_cannot_be_started(browser, fields: dict[str, str], status: int, said: str) -> None:
    answer = browser().submit("/learn", **({"parent": "dmtl-lite0"} | fields))
    assert answer.status_code == status
    assert said in answer.text


def done(records: Records) -> JobState:
    """The state of the only adaptation when it has ended."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        (job,) = records.jobs.list(kind=ADAPT)
        if job.state not in (JobState.QUEUED, JobState.RUNNING):
            return job.state
        time.sleep(0.1)
    pytest.fail("it did not end")


@pytest.mark.train
def test_a_model_learns_and_is_switched_to(browser, records: Records, reviewed: int) -> None:
    pytest.importorskip("onnx", reason="needs the train extra: onnx is not installed")
    client = browser(work=True, model=None)
    parent = {"parent": "dmtl-lite0", "name": "lab-1"}
    assert client.submit("/learn", **parent).status_code == 303
    again = client.submit("/learn", **parent)
    assert (again.status_code, "already" in again.text) == (409, True)
    state = done(records)
    text = client.get("/learn").text
    assert state is JobState.DONE, text
    assert "30 crops held out; fitted and chosen on 60" in text
    assert "branch fitted anew" in text
    assert "All it said" in text
    assert client.submit("/models/lab-1/choose").status_code == 303
    assert "lab-1" in client.get("/models").text.partition("graded by this one")[0][-400:]


@pytest.mark.train
def test_too_few_crops_are_refused_with_how_many_are_lacking(
    browser, records: Records, graded
) -> None:
    pytest.importorskip("onnx", reason="needs the train extra: onnx is not installed")
    records.reviews.accept(graded.crops[0].id, actor="anna")
    client = browser(work=True, model=None)
    client.submit("/learn", parent="dmtl-lite0", name="lab-1")
    assert done(records) is JobState.FAILED
    (job,) = records.jobs.list(kind=ADAPT)
    assert job.reason is not None
    assert "at least 50 are needed" in job.reason
    text = html.unescape(client.get("/learn").text)
    assert all(line.strip() in text for line in job.reason.splitlines())
