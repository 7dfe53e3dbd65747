"""From files dropped in to a graded sample: the queue, its limits, a restart, and what is told."""

from __future__ import annotations

import time

import pytest

from androscope.records.types import JobState
from androscope.web.options import Limits
from androscope.web.uploads.queue import DECODE


def files(*names: str, content: bytes | None = None) -> list:
    return [
        ("files", (name, png(seed) if content is None else content, "image/png"))
        for seed, name in enumerate(names)
    ]


def png(seed: int) -> bytes:
    import io

    import numpy as np
    from PIL import Image

    stream = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def upload(client, path: str = "/samples", given: list | None = None, **fields: str):
    data = {"csrf": client.token(), **fields}
    return client.post(
        path, data=data, files=files("a.png") if given is None else given, follow_redirects=False
    )


def wait(records, sample_id: int) -> None:
    until = time.monotonic() + 120
    while records.samples.get(sample_id).open_jobs:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_from_upload_to_result(logged_in, records, options) -> None:
    client = logged_in("reviewer", work=True)
    given = [
        *files("S/a/1.png", "S/a/2.png", "S/b/3.png"),
        *files("S/b/notes.txt", content=b"hello"),
    ]
    answer = upload(client, given=given, name="S-9", pixel_size="0,2", comment=" c ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/samples/1")
    wait(records, 1)
    sample = records.samples.get(1)
    assert (sample.created_by, sample.pixel_size_um, sample.comment) == ("a reviewer", 0.2, "c")
    assert (sample.images, sample.assessed, sample.failures) == (3, 3, 1)
    assert [(i.name, i.replicate) for i in records.images.list(1)] == [
        ("S/a/1.png", "a"), ("S/a/2.png", "a"), ("S/b/3.png", "b"),
    ]  # fmt: skip
    text = client.get("/samples/1").text
    assert "S/b/notes.txt" in text
    assert "expected an image" in text
    assert "data-watch" not in text
    # Received files are gone; what is kept are pictures by their hash.
    assert list(options.incoming.iterdir()) == []
    events = client.get("/samples/1/progress").text
    assert events.startswith("event: progress\ndata: ")
    assert "3 sperm assessed, 3 found." in events
    assert events.endswith("event: over\ndata: 1\n\n")
    # More images, of which one is a copy under its own name and one has another's name.
    more = [*files("S/a/1.png"), *files("S/b/3.png", content=png(7)), *files("S/c/4.png")]
    assert upload(client, "/samples/1/images", more).headers["location"] == "/samples/1"
    wait(records, 1)
    assert records.samples.get(1).images == 4
    text = client.get("/samples/1").text
    assert "The sample has another file" in text or "the sample has another file" in text


def test_what_a_script_of_ours_gets(logged_in) -> None:
    client = logged_in("reviewer")
    headers = {"accept": "application/json", "x-csrf-token": client.token()}
    answer = client.post("/samples", data={"name": "S"}, files=files("a.png"), headers=headers)
    assert (answer.status_code, answer.json()) == (201, {"url": "/samples/1"})
    answer = client.post("/samples", data={"name": "S"}, files=files("a.png"), headers=headers)
    assert answer.status_code == 409
    assert answer.json()["code"] == "record-exists"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": " "}, "name"),
        ({"name": "S", "pixel_size": "-1"}, "Pixel size, µm must be a number above 0 and at most"),
        ({"name": "S", "pixel_size": "nan"}, "Pixel size, µm must be a number above 0 and at most"),
        ({"name": "S", "error_rate": "0.6"}, "Error rate must be a number above 0 and at most 0.5"),
    ],
    ids=["no name", "a negative size", "no number", "a rate that guessing keeps"],
)
def test_a_form_with_a_fault_keeps_nothing(logged_in, records, options, fields, says) -> None:
    client = logged_in("reviewer")
    answer = upload(client, **fields)
    assert answer.status_code == 400
    assert says in answer.text
    assert records.samples.list().total == 0
    assert list(options.incoming.iterdir()) == []


def test_a_rate_may_be_written_with_a_comma(logged_in, records) -> None:
    upload(logged_in("reviewer"), name="S", error_rate="0,5")
    assert records.samples.get(1).settings["error_rate"] == "0.5"


def test_no_file(logged_in) -> None:
    answer = upload(logged_in("reviewer"), given=files("", content=b""), name="S")
    assert answer.status_code == 400
    assert "Choose at least one image." in answer.text


def test_a_form_from_elsewhere_keeps_nothing(logged_in, options) -> None:
    client = logged_in("reviewer")
    data = {"csrf": "0" * 64, "name": "S"}
    answer = client.post("/samples", data=data, files=files("a.png"))
    assert answer.status_code == 403
    assert list(options.incoming.iterdir()) == []


def test_limits_are_told(logged_in, options) -> None:
    client = logged_in("reviewer", limits=Limits(files=2, file_bytes=10_000))
    answer = upload(client, given=files("1.png", "2.png", "3.png"), name="S")
    assert answer.status_code == 413
    assert "An upload may have 2 files, got more." in answer.text
    answer = upload(client, given=files("1.png", content=bytes(20_000)), name="S")
    assert answer.status_code == 413
    assert list(options.incoming.iterdir()) == []


def test_a_full_queue_says_when_to_come_again(logged_in, records) -> None:
    client = logged_in("reviewer", limits=Limits(queue=3))
    assert upload(client, given=files("1.png", "2.png"), name="S").status_code == 303
    answer = upload(client, given=files("3.png", "4.png"), name="T")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    assert "2 images wait to be graded, and no more than 3 may wait." in answer.text
    assert records.samples.named("T") is None


def test_cancelled_and_tried_again(logged_in, records) -> None:
    client = logged_in("reviewer")
    upload(client, given=files("1.png", "2.png"), name="S")
    text = client.get("/samples/1").text
    assert 'data-watch="/samples/1/progress"' in text
    assert "0 of 2 steps done" in text
    assert ">grading<" in text
    client.submit("/samples/1/cancel")
    assert records.jobs.counts(1)[JobState.CANCELLED] == 2
    assert "2 cancelled." in client.get("/samples/1").text
    client.submit("/samples/1/retry")
    assert records.jobs.counts(1)[JobState.QUEUED] == 2


def test_a_restart_goes_on_where_it_was(logged_in, browser, records, options) -> None:
    client = logged_in("reviewer")
    upload(client, given=files("1.png", "2.png"), name="S")
    # A server that was killed with one in its hand, and another upload half received.
    assert records.jobs.claim("killed", kind=DECODE, lease_s=3600) is not None
    stray = options.incoming / "half"
    stray.write_bytes(b"x")
    browser(work=True)
    wait(records, 1)
    assert records.samples.get(1).assessed == 2
    assert not stray.exists()


def test_what_takes_the_server_down_again_and_again_is_given_up(
    browser, logged_in, records
) -> None:
    upload(logged_in("reviewer"), given=files("1.png"), name="S")
    for _ in range(3):
        assert records.jobs.claim("killed", kind=DECODE) is not None
        records.jobs.requeue()
    client = logged_in_again = browser(work=True)
    wait(records, 1)
    assert logged_in_again is client
    (job,) = records.jobs.list(sample_id=1, kind=DECODE)
    assert job.state is JobState.FAILED
    assert "the server ended 3 times while it was read" in str(job.reason)
