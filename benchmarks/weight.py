"""What weighs: the ten slowest imports of a cold `assess`, the wheel, and the slim install.

    python benchmarks/weight.py [--runs 5] [--no-install]

Imports are timed by `python -X importtime`, each module's own time without what it imports, summed
by package; of the runs the least counts. The wheel is built without network. The slim install is it
with its dependencies in an empty environment, from the package registry.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOP = 10

_ASSESS = """
import sys
sys.argv = ["androscope", "assess", {crop!r}, "--quiet"]
from androscope.cli.main import main
main()
"""


def imports(crop: Path, runs: int) -> tuple[Counter[str], int]:
    """Seconds by package of one cold assessment, and the number of modules."""
    least: dict[str, float] = {}
    for _ in range(runs):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", _ASSESS.format(crop=str(crop))],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        for line in done.stderr.splitlines():
            if line.startswith("import time:") and "self [us]" not in line:
                own, _, name = line.removeprefix("import time:").split("|")
                name = name.strip()
                least[name] = min(least.get(name, float("inf")), int(own) * 1e-6)
    total: Counter[str] = Counter()
    for name, seconds in least.items():
        total[name.partition(".")[0]] += seconds  # type: ignore[assignment]
    return total, len(least)


def build_wheel(folder: Path) -> Path:
    """The wheel, built here and now."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def wheel_parts(wheel: Path) -> Counter[str]:
    """Compressed bytes by folder of the package."""
    found: Counter[str] = Counter()
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            parts = entry.filename.split("/")
            found["/".join(parts[:3] if parts[1] == "bundles" else parts[:2])] += (
                entry.compress_size
            )
    return found


def installed(wheel: Path, folder: Path) -> Counter[str]:
    """Bytes by package of the slim install; without pip, which every environment has."""
    venv.create(folder, with_pip=True)
    command = [folder / "bin" / "python", "-m", "pip", "install", "-q", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    found: Counter[str] = Counter()
    site = next(folder.glob("lib/python*/site-packages"))
    for path in site.rglob("*"):
        if path.is_file() and not path.is_symlink():
            top = path.relative_to(site).parts[0]
            name = top.partition("-")[0].removesuffix(".libs").lower().removesuffix(".py")
            if name not in ("pip", "setuptools"):
                found[name] += path.stat().st_size
    return found


def show(title: str, found: Counter[str], unit: str, scale: float) -> None:
    """Print the heaviest and the sum."""
    whole = sum(found.values())
    print(f"\n{title}: {whole * scale:.1f} {unit}")
    for name, amount in found.most_common(TOP):
        print(f"  {name:<28}{amount * scale:>9.1f} {unit} {amount / whole:>6.0%}")


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--no-install", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        command = [sys.executable, "-m", "androscope", "data", "phantom", "--out"]
        command[1:3] = ["-c", "from androscope.cli.main import main; main()"]
        subprocess.run(
            [*command, str(folder / "p"), "--n", "1", "--seed", "0"],
            check=True,
            capture_output=True,
        )
        crop = next((folder / "p").rglob("*.png"))
        found, modules = imports(crop, arguments.runs)
        show(f"imports of a cold assess, {modules} modules", found, "ms", 1e3)
        wheel = build_wheel(folder / "dist")
        show(f"the wheel, {wheel.stat().st_size / 1e6:.1f} MB", wheel_parts(wheel), "MB", 1e-6)
        if not arguments.no_install:
            show("the slim install", installed(wheel, folder / "venv"), "MB", 1e-6)


if __name__ == "__main__":
    main()
