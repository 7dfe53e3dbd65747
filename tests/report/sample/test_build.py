from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from androscope.assessment.findings import SampleFind
from androscope.assessment.sample import wilson_interval
from androscope.model.bundle import load_bundle
from androscope.report.sample.build import build_report
from androscope.report.sample.view import view_of
from androscope.types import Failure, Flag

MHSMA = ("head", "acrosome", "vacuole", "tail")
FULL = ("head", "acrosome", "vacuole", "midpiece", "tail", "cytoplasm")


def test_counts_fractions_and_intervals(make: Any) -> None:
    findings = make(
        {"a": ["nnn", "nan", "ann"], "b": ["nnn", "aan"]},
        excluded=(("the head is cut", True), ("debris", False), ("debris", False)),
        failures=(Failure("a/x.png", None, "image-unreadable", "is empty", "Export again"),),
    )
    report = build_report(findings)
    counts = report.counts
    assert (counts.found, counts.assessed, counts.normal, counts.abnormal) == (6, 5, 2, 3)
    assert counts.undecided is None
    assert counts.unreadable == 1
    assert [(e.reason, e.count, e.sperm) for e in counts.excluded] == [
        ("debris", 2, False),
        ("the head is cut", 1, True),
    ]
    assert (report.normal.count, report.normal.of, report.normal.fraction) == (2, 5, 0.4)
    assert (report.normal.low, report.normal.high) == wilson_interval(2, 5)
    assert report.normal_bounds is None
    assert {p.label: (p.normal, p.abnormal) for p in report.parts} == {
        "head": (3, 2), "acrosome": (3, 2), "vacuole": (5, 0),
    }  # fmt: skip
    assert [(r.name, r.assessed, r.normal.count) for r in report.replicates] == [
        ("a", 3, 1),
        ("b", 2, 1),
    ]
    assert [f.found for f in report.files] == [4, 2]


def test_the_expected_share_is_of_calibrated_probabilities_alone(make: Any) -> None:
    findings = make({"a": ["nnn", "nan"]})  # 0.1 and 0.9
    card = findings.card.model_copy(update={"calibration": None})
    assert build_report(replace(findings, card=card)).normal_expected is None
    calibrated = dict.fromkeys(card.labels, load_bundle().card.calibration["head"])
    card = card.model_copy(update={"calibration": calibrated})
    expected = build_report(replace(findings, card=card)).normal_expected
    assert expected is not None
    assert expected.fraction == pytest.approx((0.9**3 + 0.9 * 0.1 * 0.9) / 2, abs=1e-3)
    assert expected.of == 2
    remark = view_of(build_report(replace(findings, card=card)), findings).remarks[0]
    assert remark.startswith(
        "By the model's probabilities 40.5% of the 2 sperm assessed are to be expected normal"
    )
    assert build_report(replace(make({"a": []}), card=card)).normal_expected is None


def test_undecided_sperm_are_carried_through(make: Any) -> None:
    report = build_report(make({"a": ["nnn", "nun", "uan", "nnn"]}))
    assert report.counts.undecided == 1
    assert (report.normal.count, report.normal.of) == (2, 3)
    assert report.normal_bounds == (0.5, 0.75)
    assert [p.undecided for p in report.parts] == [1, 1, 0]
    assert [f.outcome for f in report.finds] == ["normal", "undecided", "abnormal", "normal"]


def test_a_model_that_abstains_and_did_not(make: Any) -> None:
    assert build_report(make({"a": ["nnn"]}, abstains=True)).counts.undecided == 0


def test_an_error_rate_its_cuts_and_its_promise(make: Any, card_that_abstains: Any) -> None:
    card = card_that_abstains(("head", "acrosome", "vacuole"))
    report = build_report(make({"a": ["nnn", "nun"]}, error_rate=0.1, card=card))
    rule = report.verdicts
    assert (rule.error_rate, rule.available) == (0.1, True)
    assert rule.promise is not None
    assert rule.promise.startswith("Of each part, at most 10% of the truly normal")
    assert (rule.cuts["head"].abnormal_from, rule.cuts["head"].normal_to) == (0.41, 0.59)
    assert report.warnings[1] == (
        "1 of 2 sperm are undecided and left to you: they are shown below, and no fraction counts "
        "them."
    )
    assert build_report(make({"a": ["nnn"]}, error_rate=0.1, card=card)).counts.undecided == 0


def test_without_an_error_rate_the_rule_is_thresholds(make: Any, card_that_abstains: Any) -> None:
    rule = build_report(make({"a": ["nnn"]})).verdicts
    assert (rule.error_rate, rule.promise, rule.cuts, rule.available) == (None, None, {}, False)
    card = card_that_abstains(("head", "acrosome", "vacuole"))
    assert build_report(make({"a": ["nnn"]}, card=card)).verdicts.available


