from __future__ import annotations

import dataclasses
import io
import os

import pytest
from rich.console import Console

from androscope.report.table import ROWS, console_for, print_failures, print_results
from androscope.types import Assessment, Failure, Results, Verdict


def _plain(results: Results, **options: object) -> str:
    stream = io.StringIO()
    print_results(console_for(stream), results, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def _terminal(results: Results, width: int = 100) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=width, color_system="standard")
    print_results(console, results)
    return stream.getvalue()


def test_elsewhere_than_on_a_terminal_it_is_plain_ascii(results: Results) -> None:
    lines = [line.rstrip() for line in _plain(results).splitlines()]
    assert lines == [
        "Image                                 head           tail",
        "day 3/a.png                           normal   0.25  abnormal 0.75",
        '<script>alert("x")</script>&\'.png[4]  abnormal 0.50  normal   0.12',
        "",
        "2 assessed by tiny 1.2.3; 1 could not be.",
        "Of the sample      count   fraction (95% interval)",
        "head abnormal      1 of 2  50.0% (9.5% to 90.5%)",
        "tail abnormal      1 of 2  50.0% (9.5% to 90.5%)",
        "every part normal  0 of 2  0.0% (0.0% to 65.8%)",
        "For research use only: not a medical device.",
    ]
    assert _plain(results).isascii()


def test_on_a_terminal_it_is_coloured_and_says_the_same(results: Results) -> None:
    shown = _terminal(results)
    assert "\x1b[1;31mabnormal 0.75\x1b[0m" in shown
    assert "\x1b[32mnormal   0.25\x1b[0m" in shown
    assert "50.0% (9.5% to 90.5%)" in shown


def test_no_name_is_broken_apart_or_obeyed(results: Results) -> None:
    long = "x" * 500 + "\x1b[2J[red]" + os.fsdecode(b"\xff") + ".png"
    named = dataclasses.replace(results.assessments[0], source=long)
    shown = _plain(dataclasses.replace(results, assessments=(named,)))
    assert "x" * 500 + r"\x1b[2J[red]\xff.png" in shown
    assert "\x1b" not in shown


def test_a_narrow_terminal_folds_names_and_keeps_verdicts(results: Results) -> None:
    named = dataclasses.replace(results.assessments[0], source="Y" * 90 + ".png")
    shown = _terminal(dataclasses.replace(results, assessments=(named,)), width=60)
    assert shown.count("Y") == 90
    assert "abnormal 0.75" in shown


@pytest.mark.parametrize("everything", [False, True], ids=["first rows", "all"])
def test_many_images(results: Results, everything: bool) -> None:
    many = tuple(
        dataclasses.replace(results.assessments[0], source=f"{n}.png") for n in range(ROWS + 25)
    )
    shown = _plain(dataclasses.replace(results, assessments=many), all_rows=everything)
    assert (f"{ROWS + 24}.png" in shown) is everything
    notice = "... and 25 more images: --all shows them, --csv FILE writes them."
    assert (notice in shown) is not everything
    assert f"{ROWS + 25} assessed by tiny 1.2.3" in shown


def test_the_truth_stands_beside_the_verdict(results: Results) -> None:
    truth = [{"head": Verdict.NORMAL, "tail": Verdict.NORMAL}, {"head": Verdict.ABNORMAL}]
    shown = _plain(results, truth=truth)
    assert "normal   0.25 ok  abnormal 0.75 not normal" in shown
    assert "abnormal 0.50 ok  normal   0.12" in shown
    assert "2 of 3 verdicts agree with what is true of these images." in shown


def test_nothing_assessed(nothing: Results) -> None:
    assert _plain(nothing).splitlines() == [
        "0 assessed by tiny.", "For research use only: not a medical device.",
    ]  # fmt: skip


def test_failures_are_listed_with_their_reasons(results: Results) -> None:
    stream = io.StringIO()
    odd = Failure("a\x1b.png", 3, "image-values", "NaN", None)
    print_failures(console_for(stream), (*results.failures, odd))
    assert stream.getvalue().splitlines() == [
        "2 images could not be assessed:",
        "  =cmd|' /C calc'!A0.png: is empty. Export again [image-unreadable]",
        r"  a\x1b.png[3]: NaN [image-values]",
    ]


def test_no_failures_print_nothing() -> None:
    stream = io.StringIO()
    print_failures(console_for(stream), ())
    assert stream.getvalue() == ""


def test_one_failure_is_one_image(results: Results) -> None:
    stream = io.StringIO()
    print_failures(console_for(stream), results.failures)
    assert stream.getvalue().startswith("1 image could not be assessed:\n")


def test_a_name_of_an_assessment_is_not_markup(results: Results) -> None:
    named = Assessment("[bold]x[/bold].png", None, results.assessments[0].parts)
    assert "[bold]x[/bold].png" in _plain(dataclasses.replace(results, assessments=(named,)))


def test_undecided_is_a_word_a_colour_and_a_count(undecided: Results) -> None:
    lines = [line.rstrip() for line in _plain(undecided).splitlines()]
    assert lines == [
        "Image  head            tail",
        "0.png  undecided 0.40  normal    0.10",
        "1.png  undecided 0.40  abnormal  0.90",
        "2.png  normal    0.10  normal    0.10",
        "",
        "3 assessed by tiny 1.2.3.",
        "Of the sample      count   fraction (95% interval)  undecided",
        "head abnormal      0 of 1  0.0% (0.0% to 79.3%)     2",
        "tail abnormal      1 of 3  33.3% (6.1% to 79.2%)    0",
        "every part normal  1 of 2  50.0% (9.5% to 90.5%)    1",
        "With the 1 undecided sperm, every part is normal in 33.3% to 66.7%.",
        "Of each part, at most 10% of the truly normal sperm are called abnormal and at most 10% "
        "of the truly abnormal normal, where images are like those of the model's validation data; "
        "what cannot be decided so is undecided.",
        "For research use only: not a medical device.",
    ]
    assert "\x1b[1;35mundecided 0.40\x1b[0m" in _terminal(undecided)


def test_what_was_left_undecided_is_neither_right_nor_wrong(undecided: Results) -> None:
    truth = [{"head": Verdict.ABNORMAL}, {"head": Verdict.NORMAL}, {"head": Verdict.NORMAL}]
    assert "1 of 1 verdicts agree with what is true" in _plain(undecided, truth=truth)
