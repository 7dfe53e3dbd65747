"""Sample values of any kind to the 8-bit grey that everything downstream sees. Pure functions.

A picture's grey depends on its samples and on how many bits of them mean something, never on its
own darkest and brightest pixel: stretching each picture to its range would make the same sperm
grade differently beside a speck of dust.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from androscope.errors import ImageDimensionsError, ImageUnsupportedError, ImageValuesError
from androscope.types import StackPlace, UInt8Array

__all__ = [
    "DEPTHS",
    "Plane",
    "Scale",
    "Statistics",
    "choose_scale",
    "from_left_aligned",
    "guessed_bits",
    "measure",
    "to_grey",
    "to_uint8",
]

Samples = NDArray[Any]

#: Bit depths that microscope cameras have; the smallest that holds the largest value is taken.
DEPTHS = (8, 10, 12, 14, 16)

#: Float pictures in 0 to 1 may overshoot by this much after somebody's resampling.
_UNIT_SLACK = 1e-3

_GUESSED = "bit depth guessed: "

# ITU-R 601-2 luma in the 16-bit fixed point that Pillow's convert("L") uses; the sum is 2**16.
_LUMA = (19595, 38470, 7471)


@dataclass(frozen=True, slots=True)
class Plane:
    """One decoded picture before its values are brought to 8 bits.

    Attributes
    ----------
    samples
        ``(H, W)`` grey or ``(H, W, 3)`` red, green, blue; bool, integer or float.
    bits
        Significant bits of integer samples, if the file says so; they are the *lowest* bits.
    pixel_size_um
        Micrometres per pixel, if the file says so credibly.
    inverted
        True where 0 means white.
    notes
        What decoding did so far.
    chroma
        How coloured it was, if it has become grey already: see
        :func:`androscope.imaging.chroma.chroma_map`.
    place
        Where it lies in a stack that shows one field, if its file says so.
    """

    samples: Samples
    bits: int | None = None
    pixel_size_um: float | None = None
    inverted: bool = False
    notes: tuple[str, ...] = ()
    chroma: UInt8Array | None = None
    place: StackPlace | None = None


@dataclass(frozen=True, slots=True)
class Statistics:
    """What choosing a scale needs to know of one plane; ``largest`` is over finite values."""

    kind: str
    largest: float


@dataclass(frozen=True, slots=True)
class Scale:
    """How values become 0 to 255: ``white`` is the value that becomes 255.

    ``guessed`` is the bit depth where neither the file nor the user said it.
    """

    white: float
    note: str | None = None
    guessed: int | None = None


def to_grey(samples: Samples) -> Samples:
    """Luma of colour samples, in their own depth; grey samples come back as they are.

    ``L = 0.299 R + 0.587 G + 0.114 B`` (ITU-R BT.601), in the fixed point and with the rounding of
    Pillow's ``convert("L")``, so that 8-bit results equal Pillow's to the bit.

    Parameters
    ----------
    samples
        ``(H, W)``, ``(H, W, 1)``, ``(H, W, 3)`` or ``(H, W, 4)``; a fourth channel is not looked
        at.

    Raises
    ------
    ImageUnsupportedError
        For any other shape.
    """
    if samples.ndim == 2:
        return samples
    if samples.ndim != 3 or samples.shape[2] not in (1, 3, 4):
        raise ImageUnsupportedError(
            f"expected a picture of shape (H, W), (H, W, 3) or (H, W, 4), got {samples.shape}",
            advice="Give one grey or colour picture at a time",
        )
    if samples.shape[2] == 1:
        return samples[:, :, 0]
    if samples.dtype == bool:
        samples = samples.astype(np.uint8) * np.uint8(255)
    if samples.dtype.kind == "f":
        weights = np.array(_LUMA, np.float64) / 65536
        return np.asarray(samples[:, :, :3] @ weights)
    # Up to 16 bits the weighted sum stays below 2**32.
    wide = samples[:, :, :3].astype(np.uint32)
    luma = (
        wide[:, :, 0] * np.uint32(_LUMA[0])
        + wide[:, :, 1] * np.uint32(_LUMA[1])
        + wide[:, :, 2] * np.uint32(_LUMA[2])
        + np.uint32(0x8000)
    ) >> np.uint32(16)
    return np.asarray(luma, dtype=samples.dtype)


def measure(samples: Samples) -> Statistics:
    """Check that samples can be pixel values at all and give what :func:`choose_scale` needs.

    Raises
    ------
    ImageDimensionsError
        For a picture without pixels.
    ImageValuesError
        For NaN, infinities, negative values, integers above 65535, floats above 255, and types
        that are no numbers.
    """
    kind = samples.dtype.kind
    if kind not in "buif":
        raise ImageValuesError(
            f"expected numbers as pixels (bool, integer or float), got type {samples.dtype}",
            advice="Save it as uint8 or uint16",
        )
    if samples.size == 0:
        raise ImageDimensionsError(
            f"expected at least one pixel, got shape {samples.shape}",
            advice="Check how the picture was made",
        )
    if kind == "b" or samples.dtype == np.uint8:
        return Statistics(kind="u8", largest=255.0)
    if kind == "f" and not bool(np.isfinite(samples).all()):
        bad = int(samples.size - np.isfinite(samples).sum())
        raise ImageValuesError(
            f"expected finite pixel values, got {bad} NaN or infinite of {samples.size}",
            advice="Replace or crop away the undefined pixels",
        )
    low, high = float(samples.min()), float(samples.max())
    ceiling = 65535.0 if kind in "ui" else 255.0
    if low < (0.0 if kind in "ui" else -_UNIT_SLACK) or high > ceiling:
        expected = "0 to 65535" if kind in "ui" else "0 to 1 or 0 to 255"
        raise ImageValuesError(
            f"expected {expected} as {samples.dtype} pixel values, got {low:g} to {high:g}",
            advice="Rescale it to uint8 or uint16 with the same factor for all your pictures",
        )
    return Statistics(kind="int" if kind in "ui" else "float", largest=high)


def choose_scale(
    statistics: Sequence[Statistics],
    bits: int | None = None,
    *,
    given: int | None = None,
    least: int = 8,
) -> Scale:
    """One scale for all planes of a file, so that they stay comparable.

    Integers wider than 8 bits take ``bits`` if the file states it, else what the user says, else
    the smallest of :data:`DEPTHS` that holds the largest value in the file: a guess, and its note
    says so. Floats are taken as 0 to 1 when most planes stay within it, else as 0 to 255.

    Parameters
    ----------
    statistics
        Of the file's planes.
    bits
        What the file states; not believed if a value is larger.
    given
        What the user says, bits.
    least
        What other files of the same run need, bits: a guess is not below it, so that fields on
        either side of a power of two are graded at one contrast.

    Raises
    ------
    ImageValuesError
        If a value needs more bits than were given.
    """
    if not statistics or all(s.kind == "u8" for s in statistics):
        return Scale(white=255.0)
    largest = max(s.largest for s in statistics)
    if any(s.kind == "float" for s in statistics):
        unit = float(np.median([s.largest for s in statistics])) <= 1.0 + _UNIT_SLACK
        if unit:
            return Scale(white=1.0, note="float 0 to 1 scaled to 8 bits")
        return Scale(white=255.0, note="float 0 to 255 rounded to 8 bits")
    if bits is not None and largest < 2**bits:
        return Scale(white=float(2**bits - 1), note=f"{bits} bits (stated by the file) scaled to 8")
    if given is not None:
        if largest >= 2**given:
            raise ImageValuesError(
                f"expected values up to {2**given - 1}, as a bit depth of {given} was given, got "
                f"{int(largest)}",
                advice="Give the camera's bit depth, or none",
            )
        return Scale(white=float(2**given - 1), note=f"{given} bits (as given) scaled to 8")
    own = next(d for d in DEPTHS if largest < 2**d)
    depth = max(own, least)
    why = f"the fewest bits that hold the largest value, {int(largest)}"
    if depth > own:
        why = (
            f"which other files of this run need; {own} hold its own largest value, {int(largest)}"
        )
    return Scale(white=float(2**depth - 1), note=f"{_GUESSED}{depth}, {why}", guessed=depth)


def guessed_bits(notes: Sequence[str]) -> int | None:
    """The bit depth that was guessed for a picture, by its notes; ``None`` if none was."""
    for note in notes:
        found = re.match(_GUESSED + r"([0-9]+)", note)
        if found:
            return int(found[1])
    return None


def to_uint8(samples: Samples, scale: Scale) -> UInt8Array:
    """Grey samples to ``(H, W)`` uint8: ``round(255 v / white)``, halves up.

    Raises
    ------
    ImageValuesError
        If a value lies above ``scale.white`` (a plane that does not fit the rest of its file).
    """
    if samples.dtype == bool:
        return samples.astype(np.uint8) * np.uint8(255)
    if samples.dtype == np.uint8:
        return np.ascontiguousarray(samples)
    high = float(samples.max())
    if high > scale.white * (1 + _UNIT_SLACK):
        raise ImageValuesError(
            f"expected values up to {scale.white:g} as in the rest of the file, got {high:g}",
            advice="Store pictures of different scale in different files",
        )
    if samples.dtype.kind in "ui":
        table = np.arange(int(scale.white) + 1, dtype=np.float64) * (255.0 / scale.white)
        levels = np.floor(table + 0.5).astype(np.uint8)
        return np.asarray(levels[samples])
    scaled = samples.astype(np.float64) * (255.0 / scale.white)
    return np.asarray(np.floor(np.clip(scaled, 0.0, 255.0) + 0.5).astype(np.uint8))


def from_left_aligned(samples: Samples, significant: int) -> int:
    """Bits that 16-bit samples span when their file says ``significant`` bits are original.

    PNG's sBIT chunk says how many *high* bits carry the camera's values; the samples then span all
    16 bits. Some writers store the values in the *low* bits instead. The two differ whenever the
    picture has any content below: left-aligned values under ``2**significant`` have empty low
    bits.

    Returns
    -------
    int
        16, or ``significant`` for values stored in the low bits.
    """
    if not 0 < significant < 16 or samples.size == 0 or int(samples.max()) >= 2**significant:
        return 16
    low_bits = np.uint16(2 ** (16 - significant) - 1)
    return significant if bool((samples & low_bits).any()) else 16
