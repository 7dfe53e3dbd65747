from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")

from sklearn import metrics as sklearn_metrics

from androscope import __version__
from androscope.benchmark.board import read_board, with_entry
from androscope.benchmark.entries import Board, Protocol
from androscope.benchmark.verify import RESAMPLES, SEED, Claim, verify
from androscope.datasets import Dataset
from androscope.errors import DatasetMissingError, LeaderboardError, SubmissionError
from androscope.learning.intervals import bootstrap
from androscope.learning.metrics import METRICS

from .conftest import TRUTH, N, board, chances, entry, info, write_predictions

pytestmark = pytest.mark.train

TODAY = datetime.now(UTC).date()
CLAIM = Claim(name="mine", date="2024-05", protocol=Protocol.OFFICIAL)


def check(path: Path, claim: Claim = CLAIM, to: Board | None = None, **limits: float) -> Any:
    return verify(path, to or board(), info(), claim, limits)


def test_every_score_is_computed_from_the_labels(discs: Dataset, tmp_path: Path) -> None:
    path = write_predictions(tmp_path / "p.csv", {"head": chances()})
    found = check(path, head=0.45).scores["head"]
    truth, given = TRUTH[:, 0], np.array(chances())
    # Normal is the positive class.
    positive, called = truth == 0, given < 0.45
    precision = sklearn_metrics.precision_score(positive, called)
    recall = sklearn_metrics.recall_score(positive, called)
    expected = {
        "accuracy": sklearn_metrics.accuracy_score(positive, called),
        "precision": precision,
        "recall": recall,
        "f_half": sklearn_metrics.fbeta_score(positive, called, beta=0.5),
        "g_mean": (precision * recall) ** 0.5,
        "roc_auc": sklearn_metrics.roc_auc_score(truth, given),
        "mcc": sklearn_metrics.matthews_corrcoef(positive, called),
    }
    ends = bootstrap(truth, given, 0.45, resamples=RESAMPLES, seed=SEED)
    assert set(found) == set(METRICS)
    for name in METRICS:
        assert found[name].value == pytest.approx(expected[name])
        assert (found[name].low, found[name].high) == (ends[name].low, ends[name].high)


def test_what_was_checked_is_written_down(discs: Dataset, tmp_path: Path) -> None:
    path = write_predictions(tmp_path / "p.csv", {"tail": chances(1), "head": chances()})
    claim = Claim("mine", "2024-05", Protocol.FOLDS, "10.1000/xyz", "https://example.org/code")
    found = check(path, claim, tail=0.3)
    assert (found.name, found.date, found.protocol) == ("mine", "2024-05", Protocol.FOLDS)
    assert (found.code, found.status) == ("https://example.org/code", "verified")
    assert found.paper.url == "https://doi.org/10.1000/xyz"
    assert list(found.scores) == ["head", "tail"]
    seen = found.verification
    assert seen.predictions_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert list(seen.probabilities_sha256) == ["head", "tail"]
    assert seen.labels_sha256 == {"head": "a" * 64, "tail": "b" * 64}
    assert seen.thresholds == {"head": 0.5, "tail": 0.3}
    assert (seen.androscope, seen.resamples, seen.checked) == (__version__, RESAMPLES, TODAY)
    assert str(tmp_path) not in found.model_dump_json()


@pytest.mark.parametrize(
    ("paper", "text", "url"),
    [
        pytest.param("10.1/x", "doi:10.1/x", "https://doi.org/10.1/x", id="DOI"),
        pytest.param("doi:10.1/x", "doi:10.1/x", "https://doi.org/10.1/x", id="doi:"),
        pytest.param(
            "https://doi.org/10.1/x", "doi:10.1/x", "https://doi.org/10.1/x", id="DOI as address"
        ),
        pytest.param("https://a.org/b", "https://a.org/b", "https://a.org/b", id="address"),
        pytest.param("Doe 2020, Nets", "Doe 2020, Nets", None, id="citation"),
    ],
)
def test_papers(paper: str, text: str, url: str | None) -> None:
    found = Claim("n", "2020", Protocol.UNKNOWN, paper).reference
    assert found is not None
    assert (found.text, found.url) == (text, url)


def test_all_that_speaks_against_it_is_said_at_once(discs: Dataset, tmp_path: Path) -> None:
    path = write_predictions(tmp_path / "p.csv", {"head": chances()})
    there = with_entry(board(), check(path))
    path.write_text(path.read_text().replace("test/7,", "test/99,"))
    claim = Claim("mine", "2999-01", Protocol.OFFICIAL, "https://a.org/<b>", "www.example.org/code")
    with pytest.raises(SubmissionError) as caught:
        check(path, claim, there)
    assert str(caught.value).splitlines() == [
        f"{path}: refused for 7 reasons:",
        "  --code 'www.example.org/code': expected an address that begins with https://",
        "  --paper 'https://a.org/<b>': expected a DOI, an address, or a citation on a line",
        f"  --date 2999-01: expected no later day than today, {TODAY}",
        "  --name 'mine' is taken by an entry of 2024-05: choose another name",
        "  line 9: expected an id of discs test, got test/99",
        f"  1 of {N} ids are missing: test/7",
        f"  the probabilities of head are on the board as 'mine' since {TODAY}: predictions are "
        "entered once, with one threshold; leave out the labels that are there already",
        ". Nothing was entered; mend these and submit again",
    ]


