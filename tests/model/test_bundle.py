# ruff: noqa: E501  a row of a table of cases stays on one line
from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from androscope.errors import BundleError, BundleMismatchError, OutputError
from androscope.model import bundle as bundles
from androscope.model.bundle import load_bundle
from androscope.model.bundle_writing import write_bundle
from androscope.model.card import CardDraft
from androscope.model.card_text import card_text

Edit = Callable[..., Path]


def _draft(folder: Path) -> CardDraft:
    return load_bundle(folder).card


def test_a_whole_bundle_loads(tiny: Path) -> None:
    bundle = load_bundle(tiny)
    assert bundle.card.name == "tiny"
    assert bundle.folder == tiny
    assert bundle.model == (tiny / "model.onnx").read_bytes()
    assert "model=" not in repr(bundle)


def test_a_folder_may_be_given_as_text(tiny: Path) -> None:
    assert load_bundle(str(tiny)).card == load_bundle(tiny).card


def test_files_beside_a_bundle_are_left_alone(bundle_copy: Path) -> None:
    (bundle_copy / "notes.txt").write_text("ours", encoding="utf-8")
    (bundle_copy / "weights.pkl").write_bytes(b"not to be read")
    load_bundle(bundle_copy)


@pytest.mark.parametrize("position", [0, 1000, -1], ids=["first", "middle", "last"])
def test_one_flipped_byte_is_refused(bundle_copy: Path, position: int) -> None:
    path = bundle_copy / "model.onnx"
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    expected = hashlib.sha256(bytes(content)).hexdigest()
    with pytest.raises(BundleMismatchError) as caught:
        load_bundle(bundle_copy)
    text = str(caught.value)
    assert text.startswith(f"{path}: is not the model its card describes: expected SHA-256 ")
    assert f"got {expected} ({len(content)} bytes)" in text
    assert "The file was changed or damaged" in text


@pytest.mark.parametrize("name", ["model.onnx", "card.json"])
def test_a_missing_file_is_named(bundle_copy: Path, name: str) -> None:
    (bundle_copy / name).unlink()
    with pytest.raises(BundleError) as caught:
        load_bundle(bundle_copy)
    assert str(caught.value).startswith(
        f"{bundle_copy / name}: is missing: a bundle is a folder with model.onnx and card.json"
    )


def test_a_truncated_model_is_refused(bundle_copy: Path) -> None:
    path = bundle_copy / "model.onnx"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BundleMismatchError, match=r"got [0-9a-f]{64} \(100 bytes\)"):
        load_bundle(bundle_copy)


def test_an_enormous_card_is_not_read(bundle_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "_MAX_CARD_BYTES", 100)
    with pytest.raises(BundleError, match=r"card\.json: is too large: \d+ bytes, at most 100"):
        load_bundle(bundle_copy)


