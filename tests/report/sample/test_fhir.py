"""The report as FHIR: what is in it is what the report says, and it is valid R4."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from androscope.assessment.findings import Findings
from androscope.errors import MissingExtraError, OutputError
from androscope.report import fhir
from androscope.report.fhir import CODES, fhir_bundle, fhir_text, write_fhir
from androscope.report.sample.build import build_report
from androscope.report.sample.document import SampleReport
from androscope.report.sample.signature import Signature

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

needs_fhir = pytest.mark.skipif(
    find_spec("fhir") is None,
    reason="needs the fhir extra: fhir.resources is not installed",
)


def signed(version: int) -> Signature:
    return Signature("Dr Anna", AT, version, "0" * 64)


def observations(bundle: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By their code."""
    resources = [entry["resource"] for entry in bundle["entry"]]
    return {
        r["code"]["coding"][0]["code"]: r for r in resources if r["resourceType"] == "Observation"
    }


@pytest.fixture
def report(make: Callable[..., Findings]) -> SampleReport:
    findings = make({"a": ["nnn", "nnn", "ann", "nun"], "b": ["nnn", "nna"]})
    return build_report(findings, created=AT)


@needs_fhir
@pytest.mark.parametrize(
    "replicates",
    [
        pytest.param({"a": ["nnn"] * 3, "b": ["ann"] * 3}, id="two-replicates"),
        pytest.param({"a": ["nun", "aaa"]}, id="undecided"),
        pytest.param({"a": []}, id="nothing-assessed"),
    ],
)
def test_every_report_is_valid(
    make: Callable[..., Findings], replicates: dict[str, list[str]]
) -> None:
    report = build_report(make(replicates), created=AT)
    for signature in (None, signed(1), signed(2)):
        assert json.loads(fhir_text(report, signature)) == fhir_bundle(report, signature)


def test_the_numbers_are_the_reports(report: SampleReport) -> None:
    found = observations(fhir_bundle(report))
    normal = found["normal"]
    assert report.normal.fraction is not None
    assert report.normal.low is not None
    assert (report.normal.count, report.normal.of) == (3, 5)
    assert normal["valueQuantity"] == {
        "value": 60.0, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%",
    }  # fmt: skip
    components = {c["code"]["coding"][0]["code"]: c for c in normal["component"]}
    assert components["count"]["valueInteger"] == 3
    assert components["of"]["valueInteger"] == 5
    low = components["interval-95"]["valueRange"]["low"]["value"]
    assert low == pytest.approx(100 * report.normal.low, abs=1e-4)
    assert found["found"]["valueInteger"] == 6
    assert found["undecided"]["valueInteger"] == 1
    assert found["abnormal-head"]["valueQuantity"]["value"] == pytest.approx(100 / 6, abs=1e-4)
    assert normal["referenceRange"][0]["low"]["value"] == report.reference.percent
    assert report.reference.comparable in normal["referenceRange"][0]["text"]
    assert normal["note"] == [{"text": report.notice}]


def test_what_is_not_assessed_says_why(report: SampleReport) -> None:
    found = observations(fhir_bundle(report))
    for region in report.regions:
        observation = found[f"region-{region.region.replace(' ', '-')}"]
        if region.why_not is None:
            assert "valueQuantity" in observation
        else:
            assert observation["dataAbsentReason"]["text"] == region.why_not
            assert "valueQuantity" not in observation
    assert any(region.why_not for region in report.regions)


def test_no_patient_and_no_code_of_others_for_what_was_counted(report: SampleReport) -> None:
    text = json.dumps(fhir_bundle(report))
    assert '"subject"' not in text
    assert "loinc" not in text.lower()
    for observation in observations(fhir_bundle(report)).values():
        assert observation["code"]["coding"][0]["system"] == CODES


def test_a_signature_makes_it_final_and_a_later_one_amended(report: SampleReport) -> None:
    diagnostics = [
        fhir_bundle(report, signature)["entry"][0]["resource"]
        for signature in (None, signed(1), signed(2))
    ]
    assert [d["status"] for d in diagnostics] == ["preliminary", "final", "amended"]
    assert "resultsInterpreter" not in diagnostics[0]
    assert diagnostics[1]["resultsInterpreter"] == [{"display": "Dr Anna"}]
    assert len({d["id"] for d in diagnostics}) == 3
    assert diagnostics[0]["conclusion"].startswith(report.notice)


def test_every_reference_leads_to_an_entry(report: SampleReport) -> None:
    bundle = fhir_bundle(report)
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(urls) == len(set(urls))
    for entry in bundle["entry"]:
        resource = entry["resource"]
        used = [*resource.get("result", ()), resource.get("device"), resource.get("specimen")]
        flat = [one for u in used if u for one in (u if isinstance(u, list) else [u])]
        assert all(reference["reference"] in urls for reference in flat)


@needs_fhir
def test_a_bundle_that_is_not_valid_is_not_written(
    report: SampleReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = fhir_bundle(report)
    del wrong["entry"][1]["resource"]["code"]
    monkeypatch.setattr(fhir, "fhir_bundle", lambda *_: wrong)
    with pytest.raises(OutputError, match="gives no valid FHIR bundle"):
        write_fhir(tmp_path / "r.json", report)
    assert list(tmp_path.iterdir()) == []


def test_the_extra_that_is_missing_is_named(
    report: SampleReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name=name.partition(".")[0])

    monkeypatch.setattr("androscope.extras.import_module", missing)
    with pytest.raises(MissingExtraError, match=r"pip install 'androscope\[fhir\]'"):
        fhir_text(report)
