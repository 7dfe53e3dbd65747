"""Finding files: order, endings, patterns, nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.errors import EmptyInputError
from androscope.imaging.find import find_images, natural_key


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "img10.png",
        "img2.PNG",
        "img1.tif",
        "notes.txt",
        ".hidden.png",
        "b/x.jpeg",
        "b/.cache/y.png",
        "a/stack.npy",
        "a/readme",
        "img3.bmp.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def names(found, root):
    return [path.relative_to(root).as_posix() for path in found]


def test_a_folder_is_searched_in_natural_order(tree):
    found = find_images([tree])
    assert names(found, tree) == ["a/stack.npy", "b/x.jpeg", "img1.tif", "img2.PNG", "img10.png"]
    assert found.ignored == 3
    assert len(found) == 5
    assert found[0].name == "stack.npy"
    assert found[-2:] == found.paths[-2:]


def test_inputs_keep_the_order_they_were_given_in(tree):
    found = find_images([tree / "img10.png", tree / "b", tree / "img1.tif"])
    assert names(found, tree) == ["img10.png", "b/x.jpeg", "img1.tif"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("img*", ["img1.tif", "img2.PNG", "img10.png"]),
        ("img?.*", ["img1.tif", "img2.PNG"]),
        ("img[12]*", ["img1.tif", "img2.PNG", "img10.png"]),
        ("**/*.npy", ["a/stack.npy"]),
        ("**", ["a/stack.npy", "b/x.jpeg", "img1.tif", "img2.PNG", "img10.png"]),
        ("[ab]", ["a/stack.npy", "b/x.jpeg"]),
    ],
)
def test_patterns_the_shell_left_alone(tree, pattern, expected):
    assert names(find_images([str(tree / pattern)]), tree) == expected


def test_a_file_with_brackets_in_its_name_is_itself(tmp_path):
    (tmp_path / "a[1].png").write_bytes(b"x")
    assert names(find_images([tmp_path / "a[1].png"]), tmp_path) == ["a[1].png"]


def test_a_named_file_counts_whatever_its_ending(tree):
    assert names(find_images([tree / "notes.txt", tree / ".hidden.png"]), tree) == [
        "notes.txt",
        ".hidden.png",
    ]


def test_what_does_not_exist_stays_to_be_reported(tree):
    found = find_images([tree / "img1.tif", tree / "gone.png", str(tree / "z*.png")])
    assert names(found, tree) == ["img1.tif", "gone.png", "z*.png"]


def test_a_folder_without_images_among_others_stays_to_be_reported(tree):
    (tree / "empty").mkdir()
    assert names(find_images([tree / "empty", tree / "b"]), tree) == ["empty", "b/x.jpeg"]


def test_named_twice_is_assessed_once(tree, monkeypatch):
    monkeypatch.chdir(tree)
    found = find_images(["img1.tif", str(tree / "img1.tif"), "b/../img1.tif", tree / "b", "b"])
    assert [str(p) for p in found] == ["img1.tif", str(tree / "b" / "x.jpeg")]
    assert found.repeated == 3


def test_a_folder_without_images_says_what_was_looked_for(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(EmptyInputError) as caught:
        find_images([tmp_path])
    assert str(caught.value) == (
        f"{tmp_path}: no image in this folder: looked for "
        ".png, .tif, .tiff, .bmp, .jpg, .jpeg, .npy; 1 other files were ignored. "
        "Give a folder with such files, or name the files one by one"
    )


def test_nothing_named_is_an_error():
    with pytest.raises(EmptyInputError, match="nothing was named to assess"):
        find_images([])


def test_links_in_a_circle_end(tree):
    (tree / "b" / "loop").symlink_to(tree, target_is_directory=True)
    assert len(find_images([tree])) == 5


def test_a_linked_folder_is_searched(tree, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "far.png").write_bytes(b"x")
    (tree / "link").symlink_to(other, target_is_directory=True)
    assert "link/far.png" in names(find_images([tree]), tree)


def test_a_dangling_link_stays_to_be_reported(tree):
    (tree / "dead.png").symlink_to(tree / "nowhere.png")
    assert "dead.png" in names(find_images([tree]), tree)


def test_home_is_expanded(tree, monkeypatch):
    monkeypatch.setenv("HOME", str(tree))
    assert names(find_images(["~/img1.tif"]), tree) == ["img1.tif"]


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=8, unique=True))
def test_numbers_in_names_sort_as_numbers(numbers):
    paths = [Path(f"run/img{number}.png") for number in numbers]
    assert [int(p.stem[3:]) for p in sorted(paths, key=natural_key)] == sorted(numbers)


@given(st.lists(st.text("aB0129._-é/", min_size=1, max_size=12), max_size=12))
def test_natural_order_is_total(texts):
    paths = [Path(text) for text in texts]
    once = sorted(paths, key=natural_key)
    backwards = paths[::-1]
    assert sorted(backwards, key=natural_key) == once
