"""A trained locator as a folder: the graph, verified, and its card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch

from androscope.datasets.located import LOCATED, load_located
from androscope.datasets.located_types import LocatedFrames
from androscope.errors import DatasetMissingError, TrainingError
from androscope.imaging.contrast import DETECTOR_PX
from androscope.learning.graph import TOLERANCE, exported_model
from androscope.learning.locating import BASELINE, score_videos
from androscope.learning.location import MATCH_PX
from androscope.learning.locator_config import LocatorConfig
from androscope.learning.locator_data import Sample
from androscope.learning.locator_network import LocatorNetwork
from androscope.learning.locator_training import Learned, Samples, padded
from androscope.learning.record import software
from androscope.model.locator import INPUT, OUTPUT, Locator
from androscope.model.locator_bundle import LocatorBundle, write_locator
from androscope.model.locator_card import LearnedFrames, LocatorCardDraft, VideoScore

__all__ = ["SCORE_HEAD_PX", "export_locator", "locator_onnx"]

#: What the locator is told a head's length is when it is scored, px of the frame: one for all.
SCORE_HEAD_PX = 16.0

_INTENDED = (
    "Finding the sperm in fields of view of unstained sperm, bright field or phase contrast, so "
    "that each can be cut out and graded; work on methods of locating."
)
_LIMITS = (
    "Bright-field videos that were not learned from are scored under Evaluation: where the blob "
    "filter is better there, so is the classical way that comes with androscope.",
    "Axes, round cells and debris were learned from rendered fields alone.",
    "It has to be told how long a head is in the field, within about a quarter.",
    "Real frames it learned from are of one video: frames of the same video are near-duplicates of "
    "those, and their scores flatter it.",
)


def locator_onnx(network: LocatorNetwork) -> bytes:
    """Serialise a network: ``contrast`` ``(1, 1, h, w)`` to ``maps``, h and w multiples of 8.

    Raises
    ------
    TrainingError
        If it cannot be exported.
    """
    plain = deepcopy(network).cpu().float().eval()
    rows, columns = torch.export.Dim("rows", min=1), torch.export.Dim("columns", min=1)
    model = exported_model(
        plain,
        torch.zeros(1, 1, 80, 96),
        inputs=[INPUT],
        outputs=[OUTPUT],
        shapes={"contrast": {2: 8 * rows, 3: 8 * columns}},
        what="the locator",
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def check_locator(network: LocatorNetwork, model: bytes, samples: Sequence[Sample]) -> float:
    """Largest difference of torch and ONNX in any map over ``samples``.

    Raises
    ------
    TrainingError
        If it exceeds 1e-4 in a probability, or 1e-3 in another map.
    """
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    worst = 0.0
    for number, sample in enumerate(samples):
        # Sides differ, so that a fixed size in the graph would show.
        contrast = padded(sample.contrast[: 200 + 8 * (number % 9), :])
        with torch.no_grad():
            expected = network(torch.from_numpy(contrast)).numpy()
        (got,) = session.run([OUTPUT], {INPUT: contrast})
        gap = np.abs(expected - got)
        worst = max(worst, float(gap.max()))
        if gap[:, :3].max() > TOLERANCE or gap.max() > 10 * TOLERANCE:
            raise TrainingError(
                f"torch and ONNX disagree by {gap[:, :3].max():.1e} in a probability, "
                f"{gap.max():.1e} in a map: at most {TOLERANCE:g} and {10 * TOLERANCE:g}"
            )
    return worst


def export_locator(
    config: LocatorConfig,
    samples: Samples,
    learned: Learned,
    out: str | Path,
    *,
    version: str = "0.1.0",
    report: Callable[[str], None] = lambda _: None,
) -> LocatorBundle:
    """Write a trained network into the new folder ``out``, scored on the frames that are here.

    Frames that it learned from or whose frames chose its threshold are not scored.

    Raises
    ------
    TrainingError
        If torch and ONNX disagree.
    OutputError, BundleError
        If ``out`` cannot be written or the model does not run.
    """
    model = locator_onnx(learned.network)
    worst = check_locator(learned.network, model, samples.choosing)
    report(f"torch and ONNX agree on {len(samples.choosing)} views to {worst:.1e}")
    draft = _draft(config, samples, learned, version)
    # Scored as it will be used: through onnxruntime, by its own thresholds.
    trial = _unwritten(Path(out), model, draft)
    scores = _scores(Locator(trial, threads=config.threads), learned_from(draft.frames), report)
    return write_locator(out, model, draft.model_copy(update={"scores": scores}))


def learned_from(frames: Sequence[LearnedFrames]) -> Mapping[str, Sequence[str]]:
    """Ids by set of the frames that a locator learned or chose from."""
    return {part.dataset: (*part.learned, *part.chosen) for part in frames}


def _unwritten(folder: Path, model: bytes, draft: LocatorCardDraft) -> LocatorBundle:
    from androscope.model.locator_card import LocatorCard

    card = LocatorCard(**draft.model_dump(), model_sha256="0" * 64, model_bytes=len(model))
    return LocatorBundle(folder, card, model)


def _scores(
    locator: Locator, known: Mapping[str, Sequence[str]], report: Callable[[str], None]
) -> tuple[VideoScore, ...]:
    sets: list[LocatedFrames] = []
    for name in LOCATED:
        try:
            sets.append(load_located(name))
        except DatasetMissingError:
            report(f"{name} is not here: the card has no score on it")
    every = score_videos(
        sets, {"locator": locator}, head_length=SCORE_HEAD_PX, learned_from=known, report=report
    )
    result = []
    for video in every:
        mine, baseline = video.tallies["locator"], video.tallies[BASELINE]
        precision, recall, f1, other = (
            None if np.isnan(value) else value
            for value in (mine.precision, mine.recall, mine.f1, baseline.f1)
        )
        result.append(
            VideoScore(
                dataset=video.dataset, video=video.video, microscopy=video.microscopy,
                frames=video.frames, known=video.known, precision=precision, recall=recall,
                f1=f1, baseline_f1=other,
            )
        )  # fmt: skip
    return tuple(result)


def _draft(
    config: LocatorConfig, samples: Samples, learned: Learned, version: str
) -> LocatorCardDraft:
    frames: tuple[LearnedFrames, ...] = ()
    if samples.frame_ids:
        visem = LOCATED["visem"]
        frames = (
            LearnedFrames(
                dataset="visem", learned=samples.frame_ids, chosen=samples.choosing_ids,
                licence=visem.licence, citation=visem.citation, source=visem.source,
            ),
        )  # fmt: skip
    return LocatorCardDraft(
        name=config.name,
        version=version,
        created=datetime.now(UTC),
        head_px=DETECTOR_PX,
        thresholds=learned.thresholds,
        parameters=sum(p.numel() for p in learned.network.parameters()),
        phantoms=_rendered(config),
        frames=frames,
        chosen_f1=learned.chosen_f1,
        head_length_px=SCORE_HEAD_PX,
        match_px=MATCH_PX,
        config=config.model_dump(mode="json"),
        software=software(),
        intended_use=_INTENDED,
        limitations=_LIMITS,
        licence="Apache-2.0"
        if not frames
        else "CC BY 4.0, as the frames it learned from (VISEM-Tracking, Thambawita et al. 2023)",
    )


def _rendered(config: LocatorConfig) -> str:
    return (
        f"{config.phantoms} rendered fields of {config.phantom_size} px a side in bright field, "
        f"positive and negative phase contrast, and {config.sketches} sketched fields with heads "
        f"of any look (androscope, seed {config.seed}); every crop with its own contrast or "
        "reversed"
    )
