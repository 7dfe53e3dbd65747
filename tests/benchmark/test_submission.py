# ruff: noqa: E501  a row of a table of cases stays on one line
from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from androscope.benchmark.submission import Predictions, read_predictions
from androscope.errors import SubmissionError

IDS = ("test/0", "test/1", "test/2", "test/3")
TRUTH = {"head": [0, 1, 0, 1], "tail": [0, 0, 0, 1]}
GOOD = "id,head\ntest/0,0.1\ntest/1,0.6\ntest/2,0.5\ntest/3,0.25\n"


def read(text: str | bytes, folder: Path, **thresholds: float) -> Predictions:
    path = folder / "p.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_predictions(path, IDS, TRUTH, thresholds, what="discs test")


def reasons(text: str | bytes, folder: Path, **thresholds: float) -> list[str]:
    """What a file is refused for, line by line."""
    with pytest.raises(SubmissionError) as caught:
        read(text, folder, **thresholds)
    first, *listed, last = str(caught.value).splitlines()
    count = f"{len(listed)} reason{'' if len(listed) == 1 else 's'}"
    assert first == f"{folder / 'p.csv'}: refused for {count}:"
    assert last == ". Nothing was entered; mend these and submit again"
    return [line.removeprefix("  ") for line in listed]


def test_a_good_file(tmp_path: Path) -> None:
    found = read(GOOD, tmp_path)
    assert found.labels == ("head",)
    assert found.probabilities.tolist() == [[0.1], [0.6], [0.5], [0.25]]
    assert found.thresholds == {"head": 0.5}
    assert found.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(GOOD.replace("\n", "\r\n"), id="Windows line ends"),
        pytest.param("\ufeff" + GOOD, id="byte-order mark"),
        pytest.param(GOOD.replace("id,head", "ID, Head "), id="capitals and blanks"),
        pytest.param(GOOD + "\n,\n", id="blank lines"),
        pytest.param(GOOD.replace("head", "head_probability"), id="named as evaluate does"),
        pytest.param(GOOD.replace("test/0", '"test/0"'), id="quoted"),
        pytest.param(GOOD.replace("0.1", "1e-1"), id="exponent"),
    ],
)
def test_ways_to_write_the_same(tmp_path: Path, text: str) -> None:
    assert read(text, tmp_path).probabilities.tolist() == [[0.1], [0.6], [0.5], [0.25]]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        pytest.param(GOOD + "\n", True, id="a blank line"),
        pytest.param(GOOD.replace("0.1", "1e-1"), True, id="exponent"),
        pytest.param("id,tail,head\ntest/0,0.2,0.1\ntest/1,0.3,0.6\ntest/2,0.4,0.5\ntest/3,0.7,0.25\n", True, id="a column more"),
        pytest.param(GOOD.replace("0.1", "0.11"), False, id="another number"),
    ],
)  # fmt: skip
def test_the_digest_is_of_the_numbers(tmp_path: Path, text: str, same: bool) -> None:
    digest = read(GOOD, tmp_path).digests["head"]
    assert (read(text, tmp_path).digests["head"] == digest) == same
    assert digest == hashlib.sha256(struct.pack("<4d", 0.1, 0.6, 0.5, 0.25)).hexdigest()


def test_what_was_entered_before_is_refused_with_every_other_reason(tmp_path: Path) -> None:
    digest = read(GOOD, tmp_path).digests["head"]
    path = tmp_path / "p.csv"
    path.write_text(GOOD.replace("head", "head,tail").replace("\ntest/0,0.1", "\ntest/0,0.1,x"))
    with pytest.raises(SubmissionError) as caught:
        read_predictions(path, IDS, TRUTH, taken={("head", digest): "as 'net' since 2024-05-06"})
    assert (
        "the probabilities of head are on the board as 'net' since 2024-05-06: predictions are "
        "entered once, with one threshold; leave out the labels that are there already"
    ) in str(caught.value)
    assert "tail is no number" in str(caught.value)


def test_labels_come_in_the_order_of_the_data_set(tmp_path: Path) -> None:
    text = "tail,id,head\n" + "".join(f"0.{i + 1},{name},0.5{i}\n" for i, name in enumerate(IDS))
    found = read(text, tmp_path, tail=0.3)
    assert found.labels == ("head", "tail")
    assert found.probabilities[:, 1].tolist() == [0.1, 0.2, 0.3, 0.4]
    assert found.thresholds == {"head": 0.5, "tail": 0.3}