def test_mhsmas_labels_leave_regions_and_indices_unassessed(make: Any) -> None:
    report = build_report(make({"a": ["nnnn", "nana", "nnna"]}, labels=MHSMA))
    head, *others = report.regions
    assert head.labels == ["head", "acrosome", "vacuole"]
    assert head.share is not None
    assert (head.share.count, head.share.of) == (1, 3)
    assert all(row.share is None and row.why_not for row in others)
    for index in report.indices:
        assert index.value is None
        assert index.why_not is not None
        assert index.why_not.startswith("not assessed: ")
    assert "are not assessed here: fewer sperm may be normal forms" in report.reference.comparable


def test_fuller_labels_fill_them(make: Any) -> None:
    # Regions 1 + 3 of 2 abnormal sperm; head kinds 2 + 1, others 0 + 2, of 4 sperm.
    sperm = ["nnnnnn", "nnnnnn", "aannnn", "nannaa"]
    report = build_report(make({"a": sperm}, labels=FULL))
    assert [row.why_not for row in report.regions] == [None] * 4
    assert [i.value for i in report.indices] == [4 / 2, 5 / 4, 5 / 2]
    assert "not assessed" not in report.reference.comparable


def test_undecided_sperm_are_in_no_index(make: Any) -> None:
    sperm = ["annnnn", "uannnn", "nnnnnn"]
    tzi, sdi, _ = build_report(make({"a": sperm}, labels=FULL)).indices
    assert (tzi.defects, tzi.sperm) == (1, 1)
    assert (sdi.defects, sdi.sperm) == (1, 2)


@pytest.mark.parametrize(
    ("a", "b", "accepted", "words"),
    [
        pytest.param(
            (36, 164), (18, 182), False,
            "The replicates do not agree: 18.0% and 9.0% normal differ by 9.0 points, more than "
            "the 7 that chance explains for an average of 14%. Assess two new replicates.",
            id="beyond",
        ),
        pytest.param(
            (20, 180), (28, 172), True,
            "The replicates agree: 10.0% and 14.0% normal differ by 4.0 points, at most 7 for an "
            "average of 12%.",
            id="within",
        ),
    ],
)  # fmt: skip
def test_two_replicates(
    make: Any, a: tuple[int, int], b: tuple[int, int], accepted: bool, words: str
) -> None:
    found = {name: ["nnn"] * n + ["ann"] * bad for name, (n, bad) in {"a": a, "b": b}.items()}
    report = build_report(make(found))
    assert report.agreement.accepted is accepted
    assert report.agreement.verdict == words
    assert [row.what for row in report.agreement.rows] == [
        "normal in every graded part", "head abnormal", "acrosome abnormal", "vacuole abnormal",
    ]  # fmt: skip
    warned = "The replicates do not agree: assess two new replicates." in report.warnings
    assert warned is not accepted
    assert len(report.agreement.notes) == 1


@pytest.mark.parametrize(
    ("sperm", "verdict"),
    [
        pytest.param(
            {"a": ["nnn"]},
            "Not tested: WHO's test compares two replicates, and one was given.",
            id="one",
        ),
        pytest.param(
            {"a": ["nnn"], "b": ["nnn"], "c": ["nnn"]},
            "Not tested: WHO's test compares two replicates, and 3 were given.",
            id="three",
        ),
        pytest.param(
            {"a": ["nnn"], "b": []}, "Not tested: no sperm was graded in replicate b.", id="empty"
        ),
    ],
)
def test_no_test_is_made_of_other_numbers(
    make: Any, sperm: dict[str, list[str]], verdict: str
) -> None:
    agreement = build_report(make(sperm)).agreement
    assert (agreement.accepted, agreement.verdict, agreement.rows) == (None, verdict, [])


def test_few_sperm_are_said_of_the_table_too(make: Any) -> None:
    notes = build_report(make({"a": ["nnn"] * 50, "b": ["nnn"] * 60})).agreement.notes
    assert "here are 50 and 60. With fewer, chance alone leads to larger differences" in notes[1]
    notes = build_report(make({"a": ["nnn"] * 260, "b": ["nnn"] * 200})).agreement.notes
    assert "With more, it allows larger differences than chance alone leads to" in notes[1]


