from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from androscope.errors import AdaptError, LabelsError, OutputError
from androscope.learning.adapt.adapt import Adapted, adapt
from androscope.model.bundle import load_bundle
from androscope.model.card_text import card_text
from androscope.model.session import Session
from androscope.predict import assess

from .lab import LABELS, TINY, lab, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def crops():
    return lab(140, seed=1)


@pytest.fixture(scope="module")
def adapted(folder: Path, crops) -> Adapted:
    table = write(folder / "crops", crops)
    return adapt(
        TINY, table, folder / "new", licence="own data", threads=1, resamples=300, version="0.2.0"
    )


def test_every_label_gets_what_it_needs(adapted: Adapted) -> None:
    assert [found.how for found in adapted.labels.values()] == ["branch", "recalibrated", "kept"]
    for label in ("head", "acrosome"):
        change = adapted.labels[label].held["log_loss"]
        assert change.after.value < change.before.value
    kept = adapted.labels["vacuole"].held
    assert all(change.difference.value == 0 for change in kept.values())


def test_the_card_names_its_parent(adapted: Adapted) -> None:
    parent = load_bundle(TINY).card
    card = adapted.bundle.card
    assert (card.name, card.version) == ("tiny-adapted", "0.2.0")
    assert (card.parent.name, card.parent.version) == ("tiny", "0.0.1")
    assert card.parent.model_sha256 == parent.model_sha256 != card.model_sha256
    data = card.parent.data
    assert (data.name, data.licence, data.fitted + data.held) == ("labels", "own data", 140)
    assert data.held == pytest.approx(42, abs=3)
    assert data.patients is None
    assert card.licence == parent.licence
    assert set(card.metrics) == {"held"}
    assert card.thresholds == {
        "head": 0.5,
        "acrosome": 0.5,
        "vacuole": parent.thresholds["vacuole"],
    }


def test_calibration_is_of_what_was_recalibrated(adapted: Adapted) -> None:
    table = adapted.bundle.card.calibration
    assert {label: one.method for label, one in table.items()} == {
        "head": "identity",
        "acrosome": "platt",
        "vacuole": "identity",
    }
    assert table["acrosome"].log_loss["platt"] < table["acrosome"].log_loss["identity"]


def test_conformal_data_is_of_the_lab(adapted: Adapted) -> None:
    conformal = adapted.bundle.card.conformal
    counts = adapted.data
    for label in LABELS:
        assert len(conformal[label].normal) == counts.normal[label]
        assert conformal[label].data == "labels, 140 crops adapted to"
    assert adapted.notes[-1].startswith("conformal data is of the crops adapted to: head, acrosome")


def test_any_command_takes_the_new_bundle(adapted: Adapted, folder: Path) -> None:
    results = assess(folder / "crops" / "3.png", model=adapted.bundle.folder, error_rate=0.2)
    assert [part.label for part in results.assessments[0].parts] == list(LABELS)
    text = card_text(adapted.bundle.card)
    assert "## Adapted\n\n- Made from: tiny 0.0.1" in text
    assert "| head | log_loss | " in text


def test_a_kept_label_answers_as_before(adapted: Adapted, crops) -> None:
    before = Session(load_bundle(TINY), threads=1).predict(crops.crops)
    after = Session(adapted.bundle, threads=1).predict(crops.crops)
    np.testing.assert_allclose(after.probabilities[:, 2], before.probabilities[:, 2], atol=1e-6)
    np.testing.assert_array_equal(after.embeddings, before.embeddings)
    ranks = [p.probabilities[:, 1].argsort().tolist() for p in (before, after)]
    assert ranks[0] == ranks[1]


def test_it_can_be_adapted_again(adapted: Adapted, folder: Path) -> None:
    again = adapt(
        adapted.bundle, folder / "crops" / "labels.csv", folder / "again", threads=1, resamples=200
    )
    assert again.bundle is None
    assert [found.how for found in again.labels.values()] == ["kept"] * 3
    assert not (folder / "again").exists()


def test_what_is_held_out_is_not_looked_at(crops, adapted: Adapted, tmp_path: Path) -> None:
    """Turning the labels of the held part round changes neither choice nor model."""
    split = ["test" if i % 3 == 0 else "train" for i in range(140)]
    turned = crops.labels.copy()
    turned[::3] = 1 - turned[::3]
    found = [
        adapt(
            TINY,
            write(tmp_path / name, replace(crops, labels=labels), split=split),
            tmp_path / f"new-{name}",
            threads=1,
            resamples=200,
        )
        for name, labels in (("right", crops.labels), ("turned", turned))
    ]
    right, wrong = found
    assert right.data.held == wrong.data.held == 47
    assert right.bundle.card.model_sha256 == wrong.bundle.card.model_sha256
    assert {k: v.log_loss for k, v in right.labels.items()} == {
        k: v.log_loss for k, v in wrong.labels.items()
    }
    accuracy = [one.labels["head"].held["accuracy"].after.value for one in found]
    assert accuracy[0] + accuracy[1] == pytest.approx(1)


