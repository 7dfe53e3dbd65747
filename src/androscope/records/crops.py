"""Crops: what was found in an image, the model's opinion on it, and the verdicts that stand."""

from __future__ import annotations

import builtins
import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, func, insert, select

from androscope.errors import RecordConflictError, RecordExistsError, RecordMissingError
from androscope.records.chain import canonical, digest
from androscope.records.database import AnyRow, Database
from androscope.records.entries import EventKind
from androscope.records.images import image_of
from androscope.records.jobs import finish
from androscope.records.log import appending, paged
from androscope.records.opinions import (
    crop_sha256,
    decode_png,
    encode_png,
    from_opinion,
    to_opinion,
)
from androscope.records.standing import Standing, need_of, outcome_of, standing
from androscope.records.states import refresh
from androscope.records.tables import (
    CropPictureRow,
    CropRow,
    GradingRow,
    ModelRow,
    StandingRow,
)
from androscope.records.types import CropRecord, Find, Job, Page, StoredModel
from androscope.types import UInt8Array, Verdict

__all__ = ["Crops", "crop_of", "crops_of", "standing_values"]

_JOINED = (
    select(
        CropRow.id, CropRow.sample_id, CropRow.image_id, CropRow.number, CropRow.opinion,
        CropRow.need, ModelRow.name, ModelRow.version, StandingRow.verdicts,
        StandingRow.is_sperm, StandingRow.reviewed, StandingRow.last_event,
    )
    .join_from(CropRow, StandingRow, StandingRow.crop_id == CropRow.id)
    .join(GradingRow, GradingRow.image_id == CropRow.image_id)
    .join(ModelRow, ModelRow.id == GradingRow.model_id)
)  # fmt: skip

_ORDERS: dict[str, tuple[Any, ...]] = {
    "number": (CropRow.image_id, CropRow.number),
    "need": (StandingRow.reviewed, CropRow.need.desc(), CropRow.id),
}


class Crops:
    """The area ``records.crops``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        image_id: int,
        finds: Sequence[Find],
        model: StoredModel,
        *,
        kind: Literal["field", "crop"],
        actor: str = "androscope",
        notes: Sequence[str] = (),
        head_length_px: float | None = None,
        scale_origin: str | None = None,
        job: Job | None = None,
    ) -> tuple[CropRecord, ...]:
        """Keep what grading found in an image, its opinion, and that its job is done: at once.

        Parameters
        ----------
        kind
            What the image was taken for.
        notes, head_length_px, scale_origin
            What grading saw in the picture, for the report.
        job
            The job that asked for it.

        Raises
        ------
        RecordMissingError
            If there is no such image.
        RecordExistsError
            If the image was graded: an opinion is never overwritten.
        RecordConflictError
            If the job was cancelled or given to another worker, or another model graded the
            sample's other images: a report speaks of one model.
        """
        pngs = [None if find.pixels is None else encode_png(find.pixels) for find in finds]
        opinions = [canonical(to_opinion(find, png)) for find, png in zip(finds, pngs, strict=True)]
        with appending(self._database) as log:
            connection = log.connection
            image = image_of(connection, image_id)
            sample_id = image.sample_id
            graded = select(GradingRow.image_id).where(GradingRow.image_id == image_id)
            if connection.scalar(graded) is not None:
                raise RecordExistsError(
                    f"image {image_id} was graded already, and an opinion is never overwritten",
                    advice="Make a new sample to grade its images anew",
                )
            if job is not None:
                finish(connection, job)
            model_id = _model(connection, model, sample_id)
            facts = {
                "kind": kind, "error_rate": model.error_rate, "head_length_px": head_length_px,
                "scale_origin": scale_origin,
            }  # fmt: skip
            connection.execute(
                insert(GradingRow).values(
                    image_id=image_id, sample_id=sample_id, model_id=model_id,
                    notes=canonical(list(notes)), **facts,
                )
            )  # fmt: skip
            kept: builtins.list[tuple[int, str]] = []
            for number, (find, png, opinion) in enumerate(
                zip(finds, pngs, opinions, strict=True), start=1
            ):
                sha256 = crop_sha256(image.sha256, number, opinion)
                made = connection.execute(
                    insert(CropRow).values(
                        image_id=image_id, sample_id=sample_id, number=number, opinion=opinion,
                        need=need_of(find), sha256=sha256,
                    )
                ).inserted_primary_key  # fmt: skip
                assert made is not None
                kept.append((int(made[0]), sha256))
                if png is not None:
                    connection.execute(insert(CropPictureRow).values(crop_id=made[0], png=png))
                connection.execute(
                    insert(StandingRow).values(
                        crop_id=made[0], sample_id=sample_id,
                        **standing_values(find, standing(find, ())),
                    )
                )  # fmt: skip
            log.add(
                EventKind.GRADED,
                actor,
                sample_id=sample_id,
                data={
                    "image": image_id, "model": _said(model), "notes": list(notes),
                    "crops": kept, **facts,
                },
            )  # fmt: skip
            refresh(connection, sample_id)
            rows = connection.execute(
                _JOINED.where(CropRow.image_id == image_id).order_by(CropRow.number)
            )
            return tuple(map(_crop, rows))

    def get(self, crop_id: int) -> CropRecord:
        """Give a crop as it stands. Raises :class:`RecordMissingError`."""
        with self._database.read() as connection:
            return crop_of(connection, crop_id)

    def list(
        self,
        sample_id: int,
        *,
        image_id: int | None = None,
        order: Literal["number", "need"] = "number",
        graded_only: bool = False,
        reviewed: bool | None = None,
        page: int = 1,
        per_page: int = 500,
    ) -> Page[CropRecord]:
        """List a sample's crops: as found, or those first that need a person most.

        By need, those come first that nobody has reviewed, then the larger ``need``.
        """
        page, per_page, start = paged(page, per_page)
        where: Any = [CropRow.sample_id == sample_id]
        if image_id is not None:
            where.append(CropRow.image_id == image_id)
        if graded_only:
            where.append(StandingRow.verdicts != "{}")
        if reviewed is not None:
            where.append(StandingRow.reviewed == reviewed)
        counted = (
            select(func.count())
            .select_from(CropRow)
            .join(StandingRow, StandingRow.crop_id == CropRow.id)
        )
        with self._database.read() as connection:
            total = connection.scalar(counted.where(*where)) or 0
            rows = connection.execute(
                _JOINED.where(*where).order_by(*_ORDERS[order]).limit(per_page).offset(start)
            ).all()
        return Page(tuple(map(_crop, rows)), page, per_page, total)

    def of_images(self, images: Iterable[int]) -> dict[int, tuple[CropRecord, ...]]:
        """Give the crops of some images, as found, by image; one without any has no entry."""
        wanted = tuple(images)
        query = _JOINED.where(CropRow.image_id.in_(wanted)).order_by(*_ORDERS["number"])
        with self._database.read() as connection:
            crops = tuple(map(_crop, connection.execute(query)))
        by_image = itertools.groupby(crops, key=lambda crop: crop.image_id)
        return {image_id: tuple(its) for image_id, its in by_image}

    def pixels(self, crop_id: int) -> UInt8Array | None:
        """Give a crop ``(S, S)`` as graded; ``None`` where nothing was cut."""
        png = self.png(crop_id)
        return None if png is None else decode_png(png)

    def png(self, crop_id: int) -> bytes | None:
        """Give a crop's PNG as kept."""
        with self._database.read() as connection:
            return connection.scalar(
                select(CropPictureRow.png).where(CropPictureRow.crop_id == crop_id)
            )