def test_a_file_is_entered_once(discs: Dataset, tmp_path: Path) -> None:
    path = write_predictions(tmp_path / "p.csv", {"head": chances()})
    there = with_entry(board(entry()), check(path))
    copy = tmp_path / "copy.csv"
    copy.write_bytes(path.read_bytes())
    with pytest.raises(SubmissionError) as caught:
        check(copy, Claim("other", "2024", Protocol.OFFICIAL), there, head=0.4)
    assert (
        f"this very file is on the board as 'mine' since {TODAY}: a file is entered once, with one "
        "set of thresholds" in str(caught.value)
    )


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"head": chances()}, id="a subset of the columns"),
        pytest.param(
            {"head_probability": chances(), "tail": chances(2)}, id="another column beside"
        ),
    ],
)
def test_probabilities_are_entered_once_however_they_are_written(
    discs: Dataset, tmp_path: Path, columns: dict[str, object]
) -> None:
    path = write_predictions(tmp_path / "p.csv", {"head": chances(), "tail": chances(1)})
    there = with_entry(board(entry()), check(path))
    other = write_predictions(tmp_path / "other.csv", columns)
    other.write_text(other.read_text() + "\n")
    claim = Claim("other", "2024", Protocol.OFFICIAL)
    with pytest.raises(SubmissionError) as caught:
        check(other, claim, there, head=0.42)
    assert f"the probabilities of head are on the board as 'mine' since {TODAY}" in str(
        caught.value
    )
    assert "1 reason" in str(caught.value)
    # Rows from before digests were kept are compared by their files, as they were.
    older = there.model_dump(mode="json")
    del older["entries"][1]["verification"]["probabilities_sha256"]
    assert check(other, claim, Board.model_validate(older)).name == "other"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"name": ""}, "--name '': string should have at least 1", id="no name"),
        pytest.param({"name": "a\tb"}, "--name 'a\\tb': expected one line without", id="tab"),
        pytest.param({"date": "May 2024"}, "--date 'May 2024': expected YYYY, YYYY-MM", id="date"),
        pytest.param({"paper": "a\nb"}, "--paper 'a\\nb': expected a DOI, an address", id="paper"),
        pytest.param({"paper": "10.1/ x"}, "--paper '10.1/ x': expected a DOI", id="DOI"),
    ],
)
def test_claims_that_cannot_be_entered(changes: dict[str, Any], message: str) -> None:
    values: dict[str, Any] = {"name": "n", "date": "2024", "protocol": Protocol.UNKNOWN}
    (fault,) = Claim(**(values | changes)).faults("2024-05-06")
    assert fault.startswith(message)


def test_a_claim_of_today_can_be_entered() -> None:
    for date in ("2024", "2024-05", "2024-05-06"):
        assert Claim("n", date, Protocol.UNKNOWN).faults("2024-05-06") == []


def test_other_labels_than_the_boards(discs: Dataset, tmp_path: Path) -> None:
    path = write_predictions(tmp_path / "p.csv", {"head": chances()})
    other = info(labels={"head": (20, 20), "tail": (20, 20)})
    with pytest.raises(LeaderboardError, match=r"discs test: expected \(normal, abnormal\)"):
        verify(path, board(), other, CLAIM)


def test_without_the_labels_nothing_is_said_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANDROSCOPE_DATA", raising=False)
    there = read_board()
    with pytest.raises(DatasetMissingError, match="androscope data download mhsma"):
        verify(tmp_path / "none.csv", there, there.by_name["mhsma"], CLAIM)


@pytest.mark.mhsma
def test_the_published_labels(
    mhsma_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANDROSCOPE_DATA", str(mhsma_dir.parent))
    there = read_board()
    ids = [f"test/{i}" for i in range(300)]
    # All below, and all above the threshold; constants alone are refused.
    low = [0.1 + 0.001 * i for i in range(300)]
    columns: dict[str, object] = {"vacuole": low, "head": [value + 0.5 for value in low]}
    path = write_predictions(tmp_path / "p.csv", columns, ids)
    found = verify(path, there, there.by_name["mhsma"], CLAIM)
    accuracy = {label: scores["accuracy"].value for label, scores in found.scores.items()}
    assert accuracy == pytest.approx({"head": 81 / 300, "vacuole": 262 / 300})
    assert found.scores["head"]["precision"].why == "no crop was called normal"
    for label, digest in found.verification.labels_sha256.items():  # type: ignore[union-attr]
        content = (mhsma_dir / f"y_{label}_test.npy").read_bytes()
        assert digest == hashlib.sha256(content).hexdigest()
