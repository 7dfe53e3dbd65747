"""Every command that the README and the docs show is run, page by page, as a reader would.

A command stands in a ```console block behind "$ ". Each page gets a folder of its own and its
commands run there in order; every one must end with exit code 0, or with the code that the page
says behind it ("# exit code 1"). Training commands run shortened: the same command with fewer
epochs. Commands that cannot be run inside a test are listed with the reason, one by one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

#: A whole command, or its beginning, and why it is not run here.
NOT_RUN = {
    "curl ": "it needs a server; tests/docs/test_api.py starts one",
    "androscope serve": "it serves until it is ended; see tests/web/test_server.py",
    "androscope users": "it asks for a password; see tests/cli/test_users.py",
    "make test": "it is what runs this test",
    "make bench": "ten minutes and more; see docs/performance.md",
    "androscope quantise": "half a minute; see tests/learning/int8",
    "make demo": "it sets up an environment; its command is run below",
    "pip install": "tests/test_wheel.py installs the wheel into an empty environment",
    "androscope benchmark run --out benchmark --jobs": "thirty trainings; see tests/protocol",
    "androscope benchmark table": "it needs the thirty; see tests/cli/test_benchmark.py",
    "androscope benchmark plot": "it needs the thirty; see tests/cli/test_benchmark.py",
    "androscope search run dmtl": "fifty trainings and more; tests/search runs small ones",
    "androscope batch crops --out cluster.parquet": "tests/batch/test_cluster.py starts a cluster",
    "export OPTUNA_STORAGE": "there is no such database here",
    "androscope benchmark locate": "it needs the frames; see tests/cli/test_benchmark_locate.py",
    "androscope train-locator": "half an hour; see tests/learning/test_locator_training.py",
    "androscope benchmark trust --section checks": "a minute; see tests/learning/trust",
    "androscope benchmark trust --data mhsma --section explain": "minutes; tests/learning/trust",
    "androscope data download": "the data set's host is out of reach; tests/datasets serves it",
}

#: Added to every command that trains, so that a page takes seconds, not hours.
SHORT = (
    " --set stage1.epochs=1 --set backbone.input_size=64 --set stage2.views=1"
    " --set stage2.default.epochs=1 --set trainer.threads=1 --set data.phantoms=0"
    " --set data.train_share=0.2"
)


@dataclass(frozen=True)
class Command:
    """One command of a page and the exit code the page promises."""

    line: int
    text: str
    code: int = 0

    @property
    def why_not_run(self) -> str | None:
        """Why the command is not run here, if it is not."""
        whole = {k: v for k, v in NOT_RUN.items() if k == self.text}
        begun = {k: v for k, v in NOT_RUN.items() if " " in k and self.text.startswith(k)}
        return next(iter((whole | begun).values()), None)

    @property
    def shortened(self) -> str:
        """The command as it is run."""
        if re.search(r"androscope (train|crossval|search run)\b", self.text):
            return self.text + SHORT
        return self.text


def commands(page: Path) -> list[Command]:
    """The commands of a page, in order; a trailing backslash continues a line."""
    found: list[Command] = []
    inside, text, started = False, "", 0
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        if line.startswith("```"):
            inside = not inside and line.strip() == "```console"
        elif inside and (line.startswith("$ ") or text):
            started = started if text else number
            text += line.removeprefix("$ ") if not text else " " + line.strip()
            if text.endswith("\\"):
                text = text[:-1].rstrip()
                continue
            promised = re.search(r"\s+# exit code (\d)$", text)
            code = int(promised[1]) if promised else 0
            found.append(Command(started, re.sub(r"\s+#.*$", "", text), code))
            text = ""
    return found


def needs_mhsma(text: str) -> bool:
    """Whether a command reads MHSMA: by name, or because a configuration names it."""
    return bool(re.search(r"\bmhsma\b|androscope (train|crossval|evaluate|data compare)\b", text))


@pytest.mark.slow
@pytest.mark.train
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_the_page_runs(
    page: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    to_run = [c for c in commands(page) if c.why_not_run is None]
    if not to_run:
        pytest.skip(f"{page.name} shows no command that can be run here")
    environ = {k: v for k, v in os.environ.items() if not k.startswith("ANDROSCOPE_")}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    environ["ANDROSCOPE_CACHE"] = str(tmp_path / "cache")
    if any(needs_mhsma(c.text) for c in to_run):
        pytest.importorskip("torch", reason="the page trains: pip install 'androscope[train]'")
        folder: Path = request.getfixturevalue("mhsma_dir")
        environ["ANDROSCOPE_DATA"] = str(folder.parent)
    work = tmp_path / "work"
    work.mkdir()
    for command in to_run:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command.shortened],
            cwd=work,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == command.code, (
            f"{page.name}:{command.line}: {command.shortened}\n"
            f"exit code {done.returncode}, expected {command.code}\n"
            f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        )
    shutil.rmtree(work)


def test_the_readmes_demo_is_the_command_that_runs_here() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert "$(BIN)/androscope demo --out demo" in makefile


def test_every_reason_not_to_run_is_still_needed() -> None:
    shown = [c for page in PAGES for c in commands(page)]
    unused = [
        text
        for text in NOT_RUN
        if not any(c.text == text or (" " in text and c.text.startswith(text)) for c in shown)
    ]
    assert unused == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("```console\n$ a b\nout\n$ c\n```\n$ no", ["a b", "c"], id="output-between"),
        pytest.param("```console\n$ a \\\n  b\n```", ["a b"], id="continued"),
        pytest.param("```python\n$ no\n```", [], id="other-language"),
        pytest.param("```console\n$ a  # why\n```", ["a"], id="comment"),
    ],
)
def test_commands_are_found(tmp_path: Path, text: str, found: list[str]) -> None:
    (tmp_path / "page.md").write_text(text)
    assert [c.text for c in commands(tmp_path / "page.md")] == found


def test_a_promised_exit_code_is_read(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("```console\n$ androscope assess x  # exit code 1\n```")
    assert commands(tmp_path / "page.md") == [Command(2, "androscope assess x", 1)]
