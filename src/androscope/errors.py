"""Every error androscope raises on purpose, and nothing else.

Each says *what* was wrong (expected against got), *where* (the file, if there is one) and *what to
do* about it. The command line prints :func:`str` of them; the Python API raises them; a batch
records them beside the image and goes on. ``code`` is stable: docs/errors.md has a section for
each, and JSON and CSV outputs carry it.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

__all__ = [
    "AdaptError", "AndroscopeError", "BatchError", "BundleError", "BundleMismatchError",
    "ConfigError", "DataError", "DatasetCorruptError", "DatasetMissingError", "DatasetUseError",
    "DownloadError", "EmptyInputError", "ImageDimensionsError", "ImageError",
    "ImageUnreadableError", "ImageUnsupportedError", "ImageValuesError", "InputError",
    "LabelsError", "LeaderboardError", "MissingExtraError", "NothingFoundError", "OutputError",
    "RecordConflictError", "RecordExistsError", "RecordMissingError", "RecordsError",
    "RecordsNewerError", "RefusedError", "SampleError", "ServeError", "SettingsError",
    "SourceError", "SubmissionError", "TrainingError", "VerdictsError", "WeightsError",
]  # fmt: skip


class AndroscopeError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    reason
        What was wrong, with expected and got; one sentence without a trailing full stop.
    path
        The file or folder concerned, if any.
    advice
        What the reader can do about it.
    """

    code: ClassVar[str] = "error"

    def __init__(
        self, reason: str, *, path: str | Path | None = None, advice: str | None = None
    ) -> None:
        self.reason = reason
        self.path = None if path is None else str(path)
        self.advice = advice
        super().__init__(reason)

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are pickled by their positional arguments; ours are keywords, and a worker
        # process must be able to send an error home whole.
        return _rebuild, (type(self), self.reason, self.path, self.advice)

    def __str__(self) -> str:
        where = "" if self.path is None else f"{self.path}: "
        what_to_do = "" if not self.advice else f". {self.advice}"
        return f"{where}{self.reason}{what_to_do}"


def _rebuild(
    kind: type[AndroscopeError], reason: str, path: str | None, advice: str | None
) -> AndroscopeError:
    return kind(reason, path=path, advice=advice)


class SettingsError(AndroscopeError):
    """An ``ANDROSCOPE_*`` environment variable has a value that cannot be used."""

    code = "settings"


class MissingExtraError(AndroscopeError):
    """A heavy, optional dependency is not installed; the advice names the ``pip install``."""

    code = "missing-extra"


class OutputError(AndroscopeError):
    """A result file or folder could not be written."""

    code = "output"


class BatchError(AndroscopeError):
    """A long batch cannot begin or go on at its output; what was graded is kept."""

    code = "batch"


class SourceError(AndroscopeError):
    """A folder, archive or table of a long batch is damaged or gone; what was graded is kept."""

    code = "source"


class EmptyInputError(AndroscopeError):
    """What was given names no image at all."""

    code = "empty-input"


class InputError(AndroscopeError, TypeError):
    """What was given from Python is nothing that images can be read from."""

    code = "input"


class SampleError(AndroscopeError):
    """A folder is no sample, or does not say which image belongs to which replicate."""

    code = "sample"


class ImageError(AndroscopeError):
    """One image could not be used. A batch records it and goes on."""

    code = "image"


class ImageUnreadableError(ImageError):
    """The file is missing, empty, truncated or not an image."""

    code = "image-unreadable"


class ImageUnsupportedError(ImageError):
    """An image, but of a kind that is not graded (animation, CMYK, unknown layout)."""

    code = "image-unsupported"


class ImageDimensionsError(ImageError):
    """Too small, too elongated, too large for a crop, or a decompression bomb."""

    code = "image-dimensions"


class ImageValuesError(ImageError):
    """Pixel values that mean nothing: NaN, infinite, out of range or of a wrong type."""

    code = "image-values"


class RefusedError(ImageError):
    """An image that the model may not grade: it did not pass the checks of the model's card."""

    code = "refused"


class NothingFoundError(ImageError):
    """A field of view in which no sperm could be graded."""

    code = "nothing-found"


class BundleError(AndroscopeError):
    """A model bundle is missing, incomplete or malformed."""

    code = "bundle"


class BundleMismatchError(BundleError):
    """A card's hash, labels or shapes do not match its model."""

    code = "bundle-mismatch"


class DataError(AndroscopeError):
    """Base of errors in labelled data sets."""

    code = "data"


class DatasetMissingError(DataError):
    """A data set, or the part of it that was asked for, is not on this machine."""

    code = "dataset-missing"


class DatasetCorruptError(DataError):
    """A data set's file differs from the published one."""

    code = "dataset-corrupt"


class DatasetUseError(DataError):
    """A data set was asked for something that its role or licence rules out."""

    code = "dataset-use"


class DownloadError(DataError):
    """A download failed or came back different; what was there before is untouched."""

    code = "download"


class LabelsError(DataError):
    """Own labels hold bad rows; the message lists every one with its line number."""

    code = "labels"


class VerdictsError(DataError):
    """Observers' verdicts cannot be read, or not be matched; the message lists every one."""

    code = "verdicts"


class ConfigError(AndroscopeError):
    """A training configuration has an unknown key or a wrong value; names line and nearest."""

    code = "config"


class WeightsError(AndroscopeError):
    """Pretrained weights were asked for and are not to be had, or do not fit the backbone."""

    code = "weights"


class TrainingError(AndroscopeError):
    """A run cannot be started, resumed, evaluated or exported as asked."""

    code = "training"


class RecordsError(AndroscopeError):
    """Records cannot be opened, or a backup of them cannot be used."""

    code = "records"


class RecordsNewerError(RecordsError):
    """Records were written by a newer androscope, and are left as they are."""

    code = "records-newer"


class RecordMissingError(RecordsError):
    """There is no such sample, image, crop, report, user or token."""

    code = "record-missing"


class RecordExistsError(RecordsError):
    """There is one of that name, or an opinion that is never overwritten."""

    code = "record-exists"


class RecordConflictError(RecordsError):
    """Somebody else changed it meanwhile, or it is in no state for what was asked."""

    code = "record-conflict"


class ServeError(AndroscopeError):
    """The page cannot be served as asked: an address without users, or a port that is taken."""

    code = "serve"


class AdaptError(AndroscopeError):
    """A bundle cannot be adapted to these crops; the message lists every reason, with numbers."""

    code = "adapt"


class LeaderboardError(AndroscopeError):
    """The leaderboard's data file is missing or malformed, or holds nothing that was asked for."""

    code = "leaderboard"


class SubmissionError(LeaderboardError):
    """A predictions file is refused; the message lists every reason with its lines."""

    code = "submission"
