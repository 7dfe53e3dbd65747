"""A report made from records says what one made from the folder says, and what people changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from androscope.fields import FieldOptions, finder, locate_and_grade
from androscope.imaging.phantom_field import render_field
from androscope.imaging.phantom_set import phantom_set
from androscope.predict import Graded, Grader
from androscope.records.clean import clean_file
from androscope.records.opinions import decode_png
from androscope.records.store import Records
from androscope.records.types import Find, Image, StoredModel
from androscope.report.sample.build import build_report
from androscope.report.sample.document import SampleReport
from androscope.samples import grade_sample
from androscope.types import GreyImage, Verdict

from .conftest import TINY

UM = 0.16
OPTIONS = FieldOptions(find=finder("classical"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A field with its pixel size and crops, in two replicates."""
    folder = tmp_path_factory.mktemp("sample") / "S-1"
    for name, seed in (("a", 0), ("b", 1)):
        (folder / name).mkdir(parents=True)
        for number, phantom in enumerate(phantom_set(3, seed)):
            Pillow.fromarray(phantom.pixels).save(folder / name / f"crop-{number}.png")
    pixels = render_field(560, 420, 5, 3, pixel_size_um=UM, round_cells=1).pixels
    tifffile.imwrite(
        folder / "a" / "field.tif", pixels, resolution=(1e4 / UM,) * 2, resolutionunit="CENTIMETER"
    )
    (folder / "b" / "note.png").write_bytes(b"no image")
    return folder


@pytest.fixture(scope="module")
def grader() -> Grader:
    return Grader(TINY, threads=1)


def grade(records: Records, image: Image, grader: Grader) -> None:
    """Grade an image as it is kept, as the page does."""
    png = records.images.path(image.sha256).read_bytes()
    grey = GreyImage(
        decode_png(png), image.name, image.index, image.pixel_size_um, notes=image.notes
    )
    card = grader.card
    model = StoredModel(card.name, card.version, card.model_sha256, card.to_json())
    if image.name.endswith(".tif"):
        field = locate_and_grade(grey, grader, OPTIONS)
        finds = [
            Find(
                item.located.x, item.located.y, item.located.length, item.located.width,
                item.located.angle_deg, None if item.crop is None else item.crop.pixels,
                () if verdicts is None else verdicts.parts,
                notes=() if item.crop is None else item.crop.notes,
                excluded=item.excluded, is_sperm=item.located.is_sperm,
            )
            for item, verdicts in zip(field.field.items, field.assessments, strict=True)
        ]  # fmt: skip
        scale = field.field.scale
        assert scale is not None
        records.crops.add(
            image.id, finds, model, kind="field", notes=field.field.notes,
            head_length_px=scale.head_length, scale_origin=scale.origin,
        )  # fmt: skip
        return
    (graded,) = grader.grade_images([grey])
    assert isinstance(graded, Graded)
    find = Find(
        pixels=graded.crop.pixels, parts=graded.assessment.parts, notes=graded.assessment.notes
    )
    records.crops.add(image.id, [find], model, kind="crop")


def essence(report: SampleReport) -> dict[str, object]:
    """What a report says, without how it came to be."""
    shown = report.model_dump(exclude={"created", "settings", "warnings", "finds", "files"})
    files = [
        {k: v for k, v in f.model_dump().items() if k != "notes"}
        for f in sorted(report.files, key=lambda f: f.name)
    ]
    finds = sorted(
        (f.model_dump(exclude={"number"}) for f in report.finds), key=lambda f: str(f["name"])
    )
    return {**shown, "files": files, "finds": finds}


def test_a_report_from_records_is_that_of_the_folder(
    folder: Path, grader: Grader, tmp_path: Path
) -> None:
    expected = build_report(grade_sample(folder, grader, OPTIONS))
    with Records.open(f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "images") as records:
        sample = records.samples.create("S-1", actor="anna")
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            file = clean_file(path.read_bytes(), path.relative_to(folder).as_posix())
            added = records.images.add(
                sample.id, file, replicate=path.parent.name, actor="anna", graded_later=False
            )
            for image in added:
                grade(records, image, grader)
        findings, anchor = records.findings(sample.id)
        found = build_report(findings)
        assert essence(found) == essence(expected)
        kept = {f.name: f.crop for f in findings.finds if f.crop is not None}
        for find in grade_sample(folder, grader, OPTIONS).finds:
            if find.assessment is not None:
                assert find.crop is not None
                crop = kept[find.name]
                assert crop is not None
                assert np.array_equal(crop.pixels, find.crop.pixels)
        assert findings.settings == {
            "reviewed by a person": f"0 of {found.counts.assessed} crops, 0 changed",
            "log of the records": f"{anchor.count} entries, the last {anchor.head}",
        }
        changed(records, sample.id)


def changed(records: Records, sample_id: int) -> None:
    """What a person says is in the report, and the model's probability stays."""
    before = build_report(records.findings(sample_id, pictures=False)[0])
    first, second, third = records.crops.list(sample_id, graded_only=True).items[:3]
    head = first.opinion.parts[0]
    records.reviews.verdict(first.id, "head", Verdict.UNDECIDED, actor="bob")
    records.reviews.sperm(second.id, False, actor="anna")
    records.reviews.accept(third.id, actor="anna")
    findings, _ = records.findings(sample_id)
    report = build_report(findings)
    assert report.counts.found == before.counts.found - 1
    assert report.counts.assessed == before.counts.assessed - 1
    assert "not a sperm, as a person said" in [e.reason for e in report.counts.excluded]
    assert findings.settings["reviewed by a person"].startswith("3 of ")
    assert findings.settings["reviewed by a person"].endswith(" crops, 2 changed")
    assert findings.settings["reviewed by"] == "anna, bob"
    parts = [f.parts["head"] for f in report.finds if "head" in f.parts]
    undecided = [part for part in parts if part.verdict == "undecided"]
    assert [part.probability for part in undecided] == [head.probability]
