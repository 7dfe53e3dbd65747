from __future__ import annotations

import csv
import io
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")
pytest.importorskip("cleanlab", reason="needs the train extra: cleanlab is not installed")

from androscope.cli.main import main
from androscope.errors import TrainingError
from androscope.learning.label_noise import LabelNoise, Suspect
from androscope.protocol.audit import audit, csv_text, ranked
from androscope.protocol.limits import limits

from .small import dataset, guarded

pytestmark = pytest.mark.train


@pytest.fixture(autouse=True)
def _discs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("androscope.protocol.audit.load", lambda *a, **k: guarded())


def test_an_audit_is_the_part_on_labels_of_limits(runs: dict[str, Path]) -> None:
    folders = [runs["fold-0"], runs["fold-1"]]
    found, without = audit("discs", folders, resamples=100)
    assert (found.runs, found.crops, without) == (2, 40, {})
    assert found == limits(folders, "valid", resamples=100, dataset=guarded()).noise


def test_the_list_is_written(
    runs: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out.csv"
    arguments = ["discs", str(runs["fold-0"]), str(runs["fold-1"]), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["androscope", "audit-labels", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    printed = capsys.readouterr().out
    assert "40 of 40 train crops, by 2 runs that held them out:" in printed
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    train_crops = dataset().splits["train"]
    assert [row["rank"] for row in rows] == [str(i + 1) for i in range(len(rows))]
    for row in rows:
        column = train_crops.label_names.index(row["label"])
        label = train_crops.labels[train_crops.ids.index(row["id"]), column]
        assert row["given"] == ("normal", "abnormal")[label]
    doubts = [
        abs(float(row["probability_abnormal"]) - (row["given"] == "abnormal")) for row in rows
    ]
    assert doubts == sorted(doubts, reverse=True)


def test_suspects_of_all_labels_are_ranked_together() -> None:
    def noise(*suspects: Suspect) -> LabelNoise:
        return LabelNoise(
            crops=9, share=0.1, low=0, high=0.2, labelled_abnormal=0.1, labelled_normal=0,
            if_opinions_were_right=0.05, resamples=100, seed=0, suspects=suspects,
        )  # fmt: skip

    listed = ranked(
        {
            "head": noise(
                Suspect(id="=a.png", label=0, probability=0.9),
                Suspect(id="b.png", label=1, probability=0.4),
            ),
            "tail": noise(Suspect(id="b.png", label=1, probability=0.02)),
        }
    )
    assert csv_text(listed) == (
        "rank,id,label,given,probability_abnormal\n"
        "1,b.png,tail,abnormal,0.02\n"
        "2,./=a.png,head,normal,0.9\n"
        "3,b.png,head,abnormal,0.4\n"
    )


def test_runs_that_held_out_nothing_are_refused(runs: dict[str, Path]) -> None:
    with pytest.raises(TrainingError, match="the runs cannot audit labels") as refused:
        audit("discs", [runs["whole"]])
    assert "data.held_out_folds=N" in str(refused.value)


def test_no_run_is_refused() -> None:
    with pytest.raises(TrainingError, match="there is no run"):
        audit("discs", [])


def test_other_data_is_refused(runs: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    splits = dict(dataset().splits)
    crops = splits["train"]
    splits["train"] = crops.select(np.arange(len(crops) - 1))
    monkeypatch.setattr(
        "androscope.protocol.audit.load", lambda *a, **k: replace(dataset(), splits=splits)
    )
    with pytest.raises(TrainingError, match="was trained on other train crops"):
        audit("discs", [runs["fold-0"]])
