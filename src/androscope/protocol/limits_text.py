"""What limits the results, in words."""

from __future__ import annotations

from collections.abc import Sequence

from androscope.learning.agreement import Missed
from androscope.learning.label_noise import Suspect
from androscope.learning.size_curve import MEAN
from androscope.protocol.limits_record import Limits, SizeCurve

__all__ = ["lines"]

_VERDICTS = ("normal", "abnormal")


def lines(found: Limits, shown: int = 20) -> list[str]:
    """The four parts.

    Parameters
    ----------
    shown
        How many crops of each list at most; all are in the JSON.
    """
    told = [f"{len(found.runs)} runs on {found.data} {found.split}, {found.crops} crops"]
    if any(run.test_readings for run in found.runs):
        told.append("Each run's reading of test is recorded in its folder.")
    for part in (_agreement, _missed, _noise, _curves):
        told += part(found, shown)
    for what, why in found.missing.items():
        told += ["", f"Cannot be told: {what}: {why}"]
    return told


def _agreement(found: Limits, _: int) -> list[str]:
    if not found.agreement:
        return []
    head = ["", "models", "kappa", "least", "most", "with labels", "all agree", "all right"]
    rows = [[*head, "all wrong", "if apart"]]
    for label, one in found.agreement.items():
        rows.append(
            [
                label,
                str(one.models),
                _kappa(one.kappa.mean),
                _kappa(one.kappa.least),
                _kappa(one.kappa.most),
                _kappa(one.kappa_with_labels.mean),
                *(
                    _percent(share)
                    for share in (
                        one.unanimous,
                        one.all_right,
                        one.all_wrong,
                        one.all_wrong_if_independent,
                    )
                ),
            ]
        )
    return [
        "",
        "Agreement of models: Cohen's kappa of pairs, and with the labels; shares of crops in %.",
        "If apart: the share that all would get wrong if their errors had nothing in common.",
        *_columns(rows),
    ]


def _missed(found: Limits, shown: int) -> list[str]:
    told: list[str] = []
    for label, crops in found.missed_by_all.items():
        told += ["", f"{label}: {len(crops)} crops that every model gets wrong"]
        told += _crops(crops, shown)
    return told


def _noise(found: Limits, shown: int) -> list[str]:
    if found.noise is None:
        return []
    noise = found.noise
    rows = [["", "crops", "wrong", "95 % interval", "abnormal", "normal", "by doubt alone"]]
    for label, one in noise.labels.items():
        rows.append(
            [
                label,
                str(one.crops),
                _percent(one.share),
                f"[{_percent(one.low)}, {_percent(one.high)}]",
                _percent(one.labelled_abnormal),
                _percent(one.labelled_normal),
                _percent(one.if_opinions_were_right),
            ]
        )
    told = [
        "",
        f"Labels that may be wrong, % of train (confident learning; {noise.runs} runs on the "
        f"{noise.crops} of {noise.of} crops that they held out).",
        "Abnormal, normal: as labelled. By doubt alone: what the estimate would be if the opinions",
        "were right as they stand. A model that errs surely counts as a wrong label here.",
        *_columns(rows),
    ]
    for label, one in noise.labels.items():
        told += ["", f"{label}: {len(one.suspects)} train crops to look at again"]
        told += _crops(one.suspects, shown)
    return told


def _curves(found: Limits, _: int) -> list[str]:
    told: list[str] = []
    for one in found.curves:
        told += ["", f"{one.name} on {found.split} by training size, %: mean (sd over seeds)"]
        told += _columns(_curve_rows(one))
    return told


def _curve_rows(one: SizeCurve) -> list[list[str]]:
    labels = list(one.points[0].scores)
    names = {"accuracy": "acc.", "roc_auc": "AUC"}
    heading = ["crops", "runs"]
    heading += [f"{MEAN if k == MEAN else k} {short}" for k in labels for short in names.values()]
    rows = [heading]
    for point in one.points:
        row = [str(point.crops), str(len(point.seeds))]
        for label in labels:
            for name in names:
                mean, sd = point.scores[label][name]
                around = "" if sd is None else f" ({100 * sd:.1f})"
                row.append("-" if mean is None else f"{100 * mean:.1f}{around}")
        rows.append(row)
    return rows


def _crops(crops: Sequence[Missed] | Sequence[Suspect], shown: int) -> list[str]:
    told = [
        f"  {crop.id}  labelled {_VERDICTS[crop.label]}, probability of abnormal "
        f"{crop.probability:.3f}"
        for crop in crops[:shown]
    ]
    if len(crops) > shown:
        told.append(f"  and {len(crops) - shown} more, in the JSON")
    return told


def _kappa(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
