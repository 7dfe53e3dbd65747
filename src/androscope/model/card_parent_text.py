"""The model card's section on a bundle that was adapted, in Markdown."""

from __future__ import annotations

from androscope.model.card_parent import HOW, Adaptation, Parent
from androscope.model.measured_text import measured_text

__all__ = ["parent_text"]


def parent_text(parent: Parent) -> str:
    """Render the section; the same parent gives the same text."""
    data = parent.data
    patients = "not known" if data.patients is None else f"{data.patients}, each kept whole"
    lines = [
        f"- Made from: {parent.name} {parent.version}, `model.onnx` of SHA-256 "
        f"`{parent.model_sha256}`",
        f"- Crops: {data.fitted + data.held} of {data.name} (SHA-256 `{data.sha256}`), "
        f"{data.fitted} to fit and choose by, {data.held} held out; licence: {data.licence}",
        f"- Patients: {patients}",
        *(f"- {note}" for note in parent.notes),
        "",
        "| Part | Normal | Abnormal | What was done | Why |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {label} | {data.normal.get(label, 0)} | {data.abnormal.get(label, 0)} | "
        f"{HOW[adapted.how]} | {adapted.reason.replace('|', '/')} |"
        for label, adapted in parent.labels.items()
    ]
    lines += [
        "",
        "On the crops held out, with 95% intervals:",
        "",
        "| Part | Metric | Before | After | Difference |",
        "| --- | --- | --- | --- | --- |",
    ]
    for label, adapted in parent.labels.items():
        lines += _rows(label, adapted)
    return "\n".join(lines)


def _rows(label: str, adapted: Adaptation) -> list[str]:
    return [
        f"| {label} | {metric} | {measured_text(change.before)} | {measured_text(change.after)} | "
        f"{measured_text(change.difference)} |"
        for metric, change in adapted.held.items()
    ]