def changed(*changes: tuple[str, str]) -> str:
    text = GOOD
    for before, after in changes:
        assert text.count(before) == 1
        text = text.replace(before, after)
    return text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(changed(("test/2,0.5\n", "")), ["1 of 4 ids are missing: test/2"], id="missing id"),
        pytest.param(GOOD + "test/1,0.6\n", ["line 6: an id is there twice, got test/1"], id="id twice"),
        pytest.param(GOOD + "test/4,0.6\n", ["line 6: expected an id of discs test, got test/4"], id="unknown id"),
        pytest.param(changed(("test/0", "train/0")), ["line 2: expected an id of discs test, got train/0", "1 of 4 ids are missing: test/0"], id="other split"),
        pytest.param(changed(("test/3,", ",")), ["line 5: expected an id of discs test, got a blank", "1 of 4 ids are missing: test/3"], id="blank id"),
        pytest.param("id,head\ntest/0,0.1\ntest/2,0.5\ntest/1,0.6\ntest/3,0.25\n", ["line 4: wrong order: expected the rows in the order of discs test, test/0 first, got test/1 behind test/2"], id="wrong order"),
        pytest.param(changed(("0.6", "nan")), ["line 3: head is not finite: expected a probability from 0 to 1, got nan"], id="NaN"),
        pytest.param(changed(("0.6", "-inf")), ["line 3: head is not finite: expected a probability from 0 to 1, got -inf"], id="infinite"),
        pytest.param(changed(("0.6", "")), ["line 3: head is blank: expected a probability from 0 to 1"], id="blank"),
        pytest.param(changed(("0.6", "high")), ["line 3: head is no number: expected a probability from 0 to 1, got 'high'"], id="text"),
        pytest.param(changed(("0.6", "60"), ("0.25", "-0.1")), ["lines 3, 5: head is out of range: expected a probability from 0 to 1, got 60, -0.1"], id="out of range"),
        pytest.param("id,head\n" + "".join(f"{i},{t}\n" for i, t in zip(IDS, "0101", strict=True)), ["head holds verdicts or labels, 0, 1 and nothing else: expected probabilities of abnormal, from which alone ROC AUC can be computed"], id="labels"),
        pytest.param("id,head\n" + "".join(f"{i},{t}\n" for i, t in zip(IDS, "0000", strict=True)), ["head holds verdicts or labels, 0 and nothing else: expected probabilities of abnormal, from which alone ROC AUC can be computed"], id="one class"),
        pytest.param("id,head\n" + "".join(f"{i},{t}\n" for i, t in zip(IDS, ["Normal", "abnormal", "normal", "abnormal"], strict=True)), ["head holds verdicts or labels, abnormal, normal and nothing else: expected probabilities of abnormal, from which alone ROC AUC can be computed"], id="words"),
        pytest.param(changed(("0.1", "0.01"), ("0.6", "0.99"), ("0.5", "0.99"), ("0.25", "0.010")), ["head holds 0.01, 0.99 and nothing else, which are verdicts in other words: expected the probabilities that the model gives, from which alone ROC AUC can be computed"], id="verdicts as 0.01 and 0.99"),
        pytest.param(changed(("0.1", "0.3"), ("0.6", "0.3"), ("0.5", "0.3"), ("0.25", "0.3")), ["head holds 0.3 and nothing else, which are verdicts in other words: expected the probabilities that the model gives, from which alone ROC AUC can be computed"], id="one constant"),
        pytest.param("id,head\n" + "".join(f"{i},\n" for i in IDS), ["lines 2, 3, 4, 5: head is blank: expected a probability from 0 to 1"], id="empty column"),
        pytest.param(changed(("test/1,0.6", "test/1,0,6")), ["line 3: expected 2 columns, got 3"], id="decimal comma"),
        pytest.param(changed(("test/1,0.6", "test/1")), ["line 3: expected 2 columns, got 1", "line 3: head is blank: expected a probability from 0 to 1"], id="short row"),
        pytest.param(changed(("id,head", "id,haed")), ["line 1: there is no column 'haed' in a file of predictions; the nearest is head", "line 1: there is no column of probabilities: expected head, tail"], id="unknown column"),
        pytest.param("id,head,head_probability\n", ["line 1: a column is there twice, got head_probability", "4 of 4 ids are missing: test/0, test/1, test/2, test/3"], id="column twice, no rows"),
        pytest.param("id,id,head\n" + "".join(f"{i},{i},0.{n}\n" for n, i in enumerate(IDS)), ["line 1: a column is there twice, got id"], id="id column twice"),
        pytest.param("id,head,tail_truth\n" + "".join(f"{i},0.{n},0\n" for n, i in enumerate(IDS)), ["line 1: tail has no column of probabilities"], id="truth alone"),
        pytest.param("name,head\n", ["line 1: there is no column 'name' in a file of predictions", "line 1: there is no column named id"], id="no id"),
        pytest.param("id;head\n", ["line 1: expected columns separated by commas"], id="semicolons"),
        pytest.param("", ["it is empty: expected a header, then a row per crop"], id="empty"),
        pytest.param(b"id,head\n\xff\xfe", ["expected UTF-8 text, got other bytes (invalid start byte)"], id="not UTF-8"),
        pytest.param('id,head\n"test/0,0.4\n', ["line 2: this is not CSV: unexpected end of data"], id="unclosed quote"),
    ],
)  # fmt: skip
def test_refused(tmp_path: Path, text: str | bytes, expected: list[str]) -> None:
    assert reasons(text, tmp_path) == expected


