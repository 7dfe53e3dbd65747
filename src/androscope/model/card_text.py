"""``MODEL_CARD.md``: the card for people, made from ``card.json`` and never edited by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from androscope.model.card import Card, SplitFacts
from androscope.model.card_checks_text import checks_text
from androscope.model.card_int8 import Int8
from androscope.model.card_interval import Interval
from androscope.model.card_parent_text import parent_text
from androscope.model.measured_text import measured_text

__all__ = ["card_text"]


def card_text(card: Card) -> str:
    """Render a card as Markdown; the same card gives the same text."""
    sections = (
        _head(card),
        ("Intended use", card.intended_use),
        ("Out of scope", card.out_of_scope),
        ("Input and output", _input_and_output(card)),
        ("Training data", _training(card)),
        *([("Adapted", parent_text(card.parent))] if card.parent else []),
        ("Evaluation", _evaluation(card)),
        *([("Int8", _int8(card.int8))] if card.int8 else []),
        *([("Calibration", _calibration(card))] if card.calibration else []),
        *([("Undecided", _undecided(card))] if card.conformal else []),
        *([("Input checks", checks_text(card.checks))] if card.checks else []),
        ("Limits", _bullets(card.limitations)),
        *([("Ethical notes", _bullets(card.ethics))] if card.ethics else []),
        ("Licence", card.licence),
        ("How it was made", _making(card)),
        ("Hashes", _hashes(card)),
    )
    return "\n\n".join(s if isinstance(s, str) else f"## {s[0]}\n\n{s[1]}" for s in sections) + "\n"


def _head(card: Card) -> str:
    return (
        f"# {card.name} {card.version}\n\n"
        f"Grades {', '.join(card.labels)} of one sperm per crop as normal or abnormal. "
        f"Method: {card.method.upper()}. Made {card.created:%Y-%m-%d %H:%M} UTC.\n\n"
        "**For research use only: not a medical device.**\n\n"
        "This page is made from `card.json`, which holds the same facts for programs."
    )


def _input_and_output(card: Card) -> str:
    size, pixel = card.input.size, card.input.pixel_size_um
    scale = "not known" if pixel is None else f"{pixel:g} µm"
    note = f" ({card.input.pixel_size_note})" if card.input.pixel_size_note else ""
    return (
        f"- `crops`: `(N, {size}, {size})` {card.input.dtype}, grey, one sperm each. "
        f"Pixel size: {scale}{note}.\n"
        f"- `probabilities`: `(N, {len(card.labels)})` float32, the probability of *abnormal*, in "
        f"this order: {', '.join(card.labels)}.\n"
        f"- `embedding`: `(N, {card.network.embedding_dim})` float32.\n\n"
        + _table(
            ("Part", "Abnormal from probability"),
            ((label, f"{card.thresholds[label]:.3f}") for label in card.labels),
        )
    )


def _training(card: Card) -> str:
    data = card.training
    rows = (
        (split, str(facts.crops), *(_class_counts(facts, label) for label in card.labels))
        for split, facts in data.splits.items()
    )
    return (
        f"- Name: {data.name}\n- Source: {data.source}\n- Licence: {data.licence}\n"
        f"- Citation: {data.citation}\n- Patients: {data.patients}\n\n"
        + _table(("Split", "Crops", *(f"{label}, abnormal" for label in card.labels)), rows)
    )


def _class_counts(facts: SplitFacts, label: str) -> str:
    if label not in facts.abnormal:
        return "-"
    of = facts.labelled.get(label)
    return str(facts.abnormal[label]) + ("" if of is None else f" of {of} labelled")


def _evaluation(card: Card) -> str:
    text = card.protocol
    for split, by_label in card.metrics.items():
        metrics = list(dict.fromkeys(m for values in by_label.values() for m in values))
        labels = [label for label in card.labels if label in by_label]
        rows = ((m, *(_measured(by_label[label].get(m)) for label in labels)) for m in metrics)
        text += f"\n\n### {split}\n\nWith 95% intervals.\n\n" + _table(("Metric", *labels), rows)
    return text if card.metrics else text + "\n\nNo metrics were recorded."


def _int8(made: Int8) -> str:
    rows = (
        (
            label,
            str(cost.crops),
            " to ".join(f"{100 * share:.2f}%" for share in cost.accuracy),
            " to ".join(f"{loss:.4f}" for loss in cost.log_loss),
            " to ".join(f"{error:.3f}" for error in cost.calibration_error),
            str(cost.changed),
        )
        for label, cost in made.costs.items()
    )
    return (
        f"Quantised from {made.name} {made.version} (`{made.model_sha256}`): weights in "
        f"{made.weight_bits} bits, the first {made.float_convolutions} convolutions in float32, "
        f"ranges of activations ({made.ranges}) from {made.ranges_from}. On {made.compared_on}, "
        "float32 to int8:\n\n"
        + _table(
            ("Part", "Crops", "Accuracy", "Log loss", "Calibration error", "Verdicts changed"),
            rows,
        )
    )


def _calibration(card: Card) -> str:
    table = card.calibration or {}
    tried = list(dict.fromkeys(m for found in table.values() for m in found.log_loss))
    rows = []
    for label in card.labels:
        found = table[label]
        how = ", ".join(f"{name} {value:.4g}" for name, value in found.parameters.items())
        losses = (f"{found.log_loss[m]:.4f}" if m in found.log_loss else "-" for m in tried)
        told = f"{found.method} ({how})" if how else found.method
        rows.append((label, f"{found.data}: {found.crops}", str(found.abnormal), told, *losses))
    return (
        "Probabilities and thresholds of this card are calibrated by the method named, that of the "
        "least log loss over held-out crops in repeated stratified cross-validation; identity "
        "leaves the network's own probability as it is.\n\n"
        + _table(
            ("Part", "Crops", "Abnormal", "Method", *(f"log loss, {name}" for name in tried)), rows
        )
    )


def _undecided(card: Card) -> str:
    table = card.conformal or {}
    rows = (
        (label, found.data, str(len(found.normal)), str(len(found.abnormal)))
        for label, found in ((label, table[label]) for label in card.labels)
    )
    return (
        "With an error rate (`--error-rate`), a part is normal, abnormal or undecided, by "
        "class-conditional conformal prediction on these crops' probabilities.\n\n"
        + _table(("Part", "Crops", "Normal", "Abnormal"), rows)
    )


def _measured(interval: Interval | None) -> str:
    return "-" if interval is None else measured_text(interval)


def _making(card: Card) -> str:
    network = card.network
    size = "" if network.parameters is None else f", {network.parameters:,} parameters"
    several = ""
    if network.networks > 1:
        several += f" The probabilities are the mean over {network.networks} such networks."
    if network.views > 1:
        several += f" Each crop is graded in {network.views} views, turned and mirrored."
    return (
        f"- Backbone: {network.backbone}{size}, first weights: {network.pretrained}; crops are "
        f"resized to {network.input_size} px inside the model.{several}\n"
        f"- Software: {', '.join(f'{k} {v}' for k, v in sorted(card.software.items()))}\n\n"
        "The run's whole configuration:\n\n"
        f"```json\n{json.dumps(card.config, indent=2, ensure_ascii=False)}\n```"
    )


def _hashes(card: Card) -> str:
    rows = [("model.onnx", f"`{card.model_sha256}`")]
    for split, facts in card.training.splits.items():
        rows += [(f"{name} ({split})", f"`{sha}`") for name, sha in facts.files.items()]
    text = _table(("File", "SHA-256"), rows)
    return f"{text}\n\n`model.onnx` has {card.model_bytes:,} bytes."


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(c) for c in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
