"""The report in words: what PDF and HTML both show, so that neither has a wording of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from androscope.assessment.findings import Findings
from androscope.report.sample.document import RegionRow, SampleReport, Share
from androscope.report.sample.pictures import Gallery, galleries

__all__ = ["NO_ABSTENTION", "Bar", "Grid", "Picture", "Pictures", "View", "view_of"]

NO_ABSTENTION = "not available with this model"

#: Replicates that have room beside one another.
_SIDE_BY_SIDE = 4

_METHOD = (
    "Intervals are Wilson's 95% score intervals over the sampling of sperm alone. They take "
    "each verdict as right and each sperm as independent of the others; the model's own "
    "errors come on top.",
    "A sperm is abnormal if any graded part is, normal if every graded part is. Fractions are "
    "of the sperm that were decided.",
    "Of the images, nothing but pixels, pixel size, file name and SHA-256 is in this report.",
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A fraction to draw; ``reference`` is a mark on it, as a fraction."""

    name: str
    count: str
    percent: str
    interval: str
    fraction: float
    low: float
    high: float
    normal: bool
    reference: float | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its head, its rows, and what stands below it."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's file as it is to be named in a report, its caption, and its encoded bytes."""

    name: str
    caption: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Pictures:
    """A group of pictures under a heading, and what is to be said of it."""

    title: str
    text: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class View:
    """Everything a page shows, in order."""

    title: str
    notice: str
    sample: str
    created: str
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    headline: tuple[str, str, str]
    remarks: tuple[str, ...]
    bars: tuple[Bar, ...]
    counts: Grid
    verdict: str
    agree: str
    agreement: Grid
    replicates: Grid
    regions: Grid
    indices: Grid
    failures: Grid
    galleries: tuple[Pictures, ...]
    overlays: Pictures
    model: tuple[tuple[str, str], ...]
    measured: Grid
    limits: tuple[str, ...]
    files: Grid
    method: tuple[str, ...]


def view_of(report: SampleReport, findings: Findings) -> View:
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
        counts=_counts(report),
        verdict=report.agreement.verdict,
        agree={True: "within", False: "beyond", None: "untested"}[report.agreement.accepted],
        agreement=_agreement(report),
        replicates=_replicates(report),
        regions=_regions(report.regions),
        indices=_indices(report),
        failures=Grid(
            ("Image", "Reason", "What to do"),
            tuple((f.name, f.reason, f.advice or "-") for f in report.failures),
        ),
        galleries=tuple(_gallery(g, findings, report) for g in galleries(findings)),
        overlays=_overlays(findings, report),
        model=(
            ("Model", f"{model.name} {model.version} ({model.method.upper()})"),
            ("SHA-256", model.sha256),
            ("Grades", ", ".join(model.labels)),
            ("Abnormal from probability", _thresholds(model.thresholds)),
            ("Learned from", model.data),
            ("Made for", model.intended_use),
            ("Not made for", model.out_of_scope),
            ("Licence of the weights", model.licence),
        ),
        measured=_measured(report),
        limits=tuple(model.limitations),
        files=_files(report),
        method=_METHOD,
    )


def _facts(report: SampleReport) -> tuple[tuple[str, str], ...]:
    counts, model = report.counts, report.model
    pictures = [
        _number(n, what) for n, what in ((counts.fields, "field"), (counts.crops, "crop")) if n
    ]
    replicates = f"{len(report.replicates)} ({', '.join(r.name for r in report.replicates)})"
    return (
        ("Sample", report.sample),
        ("Made", f"{report.created:%Y-%m-%d %H:%M} UTC"),
        ("Replicates", replicates),
        ("Images", f"{_number(counts.files, 'file')}: {' and '.join(pictures) or 'no picture'}"),
        *((name[0].upper() + name[1:], value) for name, value in report.settings.items()),
        ("Model", f"{model.name} {model.version}, SHA-256 {model.sha256[:16]}..."),
        ("Software", f"androscope {report.androscope}"),
    )


