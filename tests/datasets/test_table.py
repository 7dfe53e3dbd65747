from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.datasets.listing import LABEL_VALUES, parse_label
from androscope.datasets.table import read_table

Lab = Callable[..., Path]

PLAIN = "path,acrosome,head,vacuole,tail,patient\na.png,0,1,,0,p1\nb.png,1,0,0,,p2\n"


def entries(table: Path) -> list[tuple[object, ...]]:
    listing = read_table(table)
    assert listing.problems == ()
    return [
        (e.line, e.name, tuple(e.labels[n] for n in listing.label_names), e.patient, e.split)
        for e in listing.entries
    ]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        pytest.param(PLAIN, "utf-8", id="plain"),
        pytest.param(PLAIN, "utf-8-sig", id="byte-order-mark"),
        pytest.param(PLAIN, "utf-16", id="utf-16"),
        pytest.param(PLAIN.replace("\n", "\r\n"), "utf-8", id="crlf"),
        pytest.param(PLAIN.replace("\n", "\r"), "utf-8", id="cr"),
        pytest.param(PLAIN.replace(",", ";"), "utf-8", id="semicolon"),
        pytest.param(PLAIN.replace(",", "\t"), "utf-8", id="tab"),
        pytest.param(PLAIN.replace(",", " , "), "utf-8", id="spaces"),
        pytest.param(PLAIN.rstrip("\n"), "utf-8", id="no-last-line-end"),
        pytest.param(PLAIN.replace("a.png", '"a.png"'), "utf-8", id="quoted"),
        pytest.param(PLAIN.replace("path,", "PATH,").replace("head", "Head"), "utf-8", id="case"),
        pytest.param(PLAIN.replace("0,1,,0", "Normal,ABNORMAL,,normal"), "utf-8", id="words"),
        pytest.param(PLAIN.replace("0,1,,0", "0.0,1.0,-1,0.0"), "utf-8", id="pandas"),
        pytest.param(
            PLAIN.replace("p1\n", "p1,,\n").replace("p2\n", "p2,,\n"), "utf-8", id="padded"
        ),
    ],
)
def test_every_way_of_writing_the_same_table(lab: Lab, text: str, encoding: str) -> None:
    assert entries(lab(text, encoding)) == [
        (2, "a.png", (1, 0, -1, 0), "p1", ""),
        (3, "b.png", (0, 1, 0, -1), "p2", ""),
    ]


def test_line_numbers_count_blank_lines_and_quoted_line_ends(lab: Lab) -> None:
    text = 'path,head,note\n\na.png,1,"two\nlines"\n\n\nb.png,7,x\n'
    assert [str(p) for p in read_table(lab(text)).problems] == [
        "line 7: b.png: head: expected 0, 1, normal, abnormal or blank, got '7'. "
        "0 is normal, 1 abnormal, blank not labelled"
    ]


def test_excels_own_delimiter_line_is_understood_and_counted(lab: Lab) -> None:
    assert entries(lab("sep=;\npath;head\na.png;1\n")) == [(3, "a.png", (1,), "", "")]


def test_paths_are_relative_to_the_table_and_may_be_windows_ones(
    tmp_path: Path, save: Callable[..., Path]
) -> None:
    inside = save("crops/p 1/a,b.png", 1)
    table = tmp_path / "t.csv"
    table.write_text('path,head\n"crops\\p 1\\a,b.png",1\n')
    (entry,) = read_table(table).entries
    assert entry.path.resolve() == inside.resolve()


def test_columns_of_ones_own_follow_the_parts(lab: Lab) -> None:
    listing = read_table(
        lab("path,neck,tail,age,motile,remark\na.png,0,1,31,1,ok\nb.png,abnormal,0,28,,x\n")
    )
    assert listing.problems == ()
    assert listing.label_names == ("tail", "neck", "motile")
    assert listing.notes == ("columns not used: age, remark",)


