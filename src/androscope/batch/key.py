"""What an answer depends on beside the image: two runs with the same facts give the same rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from androscope import __version__
from androscope.imaging.crop import Fit
from androscope.model.card import Card
from androscope.model.runtime import runtime_of
from androscope.settings import Backend, Settings

__all__ = ["Facts", "Options", "differences", "facts_of", "key_of_run"]

#: As they stand in the journal and in the output's metadata.
Facts = Mapping[str, str | int | float | bool | None]

#: Raised when rows are made or cut in another way.
_FORMAT = 2

_SAID = {
    "androscope": "androscope {}", "runtime": "{}", "model": "model {}",
    "model_sha256": "a model with SHA-256 {:.12}", "card_sha256": "a card with SHA-256 {:.12}",
    "pixel_size": "--pixel-size {}", "fit": "--fit {}", "error_rate": "--error-rate {}",
    "grade_anyway": "--grade-anyway {}", "max_pixels": "ANDROSCOPE_MAX_PIXELS={}",
    "bit_depth": "--bit-depth {}",
    "backend": "ANDROSCOPE_BACKEND={}", "part_size": "--part-size {}",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Options:
    """What a user chooses that changes answers; see :func:`androscope.assess`."""

    pixel_size: float | None = None
    fit: Fit = "auto"
    error_rate: float | None = None
    grade_anyway: bool = False
    max_pixels: int = 100_000_000
    backend: Backend = "onnxruntime"
    bit_depth: int | None = None

    @classmethod
    def of(cls, settings: Settings) -> Options:
        """What the settings choose."""
        return cls(
            error_rate=settings.error_rate,
            max_pixels=settings.max_pixels,
            backend=settings.backend,
            bit_depth=settings.bit_depth,
        )


def facts_of(card: Card, options: Options, part_size: int) -> Facts:
    """Gather the facts of a run with the model of ``card``."""
    return {
        "format": _FORMAT,
        "androscope": __version__,
        "runtime": runtime_of(options.backend),
        "model": f"{card.name} {card.version}",
        "model_sha256": card.model_sha256,
        # Thresholds, calibration and checks may be edited without touching the model.
        "card_sha256": hashlib.sha256(card.to_json().encode()).hexdigest(),
        **asdict(options),
        "part_size": part_size,
    }


def key_of_run(facts: Facts) -> str:
    """Hex SHA-256 of the facts."""
    return hashlib.sha256(json.dumps(dict(facts), sort_keys=True).encode()).hexdigest()


def differences(before: Facts, now: Facts) -> str:
    """Say in what two runs differ, as they were asked for: ``--fit auto (now --fit centre)``."""
    said = []
    for name in dict.fromkeys((*before, *now)):
        if before.get(name) != now.get(name):
            form = _SAID.get(name, name + " {}")
            then, here = (form.format(str(facts.get(name))) for facts in (before, now))
            said.append(f"{then} (now {here})")
    return ", ".join(said)
