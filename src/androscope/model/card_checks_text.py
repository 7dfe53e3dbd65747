"""The checks of images as ``MODEL_CARD.md`` shows them."""

from __future__ import annotations

from collections.abc import Mapping

from androscope.model.card_checks import CheckName, Checks, Subgroup

__all__ = ["checks_text"]

_MEANS: Mapping[CheckName, str] = {
    "focus": "slope of the grey at the head, as a share of its contrast, per px",
    "detail": "patterns of 5 to 10 px over those of 10 to 50 px, noise taken off",
    "contrast": "how far the head stands out, over the background",
    "polarity": "-1: all that stands out is dark; 1: all is bright",
    "saturation": "share of black and white pixels",
    "scale": "length of what stands out, px of a crop of 64",
    "several heads": "area of the next largest thing, over the largest's",
    "beside": "area that stands out beside the head, over the head's",
    "edge": "share of the crop's edge that stands out",
    "colour": "chroma over the background's",
    "domain": "distance from the training crops in embedding space; 1 is typical",
}


def checks_text(checks: Checks) -> str:
    """A table of the limits, and where they come from."""
    rows = "".join(
        f"| {name} | {_MEANS[name]} | {_end(limits.low)} | {_end(limits.high)} |\n"
        for name, limits in checks.ordered().items()
    )
    return (
        "An image that does not pass is refused with the reason, or graded with its flags where "
        "the user says so.\n\n"
        f"| Check | Measured | At least | At most |\n| --- | --- | ---: | ---: |\n{rows}\n"
        f"Limits are quantiles of {checks.data} ({checks.crops} crops), with {checks.tail:.2%} "
        f"beyond each end; {checks.passed:.1%} of {checks.confirmed_crops} crops of "
        f"{checks.confirmed} pass all of them. {_domain(checks)}"
    ).rstrip() + _subgroups(checks)


def _subgroups(checks: Checks) -> str:
    if not checks.subgroups:
        return ""
    rows = "".join(
        f"| {one.name} | {one.label} | {one.crops} | {one.abnormal} | {_accuracy(one)} | "
        f"{'' if one.roc_auc is None else f'{one.roc_auc:.3f}'} |\n"
        for one in checks.subgroups
    )
    return (
        f"\n\n### Metrics by subgroup\n\nOn {checks.confirmed}, by thirds of sharpness and of the "
        "head's length:\n\n"
        "| Crops | Part | n | Abnormal | Accuracy (95%) | ROC AUC |\n"
        f"| --- | --- | ---: | ---: | --- | ---: |\n{rows}"
    ).rstrip()


def _accuracy(one: Subgroup) -> str:
    if one.accuracy is None or one.low is None or one.high is None:
        return ""
    return f"{one.accuracy:.1%} ({one.low:.1%} to {one.high:.1%})"


def _domain(checks: Checks) -> str:
    if checks.domain is None:
        return ""
    return (
        f"The distance is Mahalanobis's on {checks.domain.components} principal components and "
        f"what is orthogonal to them; its limit is of {checks.confirmed}, its reference "
        f"`{checks.domain.file}`, SHA-256 `{checks.domain.sha256}`."
    )


def _end(limit: float | None) -> str:
    return "" if limit is None else f"{limit:.4g}"
