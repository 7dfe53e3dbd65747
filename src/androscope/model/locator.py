"""The locator's session: a field in, heads with their axes out; the learned way to find sperm.

The network (``androscope.learning.locator_network``) sees contrast at one head length and gives
maps of centres and axes; peaks of these become :class:`~androscope.imaging.located.Located`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from androscope.errors import BundleError, BundleMismatchError
from androscope.imaging.contrast import DETECTOR_PX, contrast_view
from androscope.imaging.crowded import mark_crowded
from androscope.imaging.filters import peaks
from androscope.imaging.located import Flag, Found, Located
from androscope.model.locator_bundle import LocatorBundle
from androscope.model.locator_card import LocatorCard
from androscope.model.polarity import middles, of_the_other_kind
from androscope.model.runtime import open_model
from androscope.types import FloatArray, UInt8Array

__all__ = [
    "CHANNELS",
    "CLASSES",
    "INPUT",
    "OUTPUT",
    "STRIDE",
    "Locator",
    "Peak",
    "flagged",
    "read_maps",
]

#: Names in the ONNX graph.
INPUT, OUTPUT = "contrast", "maps"

#: What centres are of, in the order of the network's maps.
CLASSES = ("sperm", "round", "debris")

#: View pixels per cell of the maps.
STRIDE = 4

#: Maps: one for each class, offset x and y, logarithms of length and width, direction twice.
CHANNELS = len(CLASSES) + 6

# Strips of a view have about so many pixels, and look so many rows beyond their edges: the network
# sees 102 px around.
_STRIP_PIXELS, _AROUND = 4_000_000, 112

# Peaks closer than this are one, cells: a head is 2.7 cells wide.
_APART = 1.3
#: A centre of another class this near is the same thing seen twice, cells.
_SAME = 2.0
#: Axes are believed within these factors of a normal head's length.
_SHORTEST, _LONGEST = 0.3, 3.0


@dataclass(frozen=True, slots=True)
class Peak:
    """One centre: its class, its place and axes in the view (px), its probability."""

    kind: str
    x: float
    y: float
    length: float
    width: float
    angle_deg: float
    score: float


def read_maps(maps: FloatArray, thresholds: Mapping[str, float]) -> list[Peak]:
    """Centres in maps ``(CHANNELS, h, w)``, the surest first, each thing once.

    Parameters
    ----------
    maps
        As the network gives them for one view.
    thresholds
        For each class, the probability from which a peak counts.
    """
    classes = len(CLASSES)
    found: list[Peak] = []
    for number, kind in enumerate(CLASSES):
        for x, y, score in peaks(maps[number], _APART, thresholds[kind]):
            column, row = round(x), round(y)
            dx, dy, length, width, cosine, sine = (
                float(value) for value in maps[classes:, row, column]
            )
            if kind != "sperm":
                dx, dy = x - column, y - row
            axes = sorted(
                DETECTOR_PX * float(np.clip(math.exp(axis), _SHORTEST, _LONGEST))
                for axis in (length, width)
            )
            found.append(
                Peak(
                    kind=kind,
                    x=(column + dx) * STRIDE + (STRIDE - 1) / 2,
                    y=(row + dy) * STRIDE + (STRIDE - 1) / 2,
                    length=axes[1],
                    width=axes[0],
                    angle_deg=math.degrees(math.atan2(sine, cosine)) / 2 % 180 % 180,
                    score=float(score),
                )
            )
    found.sort(key=lambda peak: -peak.score)
    kept: list[Peak] = []
    for peak in found:
        if not any(_one_thing(peak, other) for other in kept):
            kept.append(peak)
    return kept


def _one_thing(peak: Peak, other: Peak) -> bool:
    apart = _APART if peak.kind == other.kind else _SAME
    return math.hypot(peak.x - other.x, peak.y - other.y) < apart * STRIDE


def _of_one_kind(found: list[Peak], contrast: FloatArray) -> list[Peak]:
    """The same, sperm of the field's other kind as the debris that they are."""
    sperm = [peak for peak in found if peak.kind == "sperm"]
    contrasts = middles(contrast, [(peak.x, peak.y) for peak in sperm])
    odd = iter(of_the_other_kind(contrasts, [peak.score for peak in sperm]))
    return [
        replace(peak, kind="debris") if peak.kind == "sperm" and next(odd) else peak
        for peak in found
    ]


