"""Review: what is shown of a crop, what each act says in the log, and blinded observers."""

from __future__ import annotations

import re

import pytest

from androscope.records.entries import EventKind
from androscope.types import Verdict
from androscope.web.reviewing import keys_of


def order(text: str) -> list[int]:
    return [int(number) for number in re.findall(r'<li id="crop-(\d+)"', text)]


@pytest.mark.parametrize(
    ("labels", "keys"),
    [
        (("head", "acrosome", "vacuole", "tail"), "havt"),
        (("head", "hook"), "ho"),
        (("midpiece",), "i"),  # m shows the map
        (("ux", "xu"), "12"),
    ],
)
def test_a_key_for_each_part(labels: tuple[str, ...], keys: str) -> None:
    assert "".join(keys_of(labels).values()) == keys


def test_those_come_first_that_need_a_person_most(logged_in, graded) -> None:
    text = logged_in("reviewer").get(f"/samples/{graded.id}/review").text
    normal, flagged, undecided, _, crop = (c.id for c in graded.crops)
    assert order(text)[:2] == [undecided, flagged] or order(text)[:2] == [flagged, undecided]
    assert set(order(text)[2:]) == {normal, crop}  # what was left out is not reviewed
    assert "4 crops left" in text
    assert "out of focus: 0.1, at least 0.2 is needed" in text
    assert 'data-key="h" data-act="verdict" data-part="head" data-to="normal"' in text


def test_each_act_is_an_entry_of_the_log(logged_in, records, graded) -> None:
    client = logged_in("reviewer")
    crop = graded.crops[0].id

    def act(what: str, **fields: str):
        answer = client.submit(f"/crops/{crop}/{what}", **fields)
        assert answer.status_code == 200, answer.text
        return records.crops.get(crop), answer.text

    stands, text = act("verdict", part="head", to="abnormal", expected="normal")
    assert stands.verdicts["head"] is Verdict.ABNORMAL
    assert stands.opinion.parts[0].verdict is Verdict.NORMAL  # never changes
    assert '<article class="crop-card abnormal seen" data-reviewed="yes">' in text
    assert "model: normal" in text
    stands, _ = act("undecided")
    assert set(stands.verdicts.values()) == {Verdict.UNDECIDED}
    stands, text = act("sperm", is_sperm="false")
    assert not stands.is_sperm
    assert "A sperm after all" in text
    stands, _ = act("undo")
    assert stands.is_sperm
    act("accept")
    events = records.reviews.history(crop)
    kinds = [event.kind for event in events if event.kind is not EventKind.GRADED]
    assert kinds[0] is EventKind.VERDICT
    assert kinds[-3:] == [EventKind.SPERM, EventKind.UNDO, EventKind.ACCEPT]
    assert {event.actor for event in events if event.kind in kinds} == {"a reviewer"}
    assert records.samples.get(graded.id).status.value == "in review"
    text = client.get(f"/samples/{graded.id}/review").text
    assert crop not in order(text)
    assert "3 crops left" in text
    assert crop in order(client.get(f"/samples/{graded.id}/review?all=true").text)


def test_what_another_changed_meanwhile_is_not_overwritten(logged_in, records, graded) -> None:
    client = logged_in("reviewer")
    crop = graded.crops[0].id
    records.reviews.verdict(crop, "head", Verdict.ABNORMAL, actor="li")
    answer = client.submit(f"/crops/{crop}/verdict", part="head", to="undecided", expected="normal")
    assert answer.status_code == 409
    assert f"The head of crop {crop} is abnormal by now, not normal." in answer.text
    # Nor is it taken back by somebody else's undo.
    answer = client.submit(f"/crops/{crop}/undo")
    assert answer.status_code == 409
    assert "You said nothing of this crop that could be taken back." in answer.text


def test_faults_in_what_is_sent(logged_in, graded) -> None:
    client = logged_in("reviewer")
    crop = graded.crops[0].id
    assert client.submit(f"/crops/{crop}/verdict", part="fin", to="normal").status_code == 400
    assert client.submit(f"/crops/{crop}/verdict", part="head", to="bad").status_code == 422
    assert client.submit("/crops/999/accept").status_code == 404


