"""Stained sperm, rendered: phantoms' anatomy in the colours of common stains, on a bright field.

Light goes through the dye by Beer and Lambert's law, each colour by its own share; the shares are
near those of Papanicolaou's, of Diff-Quik and of haematoxylin and eosin smears, and vary.
"""

from __future__ import annotations

import numpy as np

from androscope.imaging.crop import to_crop
from androscope.imaging.phantom_set import phantom_set
from androscope.imaging.read import from_array
from androscope.types import Crop, UInt8Array

__all__ = ["stained", "stained_colour"]

#: Share of red, green and blue light that passes nucleus, acrosome and tail.
_STAINS = (
    ((0.38, 0.42, 0.68), (0.80, 0.66, 0.78), (0.72, 0.55, 0.72)),  # Papanicolaou
    ((0.36, 0.22, 0.55), (0.78, 0.62, 0.80), (0.62, 0.42, 0.66)),  # Diff-Quik
    ((0.42, 0.34, 0.62), (0.88, 0.62, 0.72), (0.86, 0.58, 0.66)),  # haematoxylin and eosin
)


def stained_colour(count: int, seed: int) -> list[UInt8Array]:
    """``count`` pictures ``(64, 64, 3)`` uint8 of one stained sperm each."""
    found = []
    for number, phantom in enumerate(phantom_set(count, seed)):
        rng = np.random.default_rng([61, seed, number])
        nucleus, acrosome, tail = np.array(_STAINS[number % len(_STAINS)])
        strength = rng.uniform(0.7, 1.3)
        masks = {name: _soft(mask.astype(np.float64)) for name, mask in phantom.masks.items()}
        cap = np.minimum(masks["acrosome"], masks["head"])
        dye = (
            np.multiply.outer(masks["head"] - cap, -np.log(nucleus))
            + np.multiply.outer(cap, -np.log(acrosome))
            + np.multiply.outer(masks["tail"] * 0.7, -np.log(tail))
        )
        light = rng.uniform(200, 245) * np.exp(-strength * dye)
        light += rng.normal(0, rng.uniform(0.5, 2), light.shape)
        found.append(np.clip(np.rint(light), 0, 255).astype(np.uint8))
    return found


def _soft(mask: np.ndarray) -> np.ndarray:
    for _ in range(2):
        padded = np.pad(mask, 1, mode="edge")
        rows = (padded[:-2] + padded[2:] + 2 * padded[1:-1]) / 4
        mask = (rows[:, :-2] + rows[:, 2:] + 2 * rows[:, 1:-1]) / 4
    return mask


def stained(count: int, seed: int, *, colour: bool = True) -> list[Crop]:
    """Crops as they come from such files, or from the same files saved in grey."""
    crops = []
    for number, picture in enumerate(stained_colour(count, seed)):
        image = from_array(picture, f"stained-{seed}-{number}")
        if not colour:
            image = from_array(image.pixels, image.source)
        crops.append(to_crop(image))
    return crops
