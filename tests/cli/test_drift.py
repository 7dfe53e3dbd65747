from __future__ import annotations

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from androscope.imaging.phantom_set import phantom_set

from ..checked import write_checked  # noqa: TID252  (tests are no package)
from .conftest import Run

SAMPLES = 6


def write(folder: Path, seed: int, n: int, brighter: int = 0) -> None:
    folder.mkdir(parents=True)
    for number, phantom in enumerate(phantom_set(n, seed)):
        pixels = np.clip(phantom.pixels.astype(int) + brighter, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crops")
    for sample in range(SAMPLES):
        write(folder / "reference" / f"s{sample}", sample, 6)
        write(folder / "same" / f"s{sample}", 10 + sample, 6)
        write(folder / "bright" / f"s{sample}", sample, 6, brighter=40)
    return folder


@pytest.fixture(autouse=True)
def _folders(
    rendered: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(rendered, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


def test_what_did_not_move(run: Run) -> None:
    done = run("drift", "reference", "same", "--json", "out.json")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("No difference seen between same and reference.\n")
    assert "does not show that there is none" in done.out
    found = json.loads(Path("out.json").read_text())
    assert (found["moved"], found["divided"]) == (False, "samples")
    assert found["reference"] == {"name": "reference", "crops": 36, "refused": None}
    assert "Whether these images may be graded was not checked" in done.out
    assert [s["name"] for s in found["chart"]["samples"]] == [f"s{i}" for i in range(SAMPLES)]


def test_what_moved(run: Run) -> None:
    done = run("drift", "reference", "bright", "--plot", "out.svg", "--json", "out.json")
    assert done.code == 0
    first = done.out.splitlines()[0]
    assert first.startswith("bright differs from reference for the model: ")
    assert "brighter" in first
    found = json.loads(Path("out.json").read_text())
    assert found["embeddings"]["separation"] > 0.9
    svg = ET.parse("out.svg").getroot()
    titles = [t.text or "" for t in svg.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[0] == "Control chart of bright against reference"
    assert sum(title.startswith("s") for title in titles[1:]) == SAMPLES
    assert sum(title.endswith(", out") for title in titles) == sum(
        sample["out"] for sample in found["chart"]["samples"]
    )


def test_the_same_seed_gives_the_same_answer(run: Run) -> None:
    for name in ("a.json", "b.json"):
        assert run("drift", "reference", "same", "--seed", 3, "--json", name).code == 0
    assert Path("a.json").read_bytes() == Path("b.json").read_bytes()


def test_few_samples_are_warned_of(run: Run) -> None:
    done = run("drift", "reference/s*", "bright")
    assert done.code == 0
    assert "other patients alone can look like a difference" in done.out


def test_what_the_checks_refuse_is_counted_and_in_no_percentage(run: Run) -> None:
    write_checked(Path("checked"))
    noise = np.random.default_rng(0)
    for number in range(4):
        pixels = noise.integers(0, 256, (64, 64), dtype=np.uint8)
        Image.fromarray(pixels).save(f"same/s0/noise-{number}.png")
    done = run("drift", "reference", "same", "-m", "checked", "--json", "out.json")
    assert (done.code, done.err) == (0, "")
    found = json.loads(Path("out.json").read_text())
    before, after = found["reference"]["refused"], found["new"]["refused"]
    assert (found["reference"]["crops"], found["new"]["crops"]) == (36, 40)
    passed = sum(s["decided"] + s["undecided"] for s in found["chart"]["samples"])
    assert passed == 40 - after["count"]
    assert found["refused_by_sample"]["s0"] >= 4
    assert sum(found["refused_by_sample"].values()) == after["count"]
    assert found["chart"]["centre"]["n"] == 36 - before["count"]
    assert found["embeddings"]["new"] == 40
    told = " ".join(done.out.split())
    assert f"The model's checks refuse {before['count']} of 36 reference crops, " in told
    assert f"and {after['count']} of 40 new ones, {after['value']:.1%} (" in told
    assert "are in no percentage normal." in told


def test_a_reference_that_the_checks_refuse_has_no_percentage(run: Run) -> None:
    write_checked(Path("checked"))
    noise = np.random.default_rng(0)
    Path("noise").mkdir()
    for number in range(20):
        pixels = noise.integers(0, 256, (64, 64), dtype=np.uint8)
        Image.fromarray(pixels).save(f"noise/{number}.png")
    done = run("drift", "noise", "same", "-m", "checked")
    assert done.code == 2
    assert "of its crops the model's checks refuse 20, and 0 are undecided" in done.err


def test_what_cannot_be_graded_is_listed(run: Run) -> None:
    Path("same/s0/bad.png").write_bytes(b"no picture")
    done = run("drift", "reference", "same")
    assert done.code == 1
    assert "1 image could not be assessed" in done.err
    assert "bad.png" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["reference", "nowhere"], "nowhere: expected 20 crops", id="missing"),
        pytest.param(["reference", "same/s1"], "expected 20 crops at least, got 6", id="few"),
        pytest.param(["reference", "same", "--plot", "x.png"], ".svg", id="ending"),
        pytest.param(
            ["reference", "same", "--json", "same/s0/1.png"], "would overwrite", id="input"
        ),
    ],
)
def test_what_cannot_be_done_is_refused(run: Run, arguments: list[str], message: str) -> None:
    done = run("drift", *arguments)
    assert done.code == 2
    assert message in done.err


def test_the_slim_core_is_enough() -> None:
    code = (
        "import sys\nsys.argv = ['androscope', 'drift', 'reference', 'same', '--plot', 'x.svg']\n"
        "from androscope.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as stopped:\n    assert not stopped.code\n"
        "heavy = {'torch', 'scipy', 'sklearn', 'matplotlib', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
