from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from androscope.benchmark.board import SHIPPED, read_board, write_board
from androscope.benchmark.entries import Board, DatasetInfo, Entry, Protocol
from androscope.cli.leaderboard import ProtocolName, submit
from androscope.datasets import Dataset, LabelledCrops

from .conftest import TINY, Run

LABELS = ("head", "acrosome", "vacuole")
TODAY = str(datetime.now(UTC).date())


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A board about 40 crops that are loaded whatever is asked for; gives its file's folder."""
    draw = np.random.default_rng(2)
    crops = draw.integers(0, 256, (40, 8, 8), dtype=np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    labels = (draw.random((40, 3)) < 0.3).astype(np.int8)
    test = LabelledCrops(crops, labels, LABELS, tuple(f"test/{i}" for i in range(40)))
    files = {f"y_{label}_test.npy": "a" * 64 for label in LABELS}
    data = Dataset(name="blocks", splits={"test": test}, file_hashes=files)
    monkeypatch.setattr("androscope.datasets.load", lambda *a, **k: data)
    info = DatasetInfo.model_validate(
        {
            "name": "blocks",
            "title": "Blocks",
            "task": "Are they odd?",
            "split": "test",
            "crops": 40,
            "labels": {name: (n.normal, n.abnormal) for name, n in test.counts().items()},
            "licence": "CC0",
            "source": {"text": "drawn here"},
        }
    )
    claim = Entry.model_validate(
        {
            "name": "claim",
            "dataset": "blocks",
            "date": "2020",
            "protocol": "unknown",
            "scores": {"head": {"accuracy": {"value": 0.99}}},
            "decimals": 0,
            "source": {"text": "a talk"},
            "paper": {"text": "a talk"},
        }
    )
    write_board(tmp_path / "leaderboard.json", Board(datasets=(info,), entries=(claim,)))
    lines = [f"test/{i},{value:.3f}" for i, value in enumerate(draw.random(40))]
    (tmp_path / "p.csv").write_text("\n".join(["id,head", *lines]) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


SUBMIT = ("leaderboard", "submit", "p.csv", "--dataset", "blocks", "--protocol", "official")


def test_show_prints_a_ranking_per_label(run: Run) -> None:
    done = run("leaderboard", "show")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "MHSMA test, head, accuracy (percent); 219 normal, 81 abnormal"
    assert lines[1].split("  ")[0] == "rank"
    assert lines[3].split() == [
        "2", "84.00", "DTL", "2021", "official", "split", "unverified",
        "https://doi.org/10.1016/j.compbiomed.2020.104121",
    ]  # fmt: skip
    assert [line.split(",")[1] for line in lines if line.startswith("MHSMA")] == [
        " head",
        " acrosome",
        " vacuole",
    ]
    assert lines[-1] == "Sources, code and remarks: `androscope leaderboard page`, or --json."


def test_show_one_label_and_metric(run: Run) -> None:
    done = run("leaderboard", "show", "--label", "vacuole", "--metric", "mcc")
    lines = done.out.splitlines()
    assert lines[0] == "MHSMA test, vacuole, MCC (-1 to 1); 262 normal, 38 abnormal"
    published = [line.split()[1:3] for line in lines[2:] if " verified" not in line]
    assert published[:3] == [["0.708", "DTL"], ["0.635", "DMTL"], ["0.591", "Deep"]]
    assert [line.split()[0] for line in lines[2:5]] == ["1", "2", "3"]


def test_json_has_every_metric_unless_one_is_chosen(run: Run) -> None:
    whole = json.loads(run("leaderboard", "show", "--json").out)
    assert len(whole["rankings"]) == 21
    one = json.loads(run("leaderboard", "show", "--json", "--label", "tail", "--metric", "mcc").out)
    assert [(r["label"], r["metric"]) for r in one["rankings"]] == [("tail", "mcc")]
    assert whole["entries"] == one["entries"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--label", "wing"], "has no label 'wing'. Choose one of head,", id="label"),
        pytest.param(["--metric", "auc"], "has no metric 'auc'; the nearest is", id="metric"),
        pytest.param(["--dataset", "MHSMA"], "no data set 'MHSMA'; the nearest is mhsma", id="set"),
        pytest.param(["--file", "none.json"], "none.json: cannot be read: No such file", id="file"),
    ],
)
def test_show_what_is_not_there(run: Run, arguments: list[str], message: str) -> None:
    done = run("leaderboard", "show", *arguments)
    assert done.code == 2
    assert message in done.err


def test_the_page(run: Run, tmp_path: Path) -> None:
    done = run("leaderboard", "page", "--out", tmp_path / "b.html")
    assert (done.code, done.out) == (0, f"Written to {tmp_path / 'b.html'}\n")
    assert "<h1>Leaderboard: MHSMA</h1>" in (tmp_path / "b.html").read_text(encoding="utf-8")


def test_protocols_are_those_of_an_entry() -> None:
    assert [p.value for p in ProtocolName] == [p.value for p in Protocol]


@pytest.fixture
def _sklearn() -> None:
    pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")


@pytest.mark.train
@pytest.mark.usefixtures("_sklearn")
class TestSubmit:
    def test_a_verified_row_is_added(self, run: Run, blocks: Path) -> None:
        done = run(*SUBMIT, "--name", "mine", "--threshold", "head=0.4", "--paper", "10.1/x")
        assert done.code == 0, done.err
        lines = done.out.splitlines()
        assert lines[0] == "mine: Blocks test, 40 crops, official split"
        assert lines[3] == "head  abnormal from 0.4"
        assert lines[4].split()[0] == "accuracy"
        assert lines[4].endswith("rank 2 of 2")
        assert lines[5].endswith("rank 1 of 1")
        assert "never on the split that is scored." in done.out
        assert lines[-1] == "Added to leaderboard.json"
        (_, added) = read_board("leaderboard.json").entries
        assert (added.status, added.date, added.protocol.value) == ("verified", TODAY, "official")
        assert added.verification is not None
        assert added.verification.thresholds == {"head": 0.4}
        shown = run("leaderboard", "show", "--dataset", "blocks", "--file", "leaderboard.json").out
        first, second = shown.splitlines()[2:4]
        assert first.split() == ["1", "99", "claim", "2020", "unknown", "unverified", "a", "talk"]
        assert second.split()[0] == "2"
        assert second.endswith("verified    https://doi.org/10.1/x")

    def test_a_dry_run_writes_nothing(self, run: Run, blocks: Path) -> None:
        before = (blocks / "leaderboard.json").read_bytes()
        done = run(*SUBMIT, "--name", "mine", "--dry-run")
        assert (done.code, done.out.splitlines()[-1]) == (0, "Nothing was written (--dry-run)")
        assert (blocks / "leaderboard.json").read_bytes() == before

    def test_the_same_file_again_is_refused(self, run: Run, blocks: Path) -> None:
        assert run(*SUBMIT, "--name", "mine").code == 0
        before = (blocks / "leaderboard.json").read_bytes()
        done = run(*SUBMIT, "--name", "other", "--threshold", "head=0.4")
        assert done.code == 2
        assert f"this very file is on the board as 'mine' since {TODAY}" in done.err
        assert (blocks / "leaderboard.json").read_bytes() == before

    def test_four_at_once_are_four_rows(self, blocks: Path) -> None:
        def one(number: int) -> None:
            lines = [f"test/{i},{(i + number) / 50}" for i in range(40)]
            path = blocks / f"p{number}.csv"
            path.write_text("\n".join(["id,head", *lines]))
            submit(
                path, name=f"net {number}", protocol=ProtocolName.OFFICIAL, dataset="blocks",
                file=blocks / "leaderboard.json",
            )  # fmt: skip

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(one, range(4)))
        names = [entry.name for entry in read_board(blocks / "leaderboard.json").entries]
        assert sorted(names) == ["claim", *(f"net {number}" for number in range(4))]

    def test_a_bad_file_is_refused_with_every_reason(self, run: Run, blocks: Path) -> None:
        text = (blocks / "p.csv").read_text().splitlines()
        text[3], text[5] = "test/2,nan", "test/70,0.5"
        (blocks / "p.csv").write_text("\n".join(text))
        done = run(*SUBMIT, "--name", "claim", "--threshold", "tail=0.5")
        assert done.code == 2
        assert done.err.splitlines() == [
            "error: p.csv: refused for 5 reasons:",
            "  --name 'claim' is taken by an entry of 2020: choose another name",
            "  line 6: expected an id of blocks test, got test/70",
            "  1 of 40 ids are missing: test/4",
            "  there is a threshold for tail, and no column of that name",
            "  line 4: head is not finite: expected a probability from 0 to 1, got nan",
            ". Nothing was entered; mend these and submit again",
        ]

    def test_chances_of_normal_are_noticed(self, run: Run, blocks: Path) -> None:
        labels = read_labels(blocks)
        lines = [f"test/{i},{0.9 - 0.8 * label + i / 1000:.3f}" for i, label in enumerate(labels)]
        (blocks / "p.csv").write_text("\n".join(["id,head", *lines]))
        done = run(*SUBMIT, "--name", "mine", "--dry-run")
        assert (
            "note: ROC AUC of head is below 50: a probability must be that of abnormal" in done.out
        )

    @pytest.mark.parametrize(
        ("threshold", "message"),
        [
            pytest.param(["head"], "expected LABEL=VALUE such as head=0.42, got 'head'", id="no ="),
            pytest.param(["head=x"], "got 'head=x'", id="no number"),
            pytest.param(["head=0.1", "head=0.2"], "head is given twice", id="twice"),
        ],
    )
    def test_thresholds(self, run: Run, blocks: Path, threshold: list[str], message: str) -> None:
        options = [word for one in threshold for word in ("--threshold", one)]
        done = run(*SUBMIT, "--name", "mine", *options)
        assert done.code == 2
        assert message in " ".join(done.err.replace("│", " ").split())

    def test_what_evaluate_writes_is_taken_as_it_is(self, run: Run, blocks: Path) -> None:
        pytest.importorskip("matplotlib", reason="needs the train extra: matplotlib is missing")
        done = run("evaluate", TINY, "--data", "blocks", "--split", "test", "--out", "e")
        assert done.code == 0, done.err
        done = run(*SUBMIT[:2], "e/predictions.csv", *SUBMIT[3:], "--name", "tiny")
        assert done.code == 0, done.err
        evaluated = json.loads((blocks / "e" / "evaluation.json").read_text())
        (_, added) = read_board("leaderboard.json").entries
        assert set(added.scores) == set(LABELS)
        for label in LABELS:
            found = evaluated["by_label"][label]
            assert added.verification is not None
            assert added.verification.thresholds[label] == found["threshold"]
            computed = {k: v.model_dump() for k, v in added.scores[label].items()}
            assert computed == found["scores"]

    def test_without_a_data_file_the_shipped_one_is_the_beginning(
        self, run: Run, mhsma_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("ANDROSCOPE_DATA", str(mhsma_dir.parent))
        lines = [f"test/{i},0.{i % 10}" for i in range(300)]
        Path("p.csv").write_text("\n".join(["id,tail", *lines]))
        options = ("--name", "mine", "--protocol", "unknown")
        done = run("leaderboard", "submit", "p.csv", *options)
        assert done.code == 0, done.err
        shipped, written = read_board(SHIPPED), read_board("leaderboard.json")
        assert written.entries[:-1] == shipped.entries
        assert written.entries[-1].name == "mine"


def read_labels(folder: Path) -> list[int]:
    """Labels of the head in the fixture's data set."""
    draw = np.random.default_rng(2)
    draw.integers(0, 256, (40, 8, 8), dtype=np.uint8)
    return [int(row[0] < 0.3) for row in draw.random((40, 3))]


def test_without_the_data_the_command_says_how_to_get_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANDROSCOPE_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    done = run("leaderboard", "submit", "p.csv", "--name", "a", "--protocol", "official")
    assert done.code == 2
    assert "MHSMA is not on this machine" in done.err
    assert "androscope data download mhsma" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["show", "--json"], id="show"),
        pytest.param(["page", "--out", "b.html"], id="page"),
    ],
)
def test_looking_loads_nothing_heavy(tmp_path: Path, arguments: list[str]) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['androscope', 'leaderboard', *{arguments!r}]\n"
        "from androscope.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as stopped:\n    assert not stopped.code\n"
        "heavy = {'torch', 'sklearn', 'scipy', 'matplotlib', 'onnxruntime', 'yaml', 'pandas'}\n"
        "assert not heavy & {name.partition('.')[0] for name in sys.modules}"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("COV_", "COVERAGE_"))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
