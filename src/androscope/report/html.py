"""Results as one HTML page: thumbnails inside it, no script, nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from string import Template

from androscope import __version__
from androscope.assessment.sample import Proportion, summarise
from androscope.files import write_text
from androscope.report.names import NOTICE
from androscope.report.names import html_safe as _safe
from androscope.report.table import Truth, agreement, percent
from androscope.report.thumbnails import data_uri
from androscope.types import Assessment, Crop, PartVerdict, Results, Verdict

__all__ = ["THUMBNAILS", "html_text", "write_html"]

#: Crops shown in one page; a page with more of them would take a browser too long to open.
THUMBNAILS = 2000

_HERE = Path(__file__).resolve().parent
# Verdicts differ by their word and their sign, not by colour alone (WCAG 2.2, 1.4.1).
_SIGN = {Verdict.NORMAL: "✓", Verdict.ABNORMAL: "✗"}


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
        assessed=_assessed(results, truth),
        failures=_failures(results),
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
        **{name.replace("_", " "): value for name, value in results.extra.items()},
    }
    return "".join(f"<dt>{_safe(k)}</dt><dd>{_safe(v)}</dd>" for k, v in facts.items())


def _summary(results: Results, truth: Truth | None) -> str:
    sample = summarise(results.assessments, results.labels)
    rows = [(f"{label} abnormal", p) for label, p in sample.abnormal.items()]
    rows.append(("every part normal", sample.all_normal))
    lines = [f"<p>{sample.n} assessed; {len(results.failures)} could not be.</p>"]
    if truth is not None:
        agree, known = agreement(results, truth)
        lines.append(f"<p>{agree} of {known} verdicts agree with what is true of these images.</p>")
    if sample.n:
        body = "".join(_proportion(name, p) for name, p in rows)
        lines.append(
            '<table class="summary"><thead><tr><th scope="col">Of the sample</th>'
            '<th scope="col">Count</th><th scope="col">Fraction (95% interval)</th></tr></thead>'
            f"<tbody>{body}</tbody></table>"
        )
    return "".join(lines)


def _proportion(name: str, proportion: Proportion) -> str:
    return (
        f'<tr><th scope="row">{_safe(name)}</th>'
        f"<td>{proportion.count} of {proportion.n}</td><td>{percent(proportion)}</td></tr>"
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
        cells = "".join(_verdict(part, known.get(part.label)) for part in assessment.parts)
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
    if not assessment.notes:
        return ""
    return f"<small>{_safe('; '.join(assessment.notes))}</small>"


def _verdict(part: PartVerdict, true: Verdict | None) -> str:
    word = part.verdict.value
    known = ""
    if true is not None:
        agrees = true is part.verdict
        known = f'<small class="{"agrees" if agrees else "differs"}">truly {true.value}</small>'
    return (
        f'<td data-label="{_safe(part.label)}"><span class="verdict {word}">'
        f'<span aria-hidden="true">{_SIGN[part.verdict]}</span> {word} '
        f"{part.probability:.2f}</span>"
        f'<span class="meter" aria-hidden="true" style="--p:{part.probability:.3f};'
        f'--t:{part.threshold:.3f}"></span>{known}</td>'
    )


def _failures(results: Results) -> str:
    if not results.failures:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{_safe(f.name)}</th><td data-label="Reason">{_safe(f.reason)}</td>'
        f'<td data-label="What to do">{_safe(f.advice or "-")}</td></tr>'
        for f in results.failures
    )
    return (
        '<h2>Could not be assessed</h2><table class="images"><thead><tr><th scope="col">Image</th>'
        '<th scope="col">Reason</th><th scope="col">What to do</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
