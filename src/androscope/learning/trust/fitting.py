"""Calibration and conformal data fitted, of one label, on crops that the network never learned.

Every method is a logistic regression on a transform of the network's own probability ``p``, with
bounds that keep it rising: temperature on ``logit p`` without intercept, Platt's with one, beta on
``ln p`` and ``-ln(1 - p)``. Which is used is decided by log loss, a proper score, on crops held out
in repeated stratified cross-validation; leaving ``p`` as it is takes part, and wins where the
crops are too few or the network too well calibrated for a fit to pay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from androscope.extras import require
from androscope.learning.metrics import labelled
from androscope.model.calibrate import NEAREST, calibrated
from androscope.model.card_trust import METHODS, PARAMETERS, Calibration, Conformal, Method
from androscope.types import ABNORMAL

__all__ = [
    "FEWEST",
    "FOLDS",
    "REPEATS",
    "compare_methods",
    "fit_calibration",
    "fit_conformal",
    "fit_parameters",
    "log_loss",
]

FOLDS, REPEATS = 5, 10

#: Crops of either class below which nothing is fitted: a parameter would be of chance alone, and
#: no error rate below a tenth could be served.
FEWEST = 10

FloatVector = NDArray[np.float64]

#: Slopes stay well above 0, so that calibration rises, and by more than float32 can hide, even
#: where the network is no better than chance; and data that one threshold parts without error, for
#: which no finite slope is best, drives none to infinity.
_SLOPE, _INTERCEPT = (0.01, 100.0), (-100.0, 100.0)


def log_loss(truth: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean negative log likelihood of 0/1 ``truth``, natural logarithm; ends as in calibration."""
    given = np.clip(np.asarray(probabilities, dtype=np.float64), NEAREST, 1 - NEAREST)
    abnormal = np.asarray(truth) == ABNORMAL
    return float(-np.mean(np.where(abnormal, np.log(given), np.log1p(-given))))


def fit_parameters(method: Method, truth: ArrayLike, probabilities: ArrayLike) -> dict[str, float]:
    """Fit one method by maximum likelihood.

    Parameters
    ----------
    method
        Which; ``identity`` has no parameter.
    truth, probabilities
        ``(N,)``: 0 or 1, and the network's own probability of abnormal.

    Returns
    -------
    dict
        As :class:`~androscope.model.card_trust.Calibration` holds them.
    """
    if method == "identity":
        return {}
    minimize: Any = require("scipy.optimize", extra="train", why="calibrate a model").minimize
    given = np.clip(np.asarray(probabilities, dtype=np.float64), NEAREST, 1 - NEAREST)
    yes, no = np.log(given), -np.log1p(-given)
    columns = [yes, no] if method == "beta" else [yes + no]
    intercept = method in ("platt", "beta")
    design = np.stack([*columns, *([np.ones_like(given)] if intercept else [])], axis=1)
    target = (np.asarray(truth) == ABNORMAL).astype(np.float64)

    def loss(weights: FloatVector) -> tuple[float, FloatVector]:
        z = design @ weights
        # ln(1 + e^z) - y z is the negative log likelihood, without overflow at either end.
        value = np.logaddexp(0, z) - target * z
        slope = np.exp(-np.logaddexp(0, -z)) - target
        return float(value.mean()), design.T @ slope / len(z)

    start = [1.0] * len(columns) + [0.0] * intercept
    bounds = [_SLOPE] * len(columns) + [_INTERCEPT] * intercept
    options = {"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1000}
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options=options).x
    if method == "temperature":
        return {"temperature": float(1 / found[0])}
    return {name: float(value) for name, value in zip(PARAMETERS[method], found, strict=True)}


def compare_methods(
    truth: ArrayLike, probabilities: ArrayLike, *, seed: int = 0
) -> dict[Method, float]:
    """Cross-validate every method: its mean log loss over held-out crops, of all repetitions.

    Parameters
    ----------
    truth, probabilities
        ``(N,)``: 0 or 1, and the network's own probability of abnormal; both classes at least
        :data:`FOLDS` times.
    seed
        Of the folds.
    """
    selection: Any = require("sklearn.model_selection", extra="train", why="calibrate a model")
    labels, given = np.asarray(truth), np.asarray(probabilities, dtype=np.float64)
    folds = selection.RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=seed)
    total = dict.fromkeys(METHODS, 0.0)
    for learned, held in folds.split(given, labels):
        for method in METHODS:
            fitted = _as_calibration(method, labels[learned], given[learned])
            loss = log_loss(labels[held], calibrated(given[held], fitted))
            total[method] += loss * len(held)
    return {method: round(value / (REPEATS * len(labels)), 6) for method, value in total.items()}


def fit_calibration(
    truth: ArrayLike, probabilities: ArrayLike, *, data: str, seed: int = 0
) -> Calibration:
    """Choose the method by cross-validation and fit it to all crops.

    Of equal methods the one with fewer parameters is taken. With fewer than :data:`FEWEST` crops of
    a class, nothing is tried and the probability stays as it is.

    Parameters
    ----------
    truth, probabilities
        ``(N,)``: -1 (left out), 0 or 1, and the network's own probability of abnormal.
    data
        What the crops are, for the card.
    seed
        Of the folds.
    """
    labels, given, _ = labelled(truth, probabilities)
    abnormal = int((labels == ABNORMAL).sum())
    facts: Mapping[str, Any] = {"data": data, "crops": len(labels), "abnormal": abnormal}
    if min(abnormal, len(labels) - abnormal) < FEWEST:
        return Calibration(method="identity", **facts)
    losses = compare_methods(labels, given, seed=seed)
    best = min(METHODS, key=lambda method: losses[method])
    return Calibration(
        method=best, parameters=fit_parameters(best, labels, given), log_loss=losses, **facts
    )


def _as_calibration(method: Method, truth: ArrayLike, given: FloatVector) -> Calibration:
    return Calibration(
        method=method,
        parameters=fit_parameters(method, truth, given),
        data="folds",
        crops=len(given),
        abnormal=0,
    )


def fit_conformal(truth: ArrayLike, probabilities: ArrayLike, *, data: str) -> Conformal | None:
    """Gather one label's *calibrated* probabilities by true class, or ``None`` if they are too few.

    Parameters
    ----------
    truth, probabilities
        ``(N,)``: -1 (left out), 0 or 1, and the calibrated probability, as it will be reported.
    data
        What the crops are, for the card.
    """
    labels, given, _ = labelled(truth, probabilities)
    # As reports have them: the shortest decimal of the float32.
    shown = np.array([float(str(value)) for value in given.astype(np.float32)], dtype=np.float64)
    normal, abnormal = (np.sort(shown[labels == kind]) for kind in (0, ABNORMAL))
    if min(len(normal), len(abnormal)) < FEWEST:
        return None
    return Conformal(data=data, normal=tuple(normal), abnormal=tuple(abnormal))