def _headline(report: SampleReport) -> tuple[str, str, str]:
    share = report.normal
    what = f"normal in every graded part ({', '.join(report.model.labels)})"
    if share.fraction is None:
        return ("no result", what, "no sperm was graded")
    return (
        f"{share.fraction:.1%}",
        what,
        f"{share.count} of {share.of} sperm; 95% interval {_interval(share)}",
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
        interval=_interval(share),
        fraction=share.fraction,
        low=share.low,
        high=share.high,
        normal=normal,
        reference=None if reference is None else reference / 100,
    )


def _counts(report: SampleReport) -> Grid:
    counts = report.counts
    undecided = ("-", NO_ABSTENTION) if counts.undecided is None else (str(counts.undecided), "")
    rows = [
        ("Sperm found", str(counts.found), ""),
        ("Sperm assessed", str(counts.assessed), ""),
        ("- normal in every graded part", str(counts.normal), ""),
        ("- abnormal in a part", str(counts.abnormal), ""),
        ("- undecided", *undecided),
    ]
    for sperm, what in ((True, "Sperm excluded"), (False, "Found, and no sperm")):
        rows += [(what, str(e.count), e.reason) for e in counts.excluded if e.sperm is sperm]
    rows.append(("Files or pictures not usable", str(counts.unreadable), ""))
    return Grid(("What", "Count", "Why"), tuple(rows))


def _agreement(report: SampleReport) -> Grid:
    agreement = report.agreement
    if not agreement.rows:
        return Grid((), (), tuple(agreement.notes))
    first, second = agreement.replicates
    rows = tuple(
        (
            row.what, f"{row.first:.1f}%", f"{row.second:.1f}%", f"{row.average}%",
            f"{row.difference:.1f}", str(row.limit), "within" if row.within else "beyond",
        )
        for row in agreement.rows
    )  # fmt: skip
    head = ("Percentage", first, second, "Average", "Difference", "At most", "")
    return Grid(head, rows, tuple(agreement.notes))


def _replicates(report: SampleReport) -> Grid:
    """A column for each replicate with all that is known; a row for each where there are many."""
    found = report.replicates
    if len(found) > _SIDE_BY_SIDE:
        return Grid(
            ("Replicate", "Files", "Found", "Assessed", "Normal in every graded part"),
            tuple(
                (r.name, str(r.files), str(r.found), str(r.assessed), _percent(r.normal))
                for r in found
            ),
        )
    none = NO_ABSTENTION
    rows = [
        ("Files", *(str(r.files) for r in found)),
        ("Sperm found", *(str(r.found) for r in found)),
        ("Sperm assessed", *(str(r.assessed) for r in found)),
        ("- undecided", *(none if r.undecided is None else str(r.undecided) for r in found)),
        ("Normal in every graded part", *(_percent(r.normal) for r in found)),
    ]
    rows += [
        (f"{label} abnormal", *(_percent(r.parts[label]) for r in found))
        for label in report.model.labels
    ]
    return Grid(("Replicate", *(r.name for r in found)), tuple(rows))


def _regions(regions: Sequence[RegionRow]) -> Grid:
    return Grid(
        ("WHO's region", "Labels of the model", "Any defect"),
        tuple(
            (
                row.region,
                ", ".join(row.labels) or "-",
                _percent(row.share) if row.share is not None else f"not assessed: {row.why_not}",
            )
            for row in regions
        ),
    )


def _indices(report: SampleReport) -> Grid:
    rows, notes = [], []
    for row in report.indices:
        reason = row.why_not or ""
        if row.value is not None:
            value = f"{row.value:.2f} ({row.defects} / {row.sperm})"
        else:
            value = reason.partition(":")[0]
            notes.append((row.short, reason))
        rows.append((f"{row.short}, {row.name}", value, f"{row.formula} ({row.source})"))
    by_reason: dict[str, list[str]] = {}
    for short, reason in notes:
        by_reason.setdefault(reason, []).append(short)
    return Grid(
        ("Index", "Value", "Definition"),
        tuple(rows),
        tuple(f"{', '.join(shorts)} {reason}." for reason, shorts in by_reason.items()),
    )


