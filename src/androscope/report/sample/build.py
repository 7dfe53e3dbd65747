"""From what was found in a sample to its report: every number and every sentence of substance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from androscope import __version__
from androscope.assessment.expected import expected_normal
from androscope.assessment.findings import Findings, SampleFind
from androscope.assessment.indices import Index, indices
from androscope.assessment.regions import Region, coverage
from androscope.assessment.sample import Proportion
from androscope.assessment.tally import Counts, Tally, count_whole, outcome_of, overall, tally
from androscope.report.names import NOTICE
from androscope.report.sample.agreement import agreement_of
from androscope.report.sample.document import (
    CountsReport,
    Exclusion,
    ExpectedShare,
    FailureRow,
    FileRow,
    FlagRow,
    IndexRow,
    Measured,
    ModelReport,
    PartRow,
    Reference,
    RegionRow,
    ReplicateRow,
    SampleReport,
    Share,
    SpermPart,
    SpermRow,
)
from androscope.report.sample.rule import rule_of
from androscope.report.sample.warnings import warnings_of
from androscope.types import Assessment

__all__ = ["build_report"]

#: Measures of a card that say how far a verdict can be trusted, for the report's table.
_MEASURES = ("accuracy", "mcc", "roc_auc")

# 5th centile and its 95% interval of men whose partners conceived within a year: WHO laboratory
# manual for the examination and processing of human semen, 6th ed. 2021, table 8.3.
_LIMIT_PERCENT, _LIMIT_LOW, _LIMIT_HIGH = 4.0, 3.9, 4.0


def build_report(findings: Findings, *, created: datetime | None = None) -> SampleReport:
    """Make the report of a sample.

    Parameters
    ----------
    findings
        From :func:`androscope.samples.grade_sample`.
    created
        When; default: now. All else is the same for the same findings.
    """
    card = findings.card
    counted = tally((a for _, a in findings.assessed), card.labels)
    abstains = findings.abstains or counted.whole.undecided > 0
    created = datetime.now(UTC) if created is None else created.astimezone(UTC)
    agreement = agreement_of(findings)
    counts = _counts(findings, counted.whole, abstains)
    replicates = [_replicate(findings, name, abstains) for name in findings.replicates]
    return SampleReport(
        notice=NOTICE,
        androscope=__version__,
        created=created.replace(microsecond=0),
        sample=findings.sample_id,
        settings=dict(findings.settings),
        warnings=warnings_of(findings, counts, replicates, agreement),
        verdicts=rule_of(findings),
        counts=counts,
        normal=_share(counted.whole.fraction_normal),
        normal_bounds=counted.whole.bounds if counted.whole.undecided else None,
        normal_expected=_expected(findings),
        parts=_parts(findings, counted, abstains),
        regions=_regions(findings),
        replicates=replicates,
        agreement=agreement,
        indices=_indices(findings),
        reference=_reference(findings),
        model=_model(findings),
        files=_files(findings),
        failures=[
            FailureRow(name=f.name, code=f.code, reason=f.reason, advice=f.advice)
            for f in findings.failures
        ],
        finds=[_find(findings, number, find) for number, find in enumerate(findings.finds, 1)],
    )


def _expected(findings: Findings) -> ExpectedShare | None:
    card = findings.card
    if card.calibration is None:
        return None
    found = expected_normal((a for _, a in findings.assessed), card.labels)
    return None if found is None else ExpectedShare(**asdict(found))


def _share(proportion: Proportion) -> Share:
    return Share(
        count=proportion.count, of=proportion.n, fraction=proportion.fraction,
        low=proportion.low, high=proportion.high,
    )  # fmt: skip


def _counts(findings: Findings, whole: Counts, abstains: bool) -> CountsReport:
    left_out = Counter(
        (find.excluded, find.is_sperm) for find in findings.finds if find.excluded is not None
    )
    return CountsReport(
        files=len(findings.files),
        fields=findings.fields,
        crops=sum(find.place is None for find in findings.finds),
        unreadable=len(findings.failures),
        found=sum(find.is_sperm for find in findings.finds),
        assessed=whole.assessed,
        normal=whole.normal,
        abnormal=whole.abnormal,
        undecided=whole.undecided if abstains else None,
        excluded=[
            Exclusion(reason=str(reason), count=count, sperm=sperm)
            for (reason, sperm), count in left_out.most_common()
        ],
    )


def _parts(findings: Findings, counted: Tally, abstains: bool) -> list[PartRow]:
    covered = coverage(findings.card.labels)
    region_of = {n: region.value for region, names in covered.labels.items() for n in names}
    return [
        PartRow(
            label=label,
            region=region_of.get(label),
            normal=counts.normal,
            abnormal=counts.abnormal,
            undecided=counts.undecided if abstains else None,
            share=_share(counts.fraction_abnormal),
        )
        for label, counts in counted.parts.items()
    ]


def _regions(findings: Findings) -> list[RegionRow]:
    covered = coverage(findings.card.labels)
    assessments = [assessment for _, assessment in findings.assessed]
    rows = []
    for region in Region:
        labels, why_not = covered.labels[region], covered.why_not(region)
        share = None
        if why_not is None:
            share = _share(count_whole(assessments, labels).fraction_abnormal)
        rows.append(
            RegionRow(region=region.value, labels=list(labels), why_not=why_not, share=share)
        )
    return rows


def _replicate(findings: Findings, name: str, abstains: bool) -> ReplicateRow:
    files = [file for file in findings.files if file.replicate == name]
    counted = tally(findings.of(name), findings.card.labels)
    sizes = dict.fromkeys(size for file in files for size in file.pixel_sizes_um)
    return ReplicateRow(
        name=name,
        files=len(files),
        found=sum(find.is_sperm for find in findings.finds if find.replicate == name),
        assessed=counted.whole.assessed,
        undecided=counted.whole.undecided if abstains else None,
        normal=_share(counted.whole.fraction_normal),
        parts={n: _share(c.fraction_abnormal) for n, c in counted.parts.items()},
        pixel_sizes_um=list(sizes),
    )


def _indices(findings: Findings) -> list[IndexRow]:
    labels = findings.card.labels
    decided = [
        {label for label in labels if outcome_of(assessment[label]) == "abnormal"}
        for _, assessment in findings.assessed
        if all(outcome_of(assessment[label]) != "undecided" for label in labels)
    ]
    return [_index(index) for index in indices(decided, labels)]


def _index(index: Index) -> IndexRow:
    facts = index.facts
    return IndexRow(
        short=facts.short, name=facts.name, formula=facts.formula, source=facts.source,
        value=index.value, defects=index.defects, sperm=index.sperm, why_not=index.why_not,
    )  # fmt: skip


def _reference(findings: Findings) -> Reference:
    card = findings.card
    missing = [region.value for region in coverage(card.labels).missing]
    comparable = (
        "The limit is for stained smears read by WHO's strict criteria; this report's verdicts are "
        f"those of {card.name} on the images given."
    )
    if missing:
        comparable += (
            f" WHO's normal forms are normal in every region, and {_listed(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not assessed here: fewer sperm may be normal "
            "forms than are normal in every graded part."
        )
    return Reference(
        percent=_LIMIT_PERCENT,
        low=_LIMIT_LOW,
        high=_LIMIT_HIGH,
        source="WHO laboratory manual for the examination and processing of human semen, 6th ed. "
        "2021",
        meaning="Lower reference limit of normal forms: 5% of men whose partners conceived within "
        "a year were below it. A reference, not a diagnosis.",
        comparable=comparable,
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _model(findings: Findings) -> ModelReport:
    card = findings.card
    splits = [split for split in ("test", *card.metrics) if split in card.metrics][:1]
    return ModelReport(
        name=card.name,
        version=card.version,
        sha256=card.model_sha256,
        method=card.method,
        labels=list(card.labels),
        thresholds=dict(card.thresholds),
        data=card.training.name,
        intended_use=card.intended_use,
        out_of_scope=card.out_of_scope,
        limitations=list(card.limitations),
        licence=card.licence,
        measured=[
            Measured(
                split=split, label=label, metric=metric,
                value=found.value, low=found.low, high=found.high,
            )
            for split in splits
            for label in card.labels
            for metric in _MEASURES
            if (found := card.metrics[split].get(label, {}).get(metric)) is not None
        ],
    )  # fmt: skip


def _files(findings: Findings) -> list[FileRow]:
    found = Counter(find.file for find in findings.finds if find.is_sperm)
    assessed = Counter(find.file for find, _ in findings.assessed)
    return [
        FileRow(
            name=file.name,
            replicate=file.replicate,
            sha256=file.sha256,
            taken_as=list(file.kinds),
            pictures=file.pictures,
            pixel_sizes_um=list(file.pixel_sizes_um),
            head_lengths_px=list(file.head_lengths),
            estimated=file.estimated,
            found=found[file.name],
            assessed=assessed[file.name],
            notes=list(file.notes),
        )
        for file in findings.files
    ]


def _find(findings: Findings, number: int, find: SampleFind) -> SpermRow:
    labels = findings.card.labels
    verdicts = find.assessment
    x, y = (None, None) if find.place is None else (round(p, 2) for p in find.place)
    return SpermRow(
        number=number,
        replicate=find.replicate,
        file=find.file,
        name=find.name,
        x_px=x,
        y_px=y,
        frame=find.frame,
        outcome="excluded" if verdicts is None else overall(verdicts, labels),
        parts={} if verdicts is None else _verdicts(verdicts, labels),
        excluded=find.excluded,
        sperm=find.is_sperm,
        flags=[
            FlagRow(check=flag.check, value=flag.value, limit=flag.limit, reason=flag.reason)
            for flag in (find.flags if verdicts is None else verdicts.flags)
        ],
    )


def _verdicts(assessment: Assessment, labels: Sequence[str]) -> dict[str, SpermPart]:
    return {
        label: SpermPart(
            verdict=outcome_of(part), probability=part.probability, threshold=part.threshold
        )
        for label in labels
        for part in (assessment[label],)
    }