def test_a_sample_without_sperm_says_so_and_divides_by_nothing(make: Any) -> None:
    report = build_report(make({"a": [], "b": []}))
    assert report.warnings[0] == "This sample has no result: no sperm was found in it."
    assert report.normal.fraction is None
    assert all(part.share.fraction is None for part in report.parts)
    found = build_report(make({"a": []}, excluded=(("too coarse", True),)))
    assert found.warnings[0] == "This sample has no result: none could be graded."


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        pytest.param((199, 0), "Fewer than 200 sperm were assessed (199)", id="199"),
        pytest.param((100, 100), "Fewer than 200 sperm in a replicate: 100 in a, 100 in b", id="2"),
        pytest.param((200, 200), None, id="enough"),
    ],
)
def test_fewer_than_200(make: Any, n: tuple[int, int], expected: str | None) -> None:
    found = {name: ["nnn"] * count for name, count in zip("ab", n, strict=True) if count}
    warnings = build_report(make(found)).warnings
    assert any(expected in w for w in warnings) if expected else warnings == []


def _files(findings: Any, **changes: list[Any]) -> Any:
    files = tuple(
        replace(file, **{name: values[i] for name, values in changes.items()})
        for i, file in enumerate(findings.files)
    )
    return replace(findings, files=files)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {"pixel_sizes_um": [(0.25,), (0.11,)]},
            "Images have different pixel sizes (a 0.25 um; b 0.11 um). Each was brought to the "
            "model's scale; differences between replicates may be the optics' and not the "
            "sample's.",
            id="pixel sizes",
        ),
        pytest.param(
            {"estimated": [True, True], "head_lengths": [(20.0,), (40.0,)]},
            "The scale of 2 of 2 files was estimated from the heads found, and differs between "
            "files (20 to 40 px a head). Every verdict depends on it: give the pixel size to be "
            "sure.",
            id="estimates",
        ),
        pytest.param(
            {"sha256": ["ab", "ab"]},
            "The same image counts more than once: a/field.tif, b/field.tif are one file's copies.",
            id="copies",
        ),
        pytest.param(
            {"notes": [("blank: every pixel is 0",), ()]}, "Frames that are blank: a/field.tif.",
            id="blank",
        ),
        pytest.param(
            {"notes": [(), ("saturated: 40% of the pixels are white; what was there is lost",)]},
            "Frames that are saturated: b/field.tif.", id="saturated",
        ),
        pytest.param(
            {"notes": [("morphology refused: optics too coarse",), ()]},
            "Morphology was refused in 1 files, whose optics are too coarse: their sperm were "
            "located and counted, and not graded.",
            id="coarse",
        ),
    ],
)  # fmt: skip
def test_what_the_signer_must_know(make: Any, changes: dict[str, Any], expected: str) -> None:
    findings = make({"a": ["nnn"] * 200, "b": ["nnn"] * 200})
    assert build_report(findings).warnings == []
    assert build_report(_files(findings, **changes)).warnings == [expected]


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        pytest.param(10, [], id="as few as good images cost"),
        pytest.param(
            11,
            [
                "The checks refused 11 of 211 crops: no fraction counts them, and each speaks of "
                "the others alone."
            ],
            id="5%",
        ),
        pytest.param(
            201,
            [
                "The checks refused 201 images and passed 200: these images are not such as the "
                "model learned from."
            ],
            id="most",
        ),
    ],
)
def test_what_the_checks_refused(make: Any, refused: int, expected: list[str]) -> None:
    flag = Flag("focus", 0.1, 0.2, "out of focus: 0.1, at least 0.2 is needed")
    findings = make({"a": ["nnn"] * 200, "b": []})
    left_out = SampleFind("a/0.png", "a", "a/0.png", excluded="refused by the checks: focus")
    finds = (*findings.finds, *[replace(left_out, flags=(flag,))] * refused)
    warnings = build_report(replace(findings, finds=finds, replicates=("a",))).warnings
    assert [w for w in warnings if "checks" in w] == expected
    given = replace(findings, finds=finds).not_used
    assert {(f.name, f.code, f.reason) for f in given} == {("a/0.png", "refused", flag.reason)}
    assert len(given) == refused


def test_what_was_left_out_of_a_field_was_no_image(make: Any) -> None:
    assert make({"a": ["nnn"]}, excluded=(("debris", False),)).not_used == ()


def test_sizes_that_hardly_differ_are_one(make: Any) -> None:
    findings = make({"a": ["nnn"] * 200, "b": ["nnn"] * 200})
    assert build_report(_files(findings, pixel_sizes_um=[(0.25,), (0.251,)])).warnings == []


def test_only_the_date_changes(make: Any) -> None:
    findings = make({"a": ["nnn"], "b": ["ann"]})
    when = datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    first, second = build_report(findings, created=when), build_report(findings)
    assert first.created == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert first.model_copy(update={"created": second.created}) == second
