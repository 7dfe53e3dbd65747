from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main
from PIL import Image

from androscope import __version__
from androscope.cli.main import app

TINY = Path(__file__).resolve().parent.parent / "data" / "tiny-bundle"


def _commands() -> Iterator[tuple[str, Any]]:
    """Every command by its words, groups left out."""

    def walk(words: str, command: Any) -> Iterator[tuple[str, Any]]:
        if not hasattr(command, "commands"):
            yield words, command
            return
        for name, inner in command.commands.items():
            yield from walk(f"{words} {name}", inner)

    yield from walk("androscope", typer.main.get_command(app))


COMMANDS = dict(_commands())


def test_help_reads_like_a_table_of_contents(run: Any) -> None:
    done = run("--help")
    assert done.code == 0
    panels = re.findall(r"╭─ (\w+) ─", done.out)
    assert panels == ["Options", "Assess", "Data", "Learn", "Models", "Compare"]
    assert "For research use only: not a medical device." in done.out


def test_no_arguments_show_the_help(run: Any) -> None:
    done = run()
    assert "Usage: androscope" in done.out + done.err


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_has_an_example_that_names_it(words: str) -> None:
    text = COMMANDS[words].help
    assert re.search(rf"^\s*\$ (.*\| )?{re.escape(words)}\b", text, re.MULTILINE), text


@pytest.mark.parametrize("words", COMMANDS)
def test_every_option_is_explained(run: Any, words: str) -> None:
    done = run(*words.split()[1:], "--help")
    assert done.code == 0
    for parameter in COMMANDS[words].params:
        if parameter.name != "help":
            assert getattr(parameter, "help", None), f"{words}: {parameter.name}"


@pytest.mark.parametrize("words", COMMANDS)
def test_every_example_has_options_that_exist(words: str) -> None:
    known = {o for p in COMMANDS[words].params for o in (*p.opts, *p.secondary_opts)}
    for line in COMMANDS[words].help.splitlines():
        _, found, arguments = line.partition(words)
        if line.strip().startswith("$") and found:
            for option in re.findall(r"(?<=\s)--?[a-z][a-z-]*", arguments.split("|")[0]):
                assert option in known, f"{option} in: {line.strip()}"


def test_version(run: Any) -> None:
    done = run("--version")
    assert (done.code, done.out) == (0, f"androscope {__version__}\n")


def test_an_unknown_command_suggests_the_nearest(run: Any) -> None:
    done = run("asses")
    assert done.code == 2
    assert "assess" in done.err


def _shell(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("androscope")
    return subprocess.run(
        [command, *arguments],
        capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_shown(shell: str) -> None:
    # typer asks the parent processes which shell this is; the variable lets it be said instead.
    done = _shell("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.returncode == 0, done.stderr
    assert f"_ANDROSCOPE_COMPLETE=complete_{shell}" in done.stdout


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        pytest.param("androscope as", {"assess"}, id="command"),
        pytest.param("androscope models ", {"list", "show", "verify"}, id="subcommand"),
        pytest.param("androscope assess --th", {"--threads", "--thumbnails"}, id="option"),
        pytest.param("androscope assess --fit ", {"auto", "resize", "centre"}, id="choice"),
    ],
)
def test_completion_completes(typed: str, expected: set[str]) -> None:
    words = typed.split(" ")
    done = _shell(
        _ANDROSCOPE_COMPLETE="complete_bash",
        COMP_WORDS=typed,
        COMP_CWORD=str(len(words) - 1),
    )
    assert set(done.stdout.split()) == expected


def _crops(folder: Path, name: str, count: int = 1) -> Path:
    path = folder / name
    if count == 1:
        Image.fromarray(np.zeros((64, 64), np.uint8)).save(path)
    else:
        np.save(path, np.zeros((count, 64, 64), np.uint8))
    return path


def test_a_name_that_the_terminal_cannot_show_is_escaped(tmp_path: Path) -> None:
    path = _crops(tmp_path, "精子.png")
    done = _shell("assess", str(path), PYTHONIOENCODING="ascii", ANDROSCOPE_MODEL=str(TINY))
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u7cbe\\u5b50.png" in done.stdout


def test_a_reader_that_goes_away_causes_no_traceback(tmp_path: Path) -> None:
    path = _crops(tmp_path, "s.npy", 1500)
    command = Path(sys.executable).with_name("androscope")
    with subprocess.Popen(
        [command, "assess", path, "--all"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "ANDROSCOPE_MODEL": str(TINY)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("Image")
        process.stdout.close()
        complaint = process.stderr.read()
    assert "Traceback" not in complaint
