"""Limits of the checks before grading, from the crops a network learned from and others like them.

A limit is a quantile of the training crops: so small a share lies beyond it, the same for every
check. How small is decided on validation crops: the largest share at which :data:`PASSES` of them
still pass all checks together. Distances in embedding space are the exception: training crops lie
closer than others, for the network knows them, so that limit is a quantile of validation.

No picture that is to be refused takes part in any of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.imaging.checks import Measures, measure_crops
from androscope.learning.phantoms import with_phantoms
from androscope.learning.trust.bare import bare_session
from androscope.learning.trust.subgroups import card_subgroups
from androscope.model.card import CardDraft
from androscope.model.card_checks import CheckLimits, CheckName, Checks, DomainFile
from androscope.model.domain import DOMAIN_FILE, Domain
from androscope.types import FloatArray, UInt8Array

__all__ = [
    "COLOUR",
    "COMPONENTS",
    "FEWEST_CROPS",
    "PASSES",
    "SATURATION",
    "TAILS",
    "fit_domain",
    "with_checks",
]

#: Share of the validation crops that are to pass every check.
PASSES = 0.97

#: Shares beyond a limit that are tried.
TAILS = (0.0005, 0.001, 0.0015, 0.002, 0.0025, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.015)

#: Principal components of the embedding; more are of noise, and of more bytes.
COMPONENTS = 64

#: Fewer training or validation crops say nothing of quantiles so small.
FEWEST_CROPS = 100

#: Limits of what training crops have none of. A few black or white pixels are common in good
#: pictures (see :data:`androscope.imaging.frame.SATURATED` for fields). Colour fringes at the rim
#: of an unstained head reach some hundredths, faint stains a tenth, others several.
SATURATION, COLOUR = 0.02, 0.1

#: Checks with a limit at either end, with one above alone, and with one below alone.
_BOTH: tuple[CheckName, ...] = ("focus", "contrast", "scale")
_ABOVE: tuple[CheckName, ...] = ("polarity", "saturation", "several heads", "beside", "edge")
_BELOW: tuple[CheckName, ...] = ("detail",)


@dataclass(frozen=True, slots=True)
class _Fitted:
    limits: dict[CheckName, CheckLimits]
    tail: float
    passed: float


def with_checks(
    draft: CardDraft,
    model: bytes,
    train: LabelledCrops,
    valid: LabelledCrops,
    data: str,
    *,
    report: Callable[[str], None] = lambda _: None,
) -> tuple[CardDraft, Domain]:
    """Fit limits and the reference of the training data, and put them into a card.

    The reference holds all that the network learned from: the training crops, and those rendered
    ones that its configuration names. The other limits are of the real ones alone.

    Parameters
    ----------
    draft
        The card; checks in it are replaced.
    model
        The ONNX model's bytes.
    train, valid
        Crops that the network learned from, and crops of the same kind that it did not.
    data
        The data set's name.
    report
        Called with what was chosen.

    Raises
    ------
    TrainingError
        If there are too few crops, or no limits let enough of the validation crops pass.
    """
    if min(len(train), len(valid)) < FEWEST_CROPS:
        raise TrainingError(
            f"cannot fit checks: expected {FEWEST_CROPS} training and validation crops at least, "
            f"got {len(train)} and {len(valid)}",
            advice="Export it without: its inputs are then not checked",
        )
    rendered, learned = _rendered(draft, train)
    session = bare_session(draft, model, calibrated=True)
    known = session.predict(np.concatenate([train.crops, rendered])).embeddings
    graded = session.predict(valid.crops)
    others = graded.embeddings
    domain = fit_domain(known, others)
    measured = _values(measure_crops(valid.crops))
    fitted = _limits(_values(measure_crops(train.crops)), measured, domain.distance(others))
    content = domain.to_bytes()
    checks = Checks(
        limits=fitted.limits,
        domain=DomainFile(
            file=DOMAIN_FILE,
            sha256=hashlib.sha256(content).hexdigest(),
            bytes=len(content),
            components=len(domain.components),
        ),
        data=f"{data} train{learned}",
        crops=len(train) + len(rendered),
        tail=fitted.tail,
        confirmed=f"{data} valid",
        confirmed_crops=len(valid),
        passed=fitted.passed,
        subgroups=card_subgroups(
            measured,
            draft.labels,
            valid.with_labels(draft.labels).labels,
            graded.probabilities,
            draft.thresholds,
        ),
    )
    report(
        f"checks: limits with {fitted.tail:.2%} of {len(train)} crops beyond each end; "
        f"{fitted.passed:.1%} of {len(valid)} validation crops pass all of them"
    )
    return draft.model_copy(update={"checks": checks}), domain


def _rendered(draft: CardDraft, train: LabelledCrops) -> tuple[UInt8Array, str]:
    """The phantoms that the configuration says were learned from, and words for them."""
    data = draft.config.get("data")
    count = data.get("phantoms", 0) if isinstance(data, dict) else 0
    seed = draft.config.get("seed", 0)
    if not isinstance(count, int) or not isinstance(seed, int) or count <= 0:
        return train.crops[:0], ""
    crops = with_phantoms(train, count, seed).crops[len(train) :]
    return crops, f"; distances: and the {count} rendered sperm it learned from"


def fit_domain(known: FloatArray, others: FloatArray, components: int = COMPONENTS) -> Domain:
    """Fit the Gaussian of :mod:`androscope.model.domain`.

    Parameters
    ----------
    known
        Embeddings ``(N, D)`` of what the network learned from: mean, components and variances.
    others
        Of crops like them that it did not learn from, ``(M, D)``: the variance orthogonal to the
        components, of which ``known`` has too little.
    components
        How many; at most ``D - 1`` and ``N - 1``.
    """
    mean = known.mean(axis=0, dtype=np.float64)
    _, spread, rows = np.linalg.svd(known.astype(np.float64) - mean, full_matrices=False)
    count = min(components, len(rows) - 1, known.shape[1] - 1)
    # What is stored is what is used: the rest is measured with the rounded components.
    kept = rows[:count].astype(np.float16).astype(np.float32)
    variances = np.maximum(spread[:count] ** 2 / (len(known) - 1), 1e-6)
    centred = others.astype(np.float64) - mean
    along = centred @ kept.astype(np.float64).T
    beside = (centred**2).sum(axis=1) - (along**2).sum(axis=1)
    rest = max(float(beside.mean()) / (known.shape[1] - count), 1e-6)
    return Domain(mean.astype(np.float32), kept, variances.astype(np.float32), rest)


def _values(measures: Measures) -> Mapping[CheckName, FloatArray]:
    return {
        "focus": measures.sharpness,
        "detail": measures.detail,
        "contrast": measures.contrast,
        "polarity": measures.polarity,
        "scale": measures.length,
        "saturation": measures.saturation,
        "several heads": measures.second,
        "beside": measures.beside,
        "edge": measures.edge,
    }


def _limits(
    train: Mapping[CheckName, FloatArray],
    valid: Mapping[CheckName, FloatArray],
    distances: FloatArray,
) -> _Fitted:
    """The limits with the largest tail at which enough of the validation crops pass."""
    best: _Fitted | None = None
    for tail in TAILS:
        limits = _at(tail, train, distances)
        values = {**valid, "domain": distances}
        passing = np.logical_and.reduce(
            [_within(values[name], limit) for name, limit in limits.items() if name in values]
        )
        share = float(passing.mean())
        if share >= PASSES:
            best = _Fitted(limits, tail, share)
    if best is None:
        raise TrainingError(
            f"no limits let {PASSES:.1%} of the validation crops pass: they are not like the "
            "training crops",
            advice="Look at both; export it without checks only if that is meant",
        )
    return best


def _at(
    tail: float, train: Mapping[CheckName, FloatArray], distances: FloatArray
) -> dict[CheckName, CheckLimits]:
    limits: dict[CheckName, CheckLimits] = {}
    for name in _BOTH:
        low, high = np.quantile(train[name], [tail, 1 - tail])
        limits[name] = CheckLimits(low=_rounded(low), high=_rounded(high))
    for name in _ABOVE:
        limits[name] = CheckLimits(high=_rounded(np.quantile(train[name], 1 - tail)))
    for name in _BELOW:
        limits[name] = CheckLimits(low=_rounded(np.quantile(train[name], tail)))
    found = limits["saturation"].high or 0.0
    limits["saturation"] = CheckLimits(high=max(found, SATURATION))
    limits["colour"] = CheckLimits(high=COLOUR)
    limits["domain"] = CheckLimits(high=_rounded(np.quantile(distances, 1 - tail)))
    return limits


def _rounded(value: float | np.floating[Any]) -> float:
    return float(f"{float(value):.4g}")


def _within(values: FloatArray, limits: CheckLimits) -> NDArray[np.bool_]:
    inside = np.ones(len(values), bool)
    if limits.low is not None:
        inside &= values >= limits.low
    if limits.high is not None:
        inside &= values <= limits.high
    return inside
