"""The costliest candidate: trunk and branches trained on, judged like the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from androscope.datasets import LabelledCrops
from androscope.learning.adapt.choose import PARTS, Graded, fit
from androscope.learning.adapt.heads import Head, recalibrate
from androscope.learning.adapt.losses import log_losses
from androscope.learning.folds import divide

if TYPE_CHECKING:
    from androscope.learning.adapt.trunk import Recipe
    from androscope.learning.config import AugmentConfig
    from androscope.learning.network import Network

__all__ = ["Everything", "network_probabilities", "try_everything"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Everything:
    """A network trained on all crops given, and what such networks are worth.

    Attributes
    ----------
    network
        Trained on.
    heads
        Slope and intercept of each label, fitted to what networks said of crops that they had not
        learned: few crops make a network surer than it should be.
    held_out, losses
        ``(N, L)``: probabilities of networks (and slopes) that had not learned the crop, and their
        log losses; NaN where a crop is not labelled.
    """

    network: Network
    heads: dict[str, Head]
    held_out: Vector
    losses: Vector


def try_everything(
    network: Network,
    crops: LabelledCrops,
    graded: Graded,
    changes: AugmentConfig,
    *,
    views: int = 1,
    recipe: Recipe | None = None,
    seed: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> Everything:
    """Train on in cross-validation, and once more on all crops.

    Parameters
    ----------
    network
        The bundle's.
    crops, graded
        To fit and choose by; the same crops, as pictures and as the bundle sees them.
    changes
        Random changes of the crops.
    views
        In how many views the bundle grades a crop.
    """
    from androscope.learning.adapt.trunk import train_on

    def trained(rows: NDArray[np.intp]) -> Network:
        some = graded.select(rows)
        heads = {
            name: fit("branch", some, column, seed=seed)
            for column, name in enumerate(crops.label_names)
        }
        return train_on(network, crops.select(rows), heads, changes, recipe=recipe, seed=seed)

    everyone = np.arange(len(crops))
    raw = np.full(crops.labels.shape, np.nan)
    parts = divide(crops, min(PARTS, len(np.unique(graded.groups))), seed)
    for number, out in enumerate(parts, start=1):
        report(f"training the trunk on: part {number} of {len(parts)}, and all crops at the end")
        own = trained(np.setdiff1d(everyone, out))
        raw[out] = network_probabilities(own, crops.crops[out], views)
    held_out, losses = np.full_like(raw, np.nan), np.full_like(raw, np.nan)
    heads = {}
    for column, name in enumerate(crops.label_names):
        truth = crops.labels[:, column]
        known = truth >= 0
        for out in parts:
            others = known.copy()
            others[out] = False
            # The slope, too, must not have seen the crop that it is judged by.
            head = recalibrate(raw[others, column], truth[others])
            here = np.intersect1d(out, np.flatnonzero(known))
            held_out[here, column] = head.probabilities(raw[here, column], np.empty((0, 0)))
            losses[here, column] = log_losses(held_out[here, column], truth[here])
        heads[name] = recalibrate(raw[known, column], truth[known])
    return Everything(trained(everyone), heads, held_out, losses)


def network_probabilities(network: Network, crops: NDArray[np.uint8], views: int) -> Vector:
    """What a bundle of ``network`` would say of ``(N, S, S)`` crops: ``(N, L)``, uncalibrated."""
    import torch

    from androscope.learning.exported import Exported

    exported = Exported([network], views).eval()
    with torch.inference_mode():
        found = [
            exported(torch.from_numpy(np.ascontiguousarray(crops[start : start + 32])))[0].numpy()
            for start in range(0, len(crops), 32)
        ]
    return np.concatenate(found).astype(np.float64)
