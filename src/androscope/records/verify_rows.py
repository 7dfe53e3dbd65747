"""Every row held against the entry of the log that made it: altered, missing, or put in past it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, select

from androscope.records.chain import canonical, digest
from androscope.records.database import AnyRow
from androscope.records.entries import EventKind, Fault
from androscope.records.opinions import crop_sha256, from_opinion
from androscope.records.standing import need_of
from androscope.records.tables import (
    CropPictureRow,
    CropRow,
    FailureRow,
    FileRow,
    GradingRow,
    ImageRow,
    ModelRow,
    ReportRow,
    SampleRow,
)
from androscope.records.tables_door import TokenRow, UserRow
from androscope.records.verify_log import Said

__all__ = ["Names", "check_rows"]


class Names:
    """How records are called in what is said of them, from the rows as they are."""

    def __init__(self, connection: Connection) -> None:
        self.samples = dict(connection.execute(select(SampleRow.id, SampleRow.name)).all())
        self.files = {row.id: row for row in connection.execute(select(*FileRow.__table__.c)).all()}
        self.images = {
            row.id: row for row in connection.execute(select(*ImageRow.__table__.c)).all()
        }

    def sample(self, sample_id: object) -> str:
        """Call a sample by its name."""
        name = self.samples.get(sample_id) if isinstance(sample_id, int) else None
        return f"sample {sample_id}" if name is None else f"sample {name!r}"

    def file(self, file_id: object) -> str:
        """Call a file by its name and sample."""
        row = self.files.get(file_id) if isinstance(file_id, int) else None
        return f"file {file_id}" if row is None else f"{row.name} of {self.sample(row.sample_id)}"

    def image(self, image_id: object) -> str:
        """Call an image by its file."""
        row = self.images.get(image_id) if isinstance(image_id, int) else None
        if row is None:
            return f"image {image_id}"
        page = "" if row.page is None else f", page {row.page}"
        return f"image {image_id} ({self.file(row.file_id)}{page})"

    def crop(self, crop_id: object, number: int, image_id: object) -> str:
        """Call a crop by its image."""
        return f"crop {crop_id} (number {number} of {self.image(image_id)})"


def check_rows(connection: Connection, said: Said, names: Names) -> Iterator[Fault]:
    """Hold what is kept of samples, files, images, opinions, reports and users against the log."""
    of_kind: dict[EventKind, list[tuple[int | None, Any]]] = {kind: [] for kind in EventKind}
    for _, kind, sample_id, data in said.rows:
        of_kind[kind].append((sample_id, data))
    try:
        yield from _samples(connection, of_kind[EventKind.SAMPLE], names)
        files = of_kind[EventKind.IMAGE] + of_kind[EventKind.UNREADABLE]
        yield from _files(connection, files, names)
        yield from _gradings(connection, of_kind[EventKind.GRADED], names)
        yield from _reports(connection, of_kind[EventKind.SIGN], names)
        yield from _users(connection, of_kind[EventKind.USER])
    except (KeyError, TypeError, ValueError) as error:
        # Only where an entry was altered so that it has no longer what its kind has.
        yield Fault("the log", f"an altered entry cannot be followed: {error!r}")


def _samples(connection: Connection, entries: list[Any], names: Names) -> Iterator[Fault]:
    rows = {row.id: row for row in connection.execute(select(*SampleRow.__table__.c))}
    expected = dict(entries)

    def kept(row: AnyRow) -> Any:
        settings = json.loads(row.settings)
        return {**_without(row, "id"), "settings": settings}

    for sample_id in expected.keys() | rows.keys():
        yield from _compare(
            names.sample(sample_id),
            expected.get(sample_id),
            kept(rows[sample_id]) if sample_id in rows else None,
        )


def _files(connection: Connection, entries: list[Any], names: Names) -> Iterator[Fault]:
    files: dict[Any, Any] = {}
    images: dict[Any, Any] = {}
    failures: dict[Any, Any] = {}
    for sample_id, data in entries:
        if "pictures" not in data:  # an image that could not be graded
            values = {key: data[key] for key in ("file", "page", "code", "reason", "advice")}
            failures[data["failure"]] = {**values, "sample": sample_id, "image": data["image"]}
            continue
        file_id = data["file"]
        files[file_id] = {
            "sample": sample_id, **{key: data[key] for key in ("replicate", "name", "sha256")}
        }  # fmt: skip
        for picture in data["pictures"]:
            values = {**picture, "sample": sample_id, "file": file_id}
            if "image" in picture:
                images[values.pop("image")] = values
            else:
                key = values.pop("failure")
                failures[key] = {**values, "image": None}
    file_rows = {
        row.id: {**_without(row, "id", "sample_id"), "sample": row.sample_id}
        for row in names.files.values()
    }
    image_rows = {
        row.id: {
            **_without(row, "id", "sample_id", "file_id"),
            "sample": row.sample_id, "file": row.file_id, "notes": json.loads(row.notes),
        }
        for row in names.images.values()
    }  # fmt: skip
    failure_rows = {
        row.id: {
            **_without(row, "id", "sample_id", "file_id", "image_id"),
            "sample": row.sample_id, "file": row.file_id, "image": row.image_id,
        }
        for row in connection.execute(select(*FailureRow.__table__.c))
    }  # fmt: skip
    for name, expected, rows in (
        (names.file, files, file_rows),
        (names.image, images, image_rows),
        (lambda key: f"failure {key}", failures, failure_rows),
    ):
        for key in sorted(expected.keys() | rows.keys()):
            yield from _compare(name(key), expected.get(key), rows.get(key))


def _gradings(connection: Connection, entries: list[Any], names: Names) -> Iterator[Fault]:
    models = {row.id: row for row in connection.execute(select(*ModelRow.__table__.c))}
    for row in models.values():
        if digest(row.card) != row.card_sha256:
            yield Fault(f"model {row.name} {row.version}", "altered: its card has another hash")
    said_of = {
        row.id: {
            "card": row.card_sha256, "name": row.name, "version": row.version, "sha256": row.sha256
        }
        for row in models.values()
    }  # fmt: skip
    rows = {
        row.image_id: {
            **_without(row, "image_id", "sample_id", "model_id"),
            "sample": row.sample_id,
            "model": said_of.get(row.model_id),
            "notes": json.loads(row.notes),
        }
        for row in connection.execute(select(*GradingRow.__table__.c))
    }
    seen: set[int] = set()
    for sample_id, data in entries:
        image_id = data["image"]
        seen.add(image_id)
        values = {key: value for key, value in data.items() if key not in ("image", "crops")}
        what = f"the grading of {names.image(image_id)}"
        yield from _compare(what, {**values, "sample": sample_id}, rows.get(image_id))
        yield from _crops(connection, image_id, sample_id, data["crops"], names)
    for image_id in rows.keys() - seen:
        yield Fault(f"the grading of {names.image(image_id)}", "put in past the log")
    others = select(CropRow.id, CropRow.number, CropRow.image_id).where(
        CropRow.image_id.not_in(select(GradingRow.image_id))
    )
    for row in connection.execute(others):
        yield Fault(names.crop(row.id, row.number, row.image_id), "put in past the log")


def _crops(
    connection: Connection, image_id: int, sample_id: int | None, kept: Any, names: Names
) -> Iterator[Fault]:
    image = names.images.get(image_id)
    rows = {
        row.id: row
        for row in connection.execute(
            select(*CropRow.__table__.c, CropPictureRow.png)
            .join_from(CropRow, CropPictureRow, CropPictureRow.crop_id == CropRow.id, isouter=True)
            .where(CropRow.image_id == image_id)
            .order_by(CropRow.number)
        )
    }
    for number, (crop_id, sha256) in enumerate(kept, start=1):
        record = names.crop(crop_id, number, image_id)
        row = rows.pop(crop_id, None)
        if row is None:
            yield Fault(record, "missing")
            continue
        of_image = "" if image is None else image.sha256
        right = (
            crop_sha256(of_image, row.number, row.opinion) == sha256 == row.sha256
            and (row.number, row.sample_id) == (number, sample_id)
        )  # fmt: skip
        if not right:
            yield Fault(record, "altered: the model's opinion is not the one that was recorded")
            continue
        opinion = json.loads(row.opinion)
        if row.need != need_of(from_opinion(opinion)):
            yield Fault(record, "altered: its place in the order of review")
        if opinion["png"] != (None if row.png is None else digest(row.png)):
            what = "missing" if row.png is None else "altered"
            yield Fault(record, f"its picture is {what}")
    for row in rows.values():
        yield Fault(names.crop(row.id, row.number, image_id), "put in past the log")


def _reports(connection: Connection, entries: list[Any], names: Names) -> Iterator[Fault]:
    rows = {
        (row.sample_id, row.version): row
        for row in connection.execute(select(*ReportRow.__table__.c))
    }
    expected = {(sample_id, data["version"]): data for sample_id, data in entries}
    for key in sorted(expected.keys() | rows.keys()):
        record, row = f"report {key[1]} of {names.sample(key[0])}", rows.get(key)
        kept = None if row is None else _without(row, "id", "sample_id", "at", "document")
        faults = list(_compare(record, expected.get(key), kept))
        yield from faults
        if row is not None and not faults and digest(row.document) != row.sha256:
            yield Fault(record, "altered: the signed document has another hash")


def _users(connection: Connection, entries: list[Any]) -> Iterator[Fault]:
    users: dict[str, dict[str, Any]] = {}
    tokens: dict[int, dict[str, Any]] = {}
    for _, data in entries:
        if "token" in data:
            token = tokens.setdefault(data["token"], {"revoked": False})
            token.update({key: data[key] for key in data if key not in ("token", "made")})
        else:
            user = users.setdefault(data["user"], {"disabled": False})
            user.update({key: data[key] for key in data if key not in ("user", "made")})
    rows = {
        row.name: {
            "role": row.role, "disabled": row.disabled, "password": digest(row.password_hash)
        }
        for row in connection.execute(select(*UserRow.__table__.c))
    }  # fmt: skip
    for name in sorted(users.keys() | rows.keys()):
        yield from _compare(f"user {name!r}", users.get(name), rows.get(name))
    token_rows = {
        row.id: {
            "user": row.user, "role": row.role, "revoked": row.revoked, "sha256": row.token_sha256
        }
        for row in connection.execute(
            select(*TokenRow.__table__.c, UserRow.name.label("user")).join_from(
                TokenRow, UserRow, UserRow.id == TokenRow.user_id
            )
        )
    }  # fmt: skip
    for key in sorted(tokens.keys() | token_rows.keys()):
        yield from _compare(f"API token {key}", tokens.get(key), token_rows.get(key))


def _compare(
    record: str, expected: Mapping[str, Any] | None, kept: Mapping[str, Any] | None
) -> Iterator[Fault]:
    if expected is None:
        yield Fault(record, "put in past the log")
    elif kept is None:
        yield Fault(record, "missing")
    else:
        different = [
            f"{key} is {_shown(kept.get(key))}, recorded {_shown(expected.get(key))}"
            for key in sorted(expected.keys() | kept.keys())
            if canonical(expected.get(key)) != canonical(kept.get(key))
        ]
        if different:
            yield Fault(record, "altered: " + "; ".join(different))


def _shown(value: object) -> str:
    text = canonical(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _without(row: AnyRow, *names: str) -> dict[str, Any]:
    return {key: value for key, value in row._mapping.items() if key not in names}
