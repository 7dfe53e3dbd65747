"""npy pairs as MHSMA names them: ``x_64_train.npy`` with ``y_head_train.npy``, row for row.

The size may be left out (``x_train.npy``), or the split (``x.npy`` with ``y_head.npy``; it is drawn
then). ``patient_train.npy`` may hold a patient id per row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from androscope.datasets.listing import SPLIT_NAMES, Entry, Listing, Problem
from androscope.datasets.types import SPLITS, UNLABELLED, canonical_order
from androscope.types import ABNORMAL, NORMAL

__all__ = ["has_pairs", "read_pairs"]

_SPLIT = "|".join(SPLIT_NAMES)
_X = re.compile(rf"x(?:_(\d+))?(?:_({_SPLIT}))?\.npy")
_Y = re.compile(rf"y_([a-z][a-z0-9_]*?)(?:_({_SPLIT}))?\.npy")
_PATIENT = re.compile(rf"patient(?:_({_SPLIT}))?\.npy")


def has_pairs(folder: Path) -> bool:
    """Whether ``folder`` holds a stack of crops under such a name."""
    return any(_X.fullmatch(path.name) for path in folder.iterdir())


def read_pairs(folder: Path, *, crop_size: int = 64) -> Listing:
    """List the rows of the stacks in ``folder``.

    Where a split has stacks of several sizes, that of ``crop_size`` is taken, else the next larger,
    else the largest.
    """
    problems: list[Problem] = []
    stacks = _stacks(folder, crop_size)
    if "" in stacks and len(stacks) > 1:
        names = ", ".join(sorted(path.name for path in stacks.values()))
        problems.append(
            Problem(None, str(folder), f"stacks with and without a split: {names}", "Name them all")
        )
        return Listing((), (), tuple(problems))
    columns: dict[tuple[str, str], Path] = {}
    for found in sorted(folder.iterdir()):
        match = _Y.fullmatch(found.name)
        if match:
            columns[match[1], SPLIT_NAMES.get(match[2] or "", "")] = found
    labels = canonical_order(label for label, _ in columns)
    if not labels:
        problems.append(
            Problem(
                None,
                str(folder),
                "no labels beside the stacks: expected y_<label>_<split>.npy",
                "Save one array of 0 and 1 per label and split",
            )
        )
        return Listing((), (), tuple(problems))
    entries: list[Entry] = []
    files: list[Path] = []
    for split, stack in stacks.items():
        count = _rows(stack, problems)
        if count is None:
            continue
        values = {}
        for label in labels:
            expected = f"y_{label}_{split}.npy" if split else f"y_{label}.npy"
            if (label, split) not in columns:
                problems.append(
                    Problem(None, expected, f"missing beside {stack.name}", "Save it; -1 is blank")
                )
                continue
            path = columns[label, split]
            column = _column(path, count, stack.name, problems)
            if column is not None:
                values[label] = column
                files.append(path)
        if len(values) != len(labels):
            continue
        files.append(stack)
        patients = _patients(folder, split, count, problems, files)
        entries += _entries(stack, split, count, values, patients, problems)
    return Listing(labels, tuple(entries), tuple(problems), (), tuple(files))


def _stacks(folder: Path, crop_size: int) -> dict[str, Path]:
    sizes: dict[str, dict[int, Path]] = {}
    for path in sorted(folder.iterdir()):
        match = _X.fullmatch(path.name)
        if match:
            split = SPLIT_NAMES.get(match[2] or "", "")
            sizes.setdefault(split, {})[int(match[1] or 0)] = path

    def chosen(by_size: Mapping[int, Path]) -> Path:
        fitting = [size for size in by_size if size >= crop_size]
        return by_size[min(fitting) if fitting else max(by_size)]

    return {split: chosen(sizes[split]) for split in (*SPLITS, "") if split in sizes}


def _load(path: Path, problems: list[Problem], *, mapped: bool = False) -> NDArray[Any] | None:
    try:
        # Never a pickle: an array of objects could run code.
        array = np.load(path, allow_pickle=False, mmap_mode="r" if mapped else None)
    except (OSError, ValueError, EOFError) as error:
        what = " ".join(str(error).split()) or type(error).__name__
        problems.append(
            Problem(None, path.name, f"cannot be read: {what}", "Save it with numpy.save")
        )
        return None
    if not isinstance(array, np.ndarray):
        array.close()
        problems.append(
            Problem(None, path.name, "holds several arrays (npz)", "Save it with numpy.save")
        )
        return None
    return array


def _rows(stack: Path, problems: list[Problem]) -> int | None:
    array = _load(stack, problems, mapped=True)
    if array is None:
        return None
    if array.ndim < 3 or len(array) == 0:
        problems.append(
            Problem(
                None,
                stack.name,
                f"expected a stack (N, H, W) with N above 0, got {array.shape}",
                "Stack the crops along the first axis",
            )
        )
        return None
    return len(array)


def _column(path: Path, count: int, stack: str, problems: list[Problem]) -> NDArray[np.int8] | None:
    array = _load(path, problems)
    if array is None:
        return None
    if array.shape not in ((count,), (count, 1)):
        problems.append(
            Problem(
                None,
                path.name,
                f"expected ({count},) as {stack} has {count} rows, got {array.shape}",
                "Give one label per crop",
            )
        )
        return None
    array = array.reshape(-1)
    if array.dtype.kind not in "biuf":
        problems.append(
            Problem(None, path.name, f"expected numbers, got {array.dtype}", "Save 0, 1 or -1")
        )
        return None
    wrong = np.flatnonzero(~np.isin(array, (UNLABELLED, NORMAL, ABNORMAL)))
    problems += [
        Problem(
            None,
            f"{path.name}[{row}]",
            f"expected 0, 1 or -1, got {array[row]}",
            "0 is normal, 1 abnormal, -1 not labelled",
        )
        for row in wrong
    ]
    clean = np.where(np.isin(array, (NORMAL, ABNORMAL)), array, UNLABELLED)
    return clean.astype(np.int8)


def _patients(
    folder: Path, split: str, count: int, problems: list[Problem], files: list[Path]
) -> list[str]:
    for path in sorted(folder.iterdir()):
        match = _PATIENT.fullmatch(path.name)
        if not match or SPLIT_NAMES.get(match[1] or "", "") != split:
            continue
        array = _load(path, problems)
        if array is None:
            break
        if array.shape != (count,) or array.dtype.kind not in "biuUS":
            problems.append(
                Problem(
                    None,
                    path.name,
                    f"expected ({count},) of numbers or text, got {array.shape} {array.dtype}",
                    "Give one patient id per crop",
                )
            )
            break
        files.append(path)
        text = np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array
        return [str(value) for value in text]
    return [""] * count


def _entries(
    stack: Path,
    split: str,
    count: int,
    values: Mapping[str, NDArray[np.int8]],
    patients: list[str],
    problems: list[Problem],
) -> list[Entry]:
    entries = []
    bad = {problem.path for problem in problems}
    for row in range(count):
        labels = {label: int(column[row]) for label, column in values.items()}
        name = f"{split}/{row}" if split else str(row)
        if all(value == UNLABELLED for value in labels.values()):
            suffix = f"_{split}.npy[{row}]" if split else f".npy[{row}]"
            if not any(f"y_{label}{suffix}" in bad for label in labels):
                problems.append(
                    Problem(None, name, "no label at all", "Label at least one part, or remove it")
                )
            continue
        entries.append(
            Entry(
                name=name,
                path=stack,
                labels=labels,
                index=row,
                patient=patients[row],
                split=split,
            )
        )
    return entries
