"""A folder per class: ``DIR/<label>/normal|abnormal/[<patient>/]*.png``, or that below each split.

A file name that occurs under several labels is one sperm: ``head/normal/17.png`` and
``tail/abnormal/17.png`` are one picture with two labels, and must be the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from androscope.datasets.listing import (
    LABEL_NAME,
    LABEL_VALUES,
    SPLIT_NAMES,
    Entry,
    Listing,
    Problem,
)
from androscope.datasets.types import UNLABELLED, canonical_order
from androscope.errors import EmptyInputError
from androscope.imaging.find import find_images

__all__ = ["LAYOUT", "read_folders"]

LAYOUT = (
    "Lay the pictures out as DIR/head/normal/*.png and DIR/head/abnormal/*.png, a folder per "
    "label, or as DIR/train/head/normal/*.png"
)

#: Names of class folders, lower case.
_CLASSES = {name: value for name, value in LABEL_VALUES.items() if value != UNLABELLED}


@dataclass(frozen=True, slots=True)
class _Found:
    """One picture under one label."""

    split: str
    label: str
    value: int
    below: Path  # of the class folder
    path: Path


def read_folders(folder: Path) -> Listing:
    """List the pictures below ``folder``; every stray folder becomes a problem, none raises."""
    problems: list[Problem] = []
    notes: list[str] = []
    found: list[_Found] = []
    children = _children(folder)
    if any(child.name.lower() in _CLASSES for child in children):
        # The folder of one label was named: its own name is the label's.
        found += _label(folder, "", folder.parent, problems, notes)
    elif children and all(child.name.lower() in SPLIT_NAMES for child in children):
        for child in children:
            for label in _children(child):
                found += _label(label, SPLIT_NAMES[child.name.lower()], folder, problems, notes)
    else:
        for child in children:
            found += _label(child, "", folder, problems, notes)
    if not found and not problems:
        problems.append(Problem(None, str(folder), "no labelled picture found", LAYOUT))
    names = canonical_order(item.label for item in found)
    entries = _merge(found, names, folder, problems)
    return Listing(names, tuple(entries), tuple(problems), tuple(notes))


def _children(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _label(
    folder: Path, split: str, root: Path, problems: list[Problem], notes: list[str]
) -> list[_Found]:
    shown = folder.relative_to(root).as_posix()
    label = folder.resolve().name.lower()
    if not LABEL_NAME.fullmatch(label):
        problems.append(
            Problem(
                None,
                shown,
                f"expected a label's name (a-z, 0-9, _), got {label!r}",
                "Rename the folder",
            )
        )
        return []
    loose = [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")]
    if loose:
        problems.append(
            Problem(
                None,
                shown,
                f"{len(loose)} files are in neither normal nor abnormal ({loose[0].name}, ...)",
                LAYOUT,
            )
        )
    found = []
    for child in _children(folder):
        value = _CLASSES.get(child.name.lower())
        if value is None:
            problems.append(
                Problem(
                    None,
                    f"{shown}/{child.name}",
                    f"expected a folder normal or abnormal, got {child.name!r}",
                    LAYOUT,
                )
            )
            continue
        try:
            images = find_images([child])
        except EmptyInputError:
            notes.append(f"no picture in {shown}/{child.name}")
            continue
        if images.ignored:
            notes.append(f"{images.ignored} files in {shown}/{child.name} are no pictures: ignored")
        found += [_Found(split, label, value, p.relative_to(child), p) for p in images]
    return found


def _merge(
    found: list[_Found], names: tuple[str, ...], root: Path, problems: list[Problem]
) -> list[Entry]:
    merged: dict[tuple[str, ...], Entry] = {}
    for item in found:
        # With one label nothing is to be merged, and normal/1.png beside abnormal/1.png is usual.
        key: tuple[str, ...] = (item.split, item.below.as_posix())
        if len(names) == 1:
            key = (item.split, item.path.parent.as_posix(), item.below.as_posix())
        patient = item.below.parts[0] if len(item.below.parts) > 1 else ""
        earlier = merged.get(key)
        if earlier is None:
            shown = item.path.relative_to(root).as_posix()
            labels = {**dict.fromkeys(names, UNLABELLED), item.label: item.value}
            merged[key] = Entry(
                name=shown, path=item.path, labels=labels, patient=patient, split=item.split
            )
        elif earlier.labels[item.label] != UNLABELLED:
            problems.append(
                Problem(
                    None,
                    item.path.relative_to(root).as_posix(),
                    f"a picture of that name is under the label {item.label} already",
                    "One file name is one sperm: remove it from one class, or rename it",
                )
            )
        else:
            merged[key] = replace(
                earlier,
                labels={**earlier.labels, item.label: item.value},
                also=(*earlier.also, item.path),
            )
    return list(merged.values())
