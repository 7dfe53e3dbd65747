"""Results as one HTML page: thumbnails inside it, no script, nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from string import Template

from androscope import __version__
from androscope.assessment.conformal import promise
from androscope.assessment.sample import Proportion
from androscope.assessment.tally import Counts, tally
from androscope.files import write_text
from androscope.report.names import NOTICE
from androscope.report.names import html_safe as _safe
from androscope.report.table import Truth, agreement, percent
from androscope.report.thumbnails import data_uri
from androscope.types import Assessment, Crop, Cuts, Failure, PartVerdict, Results, Verdict

__all__ = ["THUMBNAILS", "html_text", "write_html"]

#: Crops shown in one page; a page with more of them would take a browser too long to open.
THUMBNAILS = 2000

_HERE = Path(__file__).resolve().parent
# Verdicts differ by their word and their sign, not by colour alone (WCAG 2.2, 1.4.1).
_SIGN = {Verdict.NORMAL: "✓", Verdict.ABNORMAL: "✗", Verdict.UNDECIDED: "?"}

_METER = (
    "The bar shows that probability, the line in it the threshold from which the verdict is "
    "abnormal."
)
_METER_CUTS = (
    "The bar shows that probability, the lines in it where the part becomes undecided: between "
    "them it may be either."
)


def html_text(
    results: Results,
    *,
    truth: Truth | None = None,
    title: str = "Sperm morphology",
    created: datetime | None = None,
) -> str:
    """Give the page.

    Parameters
    ----------
    results
        What was assessed. ``results.crops``, in the order of the assessments, gives the
        thumbnails; the first :data:`THUMBNAILS` are shown, and fewer crops than assessments are
        taken as they are.
    truth
        What is known of the images, in the order of ``results.assessments``; shown beside each
        verdict.
    title
        The page's heading.
    created
        When; default: now.
    """
    created = (datetime.now(UTC) if created is None else created).astimezone(UTC)
    template = Template((_HERE / "page.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=_safe(title),
        style=(_HERE / "page.css").read_text(encoding="utf-8"),
        notice=_safe(NOTICE),
        facts=_facts(results, created),
        summary=_summary(results, truth),
        meter=_safe(_METER_CUTS if results.cuts else _METER),
        assessed=_assessed(results, truth),
        failures=failures_table(results.failures),
        version=_safe(__version__),
    )


def write_html(
    path: str | Path,
    results: Results,
    *,
    truth: Truth | None = None,
    title: str = "Sperm morphology",
) -> None:
    """Write :func:`html_text` to ``path``, whole or not at all. Raises :class:`OutputError`."""
    write_text(path, html_text(results, truth=truth, title=title))


def _facts(results: Results, created: datetime) -> str:
    thresholds = ", ".join(f"{label} {value:g}" for label, value in results.thresholds.items())
    facts = {
        "Model": f"{results.model} {results.model_version}".strip(),
        "Model's SHA-256": results.model_sha256,
        "Abnormal from probability": thresholds or "-",
        "Made": f"{created:%Y-%m-%d %H:%M} UTC",
        **_rule(results),
        **{name.replace("_", " "): value for name, value in results.extra.items()},
    }
    return "".join(f"<dt>{_safe(k)}</dt><dd>{_safe(v)}</dd>" for k, v in facts.items())


def _rule(results: Results) -> dict[str, str]:
    """What an error rate promised, and where parts are undecided."""
    if results.error_rate is None:
        return {}
    cuts = ", ".join(
        f"{label} {min(c.abnormal_from, c.normal_to):.3g} to "
        f"{max(c.abnormal_from, c.normal_to):.3g}"
        for label, c in results.cuts.items()
    )
    return {
        "Error rate allowed": f"{results.error_rate:.3g}: {promise(results.error_rate)}",
        "Undecided": cuts,
    }


def _summary(results: Results, truth: Truth | None) -> str:
    found = tally(results.assessments, results.labels)
    whole = found.whole
    rows = [(f"{label} abnormal", c, c.fraction_abnormal) for label, c in found.parts.items()]
    rows.append(("every part normal", whole, whole.fraction_normal))
    lines = [f"<p>{whole.assessed} assessed; {len(results.failures)} could not be.</p>"]
    abstains = results.error_rate is not None or any(c.undecided for c in found.parts.values())
    if truth is not None:
        agree, known = agreement(results, truth)
        lines.append(f"<p>{agree} of {known} verdicts agree with what is true of these images.</p>")
    if whole.assessed:
        body = "".join(_proportion(name, p, c if abstains else None) for name, c, p in rows)
        more = '<th scope="col">Undecided</th>' if abstains else ""
        lines.append(
            '<table class="summary"><thead><tr><th scope="col">Of the sample</th>'
            f'<th scope="col">Count</th><th scope="col">Fraction (95% interval)</th>{more}'
            f"</tr></thead><tbody>{body}</tbody></table>"
        )
    if whole.undecided and whole.bounds:
        low, high = whole.bounds
        lines.append(
            f"<p>With the {whole.undecided} undecided sperm, every part is normal in {low:.1%} to "
            f"{high:.1%}.</p>"
        )
    return "".join(lines)


def _proportion(name: str, proportion: Proportion, counts: Counts | None) -> str:
    undecided = "" if counts is None else f'<td class="undecided">{counts.undecided}</td>'
    return (
        f'<tr><th scope="row">{_safe(name)}</th>'
        f"<td>{proportion.count} of {proportion.n}</td><td>{percent(proportion)}</td>"
        f"{undecided}</tr>"
    )


def _assessed(results: Results, truth: Truth | None) -> str:
    if not results.assessments:
        return "<p>None.</p>"
    head = "".join(f'<th scope="col">{_safe(label)}</th>' for label in results.labels)
    return (
        f'{_too_many(results)}<table class="images"><thead><tr><th scope="col">Crop</th>'
        f'<th scope="col">Image</th>{head}</tr></thead>'
        f"<tbody>{''.join(_rows(results, truth))}</tbody></table>"
    )


def _too_many(results: Results) -> str:
    shown = min(len(results.crops), THUMBNAILS)
    if not shown or shown == len(results.assessments):
        return ""
    return (
        f"<p>Crops are shown for the first {shown} of {len(results.assessments)} images; "
        "<code>--thumbnails</code> writes them all.</p>"
    )


def _rows(results: Results, truth: Truth | None) -> Iterator[str]:
    crops = results.crops[:THUMBNAILS]
    for number, assessment in enumerate(results.assessments):
        crop = crops[number] if number < len(crops) else None
        known: Mapping[str, Verdict] = {} if truth is None else truth[number]
        cells = "".join(
            _verdict(part, known.get(part.label), results.cuts.get(part.label))
            for part in assessment.parts
        )
        yield (
            f"<tr><td>{_picture(crop, assessment)}</td>"
            f'<th scope="row">{_safe(assessment.name)}{_notes(assessment)}</th>{cells}</tr>\n'
        )


def _picture(crop: Crop | None, assessment: Assessment) -> str:
    if crop is None:
        return ""
    height, width = crop.pixels.shape
    return (
        f'<img src="{data_uri(crop.pixels)}" width="{width}" height="{height}" loading="lazy" '
        f'alt="Crop of {_safe(assessment.name)} as graded">'
    )


def _notes(assessment: Assessment) -> str:
    notes = f"<small>{_safe('; '.join(assessment.notes))}</small>" if assessment.notes else ""
    flags = "; ".join(flag.reason for flag in assessment.flags)
    return (
        f'<small class="flags">Did not pass the checks: {_safe(flags)}</small>' if flags else ""
    ) + notes


def _verdict(part: PartVerdict, true: Verdict | None, cuts: Cuts | None) -> str:
    word = part.verdict.value
    known = ""
    # With an error rate the threshold decides nothing: two lines instead, where it does not know.
    lines = f"--t:{part.threshold:.3f}"
    if cuts is not None:
        lines = f"--t:{cuts.abnormal_from:.3f};--u:{cuts.normal_to:.3f}"
    if true is not None and part.verdict is not Verdict.UNDECIDED:
        agrees = true is part.verdict
        known = f'<small class="{"agrees" if agrees else "differs"}">truly {true.value}</small>'
    return (
        f'<td data-label="{_safe(part.label)}"><span class="verdict {word}">'
        f'<span aria-hidden="true">{_SIGN[part.verdict]}</span> {word} '
        f"{part.probability:.2f}</span>"
        f'<span class="meter{"" if cuts is None else " two"}" aria-hidden="true" '
        f'style="--p:{part.probability:.3f};{lines}"></span>{known}</td>'
    )


def failures_table(failures: Sequence[Failure]) -> str:
    """A heading and a table of what could not be assessed; nothing if there is none."""
    if not failures:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{_safe(f.name)}</th><td data-label="Reason">{_safe(f.reason)}</td>'
        f'<td data-label="What to do">{_safe(f.advice or "-")}</td></tr>'
        for f in failures
    )
    return (
        '<h2>Could not be assessed</h2><table class="images"><thead><tr><th scope="col">Image</th>'
        '<th scope="col">Reason</th><th scope="col">What to do</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
