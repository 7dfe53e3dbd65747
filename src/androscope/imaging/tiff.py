"""TIFF pages to :class:`~androscope.imaging.values.Plane`: tifffile first, Pillow where it must.

tifffile reads what microscopes write: 16-bit, colour, float, tiles, ImageJ and OME. Without its
large companion imagecodecs it lacks some compressions (LZW, JPEG, ...); Pillow's
libtiff reads those, except for 16-bit colour, of which it would keep the high bytes only.
"""

from __future__ import annotations

import logging
import zlib
from typing import Any, BinaryIO

import numpy as np

from androscope.errors import ImageUnreadableError, ImageUnsupportedError
from androscope.imaging.raster import TURNED, check_pixels, grey_or_rgb, turned
from androscope.imaging.tiff_axes import page_places
from androscope.imaging.tiff_tags import page_facts
from androscope.imaging.values import Plane, Samples

__all__ = ["TiffPlanes"]

# tifffile logs what it finds odd in a file; typed errors and notes say it here. The handler keeps
# Python from printing it to the terminal when the user has not set up logging.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_GREY, _WHITE_IS_ZERO, _RGB, _PALETTE = 1, 0, 2, 3
_DEFLATE = (8, 32946, 50013)
_CMYK = 5

#: Compressed strips above this are test-inflated piecewise before tifffile inflates them whole.
_SUSPECT_BYTES = 1 << 18


class TiffPlanes:
    """The pages of an open TIFF, decoded one by one when asked for.

    Parameters
    ----------
    stream
        Seekable binary stream; stays the caller's to close.
    max_pixels
        A page with more is refused on its header.
    """

    is_stack = False

    def __init__(self, stream: BinaryIO, *, max_pixels: int) -> None:
        # Here, so that a folder of PNG does not wait for it: a tenth of a cold start.
        import tifffile

        self._stream = stream
        self._max_pixels = max_pixels
        self._file = tifffile.TiffFile(stream)
        stream.seek(0, 2)
        self._size = stream.tell()
        # Reduced copies (thumbnails, pyramid levels) are the same picture again.
        every: list[Any] = list(self._file.pages)
        self._pages = [n for n, page in enumerate(every) if not page.is_reduced] or [0]
        self._block: Samples | None = None
        first = every[self._pages[0]]
        self.is_byte = all(every[n].dtype in (np.uint8, np.bool_) for n in self._pages)
        check_pixels(int(first.imagewidth), int(first.imagelength), max_pixels)
        if len(every) == 1:
            self._block = self._hidden_stack(first)
        self._places, note = page_places(self._file, len(self))
        self._notes = () if note is None else (note,)

    def __len__(self) -> int:
        return len(self._pages) if self._block is None else len(self._block)

    def _hidden_stack(self, first: Any) -> Samples | None:
        # ImageJ above 4 GB, and tifffile with truncate=True, write one header for many pictures.
        if not (self._file.is_imagej or self._file.is_shaped):
            return None
        series = self._file.series[0]
        count, rest = divmod(int(series.size), int(first.size))
        if count < 2 or rest or series.dataoffset is None:
            return None
        itemsize = np.dtype(series.dtype).itemsize
        self._check_range(int(series.dataoffset), int(series.size) * itemsize)
        stack = series.asarray(out="memmap")
        return np.asarray(stack).reshape((count, *first.asarray(squeeze=False).shape))

    def _check_range(self, offset: int, count: int) -> None:
        if offset <= 0 or count <= 0 or offset + count > self._size:
            raise ImageUnreadableError(
                f"its data should reach byte {offset + count:,}, the file ends at {self._size:,}",
                advice="The file is truncated: export or copy it again",
            )

    def _check_segments(self, page: Any) -> None:
        offsets, counts = page.dataoffsets, page.databytecounts
        if not offsets or len(offsets) != len(counts):
            raise ImageUnreadableError(
                "a page points to no pixel data", advice="Export or copy it again"
            )
        for offset, count in zip(offsets, counts, strict=True):
            self._check_range(int(offset), int(count))
            if int(page.compression) in _DEFLATE and count > _SUSPECT_BYTES:
                self._check_inflated(int(offset), int(count), int(page.nbytes))

    def _check_inflated(self, offset: int, count: int, limit: int) -> None:
        # A strip may not hold more than its page: 1 MB of deflate can inflate to 1 GB.
        inflate = zlib.decompressobj()
        self._stream.seek(offset)
        data, total = self._stream.read(count), 0
        while data and not inflate.eof:
            total += len(inflate.decompress(data, 1 << 20))
            data = inflate.unconsumed_tail
            if total > limit + (1 << 20):
                raise ImageUnreadableError(
                    f"a strip inflates to more than the {limit:,} bytes of its page; not decoded",
                    advice="The file is damaged or made to fill memory: export it again",
                )

    def load(self, index: int) -> Plane:
        """Decode one page.

        Raises
        ------
        ImageError
            Of the kind that fits. Decoders' own exceptions go through; the caller names them.
        """
        number = self._pages[0 if self._block is not None else index]
        page = self._file.pages[number].aspage()
        check_pixels(int(page.imagewidth), int(page.imagelength), self._max_pixels)
        if int(page.imagedepth) > 1:
            raise ImageUnsupportedError(
                f"expected flat pages, got a volume of {page.imagedepth} slices in one page",
                advice="Save each slice as a page of its own",
            )
        facts = page_facts(self._file, page)
        if self._block is not None:
            plane = _plane(self._block[index], page, facts.bits)
        else:
            plane = self._decode(page, number, facts.bits)
        return Plane(
            plane.samples,
            bits=plane.bits,
            pixel_size_um=facts.pixel_size_um,
            inverted=plane.inverted,
            notes=(*facts.notes, *plane.notes, *self._notes),
            place=self._places[index],
        )

    def _decode(self, page: Any, number: int, bits: int | None) -> Plane:
        if int(page.photometric) == _CMYK:
            raise ImageUnsupportedError(
                "expected grey or RGB, got CMYK colour",
                advice="Convert it to grey or RGB where it was made, and save it again",
            )
        self._check_segments(page)
        try:
            if int(page.photometric) > _PALETTE:
                raise NotImplementedError(f"photometric interpretation {page.photometric}")
            shaped = page.asarray(squeeze=False, maxworkers=1)
        except Exception as error:
            if not isinstance(error, ImportError | NotImplementedError) and (
                "imagecodecs" not in str(error)
            ):
                raise
            return self._decode_with_pillow(page, number, error)
        return _plane(shaped, page, bits)

    def _decode_with_pillow(self, page: Any, number: int, reason: Exception) -> Plane:
        from PIL.TiffImagePlugin import TiffImageFile

        kind = f"{_name(page.compression)} compression, {page.bitspersample} bits"
        if int(page.samplesperpixel) > 1 and int(page.bitspersample) > 8:
            raise ImageUnsupportedError(
                f"16-bit colour with {_name(page.compression)} compression is not read",
                advice="Save it uncompressed or with Deflate, or run: pip install imagecodecs",
            ) from reason
        self._stream.seek(0)
        try:
            image = TiffImageFile(self._stream)
            image.seek(number)
            check_pixels(*image.size, self._max_pixels)
            image.load()
        except (SyntaxError, KeyError, TypeError, NotImplementedError) as error:
            raise ImageUnsupportedError(
                f"a TIFF of a kind that is not read ({kind})",
                advice="Save it uncompressed or with Deflate as 8- or 16-bit grey or RGB",
            ) from error
        samples, notes = grey_or_rgb(image)
        # Pillow has turned and, for 8 bits, inverted it already.
        wide = image.mode.startswith("I;16")
        inverted = wide and int(page.photometric) == _WHITE_IS_ZERO
        if page.tags.valueof(274, default=1) in range(2, 9):
            notes += (TURNED,)
        bits = int(page.bitspersample) if wide and int(page.bitspersample) < 16 else None
        return Plane(samples, bits=bits, inverted=inverted, notes=notes)


