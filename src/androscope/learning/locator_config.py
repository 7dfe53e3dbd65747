"""The locator's configuration: what it learns from, and for how long."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from androscope.learning.config_file import parse_as
from androscope.learning.config_table import Table
from androscope.learning.shipped_yaml import ShippedYaml

__all__ = ["LOCATOR_CONFIGS", "LocatorConfig", "load_locator_config"]

#: The configurations of locators that come with androscope.
LOCATOR_CONFIGS = ShippedYaml("androscope.learning", "locators", "configuration of a locator")


class LocatorConfig(Table):
    """Keys of a locator's YAML file."""

    name: str = Field("locator", pattern=r"^[a-z0-9][a-z0-9._-]*$", description="The run's name.")
    seed: int = Field(0, ge=0, lt=2**31, description="Of all random draws.")
    phantoms: int = Field(
        400, ge=8, le=100_000, description="Phantom fields that are learned from."
    )
    phantom_size: int = Field(320, ge=128, le=2048, description="Side of a phantom field, px.")
    sketches: int = Field(500, ge=0, le=100_000, description="Sketched fields learned from.")
    sketch_share: float = Field(
        0.35, ge=0, le=1, description="Share of the crops of a step that come from sketches."
    )
    visem_frames: int = Field(
        0,
        ge=0,
        le=100_000,
        description="Frames of VISEM that are learned from, from the video's beginning; 0: none.",
    )
    visem_share: float = Field(
        0.35, ge=0, le=1, description="Share of the crops of a step that come from VISEM."
    )
    visem_head_px: float = Field(17.0, gt=3, le=200, description="Length of a head in VISEM, px.")
    choosing_frames: int = Field(
        5,
        ge=0,
        le=1000,
        description="Frames of VISEM behind those; they and phantoms choose the threshold.",
    )
    jitter: float = Field(
        1.35, ge=1, le=2, description="Heads are shown up to this factor larger or smaller."
    )
    crop: int = Field(256, ge=64, le=1024, multiple_of=8, description="Side of a crop, px.")
    widths: tuple[int, int, int] = Field(
        (16, 24, 48), description="Channels of the network at strides 2, 4 and 8."
    )
    steps: int = Field(2000, ge=1, le=1_000_000, description="Steps of the optimizer.")
    batch_size: int = Field(8, ge=1, le=256, description="Crops of a step.")
    lr: float = Field(0.003, gt=0, le=1, description="Highest learning rate of the cycle.")
    weight_decay: float = Field(0.0001, ge=0, le=1, description="AdamW's.")
    threads: int = Field(1, ge=1, le=256, description="CPU threads.")


def load_locator_config(source: str | Path, overrides: tuple[str, ...] = ()) -> LocatorConfig:
    """Read a file, or a configuration that comes with androscope (``locator``).

    Raises
    ------
    ConfigError
        If there is none, or it holds unknown keys or wrong values: all are listed.
    """
    found = LOCATOR_CONFIGS.find(source)
    return parse_as(found.text, found.source, LocatorConfig, overrides)[0]
