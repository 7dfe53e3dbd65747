from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the train extra: matplotlib is not installed")
pytest.importorskip("sklearn", reason="needs the train extra: scikit-learn is not installed")

from PIL import Image
from sklearn.calibration import calibration_curve

from androscope.errors import MissingExtraError, TrainingError
from androscope.learning import plots
from androscope.learning.plots import (
    calibration_bins,
    plot_calibration,
    plot_confusion,
    plot_history,
    plot_roc,
    plot_run,
)

pytestmark = pytest.mark.train

NAMES = ("head", "acrosome")


def sample(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    labels = (generator.random((n, 2)) < 0.3).astype(np.int8)
    return labels, np.clip(0.3 * labels + 0.7 * generator.random((n, 2)), 0, 1)


def colours(path: Path) -> int:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return len(picture.convert("RGB").getcolors(10**6) or ())


def draw(path: Path) -> None:
    labels, given = sample()
    plot_roc(path / "roc.png", NAMES, labels, given, {"head": 0.5, "acrosome": 0.4})
    plot_calibration(path / "calibration.png", NAMES, labels, given)
    plot_confusion(path / "confusion.png", {"head": [[5, 1], [2, 3]], "tail": [[9, 0], [0, 0]]})
    history = path / "history.csv"
    history.write_text(
        "epoch,train_loss,valid_loss,valid_accuracy_head,lr,kept\n"
        "1,0.7,0.69,0.70,0.001,1\n2,0.6,0.65,0.75,0.001,1\n3,0.5,0.70,,0.001,0\n"
    )
    plot_history(path / "history.png", history, "Stage 1")


def test_pictures_are_drawn_and_are_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    draw(tmp_path / "a")
    # Whatever a user's own settings are.
    import matplotlib

    monkeypatch.setitem(matplotlib.rcParams, "font.size", 30.0)
    monkeypatch.setitem(matplotlib.rcParams, "figure.dpi", 30.0)
    draw(tmp_path / "b")
    pictures = sorted((tmp_path / "a").glob("*.png"))
    assert [p.name for p in pictures] == [
        "calibration.png",
        "confusion.png",
        "history.png",
        "roc.png",
    ]
    for path in pictures:
        assert colours(path) > 20
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name
    assert matplotlib.rcParams["font.size"] == 30.0


def test_no_half_picture_is_left(tmp_path: Path) -> None:
    labels, given = sample()
    with pytest.raises(IndexError):
        plot_roc(tmp_path / "roc.png", (*NAMES, "tail"), labels, given)
    assert list(tmp_path.iterdir()) == []


def test_a_label_of_one_class_has_no_curve_and_does_not_stop_the_others(tmp_path: Path) -> None:
    labels, given = sample()
    labels[:, 1] = 0
    plot_roc(tmp_path / "roc.png", NAMES, labels, given, {"head": 0.5, "acrosome": 0.4})
    labels[:, 1] = -1
    plot_roc(tmp_path / "none.png", NAMES, labels, given)
    plot_calibration(tmp_path / "calibration.png", NAMES, labels, given)
    assert len(list(tmp_path.glob("*.png"))) == 3


def test_calibration_against_scikit_learn() -> None:
    labels, given = sample(500)
    found = calibration_bins(labels[:, 0], given[:, 0])
    observed, predicted = calibration_curve(
        labels[:, 0], given[:, 0], n_bins=10, strategy="quantile"
    )
    assert [b.count for b in found] == [50] * 10
    assert [b.observed for b in found] == pytest.approx(observed, abs=0.021)
    assert [b.predicted for b in found] == pytest.approx(predicted, abs=0.01)


def test_calibration_by_hand() -> None:
    labels = [0, 0, 1, 1, -1]
    bins = calibration_bins(labels, [0.1, 0.2, 0.7, 0.8, 0.9], bins=2)
    assert [(b.predicted, b.observed, b.count) for b in bins] == [
        (pytest.approx(0.15), 0.0, 2),
        (pytest.approx(0.75), 1.0, 2),
    ]


def test_calibration_of_equal_probabilities_is_one_group() -> None:
    bins = calibration_bins([0, 1, 1, 0], [0.5] * 4)
    assert [(b.predicted, b.observed, b.count) for b in bins] == [(0.5, 0.5, 4)]
    assert calibration_bins([-1], [0.5]) == []


HISTORIES = {
    "empty": ("", "expected the columns epoch, train_loss, valid_loss, got no rows"),
    "other columns": (
        "epoch,loss\n1,2\n",
        "expected the columns train_loss, valid_loss, got epoch, loss",
    ),
    "words": ("epoch,train_loss,valid_loss\none,1,1\n", "could not convert string to float: 'one'"),
}


@pytest.mark.parametrize(("text", "said"), HISTORIES.values(), ids=HISTORIES)
def test_what_is_no_history(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(TrainingError) as caught:
        plot_history(tmp_path / "x.png", tmp_path / "history.csv")
    assert str(caught.value) == f"{tmp_path}/history.csv: is no training history: {said}"


def test_a_missing_history(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"history\.csv: cannot be read: No such file"):
        plot_history(tmp_path / "x.png", tmp_path / "history.csv")


def test_without_matplotlib_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(module: str, *, extra: str, why: str) -> object:
        raise MissingExtraError(f"{module} {extra} {why}")

    monkeypatch.setattr(plots, "require", missing)
    with pytest.raises(MissingExtraError, match="matplotlib train draw plots"):
        plot_confusion(tmp_path / "x.png", {"head": [[1, 0], [0, 1]]})


def test_every_stage_of_a_run_has_its_picture(tmp_path: Path) -> None:
    text = "epoch,train_loss,valid_loss,valid_accuracy_head,kept\n1,0.7,0.6,0.7,1\n"
    for stage in ("stage1", "stage2/head", "stage2/tail"):
        (tmp_path / stage).mkdir(parents=True)
        (tmp_path / stage / "history.csv").write_text(text)
    found = plot_run(tmp_path)
    assert [str(p.relative_to(tmp_path)) for p in found] == [
        "stage1/history.png",
        "stage2/head/history.png",
        "stage2/tail/history.png",
    ]
    assert all(colours(path) > 20 for path in found)
    assert plot_run(tmp_path / "stage1") == ()
