"""The model's opinion as it is kept: canonical JSON, with the hash of the crop's picture in it."""

from __future__ import annotations

import io
import math
from dataclasses import asdict
from typing import Any

import numpy as np
from PIL import Image as Pillow

from androscope.records.chain import canonical, digest
from androscope.records.types import Find
from androscope.types import Flag, PartVerdict, UInt8Array, Verdict

__all__ = ["crop_sha256", "decode_png", "encode_png", "from_opinion", "to_opinion"]

_PLACE = ("x", "y", "length", "width", "angle_deg")


def encode_png(pixels: UInt8Array) -> bytes:
    """Give ``(H, W)`` uint8 as a grey PNG of nothing but pixels."""
    if pixels.ndim != 2 or pixels.dtype != np.uint8:
        raise ValueError(f"expected (H, W) uint8, got {pixels.shape} {pixels.dtype}")
    stream = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(pixels)).save(stream, "PNG", compress_level=6)
    return stream.getvalue()


def decode_png(png: bytes) -> UInt8Array:
    """Give back what :func:`encode_png` was given."""
    with Pillow.open(io.BytesIO(png), formats=["PNG"]) as picture:
        return np.array(picture, dtype=np.uint8)


def to_opinion(find: Find, png: bytes | None) -> dict[str, Any]:
    """Give all of a find but its pixels, of which the PNG's hash stays."""
    return {
        "place": {name: _number(getattr(find, name)) for name in _PLACE},
        "parts": [
            {
                "label": part.label,
                "probability": float(part.probability),
                "threshold": float(part.threshold),
                "verdict": part.verdict.value,
            }
            for part in find.parts
        ],
        "flags": [
            {**asdict(flag), "value": _number(flag.value), "limit": _number(flag.limit)}
            for flag in find.flags
        ],
        "notes": list(find.notes),
        "excluded": find.excluded,
        "is_sperm": find.is_sperm,
        "png": None if png is None else digest(png),
    }


def from_opinion(opinion: Any) -> Find:
    """Give the find back, without its pixels."""
    return Find(
        **opinion["place"],
        parts=tuple(
            PartVerdict(p["label"], p["probability"], p["threshold"], Verdict(p["verdict"]))
            for p in opinion["parts"]
        ),
        flags=tuple(
            Flag(**{**flag, "value": _back(flag["value"]), "limit": _back(flag["limit"])})
            for flag in opinion["flags"]
        ),
        notes=tuple(opinion["notes"]),
        excluded=opinion["excluded"],
        is_sperm=opinion["is_sperm"],
    )


def crop_sha256(image_sha256: str, number: int, opinion: str) -> str:
    """Hash of a crop: which picture, which number in it, and the opinion as kept."""
    return digest(canonical({"image": image_sha256, "number": number, "opinion": opinion}))


def _number(value: float | None) -> float | None:
    """Give a number as JSON can hold it; what is not finite is null."""
    return None if value is None or not math.isfinite(value) else float(value)


def _back(value: float | None) -> float:
    return math.nan if value is None else value
