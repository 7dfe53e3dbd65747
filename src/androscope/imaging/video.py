"""Frames of a video as grey images, sampled evenly; what cannot be decoded is said.

PyAV, the bindings of FFmpeg that scientific Python uses, reads every AVI and MP4 a microscope's
software writes. It is the extra ``video``: 40 MB that crops and stills do not need.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from androscope.errors import ImageError, ImageUnreadableError, ImageUnsupportedError
from androscope.extras import require
from androscope.imaging.chroma import chroma_map
from androscope.imaging.opening import open_image_file
from androscope.imaging.raster import check_pixels
from androscope.imaging.read import failure_of
from androscope.settings import Settings, load_settings
from androscope.types import Failure, GreyImage

__all__ = ["EVENLY", "Sampling", "is_video", "read_video"]

_MATROSKA = b"\x1a\x45\xdf\xa3"


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames of a video are looked at.

    Attributes
    ----------
    per_second
        Frames a second. A sperm swims up to about 100 um a second: with ten it moves no further
        between two than two head lengths, so that it can be followed.
    most
        Frames at most, from the video's beginning.
    """

    per_second: float = 10.0
    most: int = 30

    def __post_init__(self) -> None:
        if not (math.isfinite(self.per_second) and self.per_second > 0 and self.most >= 1):
            raise ValueError(
                f"expected per_second above 0 and most of at least 1, got {self.per_second:g} and "
                f"{self.most}"
            )


#: What is looked at if nothing else is asked for.
EVENLY = Sampling()


def is_video(path: Path) -> bool:
    """Whether a file begins as a video does (AVI, MP4 or MOV, Matroska); False if unreadable."""
    try:
        with path.open("rb") as stream:
            head = stream.read(12)
    except (OSError, ValueError):
        return False
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return True
    # HEIC and AVIF pictures are boxes of the same kind, and say so.
    pictures = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis")
    return (head[4:8] == b"ftyp" and head[8:12] not in pictures) or head[:4] == _MATROSKA


def read_video(
    path: str | Path, sampling: Sampling = EVENLY, *, settings: Settings | None = None
) -> Iterator[GreyImage | Failure]:
    """Sampled frames of a video, in order of time.

    Parameters
    ----------
    path
        The file.
    sampling
        Which frames; default: ten a second, thirty at most.
    settings
        ``max_pixels`` counts; default: the environment's.

    Yields
    ------
    GreyImage or Failure
        Frames with ``index`` their number in the video, from 0. A file that cannot be opened gives
        one Failure; one that breaks off gives its frames, then a Failure that says where.

    Raises
    ------
    MissingExtraError
        Without PyAV.
    """
    settings = load_settings() if settings is None else settings
    av = require("av", extra="video", why="read videos")
    # FFmpeg prints what it finds odd; what matters comes as an exception.
    logging.getLogger("libav").addHandler(logging.NullHandler())
    name = str(path)
    try:
        open_image_file(Path(path)).close()
        with _opened(av, name) as container:
            yield from _frames(av, container, name, sampling, settings)
    except ImageError as error:
        yield failure_of(error, name)


def _opened(av: Any, name: str) -> Any:
    try:
        return av.open(name)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise ImageUnreadableError(
            f"truncated or damaged video ({_words(error)})",
            advice="Export or copy it again; an MP4 that was not closed has no index",
        ) from error


def _frames(
    av: Any, container: Any, name: str, sampling: Sampling, settings: Settings
) -> Iterator[GreyImage | Failure]:
    if not container.streams.video:
        raise ImageUnsupportedError("expected a video, got a file without pictures in it")
    stream = container.streams.video[0]
    check_pixels(int(stream.width), int(stream.height), settings.max_pixels)
    stream.thread_type = "AUTO"
    rate = stream.average_rate or Fraction(25)
    stride = max(1, round(float(rate) / sampling.per_second))
    given = number = 0
    try:
        for frame in container.decode(stream):
            if number % stride == 0:
                # A stream may change its size as it goes.
                check_pixels(int(frame.width), int(frame.height), settings.max_pixels)
                chroma = chroma_map(frame.to_ndarray(format="rgb24"))
                yield GreyImage(frame.to_ndarray(format="gray"), name, number, chroma=chroma)
                given += 1
            number += 1
            if given == sampling.most:
                return
    except av.error.FFmpegError as error:
        yield failure_of(_broken(number, int(stream.frames), _words(error)), name, number)
        return
    if number < int(stream.frames):
        yield failure_of(_broken(number, int(stream.frames), "the data end"), name, number)
    elif number == 0:
        raise ImageUnreadableError(
            "truncated or damaged video (not one frame could be decoded)",
            advice="Export or copy it again",
        )


def _broken(number: int, promised: int, detail: str) -> ImageUnreadableError:
    of = f" of {promised} that its header promises" if promised else ""
    return ImageUnreadableError(
        f"truncated or damaged after {number} frames{of} ({detail}); those before were used",
        advice="Export or copy it again",
    )


def _words(error: BaseException) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split())[:120]
