"""Phantom fields as files: TIFFs that state their pixel size, and a table of what is in them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import tifffile

from androscope.errors import OutputError
from androscope.files import atomic_path, write_text
from androscope.imaging.phantom_field import PhantomField, render_field
from androscope.imaging.phantom_optics import Polarity

__all__ = ["write_phantom_fields"]

_COLUMNS = ("image", "kind", "x", "y", "length", "width", "angle_deg", "touches")


def write_phantom_fields(
    folder: str | Path,
    n: int,
    seed: int,
    *,
    sperm: int = 12,
    size: tuple[int, int] = (800, 600),
    pixel_size_um: float = 0.16,
    polarity: Polarity = "bright-field",
) -> Path:
    """Write ``n`` fields as OME-TIFF with the truth about each in ``truth.csv``.

    Parameters
    ----------
    folder
        Made if needed.
    n, seed
        How many fields; the same seed gives the same.
    sperm
        In each field; as many specks and a round cell lie beside them.
    size
        ``(width, height)``, px.
    pixel_size_um
        um/px; 0.16 makes a normal head 27 px long.
    polarity
        Kind of microscope.

    Returns
    -------
    Path
        The table's.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds another ``truth.csv``.
    ValueError
        If so many do not fit.
    """
    folder = Path(folder)
    fields = {
        f"field-{seed}-{number:03d}.ome.tif": render_field(
            *size, sperm, seed * 100_003 + number, pixel_size_um=pixel_size_um,
            debris=sperm, round_cells=1, polarity=polarity,
        )
        for number in range(n)
    }  # fmt: skip
    table, text = folder / "truth.csv", _truth(fields)
    if table.exists() and table.read_text(encoding="utf-8", errors="replace") != text:
        raise OutputError(
            "holds another truth already", path=table, advice="Choose another folder, or remove it"
        )
    for name, field in fields.items():
        with atomic_path(folder / name) as path:
            metadata = {
                "axes": "YX",
                "PhysicalSizeX": pixel_size_um,
                "PhysicalSizeXUnit": "µm",
                "PhysicalSizeY": pixel_size_um,
                "PhysicalSizeYUnit": "µm",
            }
            tifffile.imwrite(path, field.pixels, ome=True, compression="zlib", metadata=metadata)
    # Last: a table never names a picture that is not there.
    write_text(table, text)
    return table


def _truth(fields: dict[str, PhantomField]) -> str:
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for name, field in fields.items():
        for sperm in field.sperm:
            numbers = (*sperm.centre, *sperm.axes, sperm.angle_deg)
            writer.writerow([name, "sperm", *(f"{v:.2f}" for v in numbers), int(sperm.touches)])
        for other in field.others:
            place = (*other.centre, 2 * other.radius, 2 * other.radius)
            writer.writerow([name, other.kind, *(f"{v:.2f}" for v in place), "", ""])
    return rows.getvalue()
