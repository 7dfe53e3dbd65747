"""Frames of a video as grey images, dense enough to follow sperm; what cannot be decoded is said.

PyAV, the bindings of FFmpeg that scientific Python uses, reads every AVI and MP4 a microscope's
software writes. It is the extra ``video``: 40 MB that crops and stills do not need.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
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

__all__ = ["EVENLY", "Sampling", "VideoFrame", "is_video", "read_video"]

_MATROSKA = b"\x1a\x45\xdf\xa3"


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames of a video are looked at.

    Attributes
    ----------
    per_second
        Frames a second, at least, if the video has so many. With 25 the fastest sperm moves a head
        and a half between two, and can be followed.
    seconds
        Length of a stretch. Who comes in and leaves meanwhile counts by its speed, so it is short.
    every
        Seconds from the beginning of a stretch to that of the next; ``None``: one stretch alone,
        from the video's beginning.
    """

    per_second: float = 25.0
    seconds: float = 1.0
    every: float | None = None

    def __post_init__(self) -> None:
        for name in ("per_second", "seconds"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"expected {name} above 0, got {value:g}")
        if self.every is not None and not self.seconds <= self.every < math.inf:
            raise ValueError(
                f"expected every of at least a stretch's {self.seconds:g} s, got {self.every:g}"
            )


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """A frame that is looked at.

    Attributes
    ----------
    image
        The frame; its ``index`` is its number in the video, from 0.
    rate
        Frames a second of those that are looked at.
    stretch
        Which stretch it is of, from 0.
    of
        How many frames the video has by its header; ``None`` if that does not say.
    """

    image: GreyImage
    rate: float
    stretch: int = 0
    of: int | None = None


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
) -> Iterator[VideoFrame | Failure]:
    """Sampled frames of a video, in order of time.

    Parameters
    ----------
    path
        The file.
    sampling
        Which frames; default: the first second, at least 25 frames of it if there are so many.
    settings
        ``max_pixels`` counts; default: the environment's.

    Yields
    ------
    VideoFrame or Failure
        A file that cannot be opened gives one Failure; one that breaks off gives its frames, then a
        Failure that says where.

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
) -> Iterator[VideoFrame | Failure]:
    if not container.streams.video:
        raise ImageUnsupportedError("expected a video, got a file without pictures in it")
    stream = container.streams.video[0]
    check_pixels(int(stream.width), int(stream.height), settings.max_pixels)
    stream.thread_type = "AUTO"
    rate = float(stream.average_rate or stream.guessed_rate or 25)
    # Rounded down: a frame too many costs time, one too few loses sperm.
    stride = max(1, math.floor(rate / sampling.per_second))
    promised = int(stream.frames)
    number = 0
    try:
        for frame in container.decode(stream):
            stretch, within = _stretch(number, rate, sampling)
            if stretch and sampling.every is None:
                return
            if within is not None and within % stride == 0:
                # A stream may change its size as it goes.
                check_pixels(int(frame.width), int(frame.height), settings.max_pixels)
                chroma = chroma_map(frame.to_ndarray(format="rgb24"))
                image = GreyImage(frame.to_ndarray(format="gray"), name, number, chroma=chroma)
                yield VideoFrame(image, rate / stride, stretch, promised or None)
            number += 1
    except av.error.FFmpegError as error:
        yield failure_of(_broken(number, promised, _words(error)), name, number)
        return
    if number < promised:
        yield failure_of(_broken(number, promised, "the data end"), name, number)
    elif number == 0:
        raise ImageUnreadableError(
            "truncated or damaged video (not one frame could be decoded)",
            advice="Export or copy it again",
        )


def _stretch(number: int, rate: float, sampling: Sampling) -> tuple[int, int | None]:
    """Which stretch a frame is of, or behind, and its number in it; ``None`` between stretches."""
    length = max(1, round(sampling.seconds * rate))
    every = length if sampling.every is None else max(length, round(sampling.every * rate))
    stretch, within = divmod(number, every)
    return stretch, within if within < length else None


def _broken(number: int, promised: int, detail: str) -> ImageUnreadableError:
    of = f" of {promised} that its header promises" if promised else ""
    return ImageUnreadableError(
        f"truncated or damaged after {number} frames{of} ({detail}); those before were used",
        advice="Export or copy it again",
    )


def _words(error: BaseException) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split())[:120]
