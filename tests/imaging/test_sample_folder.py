from __future__ import annotations

from pathlib import Path

import pytest

from androscope.errors import EmptyInputError, SampleError
from androscope.imaging.sample_folder import find_sample


def made(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" + name.encode())
    return folder


def by_name(folder: Path, rules: dict[str, str] | None = None) -> dict[str, list[str]]:
    found = find_sample(folder, rules)
    return {r.name: [p.relative_to(folder).as_posix() for p in r.paths] for r in found.replicates}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(["1.png", "10.tif", "2.png"], {"1": ["1.png", "2.png", "10.tif"]}, id="flat"),
        pytest.param(
            ["b/1.png", "a/1.png", "a/deep/2.avi"],
            {"a": ["a/1.png", "a/deep/2.avi"], "b": ["b/1.png"]},
            id="sub-folders",
        ),
        pytest.param(
            ["rep10/1.png", "rep2/1.MP4", "notes/readme.txt"],
            {"rep2": ["rep2/1.MP4"], "rep10": ["rep10/1.png"]},
            id="natural order, no images no replicate",
        ),
        pytest.param(["a/1.png", ".hidden/1.png"], {"a": ["a/1.png"]}, id="hidden"),
    ],
)
def test_replicates_are_sub_folders(
    tmp_path: Path, names: list[str], expected: dict[str, list[str]]
) -> None:
    assert by_name(made(tmp_path, *names)) == expected


def test_replicates_by_a_naming_rule(tmp_path: Path) -> None:
    made(tmp_path, "s_B_1.tif", "s_A_1.tif", "deep/s_A_2.tif")
    assert by_name(tmp_path, {"first": "*_A_*", "second": "*_B_*"}) == {
        "first": ["deep/s_A_2.tif", "s_A_1.tif"],
        "second": ["s_B_1.tif"],
    }


def test_one_rule_joins_sub_folders(tmp_path: Path) -> None:
    made(tmp_path, "a/1.png", "b/1.png")
    assert by_name(tmp_path, {"all": "*"}) == {"all": ["a/1.png", "b/1.png"]}


def test_links_and_other_files_are_counted(tmp_path: Path) -> None:
    made(tmp_path, "a/1.png", "a/notes.txt", "b/2.png")
    (tmp_path / "b" / "1.png").symlink_to(tmp_path / "a" / "1.png")
    found = find_sample(tmp_path)
    assert (found.ignored, found.repeated, len(found.paths)) == (1, 1, 2)


@pytest.mark.parametrize(
    ("names", "rules", "message"),
    [
        pytest.param(
            ["1.png", "2.png", "a/1.png"],
            None,
            r"2 images \(1.png, ...\) lie beside sub-folders with images \(a\): it cannot be told",
            id="both",
        ),
        pytest.param(
            ["x.png"], {"a": "a*"}, "x.png is of no replicate by the rules given", id="left out"
        ),
        pytest.param(
            ["ab.png"], {"a": "a*", "b": "*b*"}, "ab.png is of replicates a and b", id="twice"
        ),
    ],
)
def test_what_cannot_be_told(
    tmp_path: Path, names: list[str], rules: dict[str, str] | None, message: str
) -> None:
    with pytest.raises(SampleError, match=message) as caught:
        find_sample(made(tmp_path, *names), rules)
    assert "--replicate" in str(caught.value)


def test_a_rule_that_finds_nothing(tmp_path: Path) -> None:
    with pytest.raises(EmptyInputError, match=r"no image matches 'b\*', the rule of replicate b"):
        find_sample(made(tmp_path, "a.png"), {"a": "a*", "b": "b*"})


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="expected a sample's folder, there is none"):
        find_sample(tmp_path / "none")
    with pytest.raises(SampleError, match="expected a sample's folder, got a file"):
        find_sample(made(tmp_path, "1.png") / "1.png")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(EmptyInputError, match=r"no image in this folder: looked for \.png"):
        find_sample(tmp_path)