@pytest.mark.parametrize("blank", ["NA", "NaN", "nan"])
def test_what_r_and_pandas_write_for_a_blank(lab: Lab, blank: str) -> None:
    text = f"path,head,neck,patient\na.png,0,{blank},p1\nb.png,{blank},1,{blank}\n"
    assert entries(lab(text)) == [(2, "a.png", (0, -1), "p1", ""), (3, "b.png", (-1, 1), "", "")]
    (problem,) = read_table(lab(f"path,head,split\na.png,{blank},{blank}\n")).problems
    assert problem.what == "no label at all"


@pytest.mark.parametrize(
    ("column", "labels", "note"),
    [
        pytest.param(
            "acrosom",
            ("head", "acrosom"),
            "the column 'acrosom' is a label of its own, and there is no label acrosome; if it is "
            "meant to be acrosome, name it so",
            id="a part",
        ),
        *(
            pytest.param(
                name,
                ("head",),
                f"the column {name.lower()!r} is not used, so crops of one patient may come into "
                "train and into test; if it is meant to be patient, name it so",
                id=name,
            )
            for name in ("patient_id", "Patient ID", "subject", "patent")
        ),
        pytest.param(
            "splits",
            ("head",),
            "the column 'splits' is not used; if it is meant to be split, name it so",
            id="split",
        ),
    ],
)
def test_a_column_whose_name_is_near_another(
    lab: Lab, column: str, labels: tuple[str, ...], note: str
) -> None:
    listing = read_table(lab(f"path,head,{column}\na.png,1,0\nb.png,0,1\n"))
    assert listing.problems == ()
    assert listing.label_names == labels
    assert listing.notes[-1] == note


def test_the_column_that_is_meant_is_there(lab: Lab) -> None:
    listing = read_table(lab("path,head,patient,patient_id\na.png,1,p1,0\nb.png,0,p2,1\n"))
    assert listing.label_names == ("head",)
    assert listing.notes == ("columns not used: patient_id",)


def test_a_slip_in_a_column_of_ones_own_is_reported(lab: Lab) -> None:
    listing = read_table(lab("path,neck\na.png,0\nb.png,1\nc.png,abnrmal\n"))
    assert listing.label_names == ("neck",)
    (problem,) = listing.problems
    assert (problem.line, problem.path) == (4, "c.png")
    assert "got 'abnrmal'" in problem.what


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "line 1: {t}: the table is empty", id="empty"),
        pytest.param("\n \n,,\n", "line 1: {t}: the table is empty", id="blank"),
        pytest.param("path,head\n", "line 1: {t}: no row below the header", id="header-only"),
        pytest.param(
            "file,head\na.png,1\n",
            "line 1: {t}: no column named path; got file, head",
            id="no-path",
        ),
        pytest.param(
            "path,head,Head\na.png,1,1\n", "line 1: {t}: columns named twice: head", id="twice"
        ),
        pytest.param(
            "path,patient\na.png,p1\n",
            "line 1: {t}: no column of labels: expected head, acrosome, vacuole or tail, or a name "
            "of your own over 0, 1 and blanks; got path, patient",
            id="no-labels",
        ),
        pytest.param(
            "path,head\na.png,2\n",
            "line 2: a.png: head: expected 0, 1, normal, abnormal or blank, got '2'",
            id="value",
        ),
        pytest.param("path,head\n,1\n", "line 2: no path", id="path-blank"),
        pytest.param("path,head\na.png,\n", "line 2: a.png: no label at all", id="no-label"),
        pytest.param(
            "path,head,tail\na.png,1\n", "line 2: a.png: expected 3 columns, got 2", id="too-few"
        ),
        pytest.param(
            "path,head\na.png,1,0\n", "line 2: a.png: expected 2 columns, got 3", id="too-many"
        ),
        pytest.param(
            "path,head\na.png,1\nsub/../a.png,1\n",
            "line 3: sub/../a.png: the same file as in line 2",
            id="twice-the-path",
        ),
        pytest.param(
            "path,head,split\na.png,1,train\nb.png,0,tests\n",
            "line 3: b.png: split: expected train, valid or test, got 'tests'",
            id="split",
        ),
        pytest.param(
            "path,head,split\na.png,1,train\nb.png,0,\n",
            "line 3: b.png: no split, while other rows have one",
            id="split-blank",
        ),
        pytest.param(
            'path,head\na.png,1\n"b.png,0\nc.png,1\n',
            "line 3: lab.csv: not CSV: unexpected end of data",
            id="open-quote",
        ),
    ],
)
def test_each_bad_table(lab: Lab, text: str, expected: str) -> None:
    table = lab(text)
    (table.parent / "sub").mkdir()
    (problem,) = read_table(table).problems
    assert str(problem).startswith(expected.replace("{t}", str(table)) + ". ")


