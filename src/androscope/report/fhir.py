"""A sample's report as FHIR R4: a ``DiagnosticReport`` with its ``Observation`` resources.

One ``Bundle`` of type ``collection``, for a laboratory system to take in. No patient is named: the
specimen has the sample's id, and the system that takes it in knows whose it is.

No LOINC code is claimed. LOINC's terms for sperm morphology are of a person's reading of stained
smears by given criteria; these numbers are a model's, on the parts it grades. Codes are
androscope's own, and their text says what was counted.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from androscope.errors import OutputError
from androscope.extras import require
from androscope.files import write_text
from androscope.report.sample.document import SampleReport, Share
from androscope.report.sample.signature import Signature

__all__ = ["CODES", "fhir_bundle", "fhir_text", "require_fhir", "write_fhir"]

#: The system of our codes. FHIR asks for an absolute URI, not for a page behind it.
CODES = "urn:androscope:observation"

_SPACE = uuid.UUID("6f0a6c1e-5d0c-5a39-9a3e-2c1f3d6c8b17")
_UCUM = "http://unitsofmeasure.org"
_HL7 = "http://terminology.hl7.org/CodeSystem"

_Resource = dict[str, Any]


def fhir_bundle(report: SampleReport, signature: Signature | None = None) -> _Resource:
    """Give the bundle. The same report gives the same bundle.

    Parameters
    ----------
    signature
        Of a signed report. Without one the status is ``preliminary``; the first signed version is
        ``final``, later ones are ``amended``.
    """
    return _Bundle(report, signature).bundle()


def fhir_text(report: SampleReport, signature: Signature | None = None) -> str:
    """Give the bundle as JSON text, after it was validated.

    Raises
    ------
    MissingExtraError
        If fhir.resources is not installed.
    OutputError
        If the bundle is not valid: androscope's fault.
    """
    bundle = fhir_bundle(report, signature)
    try:
        require_fhir().Bundle.model_validate(bundle)
    except ValueError as error:
        raise OutputError(f"the report gives no valid FHIR bundle: {error}") from error
    return json.dumps(bundle, indent=1, allow_nan=False) + "\n"


def require_fhir() -> ModuleType:
    """Import what validates a bundle, or say which extra brings it; R4B has R4's resources.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    return require("fhir.resources.R4B.bundle", extra="fhir", why="write FHIR")


def write_fhir(path: str | Path, report: SampleReport, signature: Signature | None = None) -> None:
    """Write :func:`fhir_text`. Raises as it does, and :class:`~androscope.errors.OutputError`."""
    write_text(path, fhir_text(report, signature))


