"""MHSMA: 1,540 crops of unstained human sperm, labelled part by part.

S. Javadi and S. A. Mirroshandel, "A novel deep learning method for automatic assessment of human
sperm images", Computers in Biology and Medicine 109 (2019) 182-194.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from androscope.datasets.published import Published, git_blob_id
from androscope.datasets.types import SPLITS, Counts, Dataset, LabelledCrops
from androscope.errors import DataError, DatasetCorruptError, DatasetMissingError
from androscope.settings import Settings
from androscope.types import PARTS, UInt8Array

__all__ = ["MHSMA", "PUBLISHED_COUNTS", "SPLIT_NOTE", "folders", "load_mhsma"]

COMMIT = "7b1a965aa438fd166197cacc591c45513842b044"

MHSMA = Published(
    name="mhsma",
    base_url=f"https://raw.githubusercontent.com/soroushj/mhsma-dataset/{COMMIT}/mhsma/",
    blob_ids={
        "x_128_test.npy": "cd32f5a09528ab6ff278d049ee764cece1d9e808",
        "x_128_train.npy": "7a6732aa43e2f86fa95c75d3b2b022118aa45268",
        "x_128_valid.npy": "bb4f2c2c4c9b8f7e6fd8d52716f0df2322fb5d92",
        "x_64_test.npy": "0c86ed80c94f6aa6bc8b0a1db46a26895847f343",
        "x_64_train.npy": "6549ce9a91ca78a81d8f51d9006f59a38c0475e0",
        "x_64_valid.npy": "97a470d71f29bcf984aaac712cbe495f662fc1a5",
        "y_acrosome_test.npy": "4cac003ba1abb5f963032defbf7de9be6ce1c3e9",
        "y_acrosome_train.npy": "3cd31a1e73cd3b1cc8629e15d62afe47e862987e",
        "y_acrosome_valid.npy": "8f027929dd1043d956177a56b3b1e14b840fb492",
        "y_head_test.npy": "4adf22ac6be890ee3bfc9b6f37be3b422f0bcf5b",
        "y_head_train.npy": "67a63783c0a7493089f998f674507cfa226c03be",
        "y_head_valid.npy": "3ac97b4dd73be814c2bc13669371af1aa670ac95",
        "y_tail_test.npy": "52aaa788fe1af54f6758246c3482a2391da90e9e",
        "y_tail_train.npy": "a6a669e6445fca94906cda80cf4e104b56f6472f",
        "y_tail_valid.npy": "90115361d75d009e0351eac0c62c8ce275e4cbc1",
        "y_vacuole_test.npy": "e1f497ff1f3a32dc8975db2aace70177f5ddc9c1",
        "y_vacuole_train.npy": "19075753ecfc9c71ba50d2eb686fdc253ff74c83",
        "y_vacuole_valid.npy": "28b8af470aa7095519f449048a786409fef1c726",
    },
    licence="CC BY-NC-SA 4.0",
    citation=(
        "S. Javadi, S. A. Mirroshandel: A novel deep learning method for automatic assessment of "
        "human sperm images. Computers in Biology and Medicine 109 (2019) 182-194. "
        "doi:10.1016/j.compbiomed.2019.04.030"
    ),
    source=f"https://github.com/soroushj/mhsma-dataset at {COMMIT[:7]}, folder mhsma/",
    large=frozenset({"x_128_train.npy", "x_128_test.npy"}),
)

#: Counts from the data set's own README, to be found again in what was loaded.
PUBLISHED_COUNTS: dict[str, dict[str, Counts]] = {
    "train": {
        "head": Counts(727, 273),
        "acrosome": Counts(699, 301),
        "vacuole": Counts(830, 170),
        "tail": Counts(954, 46),
    },
    "valid": {
        "head": Counts(176, 64),
        "acrosome": Counts(174, 66),
        "vacuole": Counts(209, 31),
        "tail": Counts(233, 7),
    },
    "test": {
        "head": Counts(219, 81),
        "acrosome": Counts(213, 87),
        "vacuole": Counts(262, 38),
        "tail": Counts(284, 16),
    },
}

SPLIT_NOTE = (
    "the split was drawn over images, not over the 235 patients, and no patient ids are published: "
    "crops of one patient lie in several splits, so results on test are optimistic for new patients"
)

_LARGEST = 128


def folders(settings: Settings) -> tuple[Path, ...]:
    """Where MHSMA is looked for: the folder of data at hand, then that of downloads."""
    own = () if settings.data is None else (settings.data / MHSMA.name,)
    return (*own, settings.cache / MHSMA.name)


def load_mhsma(
    where: Sequence[Path], *, crop_size: int = 64, labels: Sequence[str] | None = None
) -> Dataset:
    """Read MHSMA from the first of the folders ``where`` that has a file, file by file.

    Crops of 64 px come from ``x_64_*.npy``. The 64-pixel crops are the centres of the 128-pixel
    ones, so any other size is the centre of the smallest stored size that holds it.

    Parameters
    ----------
    where
        Folders to look in, the first first.
    crop_size
        Side of the crops, 1 to 128 px.
    labels
        Label columns wanted; all four by default.

    Raises
    ------
    DatasetMissingError
        Naming each missing file, its git blob id, the folders looked in and how to get it.
    DatasetCorruptError
        If a file is not the published one.
    DataError
        If ``crop_size`` is above 128.
    LabelsError
        If a label is asked for that MHSMA does not have.
    """
    if not 1 <= crop_size <= _LARGEST:
        raise DataError(
            f"MHSMA has crops of 64 and 128 px: expected a crop_size from 1 to {_LARGEST}, "
            f"got {crop_size}",
            advice="Lower crop_size; the network's input_size may be larger than the crop",
        )
    stored = 64 if crop_size <= 64 else 128
    wanted = [f"x_{stored}_{split}.npy" for split in SPLITS]
    wanted += [f"y_{part}_{split}.npy" for part in PARTS for split in SPLITS]
    paths = _locate(where, wanted)
    arrays, hashes = {}, {}
    for name, path in paths.items():
        arrays[name], hashes[name] = _read(path)
    start = (stored - crop_size) // 2
    centre = slice(start, start + crop_size)
    splits = {}
    for split in SPLITS:
        crops = arrays[f"x_{stored}_{split}.npy"][:, centre, centre]
        splits[split] = LabelledCrops(
            crops=np.ascontiguousarray(crops),
            labels=np.stack([arrays[f"y_{part}_{split}.npy"] for part in PARTS], axis=1).astype(
                np.int8
            ),
            label_names=PARTS,
            ids=tuple(f"{split}/{row}" for row in range(len(crops))),
        )
    dataset = Dataset(
        name=MHSMA.name,
        splits=splits,
        licence=MHSMA.licence,
        citation=MHSMA.citation,
        source=MHSMA.source,
        file_hashes=hashes,
        notes=(SPLIT_NOTE,),
    )
    return dataset if labels is None else dataset.with_labels(labels)


def _locate(where: Sequence[Path], names: Sequence[str]) -> dict[str, Path]:
    found = {}
    for name in names:
        for folder in where:
            if (folder / name).is_file():
                found[name] = folder / name
                break
    missing = [name for name in names if name not in found]
    if not missing:
        return found
    looked = ", ".join(str(folder) for folder in where)
    if not found:
        raise DatasetMissingError(
            f"MHSMA is not on this machine (looked in {looked})",
            advice="Run: androscope data download mhsma; or, with a copy at hand: "
            "androscope data download mhsma --from DIR; or set ANDROSCOPE_DATA to the folder that "
            "holds mhsma/",
        )
    listed = "; ".join(f"{name} (git blob {MHSMA.blob_ids[name]})" for name in missing)
    smaller = " Or work with crop_size 64" if MHSMA.large.intersection(missing) else ""
    raise DatasetMissingError(
        f"MHSMA is here in part; missing: {listed} (looked in {looked})",
        advice="Run: androscope data download mhsma, which fetches only what is missing; or put "
        f"the file from {MHSMA.base_url} there yourself and run: androscope data download mhsma "
        f"--from DIR.{smaller}",
    )


def _read(path: Path) -> tuple[UInt8Array, str]:
    """Give array and SHA-256 of one published file; read once, so both are of one content."""
    content = path.read_bytes()
    got, expected = git_blob_id(content), MHSMA.blob_ids[path.name]
    if got != expected:
        raise DatasetCorruptError(
            f"differs from the published file: expected git blob {expected}, got {got}",
            path=path,
            advice="Remove it and run: androscope data download mhsma",
        )
    array: UInt8Array = np.load(io.BytesIO(content), allow_pickle=False)
    return array, hashlib.sha256(content).hexdigest()
