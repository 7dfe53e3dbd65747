"""All that was found in a sample: its files, every sperm with its verdicts, and what was left out.

This is what a report is made from. It holds no path outside the sample's folder, and of a file
nothing but its name, its hash and what was seen in its pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from androscope.errors import RefusedError
from androscope.model.card import Card
from androscope.types import Assessment, Crop, Failure, Flag

__all__ = ["Findings", "Overlay", "SampleFile", "SampleFind"]


@dataclass(frozen=True, slots=True)
class SampleFile:
    """One file of a sample.

    Attributes
    ----------
    name
        Its path from the sample's folder on, with ``/`` between folders.
    replicate
        Of which it is.
    sha256
        Of its bytes; ``None`` if it could not be read at all.
    kinds
        What its pictures were taken for: ``field``, ``crop``, ``video``.
    pictures
        How many it holds that could be read.
    pixel_sizes_um, head_lengths
        As known, um/px, and length of a normal head in its fields, px; each value once.
    estimated
        Whether a head length among them was estimated.
    notes
        What a reader should know, each note once.
    """

    name: str
    replicate: str
    sha256: str | None
    kinds: tuple[str, ...] = ()
    pictures: int = 0
    pixel_sizes_um: tuple[float, ...] = ()
    head_lengths: tuple[float, ...] = ()
    estimated: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleFind:
    """One thing found: a sperm that was assessed, or what was left out and why.

    Attributes
    ----------
    file, replicate
        Where it is from: the file's name, and the replicate.
    name
        Of the picture, with the find's number in a field behind ``#``.
    place
        ``(x, y)`` in a field, px from the first pixel's centre; ``None`` for a crop.
    frame
        Of a video: the number of the frame, from 0, in which it is at this place.
    assessment
        Its verdicts, or ``None`` where it was left out.
    excluded
        Why it was left out, or ``None``.
    is_sperm
        Whether it counts as a sperm; debris and round cells do not.
    crop
        The pixels as graded, kept for the pictures; ``None`` where there are none.
    flags
        The checks that its crop did not pass, if that is why it was left out.
    advice
        What to do about that, if it is known.
    """

    file: str
    replicate: str
    name: str
    place: tuple[float, float] | None = None
    assessment: Assessment | None = None
    excluded: str | None = None
    is_sperm: bool = True
    crop: Crop | None = field(default=None, repr=False, compare=False)
    flags: tuple[Flag, ...] = ()
    frame: int | None = None
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class Overlay:
    """A field with what was found drawn on it: its name, and a JPEG file's bytes."""

    name: str
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Findings:
    """A sample, graded.

    Attributes
    ----------
    sample_id
        What the sample is called.
    card
        Of the model that graded.
    replicates
        Names, in order.
    files, finds, failures
        In the order of the input. A file or picture that could not be read is in ``failures``.
    overlays
        Of the first fields.
    fields
        How many fields and videos were looked at.
    copies
        Names of files that hold one picture, or pictures of one field, by what is seen in them and
        whatever their bytes; each group once.
    error_rate
        The share of wrong verdicts that was allowed; ``None``: verdicts are by the thresholds.
    abstains
        Whether a part could be left undecided; with an error rate it always can.
    notes
        What a reader should know of the folder as a whole.
    settings
        What the user said of the images, as text.
    """

    sample_id: str
    card: Card
    replicates: tuple[str, ...]
    files: tuple[SampleFile, ...]
    finds: tuple[SampleFind, ...]
    failures: tuple[Failure, ...] = ()
    overlays: tuple[Overlay, ...] = ()
    fields: int = 0
    copies: tuple[tuple[str, ...], ...] = ()
    error_rate: float | None = None
    abstains: bool = False
    notes: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.error_rate is not None and not self.abstains:
            object.__setattr__(self, "abstains", True)

    @property
    def assessed(self) -> Iterator[tuple[SampleFind, Assessment]]:
        """Each sperm that was assessed, with its verdicts."""
        for find in self.finds:
            if find.assessment is not None:
                yield find, find.assessment

    @property
    def not_used(self) -> tuple[Failure, ...]:
        """Images that were given and are not in the counts: unreadable, or refused as crops.

        What was left out of a field is no image that was given.
        """
        refused = (
            Failure(
                source=find.name,
                index=None,
                code=RefusedError.code,
                reason="; ".join(flag.reason for flag in find.flags) or str(find.excluded),
                advice=find.advice,
                flags=find.flags,
            )
            for find in self.finds
            if find.place is None and find.assessment is None
        )
        return (*self.failures, *refused)

    def of(self, replicate: str) -> list[Assessment]:
        """Verdicts on the sperm of one replicate."""
        return [verdicts for find, verdicts in self.assessed if find.replicate == replicate]
