"""The benchmark of locating: the baseline tuned, frames left out, tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="SciPy is not installed: it comes with the train extra")

from androscope.datasets.located_types import Box, LocatedFrame, LocatedFrames
from androscope.imaging.located import Found, Located
from androscope.learning.locating import BASELINE, locating_document, score_videos
from androscope.learning.locating_text import locating_lines
from androscope.learning.location_baseline import plain_blobs, tuned_on
from androscope.types import UInt8Array

CENTRES = ((40, 30), (100, 80), (150, 40))


class Drawn(LocatedFrame):
    """A frame with a blob at each box, of the sign that its video's name says, and faint specks."""

    def pixels(self) -> UInt8Array:
        rng = np.random.default_rng(int(self.id[-1]))
        field = 120 + rng.normal(0, 1.0, (120, 200))
        y, x = np.mgrid[:120, :200]
        sign = -1 if self.video == "dark" else 1
        for cx, cy in CENTRES:
            field += sign * 60 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 50)
        field += sign * 12 * np.exp(-((x - 20) ** 2 + (y - 100) ** 2) / 50)
        return np.clip(field, 0, 255).astype(np.uint8)


def frames() -> LocatedFrames:
    boxes = tuple(Box(x - 8.5, y - 8.5, x + 9.5, y + 9.5) for x, y in CENTRES)
    every = tuple(
        Drawn(video, f"{video}_{n}", Path("none"), (200, 120), boxes)
        for video in ("dark", "bright")
        for n in range(3)
    )
    return LocatedFrames("made", every, "bright-field", "any", "none", "none", "none")


def perfect(pixels: UInt8Array, head_length: float) -> Found:
    items = tuple(Located(x, y, 16, 10, 0, 1.0) for x, y in CENTRES)
    debris = Located(20, 100, 16, 10, 0, 1.0, frozenset({"debris"}))
    return Found((*items, debris), head_length, 0)


def halved(pixels: UInt8Array, head_length: float) -> Found:
    return Found((Located(40, 30, 16, 10, 0, 1.0), Located(5, 5, 16, 10, 0, 0.5)), head_length, 0)


@pytest.mark.parametrize(("video", "sign"), [("dark", -1), ("bright", 1)])
def test_the_baseline_finds_sign_and_threshold(video: str, sign: int) -> None:
    tuned = tuned_on(frames().of_video(video))
    assert tuned.sign == sign
    assert tuned.tally.f1 == 1
    heights = plain_blobs(frames().frames[0].pixels(), -1)[:, 2]
    assert tuned.threshold > heights[3] or video == "bright"


def test_without_frames_there_is_nothing_to_tune() -> None:
    assert tuned_on([]).tally.found == 0


def test_every_method_on_every_video() -> None:
    said: list[str] = []
    scores = score_videos(
        [frames()], {"perfect": perfect, "halved": halved}, head_length=16.0,
        learned_from={"made": ["bright_0"]}, report=said.append,
    )  # fmt: skip
    assert said == ["made dark: 3 frames", "made bright: 2 frames"]
    assert [(s.video, s.frames, s.left_out, s.known) for s in scores] == [
        ("dark", 3, 0, False),
        ("bright", 2, 1, True),
    ]
    assert list(scores[0].tallies) == ["perfect", "halved", BASELINE]
    assert scores[0].tallies["perfect"].f1 == 1
    half = scores[0].tallies["halved"]
    assert (half.found, half.false, half.missed) == (3, 3, 6)
    document = locating_document(scores, 16.0)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["mean_f1"]["bright-field"]["halved"] == pytest.approx(0.4)


def test_a_video_that_was_learned_from_whole_is_not_scored() -> None:
    ids = [frame.id for frame in frames().of_video("dark")]
    scores = score_videos(
        [frames()], {"perfect": perfect}, head_length=16.0, learned_from={"made": ids}
    )
    assert [score.video for score in scores] == ["bright"]


@pytest.mark.parametrize("markdown", [True, False], ids=["markdown", "columns"])
def test_tables(markdown: bool) -> None:
    scores = score_videos(
        [frames()], {"halved": halved}, head_length=16.0, learned_from={"made": ["bright_0"]}
    )
    lines = locating_lines(locating_document(scores, 16.0), markdown=markdown)
    text = "\n".join(lines)
    assert ("| --- |" in text) is markdown
    row = next(line for line in lines if "halved" in line)
    assert "made dark, bright-field" in row
    assert [cell for cell in row.replace("|", " ").split() if "." in cell] == [
        "0.500", "0.333", "0.400",
    ]  # fmt: skip
    assert "made bright, bright-field, other frames learned from" in text
    assert "5 frames. A find is right within 12 px" in text
    assert lines[-1] == "Left out for all: 1 frames that a method learned from."
