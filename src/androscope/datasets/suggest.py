"""Unlabelled images to a list of those to label next, and a sheet to label them in."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from androscope.assessment.label_next import Pick, rank
from androscope.datasets.own import list_entries, read_crops
from androscope.errors import EmptyInputError, OutputError
from androscope.files import write_text
from androscope.imaging.inputs import Images, Progress
from androscope.imaging.sheet import write_png
from androscope.predict import Graded, Grader
from androscope.types import Crop, Failure

__all__ = [
    "MOST",
    "Suggestion",
    "Suggestions",
    "sheet_text",
    "suggest",
    "write_crops",
    "write_sheet",
]

#: Crops that are looked at, of which those to label are chosen; of more, so many are drawn. Each
#: takes some 10 kB of memory.
MOST = 20_000


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A crop to label, as it was graded, and why: see :class:`~.label_next.Pick`."""

    graded: Graded
    pick: Pick

    @property
    def crop(self) -> Crop:
        """The crop as the model saw it."""
        return self.graded.crop


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What was found.

    Attributes
    ----------
    labels
        Of the model that graded.
    chosen
        The first to label first.
    seen, known
        Crops that were graded; of these, those left out because they are labelled already.
    failures
        Images that could not be graded.
    """

    labels: tuple[str, ...]
    chosen: tuple[Suggestion, ...]
    seen: int
    known: int = 0
    failures: tuple[Failure, ...] = field(default=())


def suggest(
    images: Images,
    grader: Grader,
    count: int,
    *,
    labelled: str | Path | None = None,
    most: int = MOST,
    seed: int = 0,
    progress: Progress | None = None,
) -> Suggestions:
    """Choose which crops to label next.

    Parameters
    ----------
    images
        As for :func:`androscope.assess`.
    grader
        The model that is to be adapted.
    count
        How many to choose.
    labelled
        Data that is labelled already: its crops are left out, and what is like them comes later.
        A sheet whose labels are blank yet counts as well.
    most
        Crops to look at; of more, so many are drawn at random.

    Raises
    ------
    EmptyInputError
        If no crop is left to choose from.
    """
    draw = np.random.default_rng(seed)
    known, covered = _labelled(labelled, grader)
    kept: list[Graded] = []
    failures: list[Failure] = []
    seen = left_out = 0
    for item in grader.stream(images, progress=progress):
        if isinstance(item, Failure):
            failures.append(item)
            continue
        seen += 1
        if item.crop.pixels.tobytes() in known:
            left_out += 1
            continue
        # Reservoir sampling (Vitter 1985, algorithm R): each crop with the same chance.
        if len(kept) < most:
            kept.append(item)
        elif (place := int(draw.integers(seen - left_out))) < most:
            kept[place] = item
    if not kept:
        raise EmptyInputError(
            f"no crop is left to label: {seen} graded, {left_out} of them labelled already, "
            f"{len(failures)} images that cannot be graded",
            advice="Name other images",
        )
    thresholds = grader.card.threshold_list()
    picks = rank(
        np.array([[part.probability for part in g.assessment.parts] for g in kept]),
        thresholds,
        np.stack([g.embedding for g in kept if g.embedding is not None]),
        count,
        labelled=covered,
        seed=seed,
    )
    chosen = tuple(Suggestion(kept[pick.row], pick) for pick in picks)
    return Suggestions(grader.card.labels, chosen, seen, left_out, tuple(failures))


def sheet_text(found: Suggestions, sheet: Path, crops: Sequence[Path] | None = None) -> str:
    """Give the labelling sheet: a row per crop, blank where the labels go.

    What the model thinks is left out on purpose: who labels should not know it.

    Parameters
    ----------
    found
        What was chosen.
    sheet
        Where it will be; paths in it are relative to its folder.
    crops
        Pictures of the crops to name instead of the images; see :func:`write_crops`.

    Raises
    ------
    OutputError
        If an image is a page of a file, which a table cannot name, and there are no pictures.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["path", *found.labels, "patient"])
    for number, suggestion in enumerate(found.chosen):
        crop = suggestion.crop
        if crops is None and (crop.index is not None or not Path(crop.source).is_file()):
            raise OutputError(
                f"cannot name {suggestion.graded.assessment.name}, which is no file of its own",
                path=sheet,
                advice="Have a picture written of each crop: --crops DIR",
            )
        path = Path(crop.source) if crops is None else crops[number]
        writer.writerow([_relative(path, sheet.parent), *[""] * len(found.labels), ""])
    return stream.getvalue()


def write_crops(folder: Path, found: Suggestions) -> list[Path]:
    """Write each chosen crop as a PNG, as the model saw it; their names begin with the rank."""
    paths = []
    for number, suggestion in enumerate(found.chosen, start=1):
        crop = suggestion.crop
        page = "" if crop.index is None else f"-{crop.index}"
        paths.append(folder / f"{number:04d}-{Path(crop.source).stem}{page}.png")
    for path, suggestion in zip(paths, found.chosen, strict=True):
        write_png(path, suggestion.crop.pixels)
    return paths


def write_sheet(path: Path, text: str) -> None:
    """Write the sheet, and never over one that somebody may have filled in.

    Raises
    ------
    OutputError
        If there is another file already.
    """
    if path.exists() and path.read_text(encoding="utf-8", errors="replace") != text:
        raise OutputError(
            "exists already, and may hold labels", path=path, advice="Choose another name"
        )
    write_text(path, text)


def _relative(path: Path, folder: Path) -> str:
    try:
        shown = os.path.relpath(path, folder)
    except ValueError:  # another drive of Windows
        return str(path.resolve())
    # A spreadsheet would take these for a formula.
    return f"./{shown}" if shown[:1] in "=+-@" else shown


def _labelled(
    data: str | Path | None, grader: Grader
) -> tuple[set[bytes], tuple[np.ndarray, np.ndarray] | None]:
    """The pixels of labelled crops, and what the model says of them."""
    if data is None:
        return set(), None
    path = Path(data)
    listing = list_entries(path, crop_size=grader.card.input.size)
    crops, entries, _ = read_crops(listing.entries, crop_size=grader.card.input.size)
    if not entries:
        problem = listing.problems[0] if listing.problems else "it names no crop"
        raise EmptyInputError(f"no labelled crop: {problem}", path=path)
    given = [Crop(pixels, entry.name) for pixels, entry in zip(crops, entries, strict=True)]
    # A crop that was labelled teaches something even where the checks would refuse it.
    graded = [item for item in grader.grade(given) if isinstance(item, Graded)]
    probabilities = np.array([[p.probability for p in g.assessment.parts] for g in graded])
    embeddings = np.stack([g.embedding for g in graded if g.embedding is not None])
    return {pixels.tobytes() for pixels in crops}, (probabilities, embeddings)