class _Bundle:
    def __init__(self, report: SampleReport, signature: Signature | None) -> None:
        self.report = report
        self.signature = signature
        version = 0 if signature is None else signature.version
        self._seed = f"{report.sample}\n{report.created.isoformat()}\n{version}"
        self.status = "preliminary" if signature is None else "final" if version == 1 else "amended"

    def bundle(self) -> _Resource:
        observations = list(self._observations())
        resources = [self._diagnostic(observations), *observations, self._specimen(),
                     self._device()]  # fmt: skip
        return {
            "resourceType": "Bundle",
            "type": "collection",
            "timestamp": _instant(self.report.created),
            "entry": [{"fullUrl": f"urn:uuid:{r['id']}", "resource": r} for r in resources],
        }

    def _diagnostic(self, observations: Sequence[_Resource]) -> _Resource:
        report = self.report
        made: _Resource = {
            "resourceType": "DiagnosticReport",
            "id": self._id("report"),
            "identifier": [{"system": "urn:androscope:sample", "value": report.sample}],
            "status": self.status,
            "category": [_concept(f"{_HL7}/v2-0074", "LAB", "Laboratory")],
            "code": _concept(CODES, "sperm-morphology", "Sperm morphology, graded by a model"),
            "effectiveDateTime": _instant(report.created),
            "issued": _instant(report.created if self.signature is None else self.signature.at),
            "specimen": [self._to("specimen")],
            "result": [{"reference": f"urn:uuid:{o['id']}"} for o in observations],
            "conclusion": "\n".join([report.notice, *report.warnings]),
        }
        if self.signature is not None:
            made["resultsInterpreter"] = [{"display": self.signature.name}]
        return made

    def _observations(self) -> Iterator[_Resource]:
        report = self.report
        counts = report.counts
        reference = report.reference
        yield {
            **self._share("normal", "Sperm normal in every graded part", report.normal),
            "referenceRange": [
                {
                    "low": _quantity(reference.percent, "%", "%"),
                    "text": f"{reference.meaning} {reference.comparable} ({reference.source})",
                }
            ],
            "note": [{"text": report.notice}],
        }
        for code, text, count in (
            ("found", "Sperm found", counts.found),
            ("assessed", "Sperm assessed", counts.assessed),
            ("undecided", "Sperm left undecided", counts.undecided),
        ):
            if count is not None:
                yield {**self._observation(code, text), "valueInteger": count}
        for part in report.parts:
            text = f"Sperm abnormal in the {part.label}"
            yield self._share(f"abnormal-{_slug(part.label)}", text, part.share)
        for region in report.regions:
            code, text = f"region-{_slug(region.region)}", f"Any defect of the {region.region}"
            if region.share is None:
                yield self._absent(code, text, region.why_not or "not assessed")
            else:
                yield self._share(code, text, region.share)
        for index in report.indices:
            code, text = _slug(index.short), f"{index.name} ({index.short}): {index.formula}"
            if index.value is None:
                yield self._absent(code, text, index.why_not or "not computed")
            else:
                observation = self._observation(code, text)
                yield {**observation, "valueQuantity": _quantity(index.value, "1", "1")}
        agreement = report.agreement
        what = "Replicates agree by WHO's test"
        if agreement.accepted is None:
            yield self._absent("replicates-agree", what, agreement.verdict)
        else:
            yield {
                **self._observation("replicates-agree", what),
                "valueBoolean": agreement.accepted,
                "note": [{"text": agreement.verdict}],
            }

    def _share(self, code: str, text: str, share: Share) -> _Resource:
        """Give a percentage with its count, of how many, and its 95% interval."""
        if share.fraction is None:
            return self._absent(code, text, "of none that was decided")
        components = [
            {"code": _concept(CODES, "count", "Count"), "valueInteger": share.count},
            {"code": _concept(CODES, "of", "Of how many decided"), "valueInteger": share.of},
        ]
        if share.low is not None and share.high is not None:
            interval = {"low": _percent(share.low), "high": _percent(share.high)}
            concept = _concept(CODES, "interval-95", "95% Wilson interval")
            components.append({"code": concept, "valueRange": interval})
        return {
            **self._observation(code, text),
            "valueQuantity": _percent(share.fraction),
            "component": components,
        }

    def _absent(self, code: str, text: str, why: str) -> _Resource:
        return {
            **self._observation(code, text),
            "dataAbsentReason": {
                "coding": [{"system": f"{_HL7}/data-absent-reason", "code": "not-performed"}],
                "text": why,
            },
        }

    def _observation(self, code: str, text: str) -> _Resource:
        return {
            "resourceType": "Observation",
            "id": self._id(f"observation {code}"),
            "status": self.status,
            "category": [_concept(f"{_HL7}/observation-category", "laboratory", "Laboratory")],
            "code": _concept(CODES, code, text),
            "effectiveDateTime": _instant(self.report.created),
            "specimen": self._to("specimen"),
            "device": self._to("device"),
        }

    def _specimen(self) -> _Resource:
        return {
            "resourceType": "Specimen",
            "id": self._id("specimen"),
            "identifier": [{"system": "urn:androscope:sample", "value": self.report.sample}],
            "type": {"text": "Semen"},
        }

    def _device(self) -> _Resource:
        model = self.report.model
        return {
            "resourceType": "Device",
            "id": self._id("device"),
            "identifier": [{"system": "urn:androscope:model-sha256", "value": model.sha256}],
            "deviceName": [{"name": model.name, "type": "model-name"}],
            "version": [
                {"type": {"text": "model"}, "value": model.version},
                {"type": {"text": "androscope"}, "value": self.report.androscope},
            ],
            "note": [{"text": f"{model.intended_use} {model.out_of_scope}".strip()}],
        }

    def _id(self, what: str) -> str:
        return str(uuid.uuid5(_SPACE, f"{self._seed}\n{what}"))

    def _to(self, what: Literal["specimen", "device"]) -> _Resource:
        return {"reference": f"urn:uuid:{self._id(what)}"}


def _concept(system: str, code: str, text: str) -> _Resource:
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


def _percent(fraction: float) -> _Resource:
    return _quantity(round(100 * fraction, 4), "%", "%")


def _quantity(value: float, unit: str, code: str) -> _Resource:
    return {"value": value, "unit": unit, "system": _UCUM, "code": code}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _slug(text: str) -> str:
    """Give a code: letters, digits and dashes."""
    return "-".join("".join(c if c.isalnum() else " " for c in text.lower()).split())
