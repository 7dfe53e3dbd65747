"""One image, every entrance: what a server says over HTTP, and what its maps are captioned with.

The bundle has calibration, conformal data and checks, so that an entrance that forgot one of them
would be seen; the pictures have colours, which a server sees and does not keep.
"""

from __future__ import annotations

import csv
import io
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="needs the web extra: fastapi is not installed")

from fastapi.testclient import TestClient

import androscope
from androscope.cli.main import main
from androscope.explanation import overlay_png
from androscope.imaging.phantom_set import phantom_set
from androscope.model.bundle_writing import write_bundle
from androscope.model.calibrate import moved_threshold
from androscope.model.card_trust import Calibration, Conformal
from androscope.records.store import Records
from androscope.web.app import create_app
from androscope.web.options import ServeOptions

from .checked import phantom_domain, write_checked

API = "/api/v1"
RATE = 0.1
NAMES = ("0.png", "1.png", "2.png", "stained.png")

#: Image's name to its parts (label, verdict, probability) and its flags.
Said = dict[str, tuple[list[tuple[str, str, float]], list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle and four crops, one of which is stained."""
    folder = tmp_path_factory.mktemp("http")
    bundle = write_checked(folder / "checked")
    card = bundle.card
    found = {
        label: Calibration(
            method="temperature", parameters={"temperature": 2.0}, data="x", crops=9, abnormal=4
        )
        for label in card.labels
    }
    scores = tuple(i / 40 for i in range(1, 40))
    trusted = card.model_copy(
        update={
            "calibration": found,
            "conformal": dict.fromkeys(
                card.labels, Conformal(data="x", normal=scores, abnormal=scores)
            ),
            "thresholds": {
                label: moved_threshold(card.thresholds[label], None, found[label])
                for label in card.labels
            },
        }
    )
    write_bundle(folder / "bundle", bundle.model, trusted, phantom_domain(bundle))
    (folder / "crops").mkdir()
    phantoms = [phantom.pixels for phantom in phantom_set(4, 0)]
    for name, pixels in zip(NAMES[:3], phantoms, strict=False):
        Image.fromarray(pixels).save(folder / "crops" / name)
    stained = np.repeat(phantoms[0][:, :, None], 3, axis=2).astype(np.float64)
    stained[16:48, 16:48] *= (0.6, 0.4, 0.9)
    Image.fromarray(stained.astype(np.uint8)).save(folder / "crops" / "stained.png")
    return folder


@pytest.fixture(scope="module")
def client(work: Path) -> Iterator[TestClient]:
    options = ServeOptions(incoming=work / "incoming", model=str(work / "bundle"), threads=1)
    with (
        Records.open(f"sqlite:///{work / 'records.db'}", work / "images") as records,
        TestClient(create_app(records, options), base_url="https://127.0.0.1") as client,
    ):
        client.headers.update({"x-androscope-client": "tests"})
        yield client


@pytest.fixture(scope="module")
def sample(client: TestClient, work: Path) -> dict[str, dict[str, Any]]:
    """Crops of a sample graded at the rate and anyway, by the name of their picture."""
    settings = {"name": "S", "error_rate": RATE, "grade_anyway": True}
    path = f"{API}/samples/{client.post(f'{API}/samples', json=settings).json()['id']}"
    assert client.post(f"{path}/images", files=_form(work)).status_code == 202
    until = time.monotonic() + 60
    while not client.get(f"{path}/progress").json()["over"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    images = {one["id"]: one["name"] for one in client.get(f"{path}/images").json()["items"]}
    crops = client.get(f"{path}/crops").json()["items"]
    return {images[crop["image_id"]]: crop for crop in crops}


def _form(work: Path) -> list[tuple[str, tuple[str, bytes]]]:
    return [("files", (name, (work / "crops" / name).read_bytes())) for name in NAMES]


def _of(assessments: Any) -> Said:
    return {
        Path(a.source).name: (
            [(p.label, str(p.verdict), p.probability) for p in a.parts],
            [asdict(flag) for flag in a.flags],
        )
        for a in assessments
    }


def _of_json(parts: list[dict[str, Any]], flags: list[dict[str, Any]]) -> Any:
    return [(p["label"], p["verdict"], p["probability"]) for p in parts], flags


def _library(work: Path) -> Said:
    results = androscope.assess(
        work / "crops", model=work / "bundle", error_rate=RATE, grade_anyway=True, threads=1
    )
    return _of(results.assessments)


def test_what_is_asked_for_can_be_told_apart(work: Path) -> None:
    said = _library(work)
    verdicts = {verdict for parts, _ in said.values() for _, verdict, _ in parts}
    assert "undecided" in verdicts
    assert [flag["check"] for flag in said["stained.png"][1]] == ["colour"]
    assert said["0.png"][1] == []


def test_the_command_the_library_and_the_server_say_the_same(
    work: Path,
    client: TestClient,
    sample: dict[str, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = _library(work)
    form = {"error_rate": str(RATE), "grade_anyway": "true"}
    pictures = client.post(f"{API}/assess", files=_form(work), data=form).json()["pictures"]
    assert {
        p["name"]: _of_json(p["found"][0]["parts"], p["found"][0]["flags"]) for p in pictures
    } == said
    assert {name: _of_json(crop["opinion"], crop["flags"]) for name, crop in sample.items()} == said
    assert all(
        crop["verdicts"] == {label: verdict for label, verdict, _ in said[name][0]}
        for name, crop in sample.items()
    )
    monkeypatch.chdir(work)
    command = ["assess", "crops", "-m", "bundle", "--error-rate", str(RATE), "--grade-anyway"]
    monkeypatch.setattr(sys, "argv", ["androscope", *command, "-q", "--csv", "r.csv"])
    with pytest.raises(SystemExit):
        main()
    with Path("r.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            parts, flags = said[Path(row["image"]).name]
            assert parts == [
                (label, row[f"{label}_verdict"], float(row[f"{label}_probability"]))
                for label, _, _ in parts
            ]
            assert row["flags"] == "; ".join(f"{f['check']}: {f['reason']}" for f in flags)


def test_the_undecided_may_fall_either_way(
    client: TestClient, sample: dict[str, dict[str, Any]]
) -> None:
    path = f"{API}/samples/{sample['0.png']['sample_id']}"
    said, report = client.get(path).json(), client.get(f"{path}/report.json").json()
    assert said["undecided"] > 0
    assert said["normal_bounds"] == report["normal_bounds"]
    low, high = said["normal_bounds"]
    assert (high - low) * said["assessed"] == pytest.approx(said["undecided"])
    share = {name: said["normal_share"][name] for name in ("fraction", "low", "high")}
    assert share == {name: report["normal"][name] for name in share}


@pytest.mark.parametrize("name", ["0.png", "stained.png"])
def test_a_map_is_captioned_as_the_record_has_it(
    work: Path, client: TestClient, sample: dict[str, dict[str, Any]], name: str
) -> None:
    (explained,) = androscope.explain(
        work / "crops" / name,
        model=work / "bundle",
        error_rate=RATE,
        grade_anyway=True,
        threads=1,
    ).explained
    assert _of([explained.assessment])[name] == _library(work)[name]
    crop = sample[name]
    for label in explained.assessment.parts:
        heat = f"{API}/crops/{crop['id']}/heat?part={label.label}"
        answer = client.get(heat)
        assert answer.headers["content-type"] == "image/png"
        _same_picture(answer.content, overlay_png(explained, label.label))
        page = client.get(f"/crops/{crop['id']}/heat.png?part={label.label}")
        assert page.content == answer.content


def test_no_map_of_what_was_not_graded(
    client: TestClient, sample: dict[str, dict[str, Any]]
) -> None:
    crop = sample["0.png"]["id"]
    answer = client.get(f"{API}/crops/{crop}/heat?part=fin")
    assert answer.status_code == 404
    assert "nothing of this crop was graded, or not that part" in answer.json()["detail"]
    assert client.get(f"{API}/crops/4711/heat").status_code == 404


def _same_picture(one: bytes, other: bytes) -> None:
    first, second = (np.asarray(Image.open(io.BytesIO(png))) for png in (one, other))
    np.testing.assert_array_equal(first, second)
