"""VISEM-Tracking and SVIA: frames of sperm videos with a box around each head.

V. Thambawita et al., "VISEM-Tracking, a human spermatozoa tracking dataset", Scientific Data 10
(2023) 260. A. Chen et al., "SVIA dataset: A new dataset of microscopic videos and images for
computer-aided sperm analysis", Biocybernetics and Biomedical Engineering 42 (2022) 204-214.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from PIL import Image

from androscope.datasets.located_types import (
    Box,
    BoxKind,
    LocatedFrame,
    LocatedFrames,
    Microscopy,
    Role,
)
from androscope.errors import DatasetCorruptError, DatasetMissingError
from androscope.imaging.find import natural_key
from androscope.imaging.opening import named_decoder_errors
from androscope.settings import Settings, load_settings

__all__ = ["LOCATED", "load_located", "parse_voc", "parse_yolo"]

#: VISEM-Tracking's classes by number.
_YOLO_KINDS: tuple[BoxKind, ...] = ("sperm", "cluster", "small-head")
_VOC_KINDS: Mapping[str, BoxKind] = {"S": "sperm", "Impurity": "impurity"}
#: Annotators' boxes may overshoot the frame by this much; what overshoots is cut off, px.
_SLACK_PX = 2.0


@dataclass(frozen=True, slots=True)
class _Published:
    name: str
    microscopy: Microscopy
    role: Role
    layout: Literal["yolo", "voc"]
    licence: str
    citation: str
    source: str

    def video_of(self, stem: str) -> str:
        # visem: 11_frame_140; svia: S_0001_0013
        return stem.split("_frame_")[0] if self.layout == "yolo" else stem.rpartition("_")[0]


LOCATED: Mapping[str, _Published] = {
    "visem": _Published(
        name="visem",
        microscopy="phase-contrast",
        role="any",
        layout="yolo",
        licence="CC BY 4.0",
        citation=(
            "V. Thambawita et al.: VISEM-Tracking, a human spermatozoa tracking dataset. "
            "Scientific Data 10 (2023) 260. doi:10.1038/s41597-023-02173-4"
        ),
        source="https://zenodo.org/records/7293726",
    ),
    "svia": _Published(
        name="svia",
        microscopy="bright-field",
        role="evaluation",
        layout="voc",
        licence="for any non-commercial research; unresolved",
        citation=(
            "A. Chen et al.: SVIA dataset: A new dataset of microscopic videos and images for "
            "computer-aided sperm analysis. Biocybernetics and Biomedical Engineering 42 (2022) "
            "204-214. doi:10.1016/j.bbe.2021.12.010"
        ),
        source="SVIA, Subset-A",
    ),
}


def load_located(name: str, *, settings: Settings | None = None) -> LocatedFrames:
    """Frames and boxes of a published set, as far as it is on this machine; pixels stay unread.

    Parameters
    ----------
    name
        ``"visem"`` or ``"svia"``: a folder with ``images/`` and ``labels/`` of that name, in the
        folder of the setting ``data`` or in that of downloads.
    settings
        Default: the environment's.

    Raises
    ------
    DatasetMissingError
        If there is no such folder, or no frame in it.
    DatasetCorruptError
        If a frame or its labels are missing, damaged or do not fit one another.
    ValueError
        For another name.
    """
    if name not in LOCATED:
        raise ValueError(f"expected {' or '.join(LOCATED)}, got {name!r}")
    published = LOCATED[name]
    settings = load_settings() if settings is None else settings
    roots = [root for root in (settings.data, settings.cache) if root is not None]
    folder = next((root / name for root in roots if (root / name / "images").is_dir()), None)
    paths = [] if folder is None else _images(folder)
    if folder is None or not paths:
        looked = ", ".join(str(root / name) for root in roots)
        raise DatasetMissingError(
            f"{name} is not on this machine (looked for images/ and labels/ in {looked})",
            advice=f"Set ANDROSCOPE_DATA to the folder that holds {name}/",
        )
    return LocatedFrames(
        name=name,
        frames=tuple(_frame(published, folder, path) for path in paths),
        microscopy=published.microscopy,
        role=published.role,
        licence=published.licence,
        citation=published.citation,
        source=published.source,
    )


def parse_yolo(text: str, width: int, height: int) -> tuple[Box, ...]:
    """Boxes of a YOLO label file: ``class x y width height`` a line, as shares of the frame.

    Raises
    ------
    ValueError
        Naming the line, for another number of fields, an unknown class or a box off the frame.
    """
    boxes = []
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        try:
            if len(fields) != 5:
                raise ValueError(f"expected class x y width height, got {len(fields)} fields")
            if not (fields[0].isdecimal() and int(fields[0]) < len(_YOLO_KINDS)):
                raise ValueError(f"expected a class 0 to {len(_YOLO_KINDS) - 1}, got {fields[0]}")
            x, y, w, h = (float(field) for field in fields[1:])
            edges = (
                (x - w / 2) * width,
                (y - h / 2) * height,
                (x + w / 2) * width,
                (y + h / 2) * height,
            )
            boxes.append(_box(edges, width, height, _YOLO_KINDS[int(fields[0])]))
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
    return tuple(boxes)


def parse_voc(text: str, width: int, height: int) -> tuple[Box, ...]:
    """Boxes of a Pascal VOC file; its corners are pixels, both included, counted from 1.

    Raises
    ------
    ValueError
        For malformed XML, entities, a frame of another size, an unknown name or a box off it.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("expected plain XML, got a document type or entities")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"malformed XML: {error}") from error
    stated = root.findtext("size/width"), root.findtext("size/height")
    if stated != (None, None) and stated != (str(width), str(height)):
        raise ValueError(f"made for {stated[0]} x {stated[1]} px, the frame is {width} x {height}")
    boxes = []
    for number, item in enumerate(root.iter("object"), start=1):
        try:
            name = (item.findtext("name") or "").strip()
            if name not in _VOC_KINDS:
                raise ValueError(f"expected a name of {', '.join(_VOC_KINDS)}, got {name!r}")
            corners = [item.findtext(f"bndbox/{k}") for k in ("xmin", "ymin", "xmax", "ymax")]
            x0, y0, x1, y1 = (float(corner or "nan") for corner in corners)
            boxes.append(_box((x0 - 1, y0 - 1, x1, y1), width, height, _VOC_KINDS[name]))
        except ValueError as error:
            raise ValueError(f"object {number}: {error}") from error
    return tuple(boxes)


