"""What the signer is told of videos: which part was looked at, and what may be missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from androscope.report.sample.build import build_report

LOOKED = "frames 0 to 24 of 200 looked at, 25 a second; the 9 sperm in the field at frame 12 are"
ALL = "frames 0 to 24, the whole video, looked at, 25 a second; the 9 sperm in the field"


@pytest.mark.parametrize(
    ("notes", "settings", "expected"),
    [
        pytest.param((ALL,), {}, [], id="whole"),
        pytest.param(
            (LOOKED,), {},
            ["Only the beginning of a/field.tif was looked at, and the sperm in the field at one "
             "moment count. If the stage was moved later, --video-every takes more fields of "
             "view."],
            id="part",
        ),
        pytest.param(
            (ALL, "5 frames a second are too few to follow sperm (15 are needed): frame 2"), {},
            ["Too few frames a second to follow sperm: a/field.tif. One frame of each field of "
             "view was graded as a still, with no choice of the sharpest."],
            id="slow",
        ),
        pytest.param(
            (ALL, "12 of 24 finds (50%) were seen in one frame alone: sperm may be missing"), {},
            ["More than a tenth of what was found could not be followed and is not counted in "
             "a/field.tif: sperm may be missing, the fast ones first."],
            id="lost",
        ),
        pytest.param(
            (LOOKED, "4 of 8 sperm lie where one lay: the stage was hardly moved, and they"),
            {"a field of view of videos every": "2 s"},
            ["The same sperm count more than once in a/field.tif: the stage was hardly moved "
             "between fields of view taken every 2 s. Grade it without --video-every.",
             "Of videos a field of view was taken every 2 s. If the stage was not moved in "
             "between, the same sperm count more than once."],
            id="not moved",
        ),
    ],
)  # fmt: skip
def test_what_is_to_be_known_of_videos(
    make: Any, notes: tuple[str, ...], settings: dict[str, str], expected: list[str]
) -> None:
    findings = make({"a": ["nnn"] * 200, "b": ["nnn"] * 200}, settings=settings)
    files = (replace(findings.files[0], kinds=("video",), notes=notes), findings.files[1])
    assert build_report(replace(findings, files=files)).warnings == expected
