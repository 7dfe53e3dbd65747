from __future__ import annotations

import re
from pathlib import Path

import pytest

from androscope.datasets.verdicts import read_observer, read_observers
from androscope.errors import AndroscopeError, LabelsError, VerdictsError
from androscope.report.csv import write_csv
from androscope.types import Assessment, Failure, PartVerdict, Results, Verdict

ASSESSED = "image,index,status,head_verdict,head_probability,head_threshold\n"


def results() -> Results:
    def assessment(source: str, index: int | None, verdict: Verdict) -> Assessment:
        return Assessment(source, index, (PartVerdict("head", 0.5, 0.5, verdict),))

    return Results(
        model="m",
        model_sha256="0" * 64,
        labels=("head",),
        assessments=(
            assessment("d/=1.png", None, Verdict.NORMAL),
            assessment("=2.png", None, Verdict.ABNORMAL),
            assessment("s.tif", 3, Verdict.ABNORMAL),
        ),
        failures=(Failure("bad.png", None, "image-unreadable", "broken"),),
    )


def test_what_assess_writes_is_read(tmp_path: Path) -> None:
    write_csv(tmp_path / "model.csv", results())
    found = read_observer(tmp_path / "model.csv")
    assert (found.name, found.labels) == ("model", ("head",))
    read = [(row.name, row.verdicts["head"]) for row in found.rows]
    assert read == [("d/=1.png", 0), ("=2.png", 1), ("s.tif[3]", 1), ("bad.png", -1)]
    assert found.notes == ("1 images could not be assessed and count as undecided",)


def test_a_label_table_is_read_with_blanks_and_patients(tmp_path: Path) -> None:
    path = tmp_path / "anna.csv"
    path.write_text("path;head;tail;patient\na\\1.png;normal;1;P1\na/2.png;;0;\n", "utf-16")
    found = read_observer(path)
    assert found.labels == ("head", "tail")
    assert [(r.image, dict(r.verdicts), r.patient) for r in found.rows] == [
        ("a/1.png", {"head": 0, "tail": 1}, "P1"),
        ("a/2.png", {"head": -1, "tail": 0}, ""),
    ]


def test_undecided_and_blank_verdicts_are_neither(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(ASSESSED + "1.png,,assessed,Undecided,0.5,0.5\n2.png,,assessed,,,\n")
    assert [row.verdicts["head"] for row in read_observer(path).rows] == [-1, -1]


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        pytest.param(
            ASSESSED + "1.png,,assessed,fine,0.5,0.5\n2.png,,assessed,odd,0,0\n", VerdictsError,
            "2 bad verdicts:\n  line 2: head_verdict: expected normal, abnormal, undecided or "
            "blank, got 'fine'\n  line 3: head_verdict", id="words",
        ),
        pytest.param("name,head\n1,0\n", LabelsError, "no column named path", id="neither"),
        pytest.param(
            "path,head\n1.png,7\n2.png,8\n", LabelsError, "2 problems in the labelled data",
            id="bad labels",
        ),
        pytest.param("", LabelsError, "the table is empty", id="empty"),
        pytest.param(None, VerdictsError, "cannot be read: No such file", id="missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said(
    tmp_path: Path, text: str | None, kind: type[AndroscopeError], message: str
) -> None:
    path = tmp_path / "x.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(kind, match=re.escape(message)):
        read_observer(path)


def test_files_of_one_name_are_named_by_their_paths(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "v.csv" for folder in "ab"]
    for path in paths:
        path.parent.mkdir()
        path.write_text("path,head\n1.png,0\n")
    assert [o.name for o in read_observers(paths)] == [str(path) for path in paths]
    with pytest.raises(VerdictsError, match="a file is named twice"):
        read_observers([paths[0], paths[0]])
