"""Rendered sperm as extra supervision: clear defects of known truth among the training crops.

Labels of real sperm are few and noisy; a phantom's are exact. A share of phantoms among the
training crops teaches the network what each named defect looks like when it is clear. Validation
and test stay real: whether phantoms help is measured there.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from androscope.datasets import UNLABELLED, LabelledCrops
from androscope.imaging.phantom_set import phantom_set
from androscope.types import PARTS

__all__ = ["PHANTOM_RATES", "with_phantoms"]

#: Each part is abnormal in this share of the phantoms; more often than in life, so that few do.
PHANTOM_RATES = dict.fromkeys(PARTS, 0.35)


def with_phantoms(
    train: LabelledCrops, count: int, seed: int, taught: Collection[str] | None = None
) -> LabelledCrops:
    """``train`` with ``count`` phantoms behind it, in its own crop size and labels.

    A label that no phantom knows, or that is not among ``taught`` (None: all), is left unlabelled
    on them. The same count and seed give the same phantoms; they are other ones than those of
    ``androscope demo`` and ``androscope data phantom``.
    """
    if count == 0:
        return train
    # Seeds from 2^32 on are of no user's phantoms: there they are 32-bit numbers.
    phantoms = phantom_set(count, 2**32 + seed, rates=PHANTOM_RATES, size=train.crop_size)
    truth = np.array(
        [
            [
                p.labels.get(label, UNLABELLED) if taught is None or label in taught else UNLABELLED
                for label in train.label_names
            ]
            for p in phantoms
        ],
        dtype=np.int8,
    )
    return LabelledCrops(
        crops=np.concatenate([train.crops, np.stack([p.pixels for p in phantoms])]),
        labels=np.concatenate([train.labels, truth]),
        label_names=train.label_names,
        ids=(*train.ids, *(f"phantom/{number}" for number in range(count))),
        patients=None if train.patients is None else (*train.patients, *[""] * count),
    )