def test_a_blinded_observer_sees_no_opinion(logged_in, records, graded) -> None:
    client = logged_in("reviewer")
    records.reviews.accept(graded.crops[2].id, actor="li")
    text = client.get(f"/samples/{graded.id}/review?blind=true").text
    # In the order found, not by need; no verdict, no probability, no flag, no trace of a review.
    assert order(text) == [graded.crops[n].id for n in (0, 1, 2, 4)]
    for word in ("0.90", "0.10", "out of focus", "reviewed", 'class="part abnormal"'):
        assert word not in text, word
    assert text.count('data-said="unmarked"') == 4 * len(graded.crops[0].verdicts)
    crop = graded.crops[1].id
    answer = client.submit(f"/crops/{crop}/observe", abnormal="acrosome")
    assert 'data-part="acrosome" data-said="abnormal"' in answer.text
    assert "0.90" not in answer.text
    # The record stands as it was.
    assert records.crops.get(crop).verdicts["acrosome"] is Verdict.NORMAL
    assert not records.crops.get(crop).reviewed
    text = client.get(f"/samples/{graded.id}/review?blind=true").text
    assert "3 crops left" in text


def test_kappa_at_the_end(logged_in, records, graded) -> None:
    client = logged_in("reviewer")
    path = f"/samples/{graded.id}/observers"
    assert "No second observer has looked yet." in client.get(path).text
    for number in (0, 1, 2, 4):
        said = {"abnormal": "head"} if number == 1 else {}
        client.submit(f"/crops/{graded.crops[number].id}/observe", **said)
    text = client.get(path).text
    assert "a reviewer, 4 crops" in text
    # Of the heads one is undecided in the record; the observer agrees on the other three.
    row = re.search(r'<th scope="row">head</th>(.*?)</tr>', text, re.S)
    assert row is not None
    cells = re.findall(r">([^<]+)</td>", row[1])
    assert cells == ["3", "100% (44% to 100%)", "1.00", "0", "0"]
    client.submit(f"/crops/{graded.crops[0].id}/observe", is_sperm="false")
    assert 'data-label="Both decided">2</td>' in client.get(path).text


def test_review_is_offered_to_those_who_may(logged_in, graded) -> None:
    assert "/review" in logged_in("reviewer").get(f"/samples/{graded.id}").text
    assert "/review" not in logged_in("viewer").get(f"/samples/{graded.id}").text


def test_where_the_model_looked(logged_in, records, graded) -> None:
    client = logged_in("reviewer", work=True)
    crop = graded.crops[1].id
    answer = client.get(f"/crops/{crop}/heat.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG")
    assert client.get(f"/crops/{crop}/heat.png?part=acrosome").content != answer.content
    assert client.get(f"/crops/{crop}/heat.png?part=fin").status_code == 404
    assert client.get(f"/crops/{graded.crops[3].id}/heat.png").status_code == 404  # nothing was cut


def test_no_other_model_is_asked_where_it_looked(logged_in, graded) -> None:
    client = logged_in("reviewer", work=True, model="dmtl-lite0")
    answer = client.get(f"/crops/{graded.crops[1].id}/heat.png")
    assert answer.status_code == 400
    assert "Dmtl-lite0" in answer.text
    assert "graded the crop" in answer.text


def test_the_history_in_words(logged_in, records, graded) -> None:
    client = logged_in("reviewer")
    crop = graded.crops[0].id
    client.submit(f"/crops/{crop}/verdict", part="head", to="abnormal")
    client.submit(f"/crops/{crop}/undo")
    client.submit(f"/crops/{crop}/sperm", is_sperm="false")
    client.submit(f"/crops/{crop}/accept")
    client.submit(f"/crops/{crop}/observe")
    text = client.get(f"/samples/{graded.id}/history").text
    told = re.findall(r'data-label="What">([^<]+)</td>', text)
    number = re.search(r"entry (\d+) taken back", text)
    assert number is not None
    assert told == [
        f"crop {crop}: looked at as a second observer",
        f"crop {crop}: accepted",
        f"crop {crop}: not a sperm",
        f"crop {crop}: entry {number[1]} taken back",
        f"crop {crop}, head: normal → abnormal",
        "a picture was graded: 1 find",
        "added crop.png",
        "a picture was graded: 4 finds",
        "added field.png",
        "made the sample",
    ]
