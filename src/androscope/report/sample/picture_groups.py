"""The report's pictures in groups: galleries of sperm, fields with their finds."""

from __future__ import annotations

from androscope.assessment.findings import Findings
from androscope.report.sample.document import SampleReport
from androscope.report.sample.pictures import Gallery
from androscope.report.sample.view_types import Picture, Pictures, no_abstention

__all__ = ["gallery_pictures", "overlay_pictures"]


def gallery_pictures(gallery: Gallery, findings: Findings, report: SampleReport) -> Pictures:
    """A gallery's crops with their captions."""
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
        text = f"Undecided verdicts are {no_abstention(report)}."
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


def overlay_pictures(findings: Findings, report: SampleReport) -> Pictures:
    """Fields with what was found in them."""
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
