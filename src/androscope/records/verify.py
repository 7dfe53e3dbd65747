"""``androscope records verify``: whether anything is not as it was recorded, and what exactly.

It proves that what is kept is what the log says, and that the log is the one that the anchors
speak of. It cannot prove that the log is the one that was written, if somebody who may write the
database rebuilt it whole and no anchor lies elsewhere: see docs/records.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Connection, select

from androscope.errors import RecordsError
from androscope.records.crops import standing_values
from androscope.records.entries import Anchor, Fault, Verification
from androscope.records.opinions import from_opinion
from androscope.records.pictures import Pictures
from androscope.records.standing import standing
from androscope.records.states import compute
from androscope.records.tables import FROZEN, CropRow, ReportRow, StandingRow, StateRow
from androscope.records.triggers import missing_triggers
from androscope.records.verify_log import Said, read_log
from androscope.records.verify_rows import Names, check_rows

__all__ = ["parse_anchor", "verify"]

_PIECE = 1000


def verify(
    connection: Connection,
    pictures: Pictures | None,
    *,
    anchors: Sequence[tuple[str, Anchor]] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Recompute the chain, every row's agreement with it, and every picture's hash.

    Parameters
    ----------
    pictures
        Their folder; ``None`` leaves them out.
    anchors
        ``(where from, anchor)`` that lie outside of the store. Those of its signed reports are
        held against the log in any case.
    progress
        Called with how many of how many pictures are done.
    """
    given = [*anchors, *_signed(connection)]
    said = read_log(connection, {anchor.count for _, anchor in given})
    names = Names(connection)
    faults = [*said.faults, *_anchored(said, given), *check_rows(connection, said, names)]
    faults += _standings(connection, said, names)
    faults += _states(connection, names)
    faults += [
        Fault(f"trigger {name}", "missing: what is written once could be changed")
        for name in missing_triggers(connection, FROZEN)
    ]
    hashes = sorted(_picture_names(names))
    if pictures is not None:
        faults += _pictures(pictures, hashes, names, progress)
    crops = connection.execute(select(CropRow.id)).all()
    reports = connection.execute(select(ReportRow.id)).all()
    return Verification(
        said.anchor, said.anchor.count, len(crops), len(hashes), len(reports), tuple(faults)
    )


def parse_anchor(text: str) -> Anchor:
    """Read ``COUNT:HASH``.

    Raises
    ------
    RecordsError
        If it is none.
    """
    count, _, head = text.strip().partition(":")
    if (
        not (count.isascii() and count.isdigit())
        or len(head) != 64
        or set(head) - set("0123456789abcdef")
    ):
        raise RecordsError(
            f"expected an anchor COUNT:HASH, a number and 64 hex digits, got {text[:90]!r}",
            advice="Copy it from a signed report, or from what backup and verify print",
        )
    return Anchor(int(count), head)


def _signed(connection: Connection) -> list[tuple[str, Anchor]]:
    rows = connection.execute(
        select(ReportRow.sample_id, ReportRow.version, ReportRow.anchor_count,
               ReportRow.anchor_head).order_by(ReportRow.id)
    )  # fmt: skip
    return [
        (f"report {version} of sample {sample_id}", Anchor(count, head))
        for sample_id, version, count, head in rows
    ]


def _anchored(said: Said, anchors: Sequence[tuple[str, Anchor]]) -> Iterator[Fault]:
    for where, anchor in anchors:
        if anchor.count > said.anchor.count:
            missing = f"entries {said.anchor.count + 1} to {anchor.count}"
            yield Fault(
                "the log's end",
                f"cut: {where} knows {anchor.count} entries; {missing} are missing",
            )
        elif said.hashes.get(anchor.count) != anchor.head:
            yield Fault(
                "the log",
                f"another one than {where} knows: entry {anchor.count} has another hash there, so "
                "it or one before it was rewritten",
            )


def _standings(connection: Connection, said: Said, names: Names) -> Iterator[Fault]:
    last = 0
    while True:
        rows = connection.execute(
            select(
                CropRow.id, CropRow.number, CropRow.image_id, CropRow.opinion,
                StandingRow.crop_id, StandingRow.verdicts, StandingRow.outcome,
                StandingRow.is_sperm, StandingRow.reviewed, StandingRow.last_event,
            )
            .join_from(CropRow, StandingRow, StandingRow.crop_id == CropRow.id, isouter=True)
            .where(CropRow.id > last)
            .order_by(CropRow.id)
            .limit(_PIECE)
        ).all()  # fmt: skip
        if not rows:
            return
        last = rows[-1].id
        for row in rows:
            record = names.crop(row.id, row.number, row.image_id)
            if row.crop_id is None:
                yield Fault(record, "what stands of it is missing")
                continue
            try:
                opinion = from_opinion(json.loads(row.opinion))
                values = standing_values(opinion, standing(opinion, said.changes.get(row.id, ())))
            except (KeyError, TypeError, ValueError):
                continue  # an opinion or entry altered past reading, which is said elsewhere
            different = [
                f"{key} is {getattr(row, key)}, by the log {value}"
                for key, value in values.items()
                if getattr(row, key) != value
            ]
            if different:
                yield Fault(record, "what stands of it was altered: " + "; ".join(different))


def _states(connection: Connection, names: Names) -> Iterator[Fault]:
    rows = {row.sample_id: row for row in connection.execute(select(*StateRow.__table__.c))}
    for sample_id in names.samples:
        row, record = rows.get(sample_id), names.sample(sample_id)
        if row is None:
            yield Fault(record, "how far it has come is missing")
            continue
        different = [
            f"{key} is {getattr(row, key)}, by the records {value}"
            for key, value in compute(connection, sample_id).items()
            if getattr(row, key) != value
        ]
        if different:
            yield Fault(record, "its summary was altered: " + "; ".join(different))


def _pictures(
    pictures: Pictures,
    hashes: Sequence[str],
    names: Names,
    progress: Callable[[int, int], None] | None,
) -> Iterator[Fault]:
    of = _picture_names(names)
    for done, sha256 in enumerate(hashes, start=1):
        path = pictures.place(sha256)
        if not pictures.is_whole(sha256):
            what = "altered: it has another hash" if path.is_file() else "missing"
            yield Fault(of[sha256], f"{what} ({path.name})")
        if progress is not None:
            progress(done, len(hashes))


def _picture_names(names: Names) -> dict[str, str]:
    """What each kept picture is, by its hash: an image, or how coloured one was."""
    found = {}
    for row in names.images.values():
        if row.chroma_sha256 is not None:
            found[row.chroma_sha256] = f"the colour of {names.image(row.id)}"
    return found | {
        row.sha256: f"the picture of {names.image(row.id)}" for row in names.images.values()
    }
