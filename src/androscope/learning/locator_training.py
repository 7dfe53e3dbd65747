"""The locator's training: samples made, steps taken, the threshold chosen; one seed, one answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from androscope.datasets.located import load_located
from androscope.errors import TrainingError
from androscope.imaging.contrast import DETECTOR_PX
from androscope.learning.location import MATCH_PX, match_points
from androscope.learning.locator_config import LocatorConfig
from androscope.learning.locator_data import Sample, frame_sample, phantom_field_samples
from androscope.learning.locator_network import LocatorNetwork, locator_loss
from androscope.learning.locator_sketch import sketched_sample
from androscope.learning.locator_targets import batch
from androscope.model.locator import CLASSES, read_maps
from androscope.types import FloatArray

__all__ = ["Learned", "Samples", "choose_threshold", "learn", "make_samples", "padded"]

#: Views of each VISEM frame at lengths drawn within the jitter.
_VIEWS = 3
#: Thresholds that are tried.
_TRIED = tuple(round(0.05 * n, 2) for n in range(2, 17))
#: A find is right within this share of a head's length, as 12 px are of heads of 16 px.
_WITHIN = MATCH_PX


@dataclass(frozen=True, slots=True)
class Samples:
    """What is learned from, and by what the threshold is chosen; ids of the frames in either."""

    phantoms: tuple[Sample, ...]
    sketches: tuple[Sample, ...]
    frames: tuple[Sample, ...]
    choosing: tuple[Sample, ...]
    frame_ids: tuple[str, ...]
    choosing_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Learned:
    """A trained network, its thresholds, and how well they did where they were chosen.

    ``chosen_f1`` has the F1 of sperm for each source of the samples that chose.
    """

    network: LocatorNetwork
    thresholds: dict[str, float]
    chosen_f1: dict[str, float]
    losses: tuple[float, ...]
    seconds: float


def make_samples(config: LocatorConfig, report: Callable[[str], None] = lambda _: None) -> Samples:
    """Render and read everything; a tenth of the phantoms more is made, to choose by.

    Raises
    ------
    DatasetMissingError, DatasetUseError
        If VISEM is asked for and not here, or may not be trained on.
    """
    started = time.monotonic()
    size, jitter = config.phantom_size, config.jitter
    phantoms = list(phantom_field_samples(config.phantoms, config.seed, size=size, jitter=jitter))
    choosing = list(
        phantom_field_samples(
            max(6, config.phantoms // 10), 2**31 + config.seed, size=size, jitter=1.0
        )
    )
    pen = np.random.default_rng([818, config.seed])
    sketches = [sketched_sample(pen, size, jitter) for _ in range(config.sketches)]
    choosing += [sketched_sample(pen, size, 1.0) for _ in range(config.sketches // 20)]
    report(
        f"{len(sketches)} sketches, {len(phantoms)} phantom fields, {len(choosing)} to choose by, "
        f"in {time.monotonic() - started:.0f} s"
    )
    frames: list[Sample] = []
    ids: tuple[str, ...] = ()
    chosen_ids: tuple[str, ...] = ()
    if config.visem_frames:
        every = load_located("visem").for_training()
        if len(every) < config.visem_frames + config.choosing_frames:
            raise TrainingError(
                f"expected {config.visem_frames + config.choosing_frames} frames of VISEM or more, "
                f"got {len(every)}",
                advice="Lower visem_frames",
            )
        rng = np.random.default_rng([816, config.seed])
        taught = every[: config.visem_frames]
        behind = every[config.visem_frames : config.visem_frames + config.choosing_frames]
        lengths = config.visem_head_px * jitter ** rng.uniform(-1, 1, (len(taught), _VIEWS))
        frames = [
            frame_sample(frame, float(length), "visem")
            for frame, views in zip(taught, lengths, strict=True)
            for length in views
        ]
        choosing += [frame_sample(frame, config.visem_head_px, "visem") for frame in behind]
        ids = tuple(frame.id for frame in taught)
        chosen_ids = tuple(frame.id for frame in behind)
        report(f"{len(ids)} frames of visem, {len(chosen_ids)} to choose by")
    return Samples(
        tuple(phantoms), tuple(sketches), tuple(frames), tuple(choosing), ids, chosen_ids
    )


def learn(
    config: LocatorConfig, samples: Samples, report: Callable[[str], None] = lambda _: None
) -> Learned:
    """Train a network on ``samples`` and choose its thresholds.

    AdamW with a one-cycle learning rate (L. N. Smith and N. Topin, 2018, arXiv:1708.07120).

    Raises
    ------
    TrainingError
        If the loss is no longer a number.
    """
    started = time.monotonic()
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    rng = np.random.default_rng([817, config.seed])
    network = LocatorNetwork(config.widths)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=config.lr, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=config.lr, total_steps=max(config.steps, 2), pct_start=0.2
    )
    losses: list[float] = []
    network.train()
    for step, chosen in enumerate(_draws(config, samples, rng), start=1):
        crops, maps = batch(chosen, rng, config.crop)
        raw = network.raw(torch.from_numpy(crops))
        loss = locator_loss(raw, *(torch.from_numpy(part) for part in maps))
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss.item()} at step {step}", advice="Lower the learning rate, lr"
            )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % max(1, config.steps // 30) == 0:
            recent = float(np.mean(losses[-50:]))
            report(f"step {step} of {config.steps}: loss {recent:.3f}, "
                   f"{time.monotonic() - started:.0f} s")  # fmt: skip
    network.eval()
    threshold, chosen_f1 = choose_threshold(network, samples.choosing)
    thresholds = dict.fromkeys(CLASSES, 0.3) | {"sperm": threshold}
    return Learned(network, thresholds, chosen_f1, tuple(losses), time.monotonic() - started)


def _draws(
    config: LocatorConfig, samples: Samples, rng: np.random.Generator
) -> Iterator[list[Sample]]:
    pools = (samples.frames, samples.sketches, samples.phantoms)
    shares = [
        share if pool else 0.0
        for pool, share in zip(pools, (config.visem_share, config.sketch_share), strict=False)
    ]
    shares.append(1 - sum(shares))
    for _ in range(config.steps):
        chosen = rng.choice(len(pools), config.batch_size, p=shares)
        yield [pools[pool][int(rng.integers(len(pools[pool])))] for pool in chosen]


def padded(contrast: FloatArray) -> FloatArray:
    """A view ``(h, w)`` as ``(1, 1, h', w')`` with sides that are multiples of 8, 0 added."""
    height, width = contrast.shape
    return np.pad(contrast, ((0, -height % 8), (0, -width % 8)))[None, None]


def choose_threshold(
    network: LocatorNetwork, samples: Sequence[Sample]
) -> tuple[float, dict[str, float]]:
    """The threshold of sperm with the best mean F1 over the sources of ``samples``, and its F1."""
    sources = tuple(dict.fromkeys(sample.source for sample in samples))
    counts = {(s, t): np.zeros(3) for s in sources for t in _TRIED}
    with torch.no_grad():
        for sample in samples:
            for sign in (1, -1):
                maps = network(torch.from_numpy(padded(sign * sample.contrast)))[0].numpy()
                found = read_maps(maps, {"sperm": _TRIED[0], "round": 0.3, "debris": 0.3})
                for threshold in _TRIED:
                    kept = [p for p in found if p.kind == "sperm" and p.score >= threshold]
                    counts[sample.source, threshold] += _counted(kept, sample)
    scores = {
        key: float(2 * hit / max(2 * hit + false + missed, 1))
        for key, (hit, false, missed) in counts.items()
    }
    best = max(_TRIED, key=lambda t: float(np.mean([scores[s, t] for s in sources])))
    return best, {source: scores[source, best] for source in sources}


def _counted(found: Sequence[object], sample: Sample) -> NDArray[np.float64]:
    points = np.array([(p.x, p.y) for p in found]).reshape(-1, 2)  # type: ignore[attr-defined]
    for left, top, right, bottom in sample.unsure:
        x, y = points.T
        points = points[~((x >= left) & (x <= right) & (y >= top) & (y <= bottom))]
    pairs = match_points(points, sample.heads[:, :2], within=_WITHIN * DETECTOR_PX / 16)
    hit = len(pairs)
    return np.array([hit, len(points) - hit, len(sample.heads) - hit], np.float64)
