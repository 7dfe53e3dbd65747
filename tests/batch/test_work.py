from __future__ import annotations

from pathlib import Path

import pytest

from androscope.batch.key import Options, differences, facts_of, key_of_run
from androscope.batch.measure import candidates, choose_batch_size
from androscope.batch.parts import Item, Part
from androscope.batch.work import Worker, grader_of, same_software, schema_of
from androscope.errors import BatchError
from androscope.report.rows import column_names

from .conftest import TINY


def test_the_columns_are_those_of_results_and_hashes() -> None:
    labels = ("head", "tail")
    assert schema_of(labels).names == [*column_names(labels), "image_sha256", "model_sha256"]


def test_what_is_known_is_not_graded(crops: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part((0, 0), (Item("crops/img0.png", 1, where="crops/img0.png"),))
    grader = grader_of(TINY, Options())
    done = Worker(grader, Options(), "run", 8)(part)
    assert done.tally is not None
    assert (done.tally.rows, done.tally.failed) == (1, {})
    monkeypatch.setattr(grader, "grade_images", None)
    again = Worker(grader, Options(), "run", 8, known={done.key})(part)
    assert (again.key, again.data, again.tally) == (done.key, None, None)


@pytest.mark.parametrize(
    ("threads", "sizes"),
    [(1, (4, 8, 16)), (2, (2, 4, 8)), (8, (2,)), (64, ())],
)
def test_the_more_threads_the_smaller_the_batches(threads: int, sizes: tuple[int, ...]) -> None:
    assert candidates(threads) == sizes


def test_a_batch_size_that_changes_an_answer_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grader = grader_of(TINY, Options(grade_anyway=True))
    assert choose_batch_size(grader, 2).batch_size in (1, 2, 4, 8)
    assert choose_batch_size(grader, 2, only=7).batch_size == 7
    # A machine on which every size gives its own last digit, and larger ones are faster.
    clock = iter(range(1000))
    monkeypatch.setattr("androscope.batch.measure.time.perf_counter", lambda: next(clock))
    monkeypatch.setattr("androscope.batch.measure._probabilities", lambda g, c, batch: [(batch,)])
    assert choose_batch_size(grader, 2).batch_size == 1


def test_the_runs_key_is_of_all_that_answers_depend_on() -> None:
    card = grader_of(TINY, Options()).card
    facts = facts_of(card, Options(), 1000)
    keys = {key_of_run(facts)}
    for other in (
        facts_of(card, Options(fit="centre"), 1000),
        facts_of(card, Options(pixel_size=0.1), 1000),
        facts_of(card, Options(error_rate=0.1), 1000),
        facts_of(card, Options(grade_anyway=True), 1000),
        facts_of(card, Options(max_pixels=5000), 1000),
        facts_of(card.model_copy(update={"thresholds": {}}), Options(), 1000),
        facts_of(card, Options(backend="openvino"), 1000),
        {**facts, "runtime": "onnxruntime 0"},
        {**facts, "androscope": "0"},
        {**facts, "model_sha256": "0"},
    ):
        keys.add(key_of_run(other))
    assert len(keys) == 11
    assert differences(facts, {**facts, "runtime": "onnxruntime 9", "fit": "centre"}) == (
        f"{facts['runtime']} (now onnxruntime 9), --fit auto (now --fit centre)"
    )


def test_a_node_with_other_software_refuses() -> None:
    facts = facts_of(grader_of(TINY, Options()).card, Options(), 1000)
    same_software(facts, facts)
    with pytest.raises(BatchError) as caught:
        same_software({**facts, "runtime": "onnxruntime 1.0"}, facts)
    assert str(caught.value) == (
        f"a worker of the cluster has runtime onnxruntime 1.0, expected {facts['runtime']}: its "
        "rows could differ. Install the same versions on every node"
    )