def test_weights_in_another_file_are_refused(bundle_copy: Path, edit_card: Edit) -> None:
    # Field 13 of a TensorProto, {key: "location", value: "w.bin"}, as ONNX writes it.
    path = bundle_copy / "model.onnx"
    content = path.read_bytes() + b"\x6a\x11\x0a\x08location\x12\x05w.bin"
    path.write_bytes(content)
    edit_card(model_sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(BundleError) as caught:
        load_bundle(bundle_copy)
    assert "keeps weights in another file, which no hash vouches for" in str(caught.value)
    assert "Export it with all weights inside model.onnx" in str(caught.value)


@pytest.mark.train
def test_weights_in_another_file_as_onnx_itself_writes_them(
    bundle_copy: Path, edit_card: Edit
) -> None:
    onnx = pytest.importorskip("onnx", reason="needs the train extra")
    model = onnx.load(bundle_copy / "model.onnx")
    onnx.save(
        model, bundle_copy / "model.onnx", save_as_external_data=True,
        location="w.bin", size_threshold=0,
    )  # fmt: skip
    assert (bundle_copy / "w.bin").is_file()
    edit_card(model_sha256=hashlib.sha256((bundle_copy / "model.onnx").read_bytes()).hexdigest())
    with pytest.raises(BundleError, match="keeps weights in another file"):
        load_bundle(bundle_copy)


def test_an_unknown_name_lists_the_shipped_ones() -> None:
    with pytest.raises(BundleError) as caught:
        load_bundle("no-such-model")
    text = str(caught.value)
    assert text.startswith("no-such-model: no such model: neither a shipped one (there are: ")
    assert "androscope models list" in text


def test_a_file_is_not_a_bundle(tiny: Path) -> None:
    with pytest.raises(BundleError, match=r"model\.onnx: is a file; a bundle is a folder with"):
        load_bundle(tiny / "model.onnx")


@pytest.fixture
def shipped(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "shipped"
    shutil.copytree(tiny, root / "tiny-a")
    shutil.copytree(tiny, root / "tiny-b")
    (root / "index.json").write_text(json.dumps({"default": "tiny-b"}), encoding="utf-8")
    monkeypatch.setattr(bundles, "SHIPPED", root)
    return root


def test_shipped_names_and_the_default(shipped: Path) -> None:
    assert bundles.shipped_names() == ("tiny-a", "tiny-b")
    assert load_bundle("default").folder == shipped / "tiny-b"
    assert load_bundle("tiny-a").folder == shipped / "tiny-a"


def test_a_shipped_name_wins_over_a_folder_of_the_same_name(
    shipped: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny, tmp_path / "cwd" / "tiny-a")
    monkeypatch.chdir(tmp_path / "cwd")
    assert load_bundle("tiny-a").folder == shipped / "tiny-a"
    assert load_bundle("./tiny-a").folder.resolve() == tmp_path / "cwd" / "tiny-a"


def test_an_installation_without_models_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "SHIPPED", tmp_path / "nothing")
    assert bundles.shipped_names() == ()
    with pytest.raises(BundleError, match="no model is shipped with this installation"):
        load_bundle()


@pytest.mark.parametrize("there", [False, True], ids=["new folder", "empty folder"])
def test_writing_gives_a_bundle_that_loads(tiny: Path, tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "deep" / "out"
    if there:
        folder.mkdir(parents=True)
    model = (tiny / "model.onnx").read_bytes()
    written = write_bundle(folder, model, _draft(tiny))
    assert written == load_bundle(folder)
    assert written.card == load_bundle(tiny).card
    assert sorted(p.name for p in folder.iterdir()) == ["MODEL_CARD.md", "card.json", "model.onnx"]
    assert (folder / "MODEL_CARD.md").read_text(encoding="utf-8") == card_text(written.card)
    assert [p.name for p in folder.parent.iterdir()] == ["out"]


def test_writing_does_not_overwrite(tiny: Path, bundle_copy: Path) -> None:
    before = {p.name: p.read_bytes() for p in bundle_copy.iterdir()}
    with pytest.raises(OutputError, match="exists already and is not an empty folder"):
        write_bundle(bundle_copy, b"other", _draft(tiny))
    assert {p.name: p.read_bytes() for p in bundle_copy.iterdir()} == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"labels": ("acrosome", "head", "vacuole")}, "the card's labels are not the model's: the model has ['head', 'acrosome', 'vacuole'], the card ['acrosome', 'head', 'vacuole']", id="swapped labels"),
        pytest.param({"labels": ("head", "acrosome"), "thresholds": {"head": 0.5, "acrosome": 0.5}}, "probabilities tensor(float) (N, 2)", id="label dropped"),
    ],
)  # fmt: skip
def test_a_card_that_does_not_fit_leaves_nothing_behind(
    tiny: Path, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    draft = _draft(tiny).model_copy(update=change)
    with pytest.raises(BundleMismatchError) as caught:
        write_bundle(tmp_path / "out", (tiny / "model.onnx").read_bytes(), draft)
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_model_leaves_nothing_behind(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot load the model"):
        write_bundle(tmp_path / "out", b"not an onnx file", _draft(tiny))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written"):
        write_bundle(tmp_path / "file" / "out", (tiny / "model.onnx").read_bytes(), _draft(tiny))