def test_the_same_seed_gives_the_same_bundle(adapted: Adapted, folder: Path) -> None:
    again = adapt(TINY, folder / "crops" / "labels.csv", folder / "same", threads=1, resamples=300)
    assert again.labels == adapted.labels
    assert again.bundle.model == adapted.bundle.model


def test_patients_stay_whole(folder: Path) -> None:
    table = write(folder / "patients", lab(100, seed=2, patients=12))
    found = adapt(TINY, table, folder / "by-patient", threads=1, resamples=200)
    assert found.data.patients == 12
    assert "bootstrap over patients" in found.bundle.card.protocol


def test_only_labels_that_are_named_change(folder: Path) -> None:
    found = adapt(
        TINY,
        folder / "crops" / "labels.csv",
        folder / "acrosome",
        labels=["acrosome"],
        threads=1,
        resamples=200,
    )
    assert [one.how for one in found.labels.values()] == ["kept", "recalibrated", "kept"]
    assert found.bundle.model == load_bundle(TINY).model


def _few(crops):
    return crops.select(np.arange(30))


def _blank(crops):
    labels = crops.labels.copy()
    labels[:, 0] = -1
    return replace(crops, labels=labels)


def _one_patient(crops):
    return replace(crops, patients=("p1",) * len(crops))


def _sorted_patients(crops):
    """Every abnormal head is of one patient."""
    names = ["p0" if y else f"p{1 + i % 8}" for i, y in enumerate(crops.labels[:, 0])]
    return replace(crops, patients=tuple(names))


@pytest.mark.parametrize(
    ("change", "options", "messages"),
    [
        pytest.param(
            _few,
            {},
            ["30 labelled crops, at least 50 are needed: label 20 more", "vacuole: "],
            id="few-crops",
        ),
        pytest.param(_blank, {}, ["head: no crop is labelled for it"], id="label-missing"),
        pytest.param(_one_patient, {}, ["1 patient, at least 5 are needed"], id="one-patient"),
        pytest.param(
            _sorted_patients,
            {},
            ["head: 0 abnormal crops to ", "label more patients"],
            id="class-of-one-patient",
        ),
        pytest.param(
            lambda crops: crops,
            {"labels": ["tail"]},
            ["tiny does not grade tail; it grades head, acrosome, vacuole"],
            id="unknown-label",
        ),
        pytest.param(
            lambda crops: crops,
            {"name": "no name", "labels": ["acrosome"]},
            ["the card cannot be written with name 'no name'", "A name is letters"],
            id="bad-name",
        ),
    ],
)
def test_what_is_refused(
    change, options: dict[str, object], messages: list[str], crops, tmp_path: Path
) -> None:
    table = write(tmp_path / "crops", change(crops))
    with pytest.raises(AdaptError) as caught:
        adapt(TINY, table, tmp_path / "new", threads=1, resamples=200, **options)
    for message in messages:
        assert message in str(caught.value)
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_taken_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="not an empty folder"):
        adapt(TINY, tmp_path / "nowhere.csv", tmp_path / "new")


def test_bad_rows_are_listed(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("path,head\nno.png,0\nnot.png,3\n")
    with pytest.raises(LabelsError, match="line 3"):
        adapt(TINY, tmp_path / "labels.csv", tmp_path / "new")


def test_an_older_card_has_no_parent(adapted: Adapted, folder: Path) -> None:
    card = json.loads((TINY / "card.json").read_text())
    assert card.get("parent") is None
    assert json.loads((folder / "new" / "card.json").read_text())["parent"]["name"] == "tiny"


def test_labels_that_the_bundle_does_not_grade_are_named(folder: Path, crops) -> None:
    named = replace(crops, label_names=("head", "acrosome", "tail"))
    table = write(folder / "tails", named)
    found = adapt(TINY, table, folder / "tails-new", labels=["acrosome"], threads=1, resamples=200)
    assert found.notes[0] == "tail is labelled, and tiny does not grade it"
    assert found.labels["vacuole"].held == {}