def test_every_reason_at_once(tmp_path: Path) -> None:
    text = "id,head,tail,x\ntest/3,nan,1,0\ntest/1,2,0,0\ntest/1,,1,0\ntest/9,0.5,0,0\n"
    assert reasons(text, tmp_path, head=7.0, vacuole=0.5) == [
        "line 1: there is no column 'x' in a file of predictions",
        "line 3: wrong order: expected the rows in the order of discs test, test/0 first, got "
        "test/1 behind test/3",
        "line 4: an id is there twice, got test/1",
        "line 5: expected an id of discs test, got test/9",
        "2 of 4 ids are missing: test/0, test/2",
        "the threshold for head: expected 0 to 1, got 7",
        "there is a threshold for vacuole, and no column of that name",
        "line 2: head is not finite: expected a probability from 0 to 1, got nan",
        "line 3: head is out of range: expected a probability from 0 to 1, got 2",
        "line 4: head is blank: expected a probability from 0 to 1",
        "tail holds verdicts or labels, 0, 1 and nothing else: expected probabilities of abnormal, "
        "from which alone ROC AUC can be computed",
    ]


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(
        SubmissionError, match=r"none\.csv: refused for 1 reason:\n  cannot be read: No such"
    ):
        read_predictions(tmp_path / "none.csv", IDS, TRUTH)
    with pytest.raises(SubmissionError, match="cannot be read: Is a directory"):
        read_predictions(tmp_path, IDS, TRUTH)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "p.csv").open("wb") as stream:
        stream.truncate(21 * 2**20)
    with pytest.raises(SubmissionError, match="expected at most 20 MB: a row per crop"):
        read_predictions(tmp_path / "p.csv", IDS, TRUTH)


def evaluated(
    limits: str = "0.4 0.4 0.4 0.4", verdicts: str = "0 1 1 0", truth: str = "0 1 0 1"
) -> str:
    """A file like that of ``androscope evaluate``: probabilities 0.1, 0.6, 0.5, 0.25."""
    words = {"0": "normal", "1": "abnormal"}
    rows = zip(
        IDS,
        truth.split(),
        ("0.1", "0.6", "0.5", "0.25"),
        verdicts.split(),
        limits.split(),
        strict=True,
    )
    lines = [f"{i},{words.get(t, t)},{p},{words[v]},{limit}" for i, t, p, v, limit in rows]
    return "\n".join(["id,head_truth,head_probability,head_verdict,head_threshold", *lines]) + "\n"


def test_the_files_own_threshold_is_in_force(tmp_path: Path) -> None:
    assert read(evaluated(), tmp_path).thresholds == {"head": 0.4}
    assert read(evaluated(), tmp_path, head=0.4).thresholds == {"head": 0.4}


@pytest.mark.parametrize(
    ("text", "thresholds", "expected"),
    [
        pytest.param(evaluated(), {"head": 0.5}, ["the threshold for head was given as 0.5, and is 0.4 in the file: leave one of the two out"], id="two thresholds"),
        pytest.param(evaluated("0.4 0.4 0.3 0.4"), {}, ["head_threshold: expected one for all crops, got 0.4, 0.3"], id="a threshold per fold"),
        pytest.param(evaluated("1.4 1.4 1.4 1.4"), {}, ["head_threshold: expected 0 to 1, got 1.4", "lines 3, 4: head_verdict does not follow from the threshold 1.4, but from one above 0.25 and up to 0.5: give the one chosen on validation with --threshold head=..., got abnormal"], id="no threshold"),
        pytest.param(evaluated(verdicts="1 0 0 1"), {}, ["lines 2, 3, 4, 5: head_verdict does not follow from the threshold 0.4, but from no threshold at all, got abnormal, normal"], id="verdicts of something else"),
        pytest.param(evaluated(truth="0 0 0 1"), {}, ["line 3: head_truth contradicts the data set's label: are the rows of these crops?, got normal for test/1"], id="other labels"),
        pytest.param(evaluated().replace(",head_threshold", "").replace(",0.4", ""), {"head": 0.55}, ["line 4: head_verdict does not follow from the threshold 0.55, but from one above 0.25 and up to 0.5: give the one chosen on validation with --threshold head=..., got abnormal"], id="wrong threshold"),
    ],
)  # fmt: skip
def test_what_an_evaluation_says_must_agree(
    tmp_path: Path, text: str, thresholds: dict[str, float], expected: list[str]
) -> None:
    assert reasons(text, tmp_path, **thresholds) == expected


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4), st.floats(0, 1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_probabilities_come_back_to_the_bit(
    tmp_path: Path, values: list[float], limit: float
) -> None:
    text = "id,head\n" + "".join(f"{i},{v!r}\n" for i, v in zip(IDS, values, strict=True))
    if len(set(values)) <= 2:
        assert "and nothing else" in reasons(text, tmp_path)[0]
        return
    found = read(text, tmp_path, head=limit)
    assert found.probabilities[:, 0].tolist() == values
    assert found.thresholds == {"head": limit}


@given(st.text(max_size=200) | st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_in_the_file_it_is_refused_in_words(tmp_path: Path, text: str | bytes) -> None:
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    with pytest.raises(SubmissionError, match="refused for"):
        read(content, tmp_path)
