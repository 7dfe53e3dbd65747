"""Pictures that are no single unstained sperm: what the checks before grading are to refuse.

Made from seeds, drawn in fonts, or cut from photographs that installed packages bring. There are
two sets of each kind with nothing in common: those that were looked at while the measures of
:mod:`androscope.imaging.checks` were chosen (``"seen"``), and those whose refusals are reported
(``"unseen"``): other seeds, other words and fonts, other photographs. Limits are fitted on neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from androscope.extras import require
from androscope.imaging.crop import resize
from androscope.imaging.field_crop import cut_crop
from androscope.imaging.phantom import PIXEL_SIZE_UM
from androscope.imaging.phantom_field import render_field
from androscope.imaging.phantom_optics import random_optics, to_camera
from androscope.types import UInt8Array

__all__ = ["FONTS", "KINDS", "PHOTOGRAPHS", "WORDS", "Use", "negatives"]

Use = Literal["seen", "unseen"]

SIZE = 64

#: Files of scikit-learn (seen), and of scikit-image, by name in their folders of sample pictures.
PHOTOGRAPHS: Mapping[Use, tuple[str, ...]] = {
    "seen": (
        "china.jpg", "flower.jpg", "astronaut.png", "brick.png", "camera.png", "chelsea.png",
        "clock_motion.png", "coffee.png", "coins.png", "grass.png", "gravel.png",
        "motorcycle_left.png", "rocket.jpg",
    ),
    "unseen": ("cell.png", "hubble_deep_field.jpg", "ihc.png", "moon.png", "retina.jpg"),
}  # fmt: skip

#: Fonts that come with Matplotlib.
FONTS: Mapping[Use, tuple[str, ...]] = {
    "seen": (
        "DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono-Bold.ttf", "STIXGeneral.ttf",
        "STIXGeneralItalic.ttf", "cmr10.ttf", "cmss10.ttf", "cmtt10.ttf",
    ),
    "unseen": (
        "DejaVuSans-Oblique.ttf", "DejaVuSansMono.ttf", "DejaVuSerif-Italic.ttf",
        "STIXGeneralBol.ttf", "cmb10.ttf", "cmti10.ttf",
    ),
}  # fmt: skip

WORDS: Mapping[Use, tuple[str, ...]] = {
    "seen": (
        "sample", "slide", "patient", "2021", "field", "count", "motile", "dilution", "abnormal",
        "A7", "Xq", "400x", "Lab", "report", "name", "date", "volume", "pH", "12:45", "total",
        "CE", "sperm", "viability", "page", "3", "B", "O",
    ),
    "unseen": (
        "chamber", "Makler", "20", "um", "grid", "donor", "washed", "swim-up", "ID", "0017",
        "ICSI", "blank", "left", "8", "Z", "e", "k",
    ),
}  # fmt: skip

_SEEDS: Mapping[Use, int] = {"seen": 1, "unseen": 1001}


def negatives(kind: str, count: int, use: Use = "unseen") -> UInt8Array:
    """``(count, 64, 64)`` uint8 pictures of one of :data:`KINDS`, the same every time.

    Raises
    ------
    MissingExtraError
        For photographs, without scikit-image; for text, without Matplotlib.
    """
    return KINDS[kind](count, use)


def _random(kind: int, use: Use, number: int) -> np.random.Generator:
    return np.random.default_rng([60, kind, _SEEDS[use], number])


def _cells(count: int, use: Use, *, round_cells: bool) -> UInt8Array:
    """Specks or round cells of rendered fields, at the scale at which heads are graded."""
    found: list[UInt8Array] = []
    side, number = 420, 0
    while len(found) < count:
        rng = _random(1 + round_cells, use, number)
        number += 1
        try:
            field = render_field(
                side, side, 0, int(rng.integers(2**31)),
                pixel_size_um=PIXEL_SIZE_UM,
                debris=0 if round_cells else 14,
                round_cells=4 if round_cells else 0,
                optics=random_optics(rng, bright=bool(rng.random() < 0.3)),
            )  # fmt: skip
        except ValueError:
            continue  # no room for so many: the next seed
        for thing in field.others:
            x, y = thing.centre + rng.uniform(-4, 4, 2)
            if min(x, y) > SIZE / 2 and max(x, y) < side - SIZE / 2:
                found.append(cut_crop(field.pixels, (float(x), float(y)), 1.0, SIZE)[0])
    return np.stack(found[:count])


def _debris(count: int, use: Use) -> UInt8Array:
    return _cells(count, use, round_cells=False)


def _round_cells(count: int, use: Use) -> UInt8Array:
    return _cells(count, use, round_cells=True)


def _background(count: int, use: Use) -> UInt8Array:
    """Empty field of any brightness, evenly and unevenly lit."""
    found = []
    for number in range(count):
        rng = _random(3, use, number)
        optics = replace(
            random_optics(rng, bright=False),
            background=float(rng.uniform(60, 220)),
            gradient=float(abs(rng.normal(0, 12))),
            noise=float(rng.uniform(0.3, 5)),
        )
        found.append(to_camera(np.ones((SIZE, SIZE)), optics, rng))
    return np.stack(found)


def _noise(count: int, use: Use) -> UInt8Array:
    """White, Gaussian, 1/f, salt and pepper, and blurred noise in turn."""
    frequency = np.hypot(np.fft.fftfreq(SIZE)[:, None], np.fft.fftfreq(SIZE)[None, :])
    frequency[0, 0] = 1
    found = []
    for number in range(count):
        rng = _random(4, use, number)
        grey: NDArray[Any]
        if number % 5 == 0:
            grey = rng.integers(0, 256, (SIZE, SIZE))
        elif number % 5 == 1:
            grey = rng.normal(128, rng.uniform(8, 60), (SIZE, SIZE))
        elif number % 5 == 2:
            waves = np.fft.fft2(rng.normal(size=(SIZE, SIZE))) / frequency ** rng.uniform(0.5, 1.8)
            grey = np.fft.ifft2(waves).real
            grey = 128 + grey / grey.std() * rng.uniform(8, 50)
        elif number % 5 == 3:
            grey = np.full((SIZE, SIZE), rng.uniform(90, 160))
            chance, share = rng.random((SIZE, SIZE)), rng.uniform(0.02, 0.3)
            grey[chance < share], grey[chance > 1 - share] = 0, 255
        else:
            coarse = rng.normal(128, rng.uniform(15, 60), (8, 8)).astype(np.float32)
            wide = Image.fromarray(coarse).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
            grey = np.asarray(wide)
        found.append(np.clip(grey, 0, 255).astype(np.uint8))
    return np.stack(found)


def _photographs(count: int, use: Use) -> UInt8Array:
    """Squares of photographs in grey, from 64 px to all of them: colour would give them away."""
    pictures = [np.asarray(Image.open(path).convert("L")) for path in _files(use)]
    found = []
    for number in range(count):
        rng = _random(5, use, number)
        picture = pictures[number % len(pictures)]
        height, width = picture.shape
        side = round(float(np.exp(rng.uniform(np.log(SIZE), np.log(min(height, width))))))
        y, x = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
        square = np.ascontiguousarray(picture[y : y + side, x : x + side])
        found.append(resize(square, SIZE, SIZE))
    return np.stack(found)


def _files(use: Use) -> list[Path]:
    sklearn = require("sklearn", extra="train", why="show photographs to the checks")
    folders = [Path(str(sklearn.__file__)).parent / "datasets" / "images"]
    try:
        import skimage

        folders.append(Path(str(skimage.__file__)).parent / "data")
    except ModuleNotFoundError:
        pass
    wanted = [folder / name for name in PHOTOGRAPHS[use] for folder in folders]
    found = [path for path in wanted if path.is_file()]
    if not found:
        raise ModuleNotFoundError("photographs come with scikit-image: pip install scikit-image")
    return found


def _text(count: int, use: Use) -> UInt8Array:
    """Printed words, dark on light and light on dark, as of a label or a form."""
    matplotlib = require("matplotlib", extra="train", why="write text for the checks")
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    found = []
    for number in range(count):
        rng = _random(6, use, number)
        size = int(rng.uniform(8, 44))
        font = ImageFont.truetype(str(folder / FONTS[use][number % len(FONTS[use])]), size)
        light, dark = 235.0, 30.0
        if rng.random() < 0.5:
            light, dark = rng.uniform(120, 200), rng.uniform(20, 90)
        if rng.random() < 0.25:
            light, dark = dark, light
        picture = Image.new("L", (SIZE, SIZE), int(light))
        pen = ImageDraw.Draw(picture)
        y = int(rng.uniform(-4, 20)) if size < 28 else int(rng.uniform(0, 12))
        while y < SIZE:
            line = " ".join(rng.choice(WORDS[use], 4))
            pen.text((int(rng.uniform(-20, 8)), y), line, fill=int(dark), font=font)
            y += int(size * 1.25) + 1
        grey = np.asarray(picture) + rng.normal(0, rng.uniform(0, 3), (SIZE, SIZE))
        found.append(np.clip(grey, 0, 255).astype(np.uint8))
    return np.stack(found)


#: What is to be refused, by name.
KINDS: Mapping[str, Callable[[int, Use], UInt8Array]] = {
    "debris": _debris,
    "round cells": _round_cells,
    "empty background": _background,
    "noise": _noise,
    "photographs": _photographs,
    "text": _text,
}
