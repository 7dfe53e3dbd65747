"""The report in words: what PDF and HTML both show, so that neither has a wording of its own."""

from __future__ import annotations

from androscope.assessment.findings import Findings
from androscope.report.sample.document import SampleReport, Share
from androscope.report.sample.grids import (
    agreement_grid,
    counts_grid,
    files_grid,
    indices_grid,
    measured_grid,
    regions_grid,
    replicates_grid,
)
from androscope.report.sample.picture_groups import gallery_pictures, overlay_pictures
from androscope.report.sample.pictures import galleries
from androscope.report.sample.signature import Signature
from androscope.report.sample.view_types import Bar, Grid, View, counted, interval_text

__all__ = ["view_of"]

_METHOD = (
    "Intervals are Wilson's 95% score intervals over the sampling of sperm alone. They take "
    "each verdict as right and each sperm as independent of the others; the model's own "
    "errors come on top.",
    "A sperm is abnormal if any graded part is, normal if every graded part is. Fractions are "
    "of the sperm that were decided.",
    "Of the images, nothing but pixels, pixel size, file name and SHA-256 is in this report.",
)


def view_of(report: SampleReport, findings: Findings, signature: Signature | None = None) -> View:
    """Put a report into words; ``findings`` are those it was made from, for the pictures."""
    model = report.model
    return View(
        title="Sperm morphology report",
        notice=report.notice,
        sample=report.sample,
        created=f"{report.created:%Y-%m-%d %H:%M} UTC",
        facts=_facts(report),
        warnings=tuple(report.warnings),
        headline=_headline(report),
        remarks=_remarks(report),
        bars=_bars(report),
        counts=counts_grid(report),
        verdict=report.agreement.verdict,
        agree={True: "within", False: "beyond", None: "untested"}[report.agreement.accepted],
        agreement=agreement_grid(report),
        replicates=replicates_grid(report),
        regions=regions_grid(report.regions),
        indices=indices_grid(report),
        failures=Grid(
            ("Image", "Reason", "What to do"),
            tuple((f.name, f.reason, f.advice or "-") for f in report.failures),
        ),
        galleries=tuple(gallery_pictures(g, findings, report) for g in galleries(findings)),
        overlays=overlay_pictures(findings, report),
        model=(
            ("Model", f"{model.name} {model.version} ({model.method.upper()})"),
            ("SHA-256", model.sha256),
            ("Grades", ", ".join(model.labels)),
            *_verdicts(report),
            ("Learned from", model.data),
            ("Made for", model.intended_use),
            ("Not made for", model.out_of_scope),
            ("Licence of the weights", model.licence),
        ),
        measured=measured_grid(report),
        limits=tuple(model.limitations),
        files=files_grid(report),
        method=_METHOD,
        signed=() if signature is None else signature.lines,
    )


def _facts(report: SampleReport) -> tuple[tuple[str, str], ...]:
    counts, model = report.counts, report.model
    pictures = [
        counted(n, what) for n, what in ((counts.fields, "field"), (counts.crops, "crop")) if n
    ]
    replicates = f"{len(report.replicates)} ({', '.join(r.name for r in report.replicates)})"
    return (
        ("Sample", report.sample),
        ("Made", f"{report.created:%Y-%m-%d %H:%M} UTC"),
        ("Replicates", replicates),
        ("Images", f"{counted(counts.files, 'file')}: {' and '.join(pictures) or 'no picture'}"),
        *((name[0].upper() + name[1:], value) for name, value in report.settings.items()),
        ("Model", f"{model.name} {model.version}, SHA-256 {model.sha256[:16]}..."),
        *_rule(report),
        ("Software", f"androscope {report.androscope}"),
    )


def _rule(report: SampleReport) -> tuple[tuple[str, str], ...]:
    rule = report.verdicts
    if rule.error_rate is None:
        return ()
    return (("Error rate allowed", f"{rule.error_rate:.3g}: {rule.promise}"),)


def _headline(report: SampleReport) -> tuple[str, str, str]:
    share = report.normal
    what = f"normal in every graded part ({', '.join(report.model.labels)})"
    if share.fraction is None:
        return ("no result", what, "no sperm was graded")
    return (
        f"{share.fraction:.1%}",
        what,
        f"{share.count} of {share.of} sperm; 95% interval {interval_text(share)}",
    )


def _remarks(report: SampleReport) -> tuple[str, ...]:
    reference = report.reference
    remarks = [
        f"WHO's lower reference limit is {reference.percent:g}% normal forms (95% interval "
        f"{reference.low:g}% to {reference.high:.1f}%; {reference.source}). {reference.meaning}",
        reference.comparable,
    ]
    if report.normal_bounds is not None:
        low, high = report.normal_bounds
        remarks.insert(
            0,
            f"{report.counts.undecided} sperm are undecided and not in this fraction: with them it "
            f"could be anything from {low:.1%} to {high:.1%}.",
        )
    expected = report.normal_expected
    if expected is not None:
        remarks.insert(
            0,
            f"By the model's probabilities {expected.fraction:.1%} of the {expected.of} sperm "
            f"assessed are to be expected normal in every graded part (95% interval "
            f"{expected.low:.1%} to {expected.high:.1%}). Where that differs from the count of "
            "verdicts, it is the better estimate, for samples like those the model was calibrated "
            "on: a defect of which it is not sure is called normal each time, so that verdicts "
            "count too few abnormal sperm.",
        )
    return tuple(remarks)


def _bars(report: SampleReport) -> tuple[Bar, ...]:
    bars = [_bar("normal in every graded part", report.normal, True, report.reference.percent)]
    bars += [_bar(f"{part.label} abnormal", part.share, False) for part in report.parts]
    return tuple(bar for bar in bars if bar is not None)


def _bar(name: str, share: Share, normal: bool, reference: float | None = None) -> Bar | None:
    if share.fraction is None or share.low is None or share.high is None:
        return None
    return Bar(
        name=name,
        count=f"{share.count} of {share.of}",
        percent=f"{share.fraction:.1%}",
        interval=interval_text(share),
        fraction=share.fraction,
        low=share.low,
        high=share.high,
        normal=normal,
        reference=None if reference is None else reference / 100,
    )


def _verdicts(report: SampleReport) -> tuple[tuple[str, str], ...]:
    rule = report.verdicts
    if rule.error_rate is None:
        thresholds = report.model.thresholds.items()
        told = ", ".join(f"{label} {value:g}" for label, value in thresholds)
        return (("Abnormal from probability", told),)
    told = ", ".join(
        f"{label} {min(c.abnormal_from, c.normal_to):.3g} to "
        f"{max(c.abnormal_from, c.normal_to):.3g}"
        for label, c in rule.cuts.items()
    )
    return (("Undecided in probability", told),)
