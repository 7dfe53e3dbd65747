"""Results as JSON: all that is known of them, for programs. docs/assess.md has its schema."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from androscope import __version__
from androscope.assessment.conformal import promise
from androscope.assessment.sample import Proportion
from androscope.assessment.tally import tally
from androscope.files import write_text
from androscope.report.names import NOTICE
from androscope.report.rows import flag_rows
from androscope.types import Assessment, Failure, FieldSummary, Results

__all__ = ["SCHEMA", "json_document", "json_text", "write_json"]

#: Its number is raised when a field changes its meaning or goes away.
SCHEMA = "androscope.results/1"


def json_document(results: Results, *, created: datetime | None = None) -> dict[str, Any]:
    """Give the results as plain dictionaries and lists.

    Parameters
    ----------
    results
        What was assessed.
    created
        When; default: now.
    """
    found = tally(results.assessments, results.labels)
    rate = results.error_rate
    created = datetime.now(UTC) if created is None else created
    return {
        "schema": SCHEMA,
        "notice": NOTICE,
        "androscope": __version__,
        "created": created.astimezone(UTC).isoformat(timespec="seconds"),
        "model": {
            "name": results.model,
            "version": results.model_version,
            "sha256": results.model_sha256,
            "labels": list(results.labels),
            "thresholds": dict(results.thresholds),
        },
        "verdicts": {
            "error_rate": rate,
            "promise": None if rate is None else promise(rate),
            "cuts": {
                label: {"abnormal_from": cuts.abnormal_from, "normal_to": cuts.normal_to}
                for label, cuts in results.cuts.items()
            },
        },
        "extra": dict(results.extra),
        "summary": {
            "assessed": found.whole.assessed,
            "failed": len(results.failures),
            "undecided": found.whole.undecided,
            "abnormal": {
                label: _proportion(counts.fraction_abnormal) | {"undecided": counts.undecided}
                for label, counts in found.parts.items()
            },
            "all_normal": _proportion(found.whole.fraction_normal),
            "all_normal_bounds": found.whole.bounds,
        },
        "assessments": [_assessment(a) for a in results.assessments],
        "failures": [_failure(f) for f in results.failures],
        "fields": [_field(f) for f in results.fields],
    }


def json_text(results: Results, *, created: datetime | None = None) -> str:
    r"""Give :func:`json_document` as text, in ASCII.

    Bytes of a file name that are no UTF-8 come as the ``\\udc80`` to ``\\udcff`` that Python's
    ``os.fsencode`` turns back into them.
    """
    return json.dumps(json_document(results, created=created), indent=1, allow_nan=False) + "\n"


def write_json(path: str | Path, results: Results) -> None:
    """Write :func:`json_text` to ``path``, whole or not at all. Raises :class:`OutputError`."""
    write_text(path, json_text(results))


def _proportion(proportion: Proportion) -> dict[str, Any]:
    return {
        "count": proportion.count,
        "of": proportion.n,
        "fraction": proportion.fraction,
        "low": proportion.low,
        "high": proportion.high,
    }


def _assessment(assessment: Assessment) -> dict[str, Any]:
    return {
        "image": assessment.source,
        "index": assessment.index,
        "parts": {
            part.label: {
                "verdict": part.verdict.value,
                "probability": part.probability,
                "threshold": part.threshold,
            }
            for part in assessment.parts
        },
        "flags": list(flag_rows(assessment.flags)),
        "notes": list(assessment.notes),
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "image": failure.source,
        "index": failure.index,
        "code": failure.code,
        "reason": failure.reason,
        "advice": failure.advice,
        "flags": list(flag_rows(failure.flags)),
    }


def _field(found: FieldSummary) -> dict[str, Any]:
    return {
        "image": found.source,
        "index": found.index,
        "located": found.located,
        "graded": found.graded,
        "scale": {"head_length_px": found.head_length_px, "from": found.scale_from},
        "not_graded": [
            {"reason": reason, "count": count} for reason, count in found.not_graded.items()
        ],
        "notes": list(found.notes),
    }
