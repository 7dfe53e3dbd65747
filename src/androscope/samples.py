"""A sample's folder in, everything found in it graded: what ``androscope report`` is made from."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from androscope.assessment.field import GradedField
from androscope.assessment.findings import Findings, Overlay, SampleFile, SampleFind
from androscope.assessment.gate import blank_flag, checks_text
from androscope.errors import ImageError
from androscope.fields import (
    FieldOptions,
    default_finder,
    grade_fields,
    is_field,
    locate_and_grade,
)
from androscope.files import sha256_of
from androscope.imaging.crop import to_crop
from androscope.imaging.depth import guessed_depth
from androscope.imaging.inputs import Progress
from androscope.imaging.likeness import Look, copies, look_of
from androscope.imaging.one_field import one_per_field
from androscope.imaging.pixel_size import believed
from androscope.imaging.read import failure_of, read_images
from androscope.imaging.sample_folder import SampleFolder, find_sample
from androscope.imaging.shared_scale import AHEAD, SharedScale
from androscope.imaging.video import is_video
from androscope.predict import Graded, Grader
from androscope.report.sample.pictures import OVERLAYS, draw_field
from androscope.report.sample.view_types import counted
from androscope.sample_names import renamed, shown_name, without_details
from androscope.settings import Settings, load_settings
from androscope.types import Crop, Failure, GreyImage

__all__ = ["TakenAs", "grade_sample"]

#: What pictures are taken for: crops of one sperm, fields with many, or either, by their size.
TakenAs = Literal["by size", "crops", "fields"]


def grade_sample(
    folder: str | Path | SampleFolder,
    grader: Grader,
    options: FieldOptions | None = None,
    *,
    sample_id: str | None = None,
    rules: Mapping[str, str] | None = None,
    taken_as: TakenAs = "by size",
    progress: Progress | None = None,
) -> Findings:
    """Grade a sample.

    Parameters
    ----------
    folder, rules
        As for :func:`~androscope.imaging.sample_folder.find_sample`, or what it gave.
    grader, options
        As for :func:`~androscope.fields.grade_fields`; the pixel size is that of crops too. With
        the grader's error rate, parts may be left undecided.
    sample_id
        What the sample is called; default: the folder's name.
    taken_as
        By size as :func:`~androscope.imaging.crop.looks_like_field` has it; videos are fields, and
        refused among crops.
    progress
        Called after each file with how many are done and how many there are.

    Raises
    ------
    SampleError, EmptyInputError
        As :func:`~androscope.imaging.sample_folder.find_sample` does.
    MissingExtraError
        For a video, without PyAV.
    """
    found = folder if isinstance(folder, SampleFolder) else find_sample(folder, rules)
    options = options or FieldOptions()
    options = replace(options, find=options.find or default_finder())
    settings = load_settings().with_bit_depth(options.bit_depth)
    reader = _Reader(grader, options, taken_as, settings, guessed_depth(found.paths, settings))
    done = 0
    for replicate in found.replicates:
        named = {
            path: shown_name(path.relative_to(found.folder).as_posix()) for path in replicate.paths
        }
        reader.look(named)
        for path, name in named.items():
            reader.read(path, name, replicate.name)
            done += 1
            if progress:
                progress(done, len(found.paths))
    left_out = f"{found.repeated} further names of the same files (links) were left out"
    return Findings(
        sample_id=shown_name(found.folder.resolve().name if sample_id is None else sample_id),
        card=grader.card,
        replicates=tuple(replicate.name for replicate in found.replicates),
        files=tuple(reader.files),
        finds=reader.graded(),
        failures=tuple(reader.failures),
        overlays=tuple(reader.overlays),
        fields=reader.fields,
        copies=copies(reader.looks),
        error_rate=grader.error_rate,
        notes=(left_out,) if found.repeated else (),
        settings=_settings(options, taken_as, reader.located_by),
    )


def _settings(
    options: FieldOptions, taken_as: TakenAs, located_by: Mapping[str, int]
) -> dict[str, str]:
    how = "crops or fields, by size" if taken_as == "by size" else str(taken_as)
    settings = {"images taken as": how}
    given = (
        ("pixel size given", options.pixel_size_um, "um"),
        ("head length given", options.head_length, "px"),
        ("bit depth given", options.bit_depth, "bits"),
        ("a field of view of videos every", options.sampling.every, "s"),
    )
    settings |= {name: f"{value:g} {unit}" for name, value, unit in given if value is not None}
    if located_by:
        # Which of several ways is taken depends on the field (`--locator auto`).
        alone = len(located_by) == 1
        settings["sperm located by"] = "; ".join(
            name if alone else f"{name} ({counted(count, 'field')})"
            for name, count in sorted(located_by.items())
        )
    return settings


@dataclass(slots=True)
class _Notes:
    """What is gathered of one file while it is read."""

    kinds: dict[str, None] = field(default_factory=dict)
    pictures: int = 0
    pixel_sizes: dict[float, None] = field(default_factory=dict)
    head_lengths: dict[float, None] = field(default_factory=dict)
    estimated: bool = False
    notes: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Reader:
    grader: Grader
    options: FieldOptions
    taken_as: TakenAs
    settings: Settings
    least: int
    looks: list[Look] = field(default_factory=list)
    files: list[SampleFile] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    overlays: list[Overlay] = field(default_factory=list)
    fields: int = 0
    located_by: dict[str, int] = field(default_factory=dict)
    _scales: SharedScale = field(default_factory=SharedScale)
    _finds: list[SampleFind] = field(default_factory=list)

    def look(self, named: Mapping[Path, str]) -> None:
        """Learn the scale of a replicate from its first fields, before any is graded."""
        known = self.options
        self._scales = SharedScale(pixel_size_um=known.pixel_size_um, head_length=known.head_length)
        if self.taken_as == "crops":
            return
        pictures = itertools.chain.from_iterable(
            read_images(path, name=name, settings=self.settings, least_bits=self.least)
            for path, name in named.items()
            if not is_video(path)
        )
        # A few pictures are read twice, which costs less than keeping them.
        for picture in itertools.islice(pictures, AHEAD):
            if isinstance(picture, GreyImage) and self._is_field(picture):
                self._scales.look(picture)

    def read(self, path: Path, name: str, replicate: str) -> None:
        """Read a file; fields are graded here, crops wait for :meth:`graded`."""
        seen = _Notes()
        try:
            sha256 = sha256_of(path)
        except OSError:
            sha256 = None  # Reading it will say why.
        for picture in self._pictures(path, name):
            if isinstance(picture, Failure):
                self.failures.append(without_details(picture))
                continue
            seen.pictures += 1
            if isinstance(picture, GradedField):
                self._field(picture, name, replicate, seen, kind="video")
                continue
            is_one = self._is_field(picture)
            self.looks.append(Look(name, look_of(picture.pixels), is_one))
            if is_one:
                scale = self._scales.of(picture)
                graded = locate_and_grade(picture, self.grader, self.options, scale=scale)
                self._field(graded, name, replicate, seen, kind="field")
            else:
                self._crop(picture, name, replicate, seen)
        self.files.append(
            SampleFile(
                name, replicate, sha256, tuple(seen.kinds), seen.pictures,
                tuple(seen.pixel_sizes), tuple(seen.head_lengths), seen.estimated,
                tuple(seen.notes),
            )
        )  # fmt: skip

    def graded(self) -> tuple[SampleFind, ...]:
        """Everything found, the crops graded now."""
        waiting = [f.crop for f in self._finds if f.assessment is None and f.crop is not None]
        graded = iter(self.grader.grade(waiting))
        return tuple(
            _with(find, next(graded)) if find.assessment is None and find.crop is not None else find
            for find in self._finds
        )

    def _pictures(self, path: Path, name: str) -> Iterator[GreyImage | GradedField | Failure]:
        if self.taken_as == "crops" or not is_video(path):
            pictures = read_images(path, name=name, settings=self.settings, least_bits=self.least)
            yield from one_per_field(pictures, self._is_field)
            return
        for item in grade_fields([path], self.grader, self.options):
            if isinstance(item, Failure):
                yield replace(item, source=renamed(item.source, path, name))
            else:
                yield replace(item, field=replace(item.field, source=name))

    def _is_field(self, picture: GreyImage) -> bool:
        fields = None if self.taken_as == "by size" else self.taken_as == "fields"
        return is_field(picture, self.grader, self.options, "auto", fields)

    def _field(
        self, graded: GradedField, file: str, replicate: str, seen: _Notes, *, kind: str
    ) -> None:
        seen.kinds[kind] = None
        self.fields += 1
        by = graded.field.located_by
        if by is not None:
            self.located_by[by] = self.located_by.get(by, 0) + 1
        if len(self.overlays) < OVERLAYS:
            drawn = draw_field(graded, graded.field.name)
            self.overlays += [] if drawn is None else [drawn]
        scale = graded.field.scale
        if scale is not None:
            seen.head_lengths[round(scale.head_length, 2)] = None
            seen.estimated |= scale.origin == "estimated"
            if scale.pixel_size_um is not None:
                seen.pixel_sizes[float(f"{scale.pixel_size_um:.4g}")] = None
        seen.notes.update(dict.fromkeys(graded.field.notes))
        for number, (item, verdicts) in enumerate(
            zip(graded.field.items, graded.assessments, strict=True), start=1
        ):
            index = graded.field.index_of(item)
            picture = graded.field.source if index is None else f"{graded.field.source}[{index}]"
            self._finds.append(
                SampleFind(
                    file=file,
                    replicate=replicate,
                    name=f"{picture}#{number}",
                    frame=item.frame,
                    place=(item.located.x, item.located.y),
                    assessment=verdicts,
                    excluded=item.excluded,
                    is_sperm=item.located.is_sperm,
                    crop=item.crop,
                    flags=item.flags,
                )
            )

    def _crop(self, picture: GreyImage, file: str, replicate: str, seen: _Notes) -> None:
        wanted, own = self.grader.card.input, self.options.pixel_size_um
        crop: Crop | None = None
        excluded = None
        try:
            crop = to_crop(
                picture,
                size=wanted.size,
                pixel_size_um=own,
                model_pixel_size_um=wanted.pixel_size_um,
            )
        except ImageError as error:
            self.failures.append(failure_of(error, picture.source, picture.index))
            return
        seen.kinds["crop"] = None
        size = believed(picture.pixel_size_um, own)
        if size is not None and math.isfinite(size):
            seen.pixel_sizes[size] = None
        blank = blank_flag(crop) if self.grader.card.checks is None else None
        if blank is not None:
            # No check would refuse it: the model would give a verdict, and it would count.
            excluded, crop = blank.reason, None
        else:
            seen.notes.update(dict.fromkeys(crop.notes))
        name = file if picture.index is None else f"{file}[{picture.index}]"
        self._finds.append(
            SampleFind(
                file, replicate, name, excluded=excluded, is_sperm=excluded is None, crop=crop
            )
        )


def _with(find: SampleFind, graded: Graded | Failure) -> SampleFind:
    """A crop's find with its verdicts, or with the reason for which the checks refused it."""
    if isinstance(graded, Graded):
        return replace(find, assessment=graded.assessment)
    flags = graded.flags
    # In what does not stand out nothing says that there is a sperm at all.
    seen = all(flag.check != "contrast" for flag in flags)
    return replace(
        find,
        excluded=checks_text(flags),
        flags=flags,
        crop=None,
        is_sperm=seen,
        advice=graded.advice,
    )
