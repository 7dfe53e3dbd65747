"""``androscope report``, the whole way; above all that nothing of a file's tags gets through."""

from __future__ import annotations

import csv
import io
import json
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from androscope.imaging.phantom_field import render_field
from androscope.imaging.phantom_random import random_spec
from androscope.imaging.phantom_set import phantom_set

PATIENT = "Zaphod-Q-Beeblebrox"
ALL = ("pdf", "html", "json", "csv")


@pytest.fixture(autouse=True)
def _here(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def sample() -> Path:
    """Two replicates of a few crops."""
    for seed, replicate in enumerate("ab"):
        folder = Path("s17", replicate)
        folder.mkdir(parents=True)
        for number, phantom in enumerate(phantom_set(4, seed)):
            Image.fromarray(phantom.pixels).save(folder / f"{number}.png")
    return Path("s17")


def test_every_format(run: Any, sample: Path) -> None:
    done = run("report", sample, "--out", "out/r.pdf", "--formats", "pdf,html,json,csv")
    assert (done.code, done.err) == (0, "")
    assert "Sample s17: 8 sperm found, 8 assessed." in done.out
    assert "To be known: Fewer than 200 sperm were assessed (8)" in done.out
    assert "For research use only: not a medical device." in done.out
    for ending in ALL:
        assert f"Report: out/r.{ending}" in done.out
        assert Path(f"out/r.{ending}").stat().st_size > 500
    document = json.loads(Path("out/r.json").read_text(encoding="utf-8"))
    assert document["counts"]["assessed"] == 8
    with Path("out/r.csv").open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 8


def test_several_outs_and_an_id(run: Any, sample: Path) -> None:
    done = run("report", sample, "--out", "a.html", "--out", "b.json", "--sample-id", "X-1", "-q")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert json.loads(Path("b.json").read_text(encoding="utf-8"))["sample"] == "X-1"
    assert "X-1" in Path("a.html").read_text(encoding="utf-8")
    assert "s17" not in Path("a.html").read_text(encoding="utf-8")


def test_without_out_it_is_a_pdf(run: Any, sample: Path) -> None:
    assert run("report", sample).code == 0
    assert Path("report.pdf").read_bytes().startswith(b"%PDF-")


def test_replicates_by_name(run: Any, sample: Path) -> None:
    rules = ("--replicate", "even=*[02].png", "--replicate", "odd=*[13].png")
    assert run("report", sample, *rules, "--out", "r.json").code == 0
    document = json.loads(Path("r.json").read_text(encoding="utf-8"))
    assert [(r["name"], r["assessed"]) for r in document["replicates"]] == [("even", 4), ("odd", 4)]


def test_one_unreadable_image_is_listed(run: Any, sample: Path) -> None:
    (sample / "a" / "bad.png").write_bytes(b"no picture")
    done = run("report", sample, "--out", "r.html", "--out", "r.json")
    assert done.code == 1
    assert done.err.startswith("1 image could not be assessed:\n  a/bad.png: expected an image")
    assert "8 assessed" in done.out
    document = json.loads(Path("r.json").read_text(encoding="utf-8"))
    assert [f["name"] for f in document["failures"]] == ["a/bad.png"]
    assert "a/bad.png" in Path("r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["void"], "error: void: no image in this folder", id="empty folder"),
        pytest.param(["none"], "error: none: expected a sample's folder, there is none", id="none"),
        pytest.param(["s17/a/0.png"], "expected a sample's folder, got a file", id="file"),
        pytest.param(
            ["s17", "--out", "r.docx"], "to end in one of pdf, html, csv, json", id="docx"
        ),
        pytest.param(["s17", "--out", "f/r.html"], "cannot be written", id="unwritable"),
        pytest.param(["s17", "--out", "s17"], "got ''", id="a folder as output"),
        pytest.param(["s17", "--replicate", "a"], "expects NAME=PATTERN, got 'a'", id="rule"),
        pytest.param(
            ["s17", "--replicate", "a=*", "--replicate", "a=x"], "each name once", id="twice"
        ),
        pytest.param(
            ["s17", "--pixel-size", "0"], "expected micrometres per pixel above 0, got 0", id="size"
        ),
        pytest.param(["s17", "--head-length", "nan"], "above 0, got nan", id="length"),
        pytest.param(["s17", "--model", "x"], "no such model", id="model"),
    ],
)
def test_nothing_is_done(run: Any, sample: Path, arguments: list[str], message: str) -> None:
    Path("void").mkdir()
    Path("f").write_bytes(b"")
    done = run("report", *arguments)
    assert done.code == 2
    # Typer draws its messages in a box, in lines.
    assert message in " ".join(done.err.replace("│", " ").split())
    assert "Traceback" not in done.err
    assert not list(Path().glob("r*.*"))


