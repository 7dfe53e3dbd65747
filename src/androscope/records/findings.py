"""A sample's records as findings: what its report is made from, as verdicts stand now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection, select

from androscope.assessment.findings import Findings, SampleFile, SampleFind
from androscope.errors import RecordConflictError
from androscope.imaging.find import natural_key
from androscope.imaging.pixel_size import believed
from androscope.model.card import Card
from androscope.records.crops import crops_of
from androscope.records.database import AnyRow
from androscope.records.entries import Anchor, EventKind
from androscope.records.images import failures_of, images_of
from androscope.records.log import head_of
from androscope.records.opinions import decode_png
from androscope.records.samples import sample_of
from androscope.records.tables import (
    CropPictureRow,
    CropRow,
    EventRow,
    FileRow,
    GradingRow,
    ModelRow,
)
from androscope.records.types import CropRecord, Image, SampleSummary
from androscope.types import Assessment, Crop, PartVerdict, UInt8Array

__all__ = ["findings_of"]

#: What is said of a find that the model took for a sperm and a person does not.
NO_SPERM = "not a sperm, as a person said"


def findings_of(
    connection: Connection, sample_id: int, *, pictures: bool = True
) -> tuple[Findings, Anchor]:
    """Give a sample's findings and the log that they stand on, as of one moment.

    A part that a person decided keeps the model's probability; its verdict is the person's.

    Parameters
    ----------
    pictures
        Whether with the crops' pixels, which the report's pictures need.

    Raises
    ------
    RecordMissingError
        If there is no such sample.
    RecordConflictError
        If nothing of it was graded yet.
    """
    sample = sample_of(connection, sample_id)
    gradings = _gradings(connection, sample_id)
    if not gradings:
        raise RecordConflictError(
            f"nothing of sample {sample.name!r} was graded yet", advice="Wait for its images"
        )
    first = next(iter(gradings.values()))
    images = {image.id: image for image in images_of(connection, sample_id)}
    crops = crops_of(connection, sample_id)
    pixels = _pixels(connection, sample_id) if pictures else {}
    files = _files(connection, sample, images, gradings)
    failures = failures_of(connection, sample_id)
    anchor = head_of(connection)
    findings = Findings(
        sample_id=sample.name,
        card=Card.model_validate_json(first.card),
        replicates=_replicates(connection, sample_id),
        files=files,
        finds=tuple(
            _find(crop, images[crop.image_id], gradings[crop.image_id].kind, pixels.get(crop.id))
            for crop in crops
        ),
        failures=tuple(failure for _, failure in failures),
        fields=sum(grading.kind == "field" for grading in gradings.values()),
        error_rate=first.error_rate,
        settings=_settings(connection, sample, crops, anchor),
    )
    return findings, anchor


def _gradings(connection: Connection, sample_id: int) -> dict[int, AnyRow]:
    rows = connection.execute(
        select(*GradingRow.__table__.c, ModelRow.card)
        .join_from(GradingRow, ModelRow, ModelRow.id == GradingRow.model_id)
        .where(GradingRow.sample_id == sample_id)
        .order_by(GradingRow.image_id)
    )
    return {row.image_id: row for row in rows}


def _pixels(connection: Connection, sample_id: int) -> dict[int, UInt8Array]:
    rows = connection.execute(
        select(CropPictureRow.crop_id, CropPictureRow.png)
        .join_from(CropPictureRow, CropRow, CropRow.id == CropPictureRow.crop_id)
        .where(CropRow.sample_id == sample_id)
    )
    return {crop_id: decode_png(png) for crop_id, png in rows}


def _replicates(connection: Connection, sample_id: int) -> tuple[str, ...]:
    names = connection.scalars(
        select(FileRow.replicate).where(FileRow.sample_id == sample_id).distinct()
    )
    return tuple(sorted(names, key=lambda name: natural_key(Path(name))))


def _files(
    connection: Connection,
    sample: SampleSummary,
    images: Mapping[int, Image],
    gradings: Mapping[int, AnyRow],
) -> tuple[SampleFile, ...]:
    rows = connection.execute(
        select(FileRow.replicate, FileRow.name, FileRow.sha256)
        .where(FileRow.sample_id == sample.id)
        .order_by(FileRow.id)
    ).all()
    found = []
    for row in rows:
        its = [i for i in images.values() if (i.replicate, i.name) == (row.replicate, row.name)]
        graded = [gradings[image.id] for image in its if image.id in gradings]
        sizes = [believed(image.pixel_size_um, sample.pixel_size_um) for image in its]
        heads = [g.head_length_px for g in graded if g.head_length_px is not None]
        notes = [note for image in its for note in image.notes]
        notes += [note for grading in graded for note in json.loads(grading.notes)]
        found.append(
            SampleFile(
                name=row.name,
                replicate=row.replicate,
                sha256=row.sha256,
                kinds=tuple(dict.fromkeys(grading.kind for grading in graded)),
                pictures=len(its),
                pixel_sizes_um=tuple(dict.fromkeys(size for size in sizes if size is not None)),
                head_lengths=tuple(dict.fromkeys(round(head, 2) for head in heads)),
                estimated=any(grading.scale_origin == "estimated" for grading in graded),
                notes=tuple(dict.fromkeys(notes)),
            )
        )
    return tuple(found)


def _find(crop: CropRecord, image: Image, kind: str, pixels: UInt8Array | None) -> SampleFind:
    opinion = crop.opinion
    picture = image.name if image.index is None else f"{image.name}[{image.index}]"
    name = f"{picture}#{crop.number}" if kind == "field" else picture
    excluded = opinion.excluded
    if not crop.is_sperm and opinion.is_sperm:
        excluded = NO_SPERM
    parts = tuple(
        PartVerdict(p.label, p.probability, p.threshold, crop.verdicts[p.label])
        for p in opinion.parts
    )
    graded = bool(parts) and excluded is None
    place = None if opinion.x is None or opinion.y is None else (opinion.x, opinion.y)
    return SampleFind(
        file=image.name,
        replicate=image.replicate,
        name=name,
        place=place,
        assessment=(
            Assessment(name, None, parts, opinion.notes, opinion.flags) if graded else None
        ),
        excluded=excluded,
        is_sperm=crop.is_sperm,
        crop=None if pixels is None or not graded else Crop(pixels, name, notes=opinion.notes),
        flags=() if graded else opinion.flags,
    )


def _settings(
    connection: Connection,
    sample: SampleSummary,
    crops: Sequence[CropRecord],
    anchor: Anchor,
) -> dict[str, str]:
    settings = dict(sample.settings)
    if sample.pixel_size_um is not None:
        settings["pixel size given"] = f"{sample.pixel_size_um:g} um"
    graded = [crop for crop in crops if crop.opinion.parts]
    changed = sum(_is_changed(crop) for crop in graded)
    reviewed = sum(crop.reviewed for crop in graded)
    settings["reviewed by a person"] = f"{reviewed} of {len(graded)} crops, {changed} changed"
    kinds = [kind.value for kind in (EventKind.VERDICT, EventKind.SPERM, EventKind.ACCEPT)]
    people = connection.scalars(
        select(EventRow.actor)
        .where(EventRow.sample_id == sample.id, EventRow.kind.in_(kinds))
        .distinct()
        .order_by(EventRow.actor)
    ).all()
    if reviewed:
        settings["reviewed by"] = ", ".join(people)
    settings["log of the records"] = f"{anchor.count} entries, the last {anchor.head}"
    return settings


def _is_changed(crop: CropRecord) -> bool:
    said = {part.label: part.verdict for part in crop.opinion.parts}
    return said != dict(crop.verdicts) or crop.is_sperm != crop.opinion.is_sperm
