"""The benchmark of locating: each method's precision, recall and F1 on each video, side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from androscope.datasets.located_types import LocatedFrame, LocatedFrames
from androscope.imaging.located import Finder
from androscope.learning.location import MATCH_PX, Tally, pooled, tally
from androscope.learning.location_baseline import SIGMA_PX, tuned_on

__all__ = ["BASELINE", "SCHEMA", "VideoScores", "locating_document", "score_video", "score_videos"]

SCHEMA = "androscope.locating/1"

#: The baseline's name in tables.
BASELINE = "blob filter tuned on the video"


@dataclass(frozen=True, slots=True)
class VideoScores:
    """What each method found in the frames of one video.

    Attributes
    ----------
    left_out
        Frames that a method was trained or chosen on: not scored.
    known
        Whether there are such, so that the others are near-duplicates of what it learned from.
    tallies
        Counts by method, in the tables' order.
    """

    dataset: str
    video: str
    microscopy: str
    frames: int
    left_out: int
    tallies: Mapping[str, Tally] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether a method learned from other frames of this video."""
        return self.left_out > 0


def score_video(frames: Sequence[LocatedFrame], find: Finder, head_length: float) -> Tally:
    """Counts of one method over frames; what it calls no sperm does not count as found."""
    return pooled(
        tally([(item.x, item.y) for item in find(frame.pixels(), head_length).sperm], frame.boxes)
        for frame in frames
    )


def score_videos(
    sets: Sequence[LocatedFrames],
    methods: Mapping[str, Finder],
    *,
    head_length: float,
    learned_from: Mapping[str, Sequence[str]],
    report: Callable[[str], None] = lambda _: None,
) -> tuple[VideoScores, ...]:
    """Score every method, and the baseline, on every video of ``sets``.

    Parameters
    ----------
    sets
        What is scored on.
    methods
        By name; each gets one setting, ``head_length``, for all videos.
    head_length
        Length of a head that the methods are told, px.
    learned_from
        For each set's name, ids of frames that a method learned from: left out for all.
    report
        Called with each video's name before it is scored.
    """
    scores = []
    for data in sets:
        seen = frozenset(learned_from.get(data.name, ()))
        for video in data.videos:
            every = data.of_video(video)
            frames = [frame for frame in every if frame.id not in seen]
            if not frames:
                continue
            report(f"{data.name} {video}: {len(frames)} frames")
            tallies = {
                name: score_video(frames, find, head_length) for name, find in methods.items()
            }
            tallies[BASELINE] = tuned_on(frames).tally
            scores.append(
                VideoScores(
                    data.name,
                    video,
                    data.microscopy,
                    len(frames),
                    len(every) - len(frames),
                    tallies,
                )
            )
    return tuple(scores)


def locating_document(scores: Sequence[VideoScores], head_length: float) -> dict[str, Any]:
    """Everything as dictionaries and lists, for programs and for the tables; ``None`` for NaN."""
    methods = list(scores[0].tallies) if scores else []
    return {
        "schema": SCHEMA,
        "match_px": MATCH_PX,
        "head_length_px": head_length,
        "baseline_sigma_px": SIGMA_PX,
        "videos": [
            {
                "dataset": score.dataset,
                "video": score.video,
                "microscopy": score.microscopy,
                "frames": score.frames,
                "left_out": score.left_out,
                "known": score.known,
                "methods": {name: _scores(counts) for name, counts in score.tallies.items()},
            }
            for score in scores
        ],
        "mean_f1": {
            microscopy: {name: _mean_f1(scores, name, microscopy) for name in methods}
            for microscopy in dict.fromkeys(score.microscopy for score in scores)
        },
    }


def _scores(counts: Tally) -> dict[str, Any]:
    return {
        "precision": _known(counts.precision),
        "recall": _known(counts.recall),
        "f1": _known(counts.f1),
        "found": counts.found,
        "false": counts.false,
        "missed": counts.missed,
        "in_clusters": counts.in_clusters,
        "on_impurities": counts.on_impurities,
        "mean_distance_px": _known(counts.mean_distance),
    }


def _mean_f1(scores: Sequence[VideoScores], method: str, microscopy: str) -> float | None:
    values = [s.tallies[method].f1 for s in scores if s.microscopy == microscopy]
    return _known(sum(values) / len(values)) if values else None


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
