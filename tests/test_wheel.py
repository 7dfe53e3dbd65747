"""The wheel alone, in an empty environment: what a user gets from ``pip install androscope``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
TINY = REPOSITORY / "tests" / "data" / "tiny-bundle"
MEGABYTE = 1_000_000

pytestmark = pytest.mark.slow


def _run(*command: object, cwd: Path) -> str:
    environment = {
        k: v for k, v in os.environ.items()
        if not k.startswith(("COV_", "COVERAGE_", "PYTHON", "ANDROSCOPE_"))
    }  # fmt: skip
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True, text=True, check=False, timeout=500, cwd=cwd, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("build", reason="needs `build`, of the dev dependencies")
    pytest.importorskip("hatchling", reason="needs `hatchling`, of the dev dependencies")
    out = tmp_path_factory.mktemp("dist")
    # Without isolation: building must not need the registry.
    _run(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, REPOSITORY,
        cwd=out,
    )  # fmt: skip
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_what_it_needs_and_no_more(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    top = {name.split("/")[0].split("-")[0] for name in names}
    assert top == {"androscope"}
    pages = ("report/page.html", "report/page.css", "report/heat.html", "benchmark/page.html")
    pages += ("benchmark/page.js",)
    sample = ("report.typ", "page.html", "page.css", "schema.json")
    pages += tuple(f"report/sample/{name}" for name in sample)
    locator = [f"locators/locator/{name}" for name in ("model.onnx", "card.json", "MODEL_CARD.md")]
    locator += [
        f"records/migrations/{name}" for name in ("env.py", "versions/0001_the_first_tables.py")
    ]
    for needed in ("py.typed", *pages, "benchmark/leaderboard.json", "cli/main.py", *locator):
        assert f"androscope/{needed}" in names
    assert [n for n in names if n.endswith("licenses/LICENSE")]
    assert [n for n in names if n.endswith("licenses/LICENSE-weights.md")]
    kept = {n for n in names if n.endswith((".npy", ".npz", ".pt", ".pth", ".ckpt", ".pkl"))}
    # The reference of the checks before grading: directions and variances, no picture.
    bundles = ("accurate", "dmtl-lite0", "dmtl-lite0-int8")
    assert kept == {f"androscope/bundles/{name}/domain.npz" for name in bundles}
    # Weights of three bundles, each under 20 MB, and little else.
    assert wheel.stat().st_size < 32 * MEGABYTE


@pytest.fixture(scope="module")
def empty_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A venv with the wheel and what it depends on, from the package registry."""
    folder = tmp_path_factory.mktemp("slim") / "venv"
    venv.create(folder, with_pip=True)
    done = subprocess.run(
        [folder / "bin" / "python", "-m", "pip", "install", "-q",
         "--disable-pip-version-check", str(wheel)],
        capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip
    if done.returncode:
        reason = f"the wheel's dependencies could not be installed: {done.stderr.strip()[-300:]}"
        offline = any(
            sign in done.stderr
            for sign in ("No matching distribution", "NewConnectionError", "Temporary failure")
        )
        if os.environ.get("CI") == "true" or not offline:
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


def test_the_wheel_alone_assesses(empty_environment: Path, tmp_path: Path) -> None:
    # Of phantoms, written by the wheel itself; graded with a bundle given by its folder.
    command = empty_environment / "bin" / "androscope"
    shown = _run(command, "demo", "-n", "3", "--out", "d", "--model", TINY, cwd=tmp_path)
    assert "3 assessed by tiny 0.0.1." in shown
    shown = _run(command, "assess", "d/phantoms", "--model", TINY, "--json", "r.json", cwd=tmp_path)
    assert "3 assessed by tiny 0.0.1." in shown
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["summary"]["failed"] == 0
    assert "Usage: androscope" in _run(command, "--help", cwd=tmp_path)


def test_the_wheel_alone_brings_no_torch(empty_environment: Path) -> None:
    listed = json.loads(
        _run(
            empty_environment / "bin" / "python", "-m", "pip", "list", "--format", "json",
            "--disable-pip-version-check", cwd=empty_environment,
        )
    )  # fmt: skip
    names = {entry["name"].lower() for entry in listed}
    heavy = {"torch", "timm", "lightning", "scikit-learn", "scipy", "matplotlib", "onnx", "pyarrow"}
    assert not names & heavy
    assert {"androscope", "onnxruntime", "numpy"} <= names


def test_the_slim_install_is_small(empty_environment: Path) -> None:
    # Without pip and setuptools, which a new environment of Python 3.11 has.
    given = ("pip", "setuptools", "pkg_resources", "_distutils_hack")
    size = sum(
        path.stat().st_size
        for path in empty_environment.rglob("*")
        if path.is_file()
        and not path.is_symlink()
        and not any(part.startswith(given) for part in path.relative_to(empty_environment).parts)
    )
    assert size < 250 * MEGABYTE, f"{size / MEGABYTE:.0f} MB"