def test_all_bad_rows_are_reported_at_once_in_order(lab: Lab) -> None:
    table = lab("path,head,tail\na.png,x,y\na.png,0\nb.png,,\nc.png,0,1\n")
    assert [(p.line, p.path) for p in read_table(table).problems] == [
        (2, "a.png"),
        (2, "a.png"),
        (3, "a.png"),
        (4, "b.png"),
    ]


def test_latin_1_is_not_guessed_at(lab: Lab) -> None:
    (problem,) = read_table(lab("path,head\nK\u00e4fer.png,1\n", "latin-1")).problems
    assert problem.what == "cannot be read: not UTF-8 text (invalid continuation byte)"
    assert problem.advice == "Save it as CSV UTF-8"


@given(st.sampled_from(sorted(LABEL_VALUES)), st.data())
def test_labels_whatever_their_case_and_spaces(text: str, data: st.DataObject) -> None:
    written = "".join(data.draw(st.sampled_from([c.lower(), c.upper()])) for c in text)
    spaces = data.draw(st.text(" \t", max_size=3))
    assert parse_label(spaces + written + spaces) == LABEL_VALUES[text]


@given(st.text(max_size=12))
def test_any_text_is_a_label_or_none(text: str) -> None:
    expected = LABEL_VALUES.get(text.strip().lower())
    assert parse_label(text) == expected
    assert parse_label(text) in (None, -1, 0, 1)


_NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]),
    min_size=1,
    max_size=12,
).map(lambda text: f"x{text}.png")
_ROWS = st.lists(
    st.tuples(_NAMES, st.sampled_from(["0", "1"]), st.sampled_from(["0", "1", ""]), _NAMES),
    min_size=1,
    max_size=8,
    unique_by=lambda row: row[0].casefold().replace("\\", "/"),
)


@given(
    _ROWS,
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_a_csv_writer_wrote_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, str, str]],
    delimiter: str,
    line_end: str,
    encoding: str,
    quoting: int,
) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=line_end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(["path", "head", "tail", "patient"])
    writer.writerows(rows)
    table = tmp_path_factory.mktemp("lab") / "lab.csv"
    table.write_bytes(stream.getvalue().encode(encoding))
    listing = read_table(table)
    values = {"0": 0, "1": 1, "": -1}
    assert [p for p in listing.problems if "the same file" not in p.what] == []
    assert [(e.line, e.name, dict(e.labels), e.patient) for e in listing.entries] == [
        (number + 2, name, {"head": values[head], "tail": values[tail]}, patient)
        for number, (name, head, tail, patient) in enumerate(rows)
    ]


@given(st.binary(max_size=400))
def test_no_bytes_whatever_raise(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    table = tmp_path_factory.mktemp("lab") / "lab.csv"
    table.write_bytes(content)
    listing = read_table(table)
    assert listing.problems or listing.entries


@given(st.text(st.sampled_from('path,head;tail\t0"1\n\r x.'), max_size=200))
def test_no_table_like_text_whatever_raises(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    table = tmp_path_factory.mktemp("lab") / "lab.csv"
    table.write_bytes(b"path,head\n" + text.encode())
    listing = read_table(table)
    assert listing.problems or listing.entries
