"""What assessing loads: a lab's PC has no torch, and nobody waits for what is not needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TINY = Path(__file__).parent / "data" / "tiny-bundle"

#: Of the train extra and its kin; never to be loaded by the slim half.
HEAVY = {
    "torch", "torchvision", "timm", "lightning", "sklearn", "scipy", "imblearn", "tensorboard",
    "matplotlib", "yaml", "onnx", "onnxscript", "pandas", "sqlalchemy", "alembic",
    "fastapi", "fhir", "openvino",
}  # fmt: skip

_REPORT = """
import json, sys
print(json.dumps(sorted(sys.modules)), file=sys.__stderr__)
"""


def _loaded(code: str, folder: Path) -> set[str]:
    """Top-level modules of a fresh interpreter after ``code``."""
    return {name.partition(".")[0] for name in _modules(code, folder)}


def _modules(code: str, folder: Path) -> list[str]:
    """All modules of a fresh interpreter after ``code``, which must end well."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("COV_", "COVERAGE_"))}
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{_REPORT}"],
        capture_output=True, text=True, check=False, timeout=120, cwd=folder,
        env={**environment, "ANDROSCOPE_MODEL": str(TINY)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stderr.splitlines()[-1]))


def _command(*arguments: str) -> str:
    return (
        "import sys\n"
        f"sys.argv = ['androscope', *{list(arguments)!r}]\n"
        "from androscope.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as stopped:\n    assert not stopped.code, stopped.code"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    crop = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(crop).save(tmp_path / "crop.png")
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--help"], id="--help"),
        pytest.param(["assess", "--help"], id="assess --help"),
        pytest.param(["--version"], id="--version"),
    ],
)
def test_help_loads_next_to_nothing(folder: Path, arguments: list[str]) -> None:
    loaded = _loaded(_command(*arguments), folder)
    # Not pydantic: typer itself loads it for a command's own help.
    assert not loaded & (HEAVY | {"numpy", "onnxruntime", "PIL", "tifffile", "pooch"})


def test_the_command_module_alone_loads_no_rich_either(folder: Path) -> None:
    loaded = _loaded("import androscope.cli.main", folder)
    assert not loaded & (HEAVY | {"numpy", "onnxruntime", "pydantic", "rich"})


def test_a_samples_report_loads_typst_for_pdf_alone(folder: Path) -> None:
    outputs = ["--out", "r.html", "--out", "r.json", "--out", "r.csv", "--quiet"]
    loaded = _loaded(_command("report", ".", *outputs), folder)
    assert (folder / "r.html").is_file()
    assert not loaded & (HEAVY | {"typst", "pyarrow", "av", "pooch", "requests"})


def test_assessing_a_crop_never_loads_torch(folder: Path) -> None:
    loaded = _loaded(_command("assess", "crop.png"), folder)
    assert "onnxruntime" in loaded
    assert not loaded & (HEAVY | {"pyarrow", "pooch", "requests"})


def test_explaining_a_crop_never_loads_torch(folder: Path) -> None:
    loaded = _loaded(_command("explain", "crop.png", "--out", "maps", "--npy", "--html"), folder)
    assert (folder / "maps" / "index.html").is_file()
    assert not loaded & (HEAVY | {"pyarrow", "pooch", "requests"})


def test_every_output_but_parquet_loads_no_more(folder: Path) -> None:
    outputs = ["--csv", "r.csv", "--json", "r.json", "--html", "r.html", "--thumbnails", "t"]
    loaded = _loaded(_command("assess", "crop.png", *outputs), folder)
    assert (folder / "r.html").is_file()
    assert not loaded & (HEAVY | {"pyarrow", "pooch", "requests"})


def test_the_python_api_loads_neither_typer_nor_rich(folder: Path) -> None:
    code = "import androscope\nassert len(androscope.assess('crop.png')) == 1"
    loaded = _loaded(code, folder)
    assert not loaded & (HEAVY | {"pyarrow", "pooch", "requests", "typer", "rich"})


def test_importing_the_package_loads_nothing(folder: Path) -> None:
    loaded = _loaded("import androscope", folder)
    assert not loaded & (HEAVY | {"numpy", "onnxruntime", "pydantic", "typer", "rich"})


@pytest.mark.parametrize(
    ("code", "most"),
    [
        pytest.param(_command("--version"), 210, id="--version"),
        pytest.param(_command("--help"), 390, id="--help"),
        pytest.param(_command("assess", "crop.png"), 600, id="assess"),
        pytest.param("import androscope\nandroscope.assess('crop.png')", 470, id="the Python API"),
    ],
)
def test_no_more_modules_than_the_budget(folder: Path, code: str, most: int) -> None:
    # A count does not depend on how busy the machine is. Over it: look at what came along with
    # `python -X importtime`, and import it where it is needed; docs/performance.md lists the rest.
    found = _modules(code, folder)
    assert len(found) <= most, f"{len(found)} modules"


def test_a_folder_of_png_does_not_wait_for_tifffile(folder: Path) -> None:
    assert "tifffile" not in _loaded(_command("assess", "crop.png"), folder)
