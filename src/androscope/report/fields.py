"""What was found in fields of view: a summary of each, a table of every find, an overlay."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path, PurePath

from androscope.assessment.field import GradedField
from androscope.assessment.tally import overall
from androscope.files import write_text
from androscope.imaging.field import FieldItem
from androscope.imaging.overlay import Mark, write_overlay
from androscope.report.names import spreadsheet_name, spreadsheet_text
from androscope.report.rows import flag_texts
from androscope.types import Assessment, Flag, Verdict

__all__ = [
    "field_lines",
    "kind_of",
    "located_csv",
    "overlay_name",
    "write_field_overlay",
    "write_located",
]

_COLUMNS = (
    "image", "index", "number", "kind", "x", "y", "length", "width", "angle_deg", "score",
    "left", "top", "right", "bottom", "flags", "crop", "not_graded",
    "checks",
)  # fmt: skip


def field_lines(fields: Sequence[GradedField]) -> list[str]:
    """Lines for people: what each field held, its scale, why what was found is not graded."""
    lines = []
    for graded in fields:
        field = graded.field
        scale = ""
        if field.scale is not None:
            length = field.scale.head_length
            scale = f", a head {length:.1f} px ({_origin(field.scale.origin)})"
        count = len(field.sperm)
        lines.append(
            f"{field.name}: {count} sperm located, {len(list(graded.graded))} graded{scale}"
        )
        for reason, number in graded.excluded.items():
            lines.append(f"  not graded: {number}: {reason}")
        lines += [f"  note: {note}" for note in field.notes]
    return lines


def _origin(origin: str) -> str:
    return "*estimated*" if origin == "estimated" else f"from the {origin}"


def located_csv(fields: Sequence[GradedField]) -> str:
    """A row for each find in each field, sperm or not; lengths and places in px of the field.

    ``index`` is the page, or the frame of a video in which the find is there.
    ``x`` and ``y`` count from the first pixel's centre, the box's edges from the frame's corner.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for graded in fields:
        field = graded.field
        for number, (item, verdicts) in enumerate(
            zip(field.items, graded.assessments, strict=True), start=1
        ):
            found = item.located
            numbers = (
                found.x, found.y, found.length, found.width, found.angle_deg, found.score,
                *found.box,
            )  # fmt: skip
            writer.writerow(
                [
                    spreadsheet_name(field.source),
                    "" if (index := field.index_of(item)) is None else index,
                    number,
                    kind_of(item, verdicts),
                    *(f"{value:.2f}" for value in numbers),
                    " ".join(sorted(found.flags)),
                    "" if verdicts is None else spreadsheet_name(verdicts.source),
                    spreadsheet_text(item.excluded or ""),
                    spreadsheet_text("; ".join(flag_texts(_flags_of(item, verdicts)))),
                ]
            )
    return stream.getvalue()


def write_located(path: str | Path, fields: Sequence[GradedField]) -> None:
    """Write :func:`located_csv`. Raises :class:`~androscope.errors.OutputError`."""
    write_text(path, located_csv(fields))


def kind_of(item: FieldItem, verdicts: Assessment | None) -> str:
    """``normal``, ``abnormal`` (in any part), ``undecided``, ``not graded``, or ``no sperm``."""
    if not item.located.is_sperm:
        return "no sperm"
    if verdicts is None:
        return "not graded"
    return overall(verdicts, [part.label for part in verdicts.parts])


def overlay_name(number: int, field: GradedField) -> str:
    """Name a field's overlay after its place (from 1) and its source."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", PurePath(field.field.source).stem)[:60].strip("._-")
    index = "" if field.field.index is None else f"-{field.field.index}"
    return f"{number:04d}-{stem or 'field'}{index}.png"


def write_field_overlay(folder: str | Path, number: int, graded: GradedField) -> Path | None:
    """Write a field with what was found drawn on it; gives the file.

    A video is drawn as its middle frame, with everything where it was at that moment.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    pixels = graded.field.pixels
    if pixels is None:
        return None
    marks = [
        Mark(item.drawn, kind_of(item, verdicts), _caption(item, verdicts))
        for item, verdicts in zip(graded.field.items, graded.assessments, strict=True)
    ]
    path = Path(folder) / overlay_name(number, graded)
    write_overlay(path, pixels, marks)
    return path


def _flags_of(item: FieldItem, verdicts: Assessment | None) -> tuple[Flag, ...]:
    return item.flags if verdicts is None else verdicts.flags


def _caption(item: FieldItem, verdicts: Assessment | None) -> str:
    # An exclamation mark before the checks that were not passed.
    checks = ", ".join(flag.check for flag in _flags_of(item, verdicts))
    return " ".join(text for text in (_words(verdicts), f"! {checks}" if checks else "") if text)


def _words(verdicts: Assessment | None) -> str:
    if verdicts is None:
        return ""
    said = {Verdict.ABNORMAL: "", Verdict.UNDECIDED: "?"}
    return " ".join(f"{p.label}{said[p.verdict]}" for p in verdicts.parts if p.verdict in said)