def test_without_typst_nothing_is_graded_first(
    run: Any, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "typst", None)
    done = run("report", sample)
    assert done.code == 2
    assert done.err.strip() == (
        "error: typst is needed to write a report as PDF, and is not installed. "
        "Run: pip install 'androscope[report]'"
    )
    assert run("report", sample, "--out", "r.html").code == 0


def test_500_sperm(run: Any) -> None:
    Path("s").mkdir()
    np.save("s/crops.npy", np.concatenate([np.stack([p.pixels for p in phantom_set(50, 0)])] * 10))
    done = run("report", "s", "--out", "r.html", "--out", "r.pdf", "--out", "r.csv")
    assert (done.code, done.err) == (0, "")
    assert "500 sperm found, 500 assessed" in done.out
    assert "To be known: One replicate" in done.out
    assert len(Path("r.csv").read_text(encoding="utf-8").splitlines()) == 501


@pytest.mark.slow
def test_a_field_of_500_sperm(run: Any) -> None:
    # A field of 32 sixteen times over: to render 512 at once would take longer than to report them.
    rng = np.random.default_rng(0)
    specs = [random_spec(rng, {"no-tail"}) for _ in range(32)]
    part = render_field(640, 480, 32, 4, pixel_size_um=0.16, specs=specs).pixels
    Path("s").mkdir()
    Image.fromarray(np.tile(part, (4, 4))).save("s/field.png")
    done = run(
        "report", "s", "--fields", "--pixel-size", "0.16", "--locator", "classical",
        "--out", "r.html", "--out", "r.pdf", "--out", "r.csv", "--out", "r.json",
    )  # fmt: skip
    assert done.code == 0
    document = json.loads(Path("r.json").read_text(encoding="utf-8"))
    counts = document["counts"]
    assert 500 <= counts["found"] <= 520
    assert counts["assessed"] >= 500
    with Path("r.csv").open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) >= counts["assessed"]
    assert Path("r.pdf").stat().st_size < 5_000_000
    assert Path("r.html").stat().st_size < 10_000_000


def _all_bytes(path: Path) -> bytes:
    """A file's bytes, and for a PDF those of its streams and its text as well."""
    data = path.read_bytes()
    if path.suffix != ".pdf":
        return data
    pypdf = pytest.importorskip("pypdf", reason="pypdf is of the dev dependencies")
    reader = pypdf.PdfReader(io.BytesIO(data))
    parts = [data, repr(reader.metadata).encode(), repr(reader.xmp_metadata).encode()]
    for page in reader.pages:
        parts.append(page.extract_text().replace("\u200b", "").encode())
        parts += [image.data for image in page.images]
    for start in (i for i in range(len(data)) if data.startswith(b"stream\n", i)):
        try:
            parts.append(zlib.decompressobj().decompress(data[start + 7 :]))
        except zlib.error:
            continue
    return b"\n".join(parts)