def standing_values(opinion: Find, stands: Standing) -> dict[str, Any]:
    """Give what is kept of what stands of a crop."""
    return {
        # In the model's order: no canonical JSON, nothing is hashed over it.
        "verdicts": json.dumps({label: str(verdict) for label, verdict in stands.verdicts.items()}),
        "outcome": outcome_of(opinion, stands),
        "is_sperm": stands.is_sperm,
        "reviewed": stands.reviewed,
        "last_event": stands.last_event,
    }


def crop_of(connection: Connection, crop_id: int) -> CropRecord:
    """Give a crop as it stands. Raises :class:`RecordMissingError`."""
    row = connection.execute(_JOINED.where(CropRow.id == crop_id)).one_or_none()
    if row is None:
        raise RecordMissingError(f"there is no crop {crop_id}")
    return _crop(row)


def crops_of(connection: Connection, sample_id: int) -> tuple[CropRecord, ...]:
    """All of a sample's crops as found."""
    query = _JOINED.where(CropRow.sample_id == sample_id).order_by(*_ORDERS["number"])
    return tuple(map(_crop, connection.execute(query)))


def _crop(row: AnyRow) -> CropRecord:
    return CropRecord(
        id=row.id,
        sample_id=row.sample_id,
        image_id=row.image_id,
        number=row.number,
        opinion=from_opinion(json.loads(row.opinion)),
        model=f"{row.name} {row.version}",
        verdicts={label: Verdict(said) for label, said in json.loads(row.verdicts).items()},
        is_sperm=row.is_sperm,
        reviewed=row.reviewed,
        need=row.need,
        last_event=row.last_event,
    )


def _said(model: StoredModel) -> dict[str, str]:
    """What the log says of the model: its card's hash, and what it is called by."""
    return {
        "card": digest(model.card_json), "name": model.name, "version": model.version,
        "sha256": model.sha256,
    }  # fmt: skip


def _model(connection: Connection, model: StoredModel, sample_id: int) -> int:
    """Id of the model; it is kept when it first grades."""
    card_sha256 = digest(model.card_json)
    others = connection.execute(
        select(ModelRow.name, ModelRow.version, ModelRow.card_sha256, GradingRow.error_rate)
        .join_from(GradingRow, ModelRow, ModelRow.id == GradingRow.model_id)
        .where(GradingRow.sample_id == sample_id)
        .limit(1)
    ).one_or_none()
    if others is not None and (others.card_sha256, others.error_rate) != (
        card_sha256,
        model.error_rate,
    ):
        raise RecordConflictError(
            f"the sample was graded by {others.name} {others.version} with error rate "
            f"{others.error_rate}, and now by {model.name} {model.version} with "
            f"{model.error_rate}: a report speaks of one model",
            advice="Make a new sample to grade its images by another model",
        )
    known = connection.scalar(select(ModelRow.id).where(ModelRow.card_sha256 == card_sha256))
    if known is not None:
        return known
    made = connection.execute(
        insert(ModelRow).values(
            card_sha256=card_sha256, name=model.name, version=model.version,
            sha256=model.sha256, card=model.card_json,
        )
    ).inserted_primary_key  # fmt: skip
    assert made is not None
    return int(made[0])
