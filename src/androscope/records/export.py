"""``androscope records export``: what people said of crops, as a labelled set to learn from."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from androscope.errors import EmptyInputError, RecordMissingError
from androscope.files import write_bytes, write_text
from androscope.records.crops import crops_of
from androscope.records.images import images_of
from androscope.records.reviews import changes_of
from androscope.records.samples import sample_of
from androscope.records.standing import CHANGES
from androscope.records.tables import CropPictureRow, EventRow, SampleRow
from androscope.records.types import CropRecord, Image, SampleSummary
from androscope.types import PARTS, Verdict

__all__ = ["Exported", "export_labels"]

# A spreadsheet takes a cell that begins so for a formula and runs it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%")
_VALUES = {Verdict.NORMAL: "0", Verdict.ABNORMAL: "1", Verdict.UNDECIDED: ""}
_CREDITS = (
    "path", "sample", "replicate", "file", "file_sha256", "image_sha256", "crop", "number",
    "x_px", "y_px", "model", "changed", "last_said_by", "last_entry",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exported:
    """How much was written: crops, of how many samples, and how many a person had changed."""

    folder: Path
    crops: int
    samples: int
    changed: int
    labels: tuple[str, ...]


def export_labels(
    connection: Connection,
    folder: Path,
    *,
    samples: list[str] | None = None,
    changed_only: bool = False,
) -> Exported:
    """Write the crops that a person reviewed, with the verdicts that stand, as a labelled set.

    ``labels.csv`` (``path``, a column per label, ``patient``) and the crops as PNG, which ``data
    check``, ``adapt`` and ``train`` read; ``credits.csv`` says where each is from and who said it.
    A sample is one patient there, so that no sample is on both sides of a split. What is undecided
    is blank; what is no sperm, and what nobody reviewed, is left out.

    Parameters
    ----------
    samples
        Names; default: all.
    changed_only
        Only crops where a person came to another verdict than the model.

    Raises
    ------
    RecordMissingError
        If there is no sample of a name.
    EmptyInputError
        If nobody reviewed a crop of them.
    OutputError
        If the folder cannot be written.
    """
    taken = [
        (sample, crop)
        for sample in _samples(connection, samples)
        for crop in crops_of(connection, sample.id)
        if _is_label(crop) and (_changed(crop) or not changed_only)
    ]
    if not taken:
        raise EmptyInputError(
            "nobody has reviewed a crop of these samples yet: there is no label to export",
            advice="Accept or correct crops first",
        )
    found = {label for _, crop in taken for label in crop.verdicts}
    labels = tuple([p for p in PARTS if p in found] + sorted(found - set(PARTS)))
    images: dict[int, Image] = {}
    rows, credits = [], []
    for sample, crop in taken:
        if crop.image_id not in images:
            images |= {image.id: image for image in images_of(connection, sample.id)}
        path = f"crops/{sample.id}-{crop.id}.png"
        png = connection.scalar(select(CropPictureRow.png).where(CropPictureRow.crop_id == crop.id))
        if png is None:
            continue
        write_bytes(folder / path, png)
        verdicts = [crop.verdicts.get(label, Verdict.UNDECIDED) for label in labels]
        rows.append([path, *(_VALUES[verdict] for verdict in verdicts), sample.name])
        credits.append(_credit(connection, path, sample, crop, images[crop.image_id]))
    write_text(folder / "credits.csv", _csv(_CREDITS, credits))
    # Last: a folder with a table in it is whole.
    write_text(folder / "labels.csv", _csv(("path", *labels, "patient"), rows))
    return Exported(
        folder,
        len(rows),
        len({row[-1] for row in rows}),
        sum(_changed(crop) for _, crop in taken),
        labels,
    )


def _samples(connection: Connection, names: list[str] | None) -> list[SampleSummary]:
    ids = dict(connection.execute(select(SampleRow.name, SampleRow.id)).all())
    missing = [name for name in names or () if name not in ids]
    if missing:
        raise RecordMissingError(f"there is no sample {', '.join(map(repr, missing))}")
    return [sample_of(connection, i) for n, i in ids.items() if names is None or n in names]


def _is_label(crop: CropRecord) -> bool:
    """Whether a person stands behind at least one verdict on a sperm that was graded."""
    decided = any(verdict != Verdict.UNDECIDED for verdict in crop.verdicts.values())
    return crop.reviewed and crop.is_sperm and crop.opinion.excluded is None and decided


def _changed(crop: CropRecord) -> bool:
    return {p.label: p.verdict for p in crop.opinion.parts} != dict(crop.verdicts)


def _credit(
    connection: Connection, path: str, sample: SampleSummary, crop: CropRecord, image: Image
) -> list[str]:
    last = [c for c in changes_of(connection, crop.id) if c.kind in CHANGES][-1].number
    by = connection.scalar(select(EventRow.actor).where(EventRow.number == last))
    x, y = crop.opinion.x, crop.opinion.y
    return [
        path, sample.name, image.replicate, image.name, image.original_sha256, image.sha256,
        str(crop.id), str(crop.number), "" if x is None else f"{x:.2f}",
        "" if y is None else f"{y:.2f}", crop.model, "yes" if _changed(crop) else "no",
        str(by), str(last),
    ]  # fmt: skip


def _csv(header: tuple[str, ...], rows: list[list[str]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([[f"'{c}" if c.startswith(_FORMULA) else c for c in r] for r in rows])
    return stream.getvalue()
