from __future__ import annotations

from androscope.benchmark.reasons import Reasons, counted, listed, refused


def test_the_same_fault_in_many_lines_is_one_reason() -> None:
    found = Reasons()
    for line in range(2, 10):
        found.add("is blank", line)
    found.add("is large", 4, got="7")
    found.add("is large", 5, got="7")
    found.add("is large", 6, got="8")
    found.add("is odd")
    assert len(found) == 3
    assert found.texts() == [
        "lines 2, 3, 4, 5, 6 and 3 more: is blank",
        "lines 4, 5, 6: is large, got 7, 8",
        "is odd",
    ]


def test_lists() -> None:
    assert listed("abc") == "a, b, c"
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"
    assert [counted(n, "row") for n in (1, 2)] == ["1 row", "2 rows"]


def test_the_error() -> None:
    assert str(refused(["a", "b"], "p.csv")) == (
        "p.csv: refused for 2 reasons:\n  a\n  b\n"
        ". Nothing was entered; mend these and submit again"
    )