class Locator:
    """A locator made ready; calling it finds what is in a field. Safe from several threads.

    Parameters
    ----------
    bundle
        From :func:`~androscope.model.locator_bundle.load_locator`.
    threads
        Threads of one call; 0 leaves the choice to onnxruntime.

    Raises
    ------
    BundleError, BundleMismatchError
        If onnxruntime cannot load the model, or its names and types are others.
    """

    def __init__(self, bundle: LocatorBundle, *, threads: int = 0) -> None:
        self.card: LocatorCard = bundle.card
        path = bundle.folder / "model.onnx"
        if bundle.card.head_px != DETECTOR_PX:
            raise BundleMismatchError(
                f"looks at heads of {bundle.card.head_px:g} px, this version shows it such of "
                f"{DETECTOR_PX:g} px",
                path=path,
                advice="Train it anew with this version",
            )
        self._ort = open_model(bundle.model, path, threads=threads)
        got = [
            (node.name, node.type, len(node.shape))
            for node in (*self._ort.get_inputs(), *self._ort.get_outputs())
        ]
        expected = [(INPUT, "tensor(float)", 4), (OUTPUT, "tensor(float)", 4)]
        if got != expected:
            raise BundleMismatchError(
                f"is no locator's model: expected {expected}, got {got}", path=path
            )

    def __call__(self, pixels: UInt8Array, head_length: float) -> Found:
        """Find the sperm of a field, and what is none.

        Parameters
        ----------
        pixels
            ``(H, W)`` uint8.
        head_length
            How long a normal head is in it, px; above 3.

        Returns
        -------
        Found
            ``sign`` is 0: dark and bright heads are one to it; scores are probabilities.

        Raises
        ------
        ValueError
            If ``head_length`` is not above 3 px.
        """
        if not head_length > 3:
            raise ValueError(f"head_length must be above 3 px, got {head_length:g}")
        view = contrast_view(pixels, head_length)
        maps = self.maps(view.contrast)
        height, width = pixels.shape
        items = []
        for peak in _of_one_kind(read_maps(maps, self.card.thresholds), view.contrast):  # type: ignore[arg-type]
            x, y = view.in_field(peak.x, peak.y)
            if not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5):
                continue  # an offset may point just outside
            kind: frozenset[Flag] = (
                frozenset() if peak.kind == "sperm" else frozenset({peak.kind})  # type: ignore[arg-type]
            )
            scale = (view.scale[0] + view.scale[1]) / 2
            items.append(
                Located(
                    x, y, peak.length * scale, peak.width * scale, peak.angle_deg, peak.score, kind
                )
            )
        marked = mark_crowded(pixels, flagged(items, (width, height)), head_length)
        return Found(marked, head_length, 0, self.name)

    @property
    def name(self) -> str:
        """Name, version and hash, as reports have it."""
        card = self.card
        return f"{card.name} {card.version}, SHA-256 {card.model_sha256[:16]}..."

    def maps(self, contrast: FloatArray) -> FloatArray:
        """Maps ``(CHANNELS, h/4, w/4)`` of a view ``(h, w)``; sides are rounded up to eights.

        A high view is seen in strips, so that memory stays bounded; they overlap by more than the
        network looks around, and give the same maps.
        """
        height, width = contrast.shape
        padded = np.pad(contrast, ((0, -height % 8), (0, -width % 8)))
        strip = max(8, _STRIP_PIXELS // padded.shape[1] // 8 * 8)
        parts = []
        for top in range(0, len(padded), strip):
            above = min(top, _AROUND)
            part = padded[top - above : top + strip + _AROUND]
            (maps,) = self._ort.run([OUTPUT], {INPUT: np.ascontiguousarray(part)[None, None]})
            parts.append(maps[0][:, above // STRIDE : (above + strip) // STRIDE])
        result: FloatArray = np.concatenate(parts, axis=1)
        if not bool(np.isfinite(result).all()):
            raise BundleError(
                "the locator gave values that are no numbers",
                advice="The model is broken; do not use it",
            )
        return result


def flagged(items: Sequence[Located], size: tuple[int, int]) -> tuple[Located, ...]:
    """Mark heads that the frame of ``size`` (width, height) cuts, and those that touch another."""
    touching: set[int] = set()
    for a, first in enumerate(items):
        for b in range(a):
            second = items[b]
            if first.is_sperm and second.is_sperm and _touch(first, second):
                touching |= {a, b}
    result = []
    for number, item in enumerate(items):
        flags: set[Flag] = set(item.flags)
        left, top, right, bottom = item.box
        if left < 0 or top < 0 or right > size[0] or bottom > size[1]:
            flags.add("edge")
        if number in touching:
            flags.add("overlapping")
        result.append(replace(item, flags=frozenset(flags)))
    return tuple(result)


def _touch(a: Located, b: Located) -> bool:
    """Whether two heads' ellipses reach each other along the line between their centres."""
    gap = math.hypot(a.x - b.x, a.y - b.y)
    if gap > (a.length + b.length) / 2:
        return False
    way = math.atan2(-(b.y - a.y), b.x - a.x)
    return gap < _reach(a, way) + _reach(b, way)


def _reach(item: Located, way: float) -> float:
    turn = way - math.radians(item.angle_deg)
    long, short = item.length / 2, item.width / 2
    return long * short / math.hypot(short * math.cos(turn), long * math.sin(turn))
