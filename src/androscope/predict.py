"""Images in, verdicts out: reading, cropping, the session and the rule, composed.

:func:`assess` is the one-line API. :class:`Grader` keeps a model at hand and can stream, for sets
of images whose crops would not fit into memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import get_args

import numpy as np

from androscope.assessment.conformal import cuts_of
from androscope.assessment.gathered import gathered, pixel_size_unused
from androscope.errors import ImageError
from androscope.graded import Graded, grade_batch
from androscope.imaging.crop import Fit, to_crop
from androscope.imaging.inputs import Images, Progress, read_inputs, sources_of
from androscope.imaging.read import failure_of
from androscope.model.bundle import load_bundle
from androscope.model.card import Card
from androscope.model.kept import kept_session
from androscope.model.saliency import BATCH, heat_maps
from androscope.settings import Backend, load_settings
from androscope.types import Assessment, Crop, Failure, FloatArray, GreyImage, Results

__all__ = ["Graded", "Grader", "Images", "Progress", "assess"]


def assess(
    images: Images,
    *,
    model: str | Path | None = None,
    pixel_size: float | None = None,
    bit_depth: int | None = None,
    fit: Fit = "auto",
    batch_size: int | None = None,
    threads: int | None = None,
    error_rate: float | None = None,
    grade_anyway: bool = False,
    keep_crops: bool = False,
    progress: Progress | None = None,
) -> Results:
    """Grade images of single sperm.

    Parameters
    ----------
    images
        A file, a folder, a pattern such as ``"day3/*.png"``, a list of these; an array ``(H, W)``,
        a stack ``(N, H, W)``, or a list of arrays. Arrays may be bool, integer or float, grey or
        with three colours behind.
    model
        A shipped name or a bundle's folder; default: the setting ``model``.
    pixel_size
        Micrometres per pixel of the images, where their files do not say so.
    bit_depth
        Bits of the camera's values, 8 to 16, where files of more than 8 do not say so; default: the
        setting ``bit_depth``, and ``None`` there: one guess for all images.
    fit
        How an image becomes the model's crop: see :func:`androscope.imaging.crop.to_crop`.
    batch_size, threads
        Crops per forward pass, and threads; default: the settings.
    error_rate
        The share of wrong verdicts, of truly normal and of truly abnormal parts, that is allowed,
        above 0 and at most 0.5: what cannot be decided so is *undecided*. Default: the setting
        ``error_rate``; ``None`` there: verdicts are by the thresholds.
    grade_anyway
        Grade crops that do not pass the checks of the model's card as well: their assessments
        carry the flags. Otherwise they are failures with the code ``refused``.
    keep_crops
        Keep the crops as they were graded, about 4 kB each, in ``Results.crops``.
    progress
        Called after each image with how many are done and how many there are.

    Returns
    -------
    Results
        Verdicts in the order of the input. An image that cannot be graded is in ``failures`` with
        the reason, and does not stop the others.

    Raises
    ------
    EmptyInputError
        If ``images`` names nothing, or folders without images only.
    InputError
        If it is of another kind than those above, such as ``None`` or numbers in lists.
    BundleError
        If there is no such model, it is not whole, or it has no conformal data and an error rate
        is asked for.
    ValueError
        If ``pixel_size``, ``bit_depth``, ``fit``, ``batch_size``, ``threads`` or ``error_rate`` is
        outside its range.

    Examples
    --------
    >>> import androscope
    >>> results = androscope.assess("crops/")  # doctest: +SKIP
    >>> results.assessments[0]["head"].verdict  # doctest: +SKIP
    <Verdict.NORMAL: 'normal'>
    """
    return Grader(model, threads=threads, error_rate=error_rate, grade_anyway=grade_anyway).assess(
        images, pixel_size=pixel_size, bit_depth=bit_depth, fit=fit,
        batch_size=batch_size, keep_crops=keep_crops, progress=progress,
    )  # fmt: skip


class Grader:
    """A model at hand. Making a second one for the same bundle costs reading and hashing it only.

    Parameters
    ----------
    model, threads, error_rate, grade_anyway
        As for :func:`assess`.
    backend
        What runs the network, ``"onnxruntime"`` or ``"openvino"``; default: the setting
        ``backend``.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        threads: int | None = None,
        error_rate: float | None = None,
        grade_anyway: bool = False,
        backend: Backend | None = None,
    ) -> None:
        settings = load_settings()
        threads = settings.threads if threads is None else threads
        if not 0 <= threads <= 1024:
            raise ValueError(f"threads must be between 0 and 1024, got {threads}")
        bundle = load_bundle(settings.model if model is None else model)
        self.error_rate = settings.error_rate if error_rate is None else error_rate
        self._cuts = cuts_of(bundle.card, self.error_rate)
        self.grade_anyway = grade_anyway
        self._session = kept_session(bundle, threads, backend or settings.backend)

    @property
    def card(self) -> Card:
        """The card of the model that grades."""
        return self._session.card

    def assess(
        self,
        images: Images,
        *,
        pixel_size: float | None = None,
        bit_depth: int | None = None,
        fit: Fit = "auto",
        batch_size: int | None = None,
        keep_crops: bool = False,
        progress: Progress | None = None,
    ) -> Results:
        """Grade images; see :func:`assess`."""
        stream = self.stream(
            images, pixel_size=pixel_size, bit_depth=bit_depth, fit=fit,
            batch_size=batch_size, progress=progress,
        )  # fmt: skip
        assessments: list[Assessment] = []
        failures: list[Failure] = []
        crops: list[Crop] = []
        for item in stream:
            if isinstance(item, Failure):
                failures.append(item)
                continue
            assessments.append(item.assessment)
            if keep_crops:
                crops.append(item.crop)
        return self.results(assessments, failures, crops, pixel_size=pixel_size)

    def results(
        self,
        assessments: Sequence[Assessment],
        failures: Sequence[Failure] = (),
        crops: Sequence[Crop] = (),
        *,
        pixel_size: float | None = None,
    ) -> Results:
        """Gather what :meth:`stream` gave, with the facts of the model that gave it."""
        return gathered(
            self.card,
            assessments,
            failures,
            crops,
            pixel_size=pixel_size,
            error_rate=self.error_rate,
            cuts=self._cuts,
            backend=self._session.backend,
        )

    def pixel_size_warning(self, pixel_size: float | None) -> str | None:
        """Say so if a pixel size was given and the model cannot use it."""
        return pixel_size_unused(self.card, pixel_size)

    def stream(
        self,
        images: Images,
        *,
        pixel_size: float | None = None,
        bit_depth: int | None = None,
        fit: Fit = "auto",
        batch_size: int | None = None,
        progress: Progress | None = None,
    ) -> Iterator[Graded | Failure]:
        """Grade images one batch at a time; memory does not grow with their number.

        Parameters
        ----------
        images, pixel_size, bit_depth, fit, batch_size, progress
            As for :func:`assess`.

        Yields
        ------
        Graded or Failure
            One for each image, in the order of the input.
        """
        settings = load_settings().with_bit_depth(bit_depth)
        batch_size = settings.batch_size if batch_size is None else batch_size
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        if fit not in get_args(Fit):
            raise ValueError(f"fit must be one of {', '.join(get_args(Fit))}, got {fit!r}")
        if pixel_size is not None and not (math.isfinite(pixel_size) and pixel_size > 0):
            raise ValueError(f"pixel_size must be above 0 um, got {pixel_size}")
        # Not a generator itself, so that a wrong argument raises here and not at the first image.
        pictures = read_inputs(sources_of(images), progress, settings=settings)
        return self._graded(pictures, pixel_size, fit, batch_size)

    def grade_images(
        self,
        images: Sequence[GreyImage],
        *,
        pixel_size: float | None = None,
        fit: Fit = "auto",
    ) -> Iterator[Graded | Failure]:
        """Grade pictures of single sperm that were read already, in one batch."""
        yield from self._grade([self._crop(image, pixel_size, fit) for image in images])

    def grade(self, crops: Sequence[Crop]) -> list[Graded | Failure]:
        """Grade crops that are in the model's geometry already, such as those cut from a field.

        A failure, with the code ``refused``, is a crop that did not pass the checks.
        """
        size = load_settings().batch_size
        graded: list[Graded | Failure] = []
        for start in range(0, len(crops), size):
            graded += self._grade(crops[start : start + size])
        return graded

    def explain(self, crops: Sequence[Crop]) -> FloatArray:
        """Map where the model looks in crops of its geometry.

        Returns
        -------
        array
            ``(N, L, S, S)`` float32; see :func:`androscope.model.saliency.heat_maps`.
        """
        size = self.card.input.size
        pixels = np.zeros((0, size, size), np.uint8)
        if crops:
            pixels = np.stack([crop.pixels for crop in crops])
        return heat_maps(
            lambda some: self._session.predict(some, batch_size=BATCH).probabilities, pixels
        )

    def _graded(
        self,
        images: Iterable[GreyImage | Failure],
        pixel_size: float | None,
        fit: Fit,
        batch_size: int,
    ) -> Iterator[Graded | Failure]:
        waiting: list[Crop | Failure] = []
        crops = 0
        for image in images:
            item = image if isinstance(image, Failure) else self._crop(image, pixel_size, fit)
            waiting.append(item)
            crops += isinstance(item, Crop)
            # The second bound is for a folder of nothing but failures.
            if crops == batch_size or len(waiting) >= 4 * batch_size:
                yield from self._grade(waiting)
                waiting, crops = [], 0
        yield from self._grade(waiting)

    def _crop(self, image: GreyImage, pixel_size: float | None, fit: Fit) -> Crop | Failure:
        wanted = self.card.input
        try:
            return to_crop(
                image,
                size=wanted.size,
                pixel_size_um=pixel_size,
                model_pixel_size_um=wanted.pixel_size_um,
                fit=fit,
            )
        except ImageError as error:
            return failure_of(error, image.source, image.index)

    def _grade(self, waiting: Sequence[Crop | Failure]) -> Iterator[Graded | Failure]:
        return grade_batch(self._session, waiting, cuts=self._cuts, grade_anyway=self.grade_anyway)