def _gallery(gallery: Gallery, findings: Findings, report: SampleReport) -> Pictures:
    from androscope.report.thumbnails import png_bytes

    numbers = {find.name: number for number, find in enumerate(findings.finds, start=1)}
    rows = report.finds
    pictures = []
    for find in gallery.finds:
        if find.crop is None:
            continue
        number = numbers[find.name]
        parts = rows[number - 1].parts
        says = ", ".join(
            f"{label} {part.probability:.2f}"
            for label, part in parts.items()
            if gallery.outcome == "normal" or part.verdict != "normal"
        )
        caption = f"{find.name}: {says}"
        pictures.append(Picture(f"sperm-{number:06d}.png", caption, png_bytes(find.crop.pixels)))
    title = {
        "normal": "Most certain normal",
        "abnormal": "Most certain abnormal",
        "undecided": "Undecided, all of them",
    }[gallery.outcome]
    if gallery.outcome == "undecided" and report.counts.undecided is None:
        text = f"Undecided verdicts are {NO_ABSTENTION}."
    elif not gallery.of:
        text = "None."
    elif gallery.outcome == "undecided":
        text = f"{gallery.of} sperm of which no part is abnormal and at least one is undecided."
    else:
        text = (
            f"{len(pictures)} of {gallery.of}, by the model's own probabilities of abnormal, which "
            "stand behind the image's name and, in a field, the find's number."
        )
    return Pictures(title, text, tuple(pictures))


def _overlays(findings: Findings, report: SampleReport) -> Pictures:
    pictures = tuple(
        Picture(f"field-{number:04d}.jpg", overlay.name, overlay.jpeg)
        for number, overlay in enumerate(findings.overlays, start=1)
    )
    if not pictures:
        return Pictures("Fields", "No field to show.", ())
    text = "Each find has its number in its field; colours are by verdict."
    if len(pictures) < report.counts.fields:
        text += (
            f" The first {len(pictures)} of {report.counts.fields} are shown: "
            "androscope assess --overlay writes them all."
        )
    return Pictures("Fields", text, pictures)


def _measured(report: SampleReport) -> Grid:
    found = report.model.measured
    metrics = list(dict.fromkeys(m.metric for m in found))
    value = {(m.label, m.metric): m for m in found}
    names = {"mcc": "MCC", "roc_auc": "ROC AUC"}
    rows = []
    for label in dict.fromkeys(m.label for m in found):
        cells = [label]
        for metric in metrics:
            m = value.get((label, metric))
            if m is None or m.value is None:
                cells.append("-")
            elif m.low is None or m.high is None:
                cells.append(f"{m.value:.2f}")
            else:
                cells.append(f"{m.value:.2f} ({m.low:.2f} to {m.high:.2f})")
        rows.append(tuple(cells))
    split = found[0].split if found else ""
    note = (
        f"On {report.model.data}, {split}, as its card has it, with 95% intervals. MCC is 0 for "
        "guessing and 1 for no error."
    )
    head = ("Part", *(names.get(metric, metric) for metric in metrics))
    return Grid(head, tuple(rows), (note,)) if found else Grid((), ())


def _files(report: SampleReport) -> Grid:
    rows = []
    for file in report.files:
        scale = [f"{size:g} um/px" for size in file.pixel_sizes_um]
        estimated = " (estimated)" if file.estimated else ""
        scale += [f"head {length:.1f} px{estimated}" for length in file.head_lengths_px]
        what = f"{', '.join(file.taken_as) or 'not read'}; {file.assessed} of {file.found} assessed"
        rows.append(
            (
                file.name, file.replicate, "; ".join((what, *scale)), "; ".join(file.notes),
                file.sha256 or "not readable",
            )
        )  # fmt: skip
    return Grid(("File", "Replicate", "Taken as, scale", "Notes", "SHA-256"), tuple(rows))


def _thresholds(thresholds: dict[str, float]) -> str:
    return ", ".join(f"{label} {value:g}" for label, value in thresholds.items())


def _interval(share: Share) -> str:
    return "-" if share.low is None else f"{share.low:.1%} to {share.high:.1%}"


def _percent(share: Share) -> str:
    if share.fraction is None:
        return "-"
    return f"{share.fraction:.1%} ({share.count} of {share.of}; {_interval(share)})"


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