def _name(compression: Any) -> str:
    return str(getattr(compression, "name", compression))


def _plane(shaped: Samples, page: Any, bits: int | None) -> Plane:
    # shaped: (separate planes, depth, H, W, contiguous samples)
    separate, _, height, width, contiguous = shaped.shape
    samples = shaped[:, 0].transpose(1, 2, 0, 3).reshape(height, width, separate * contiguous)
    channels, photometric = samples.shape[2], int(page.photometric)
    extras = [int(extra) for extra in page.extrasamples]
    notes: tuple[str, ...] = ()
    if photometric == _PALETTE and page.colormap is not None:
        # Entries are 16-bit by the standard; some writers store 8-bit ones.
        table = np.asarray(page.colormap).T
        samples = table[samples[:, :, 0]]
        samples = (samples >> 8 if table.max() > 255 else samples).astype(np.uint8)
        return Plane(samples, notes=notes)
    colours = 3 if photometric == _RGB else 1
    if channels > colours:
        if len(extras) != channels - colours or any(extra not in (1, 2) for extra in extras):
            raise ImageUnsupportedError(
                f"expected grey or RGB, got {channels} channels",
                advice="Save the bright-field channel alone",
            )
        notes = ("transparency ignored",)
    samples = samples[:, :, :3] if colours == 3 else samples[:, :, 0]
    if samples.dtype == np.uint8 and int(page.bitspersample) < 8:
        samples = (samples * (255 // (2 ** int(page.bitspersample) - 1))).astype(np.uint8)
    samples, turn = turned(samples, page.tags.valueof(274, default=1))
    if bits is None and 8 < int(page.bitspersample) < 16:
        bits = int(page.bitspersample)
    return Plane(samples, bits=bits, inverted=photometric == _WHITE_IS_ZERO, notes=notes + turn)