def _tagged_folder() -> Path:
    """A sample whose files name the patient in every tag there is, and nowhere else."""
    folder = Path("s17")
    (folder / "a").mkdir(parents=True)
    (folder / "b").mkdir()
    crops = [p.pixels for p in phantom_set(4, 0)]
    exif = Image.Exif()
    for tag in (0x010E, 0x010F, 0x0110, 0x013B, 0x013C, 0x8298, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E):
        exif[tag] = PATIENT.encode("utf-16-le") if tag >= 0x9C9B else PATIENT
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + PATIENT.encode()
    exif.get_ifd(0x8825)[0x001B] = PATIENT.encode()
    info = PngInfo()
    for key in ("Title", "Author", "Patient", PATIENT):
        info.add_text(key, PATIENT)
        info.add_itxt(key, PATIENT, zip=True)
    info.add_itxt("XML:com.adobe.xmp", f"<x:xmpmeta><dc:creator>{PATIENT}</dc:creator></x:xmpmeta>")
    Image.fromarray(crops[0]).save(folder / "a" / "0.png", pnginfo=info, exif=exif)
    Image.fromarray(crops[1]).save(folder / "a" / "1.jpg", exif=exif, comment=PATIENT.encode())
    text = dict.fromkeys(("PatientName", "Experimenter", "UserName"), PATIENT)
    description = json.dumps({**text, "patient": PATIENT})
    tags = [(code, "s", 0, PATIENT, True) for code in (269, 315, 316, 33432, 65000)]
    tifffile.imwrite(
        folder / "b" / "0.tif", crops[2], description=description, software=PATIENT, extratags=tags
    )
    field = render_field(560, 420, 4, 3, pixel_size_um=0.16).pixels
    tifffile.imwrite(
        folder / "b" / "field.ome.tif", field, ome=True,
        metadata={
            "axes": "YX", "Name": PATIENT, "Description": PATIENT, "PhysicalSizeX": 0.16,
            "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.16, "PhysicalSizeYUnit": "µm",
        },
    )  # fmt: skip
    # A damaged file, whose decoder might quote what it read.
    whole = (folder / "b" / "0.tif").read_bytes()
    (folder / "b" / "damaged.tif").write_bytes(whole[:-3000])
    return folder


def test_tags_that_could_identify_reach_no_output(run: Any) -> None:
    folder = _tagged_folder()
    names = [PATIENT.encode(), PATIENT.encode("utf-16-le"), PATIENT.encode("utf-16-be")]
    for file in folder.rglob("*.*"):
        if file.suffix != ".png":  # compressed in part; the others show that they do hold it
            assert any(name in file.read_bytes() for name in names), file
    done = run("report", folder, "--out", "r", "--formats", ",".join(ALL), "--locator", "classical")
    assert "Sample s17: " in done.out
    document = json.loads(Path("r.json").read_text(encoding="utf-8"))
    assert document["counts"]["fields"] == 1
    assert document["counts"]["assessed"] >= 5
    for ending in ALL:
        data = _all_bytes(Path(f"r.{ending}")).lower()
        assert b"s17" in data  # what is there is found
        for name in (*names, b"beeblebrox"):
            assert name.lower() not in data, ending
    assert "beeblebrox" not in (done.out + done.err).lower()


def test_no_output_names_this_machine(run: Any, sample: Path) -> None:
    run("report", sample.resolve(), "--out", "r", "--formats", ",".join(ALL))
    for ending in ALL:
        data = _all_bytes(Path(f"r.{ending}"))
        assert str(Path.cwd()).encode() not in data
        assert os.path.realpath(Path.cwd()).encode() not in data


def test_fhir_is_written_beside_the_report(run: Any, sample: Path) -> None:
    pytest.importorskip("fhir.resources", reason="needs the fhir extra")
    done = run("report", sample, "--out", "r.csv", "--fhir", "r.fhir.json")
    assert "Report: r.fhir.json" in done.out
    bundle = json.loads(Path("r.fhir.json").read_text(encoding="utf-8"))
    assert bundle["entry"][0]["resource"]["resourceType"] == "DiagnosticReport"
    same = run("report", sample, "--out", "r.json", "--fhir", "r.json")
    assert same.code == 2
    assert "r.json" in same.err
