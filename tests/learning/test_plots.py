from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="needs the train extra: matplotlib is not installed")

from androscope.errors import MissingExtraError, TrainingError
from androscope.learning import plots
from androscope.learning.plots import canvas, look, plot_history, plot_run

from .pictures import colours, drawn_twice

pytestmark = pytest.mark.train

HISTORY = """\
epoch,train_loss,valid_loss,valid_accuracy_head,lr,kept
1,0.7,0.69,0.70,0.001,1
2,0.6,0.65,0.75,0.001,1
3,0.5,0.70,,0.001,0
"""


def test_the_same_history_gives_the_same_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "history.csv").write_text(HISTORY)

    def draw(folder: Path) -> None:
        plot_history(folder / "history.png", tmp_path / "history.csv", "Stage 1")

    assert drawn_twice(draw, tmp_path, monkeypatch) == ["history.png"]


def test_no_half_picture_is_left(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), canvas(tmp_path / "x.png", 2, 2) as figure:
        figure.suptitle(str(1 / 0))
    assert list(tmp_path.iterdir()) == []


def test_curves_are_told_apart() -> None:
    looks = [look(i) for i in range(32)]
    assert len({(found["color"], found["linestyle"]) for found in looks}) == 32
    assert look(32) == look(0)


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
    with (
        pytest.raises(MissingExtraError, match="matplotlib train draw plots"),
        canvas(tmp_path / "x.png", 2, 2),
    ):
        pass


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
