"""The tables of samples and of the log. A change here needs a migration beside it.

Rows of :data:`FROZEN` tables are written once: triggers refuse to change or delete them. Times are
ISO 8601 text in UTC and what is nested is canonical JSON text, so that SQLite and PostgreSQL hold
the same bytes and a hash over them is the same.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, LargeBinary, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = [
    "FROZEN",
    "Base",
    "CropPictureRow",
    "CropRow",
    "EventRow",
    "FailureRow",
    "FileRow",
    "GradingRow",
    "HeadRow",
    "ImageRow",
    "JobRow",
    "ModelRow",
    "ReportRow",
    "SampleRow",
    "StandingRow",
    "StateRow",
]

#: Tables whose rows are never changed nor deleted.
FROZEN = (
    "events", "samples", "files", "images", "failures", "models", "gradings", "crops",
    "crop_pictures", "reports",
)  # fmt: skip


class Base(DeclarativeBase):
    """What all tables belong to; constraints are named, so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: Text}  # noqa: RUF012


class HeadRow(Base):
    """One row: how long the log is. Locked while an entry is appended."""

    __tablename__ = "head"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]
    sha256: Mapped[str]


class EventRow(Base):
    """The log. No foreign key: it stands by itself."""

    __tablename__ = "events"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str]
    actor: Mapped[str]
    kind: Mapped[str]
    sample_id: Mapped[int | None] = mapped_column(index=True)
    crop_id: Mapped[int | None] = mapped_column(index=True)
    data: Mapped[str]
    previous: Mapped[str]
    sha256: Mapped[str]


class SampleRow(Base):
    """A sample as it was made."""

    __tablename__ = "samples"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created: Mapped[str]
    created_by: Mapped[str]
    pixel_size_um: Mapped[float | None]
    comment: Mapped[str]
    settings: Mapped[str]


class StateRow(Base):
    """How far a sample has come; computed from the other tables, and checked by ``verify``."""

    __tablename__ = "states"
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"), primary_key=True)
    status: Mapped[str] = mapped_column(index=True)
    images: Mapped[int]
    failures: Mapped[int]
    found: Mapped[int]
    assessed: Mapped[int]
    normal: Mapped[int]
    abnormal: Mapped[int]
    undecided: Mapped[int]
    reviewed: Mapped[int]
    open_jobs: Mapped[int]
    signed_version: Mapped[int]
    last_event: Mapped[int]


class FileRow(Base):
    """A file that was given; it is not kept, its hash is."""

    __tablename__ = "files"
    __table_args__ = (UniqueConstraint("sample_id", "replicate", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"))
    replicate: Mapped[str]
    name: Mapped[str]
    sha256: Mapped[str]


class ImageRow(Base):
    """One picture of a file, kept under its hash."""

    __tablename__ = "images"
    id: Mapped[int] = mapped_column(primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("files.id"), index=True)
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"), index=True)
    page: Mapped[int | None]
    sha256: Mapped[str] = mapped_column(index=True)
    width: Mapped[int]
    height: Mapped[int]
    pixel_size_um: Mapped[float | None]
    chroma_sha256: Mapped[str | None]
    notes: Mapped[str]


class FailureRow(Base):
    """What could not be used: a file, a picture of it, or a picture that could not be graded."""

    __tablename__ = "failures"
    id: Mapped[int] = mapped_column(primary_key=True)
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"), index=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("files.id"))
    image_id: Mapped[int | None] = mapped_column(ForeignKey("images.id"))
    page: Mapped[int | None]
    code: Mapped[str]
    reason: Mapped[str]
    advice: Mapped[str | None]


class ModelRow(Base):
    """A model that graded, by its whole card."""

    __tablename__ = "models"
    id: Mapped[int] = mapped_column(primary_key=True)
    card_sha256: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    version: Mapped[str]
    sha256: Mapped[str]
    card: Mapped[str]


class GradingRow(Base):
    """That an image was graded, once and for all."""

    __tablename__ = "gradings"
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"), index=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("models.id"))
    kind: Mapped[str]
    error_rate: Mapped[float | None]
    head_length_px: Mapped[float | None]
    scale_origin: Mapped[str | None]
    notes: Mapped[str]


class CropRow(Base):
    """Something found, with the model's opinion as canonical JSON; ``sha256`` is of all of it."""

    __tablename__ = "crops"
    __table_args__ = (UniqueConstraint("image_id", "number"), Index(None, "sample_id", "need"))
    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"))
    number: Mapped[int]
    opinion: Mapped[str]
    need: Mapped[float]
    sha256: Mapped[str]


class CropPictureRow(Base):
    """A crop's pixels as graded, apart from it so that lists stay quick."""

    __tablename__ = "crop_pictures"
    crop_id: Mapped[int] = mapped_column(ForeignKey("crops.id"), primary_key=True)
    png: Mapped[bytes] = mapped_column(LargeBinary)


class StandingRow(Base):
    """What stands of a crop; computed from its opinion and its events, checked by ``verify``."""

    __tablename__ = "standings"
    crop_id: Mapped[int] = mapped_column(ForeignKey("crops.id"), primary_key=True)
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"), index=True)
    verdicts: Mapped[str]
    outcome: Mapped[str]
    is_sperm: Mapped[bool]
    reviewed: Mapped[bool]
    last_event: Mapped[int]


class JobRow(Base):
    """Work that is queued, goes on or is over."""

    __tablename__ = "jobs"
    __table_args__ = (Index(None, "state", "kind", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    state: Mapped[str]
    sample_id: Mapped[int | None] = mapped_column(ForeignKey("samples.id"), index=True)
    image_id: Mapped[int | None] = mapped_column(ForeignKey("images.id"))
    attempts: Mapped[int]
    progress: Mapped[float]
    created: Mapped[str]
    updated: Mapped[str]
    lease_until: Mapped[str | None]
    worker: Mapped[str | None]
    detail: Mapped[str]
    code: Mapped[str | None]
    reason: Mapped[str | None]
    advice: Mapped[str | None]


class ReportRow(Base):
    """A signed version of a sample's report."""

    __tablename__ = "reports"
    __table_args__ = (UniqueConstraint("sample_id", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    sample_id: Mapped[int] = mapped_column(ForeignKey("samples.id"))
    version: Mapped[int]
    signed_by: Mapped[str]
    signed_name: Mapped[str]
    comment: Mapped[str]
    at: Mapped[str]
    sha256: Mapped[str]
    document: Mapped[str]
    anchor_count: Mapped[int]
    anchor_head: Mapped[str]
