from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.files import sha256_of
from androscope.learning.doubted import without_doubted
from androscope.learning.graph import Agreement
from androscope.learning.label_noise import LabelNoise, Suspect
from androscope.learning.protocol import protocol
from androscope.learning.run import train
from androscope.protocol.audit import csv_text, ranked

from .tiny import config as quick
from .tiny import dataset

pytestmark = pytest.mark.train


def crops() -> LabelledCrops:
    return LabelledCrops(
        crops=np.zeros((6, 32, 32), np.uint8),
        labels=np.array([[0, 0], [0, 0], [1, 1], [1, 1], [0, 1], [1, -1]], np.int8),
        label_names=("head", "vacuole"),
        ids=("a.png", "=b.png", "c.png", "d.png", "e.png", "f.png"),
    )


def listed(folder: Path, *rows: str) -> Path:
    path = folder / "suspects.csv"
    path.write_text("\n".join(("rank,id,label,given,probability_abnormal", *rows)) + "\n")
    return path


def test_none_is_none() -> None:
    train_crops = crops()
    assert without_doubted(train_crops, None) == (train_crops, None)


def test_listed_labels_are_masked_and_what_was_mended_since_stays(tmp_path: Path) -> None:
    path = listed(
        tmp_path,
        "1,./=b.png,head,normal,0.97",
        "2,e.png,vacuole,normal,0.9",  # Labelled abnormal by now: somebody looked.
        "3,f.png,head,abnormal,0.1",  # Its only label.
        "4,gone.png,head,normal,0.8",  # Of another fold.
        "5,c.png,tail,normal,0.8",  # Not a label of this run.
    )
    kept, facts = without_doubted(crops(), path)
    assert kept.ids == ("a.png", "=b.png", "c.png", "d.png", "e.png")
    assert kept.labels.tolist() == [[0, 0], [-1, 0], [1, 1], [1, 1], [0, 1]]
    assert facts == {
        "file": "suspects.csv",
        "sha256": sha256_of(path),
        "labels_left_out": {"head": 2, "vacuole": 0},
    }


def test_it_reads_what_the_audit_writes(tmp_path: Path) -> None:
    found = LabelNoise(
        crops=6, share=0.2, low=0.1, high=0.3, labelled_abnormal=0.1, labelled_normal=0.1,
        if_opinions_were_right=0.1, resamples=100, seed=0,
        suspects=(Suspect(id="=b.png", label=0, probability=0.9),),
    )  # fmt: skip
    path = tmp_path / "suspects.csv"
    path.write_text(csv_text(ranked({"head": found})))
    assert without_doubted(crops(), path)[0].labels[1].tolist() == [-1, 0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param(
            ["1,x.png,head,normal,0.9"],
            "names none of the 6 train crops, which are called such as a.png. Name the list that "
            "androscope audit-labels made of this data",
            id="other data",
        ),
        pytest.param(
            ["1,a.png,head,maybe,0.9"],
            "line 2: expected given to be normal or abnormal, got 'maybe'",
            id="no verdict",
        ),
        pytest.param(
            [f"1,{name},head,normal,0.9" for name in ("a.png", "./=b.png", "e.png")],
            "without the labels it lists, train has 0 normal and 3 abnormal crops for head; one of "
            "each at least is needed. Leave data.doubted empty, or shorten the list",
            id="class lost",
        ),
    ],
)
def test_refused_lists(rows: list[str], message: str, tmp_path: Path) -> None:
    path = listed(tmp_path, *rows)
    with pytest.raises(TrainingError) as caught:
        without_doubted(crops(), path)
    assert str(caught.value) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"id,label\na.png,head\n", "expected the columns id, label, given; there is no given"),
        (b"\xff\xfe\x00", "cannot be read: 'utf-8' codec"),
    ],
)
def test_files_that_are_no_list(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(data)
    with pytest.raises(TrainingError) as caught:
        without_doubted(crops(), path)
    assert message in str(caught.value)
    assert "Name the list that androscope audit-labels made" in str(caught.value)


def test_a_missing_list_starts_nothing(tmp_path: Path) -> None:
    missing = tmp_path / "none.csv"
    with pytest.raises(TrainingError, match="No such file"):
        train(quick(f"data.doubted={missing}"), tmp_path / "run", dataset=dataset(), quiet=True)
    assert not (tmp_path / "run").exists()


def test_a_run_says_how_many_it_left_out(tmp_path: Path) -> None:
    data = dataset()
    train_crops = data.splits["train"]
    name = train_crops.ids[0]
    given = "abnormal" if train_crops.labels[0, 0] else "normal"
    path = listed(tmp_path, f"1,{name},{train_crops.label_names[0]},{given},0.9")
    changes = (f"data.doubted={path}", "stage1.epochs=1")
    run = train(quick(*changes), tmp_path / "run", dataset=data, quiet=True)
    assert sum(run.record["doubted"]["labels_left_out"].values()) == 1
    said = protocol([run], 1, Agreement(probabilities=1e-6, embedding=1e-5, crops=4), [])
    assert "Labels of train that a list of doubted ones left out: 1 (head 1, vacuole 0)." in said
