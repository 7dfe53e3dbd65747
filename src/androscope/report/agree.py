"""The comparison of observers for people and for programs: tables and JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from androscope import __version__
from androscope.assessment.bland_altman import FEWEST, FURTHEST, BlandAltman
from androscope.assessment.concordance import WHOLE, Concordance, PairOfObservers
from androscope.assessment.matching import Matched
from androscope.assessment.observers import Estimate, Pair
from androscope.assessment.sample import Proportion
from androscope.files import write_text
from androscope.report.names import NOTICE, printable
from androscope.report.table import percent, table_for

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["SCHEMA", "document", "print_concordance", "write_json"]

SCHEMA = "androscope.agreement/1"

#: Names listed of those that are in one file alone.
_LISTED = 5


def print_concordance(console: Console, found: Concordance, matched: Matched) -> None:
    """Print the comparison; ``console`` is from :func:`~.table.console_for`."""
    _say(console, f"{found.n} sperm looked at by all of {', '.join(found.observers)}.", bold=True)
    for name, missing in matched.missing.items():
        if missing:
            more = ", ..." if len(missing) > _LISTED else ""
            listed = ", ".join(missing[:_LISTED])
            _say(console, f"{name}: {len(missing)} not in all files, left out: {listed}{more}")
    for name, labels in matched.left_out.items():
        if labels:
            _say(console, f"{name}: labels that not all have, left out: {', '.join(labels)}")
    _print_counts(console, found)
    for pair in found.pairs:
        _print_pair(console, pair)
    if found.fleiss:
        _print_fleiss(console, found)
    if any(low_though_alike(p) for pair in found.pairs for p in pair.pairs.values()):
        console.print()
        _say(
            console,
            "Kappa is low beside a high agreement where one class is rare: two observers who call "
            "nearly everything normal agree often by chance, and kappa counts that out. PABAK is "
            "what kappa would be with both classes equally frequent. Read both, and the table.",
        )
    console.print()
    _say(console, NOTICE)


def low_though_alike(pair: Pair) -> bool:
    """Whether kappa lies far below what the agreement alone would give (PABAK)."""
    value = pair.kappa.value
    return value is not None and pair.pabak is not None and pair.pabak - value > 0.2


def _print_counts(console: Console, found: Concordance) -> None:
    table = table_for(console, "Abnormal / undecided", *map(printable, found.observers))
    for label in found.labels:
        counts = zip(found.abnormal[label], found.undecided[label], strict=True)
        table.add_row(label, *(f"{abnormal} / {undecided}" for abnormal, undecided in counts))
    console.print()
    console.print(table)


def _print_pair(console: Console, pair: PairOfObservers) -> None:
    console.print()
    _say(console, f"{pair.b} (B) against {pair.a} (A)", bold=True)
    table = table_for(
        console, "Sperm by sperm", "both normal", "B alone abnormal", "A alone abnormal",
        "both abnormal", "not decided by both",
    )  # fmt: skip
    for label, p in pair.pairs.items():
        cells = (
            p.both_normal, p.only_b_abnormal, p.only_a_abnormal, p.both_abnormal, p.undecided
        )  # fmt: skip
        table.add_row(label, *map(str, cells))
    console.print(table)
    console.print()
    table = table_for(
        console, "95% intervals", "agreement", "kappa", "PABAK", "A's abnormal found by B",
        "A's normal confirmed by B",
    )  # fmt: skip
    for label, p in pair.pairs.items():
        table.add_row(
            label,
            percent(p.agreement),
            _estimate(p.kappa),
            _number(p.pabak),
            percent(p.sensitivity),
            percent(p.specificity),
        )
    console.print(table)
    if pair.samples:
        _print_samples(console, pair)


def _print_samples(console: Console, pair: PairOfObservers) -> None:
    console.print()
    table = table_for(
        console, "% normal of samples, B minus A", "samples", "mean difference", "lower limit",
        "upper limit",
    )  # fmt: skip
    for label, found in pair.samples.items():
        cells = (found.bias, found.lower, found.upper)
        table.add_row(label, str(len(found.samples)), *(_estimate(e, "+.1f") for e in cells))
    console.print(table)
    whole = pair.samples[WHOLE]
    if len(whole.samples) < FEWEST:
        _say(console, f"Limits of agreement need {FEWEST} samples at least.")
    elif whole.samples:
        least = min(sample.n for sample in whole.samples)
        _say(
            console,
            f"Percentage points. The smallest sample has {least} sperm decided by both; the fewer, "
            "the wider the limits by chance alone.",
        )
    limits = [e.value for one in pair.samples.values() for e in (one.lower, one.upper)]
    if any(value is not None and abs(value) == FURTHEST for value in limits):
        _say(
            console,
            "A limit of 100 points is where percentages end: any difference at all may be expected "
            "there.",
        )


def _print_fleiss(console: Console, found: Concordance) -> None:
    console.print()
    table = table_for(console, f"All {len(found.observers)}", "sperm", "Fleiss's kappa")
    for label, estimate in found.fleiss.items():
        table.add_row(label, str(found.fleiss_n[label]), _estimate(estimate))
    console.print(table)


def _say(console: Console, text: str, *, bold: bool = False) -> None:
    console.print(printable(text), markup=False, style="bold" if bold else None)


def _number(value: float | None, form: str = ".2f") -> str:
    return "-" if value is None else format(value, form)


def _estimate(estimate: Estimate, form: str = ".2f") -> str:
    if estimate.low is None or estimate.high is None:
        return _number(estimate.value, form)
    low, high = format(estimate.low, form), format(estimate.high, form)
    return f"{_number(estimate.value, form)} ({low} to {high})"


def document(found: Concordance, matched: Matched) -> dict[str, Any]:
    """Give everything as plain dictionaries and lists; fractions 0 to 1, samples in percent."""
    return {
        "schema": SCHEMA,
        "notice": NOTICE,
        "androscope": __version__,
        "observers": list(found.observers),
        "sperm": found.n,
        "left_out": {name: list(rows) for name, rows in matched.missing.items()},
        "labels_left_out": {name: list(rows) for name, rows in matched.left_out.items()},
        "labels": list(found.labels),
        "abnormal": {k: list(v) for k, v in found.abnormal.items()},
        "undecided": {k: list(v) for k, v in found.undecided.items()},
        "samples_by": found.by,
        "pairs": [
            {
                "a": pair.a,
                "b": pair.b,
                "sperm_by_sperm": {label: _pair(p) for label, p in pair.pairs.items()},
                "samples": {label: _bland_altman(b) for label, b in pair.samples.items()},
            }
            for pair in found.pairs
        ],
        "fleiss_kappa": {
            label: {"n": found.fleiss_n[label], **_interval(estimate)}
            for label, estimate in found.fleiss.items()
        },
    }


def write_json(path: str | Path, found: Concordance, matched: Matched) -> None:
    """Write :func:`document`. Raises :class:`~androscope.errors.OutputError`."""
    text = json.dumps(document(found, matched), indent=2, ensure_ascii=True, allow_nan=False)
    write_text(path, text + "\n")


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "both_normal": pair.both_normal,
        "only_b_abnormal": pair.only_b_abnormal,
        "only_a_abnormal": pair.only_a_abnormal,
        "both_abnormal": pair.both_abnormal,
        "n": pair.n,
        "undecided": pair.undecided,
        "agreement": _proportion(pair.agreement),
        "kappa": _interval(pair.kappa),
        "pabak": pair.pabak,
        "prevalence_index": pair.prevalence,
        "bias_index": pair.bias,
        "sensitivity_to_abnormal": _proportion(pair.sensitivity),
        "specificity": _proportion(pair.specificity),
    }


def _bland_altman(found: BlandAltman) -> dict[str, Any]:
    return {
        "mean_difference": _interval(found.bias),
        "lower_limit": _interval(found.lower),
        "upper_limit": _interval(found.upper),
        "standard_deviation": found.deviation,
        "samples": [
            {
                "name": sample.name,
                "n": sample.n,
                "percent_normal_a": sample.percent_a,
                "percent_normal_b": sample.percent_b,
            }
            for sample in found.samples
        ],
    }


def _proportion(p: Proportion) -> dict[str, Any]:
    return {"count": p.count, "n": p.n, "value": p.fraction, "low": p.low, "high": p.high}


def _interval(estimate: Estimate) -> dict[str, Any]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}
