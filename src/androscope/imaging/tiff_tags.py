"""What a TIFF says about its pixels: their size and how many of their bits mean something."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from androscope.imaging.pixel_size import Stated, stated_size

__all__ = ["PageFacts", "length_in_um", "ome_facts", "ome_pixels", "page_facts"]

_MICROMANAGER = 51123
_MAX_SAMPLE_VALUE = 281
#: As Bio-Formats and Micro-Manager leave it among the words that ImageJ keeps of a file.
_BITS_IN_WORDS = re.compile(
    r"\b(?:SignificantBits|BitDepth|BitsPerPixel)\b\"?\s*[=:]\s*\"?([0-9]{1,2})\b"
)
_UNITS_UM = {
    "nm": 1e-3,
    "nanometer": 1e-3,
    "um": 1.0,
    "µm": 1.0,
    "μm": 1.0,
    "\\u00b5m": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "micrometers": 1.0,
    "mm": 1e3,
    "cm": 1e4,
    "m": 1e6,
    "inch": 25_400.0,
    "in": 25_400.0,
    "å": 1e-4,
}
_RESOLUTION_UNITS_UM = {2: 25_400.0, 3: 10_000.0, 4: 1_000.0, 5: 1.0}


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What the tags say: ``pixel_size_um`` in um/px and significant ``bits``; ``None`` unknown.

    ``notes`` tell of pixel sizes that are not believed.
    """

    pixel_size_um: float | None = None
    bits: int | None = None
    notes: tuple[str, ...] = ()


def length_in_um(value: float, unit: str) -> float | None:
    """A length with the unit's name as OME or ImageJ writes it, in um; ``None`` if unknown."""
    factor = _UNITS_UM.get(unit.strip().lower())
    return None if factor is None else value * factor


def ome_facts(xml: str) -> PageFacts:
    """Pixel size and significant bits of an OME-XML header.

    Files with several images count only where all agree.
    """
    sizes: set[Stated] = set()
    depths: set[int | None] = set()
    for pixels in ome_pixels(xml):
        sizes.add(_ome_size(pixels.attrib))
        bits = pixels.attrib.get("SignificantBits", "")
        depths.add(int(bits) if re.fullmatch(r"[0-9]{1,2}", bits) else None)
    notes = tuple(note for size in sizes for note in size.notes)
    return PageFacts(
        pixel_size_um=sizes.pop().um if len(sizes) == 1 else None,
        bits=_plausible_bits(depths.pop()) if len(depths) == 1 else None,
        notes=notes,
    )


def ome_pixels(xml: str) -> list[ElementTree.Element]:
    """The ``Pixels`` elements of an OME-XML header, one for each image.

    Malformed XML, and XML that defines entities, has none.
    """
    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        return []
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return []
    return [found for found in root.iter() if found.tag.rpartition("}")[2] == "Pixels"]


def _ome_size(attributes: dict[str, str]) -> Stated:
    lengths = []
    for axis in "XY":
        try:
            value = float(attributes[f"PhysicalSize{axis}"])
        except (KeyError, ValueError):
            return Stated()
        length = length_in_um(value, attributes.get(f"PhysicalSize{axis}Unit", "µm"))
        if length is None:
            return Stated()
        lengths.append(length)
    return stated_size(*lengths)


def _plausible_bits(bits: object) -> int | None:
    # 16 is what writers put when they only know the container; it says nothing of the camera.
    return bits if isinstance(bits, int) and 8 < bits < 16 else None


def page_facts(file: Any, page: Any) -> PageFacts:
    """Pixel size and significant bits of one tifffile page.

    OME-XML is believed first, then Micro-Manager's and ImageJ's own, then the resolution tags and
    ``MaxSampleValue``, each only if it can be a microscope's. ImageJ's ``max`` is no statement of
    depth: it is how bright the picture was shown.
    """
    size: float | None = None
    bits: int | None = None
    notes: tuple[str, ...] = ()
    if file.is_ome and isinstance(file.ome_metadata, str):
        facts = ome_facts(file.ome_metadata)
        size, bits, notes = facts.pixel_size_um, facts.bits, facts.notes
    micromanager = page.tags.valueof(_MICROMANAGER, default=None)
    if isinstance(micromanager, str | bytes):
        try:
            micromanager = json.loads(micromanager)
        except ValueError:
            micromanager = None
    if isinstance(micromanager, dict):
        bits = bits or _plausible_bits(micromanager.get("BitDepth"))
        um = micromanager.get("PixelSizeUm")
        # 0 is what Micro-Manager writes where nobody calibrated it.
        if size is None and isinstance(um, int | float) and um != 0:
            said = stated_size(float(um), float(um))
            size, notes = said.um, notes + said.notes
    if size is None:
        said = _resolution_size(file, page)
        size, notes = said.um, notes + said.notes
    bits = bits or _bits_in_words(file) or _bits_of_largest(page)
    return PageFacts(pixel_size_um=size, bits=bits, notes=tuple(dict.fromkeys(notes)))


def _bits_in_words(file: Any) -> int | None:
    words = (file.imagej_metadata or {}).get("Info") if file.is_imagej else None
    said = set(_BITS_IN_WORDS.findall(words)) if isinstance(words, str) else set()
    return _plausible_bits(int(said.pop())) if len(said) == 1 else None


def _bits_of_largest(page: Any) -> int | None:
    # By the standard the largest value used; a camera's writer puts the largest there can be, which
    # is 2**bits - 1.
    value = page.tags.valueof(_MAX_SAMPLE_VALUE, default=None)
    value = value[0] if isinstance(value, tuple) and value else value
    if not isinstance(value, int) or value < 1 or value & (value + 1):
        return None
    return _plausible_bits(value.bit_length())


def _resolution_size(file: Any, page: Any) -> Stated:
    per_unit = []
    for code in (282, 283):
        value = page.tags.valueof(code, default=None)
        if not isinstance(value, tuple) or len(value) != 2 or not value[0] or not value[1]:
            return Stated()
        per_unit.append(value[0] / value[1])
    if file.is_imagej:
        unit = (file.imagej_metadata or {}).get("unit")
        lengths = [length_in_um(1 / n, str(unit)) for n in per_unit]
        if lengths[0] is not None and lengths[1] is not None:
            return stated_size(lengths[0], lengths[1])
        return Stated()
    factor = _RESOLUTION_UNITS_UM.get(int(page.tags.valueof(296, default=2) or 0))
    return Stated() if factor is None else stated_size(*(factor / n for n in per_unit))