def _box(edges: tuple[float, float, float, float], width: int, height: int, kind: BoxKind) -> Box:
    left, top, right, bottom = edges
    inside = (
        all(math.isfinite(edge) for edge in edges)
        and min(left, top) >= -_SLACK_PX
        and right <= width + _SLACK_PX
        and bottom <= height + _SLACK_PX
    )
    if not inside:
        shown = " ".join(f"{edge:g}" for edge in edges)
        raise ValueError(f"expected a box within {width} x {height} px, got {shown}")
    return Box(max(left, 0.0), max(top, 0.0), min(right, width), min(bottom, height), kind)


def _images(folder: Path) -> list[Path]:
    found = [p for p in (folder / "images").iterdir() if p.suffix in (".jpg", ".png")]
    return sorted(found, key=natural_key)


_PARSERS: Mapping[str, tuple[str, Callable[[str, int, int], tuple[Box, ...]]]] = {
    "yolo": (".txt", parse_yolo),
    "voc": (".xml", parse_voc),
}


def _frame(published: _Published, folder: Path, path: Path) -> LocatedFrame:
    suffix, parse = _PARSERS[published.layout]
    labels = folder / "labels" / f"{path.stem}{suffix}"
    advice = f"Copy {published.name} again"
    with named_decoder_errors(), Image.open(path) as image:
        size = image.size
    try:
        boxes = parse(labels.read_text(encoding="utf-8"), *size)
    except FileNotFoundError as error:
        raise DatasetCorruptError(
            f"the frame {path.name} has no labels", path=labels, advice=advice
        ) from error
    except ValueError as error:  # UnicodeDecodeError is one
        raise DatasetCorruptError(str(error), path=labels, advice=advice) from error
    return LocatedFrame(published.video_of(path.stem), path.stem, path, size, boxes)
