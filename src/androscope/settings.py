"""The one table of settings: each is an environment variable ``ANDROSCOPE_<NAME>``.

Plain pydantic rather than pydantic-settings, which alone costs 0.17 s of start-up, a fifth of what
one cold assessment may take.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from androscope.errors import SettingsError

__all__ = ["PREFIX", "Backend", "Settings", "load_settings"]

PREFIX = "ANDROSCOPE_"

#: What can run the network that grades.
Backend = Literal["onnxruntime", "openvino"]


class Settings(BaseModel):
    """Settings of one run; see docs/settings.md, which is made from this table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path | None = Field(
        default=None,
        description="Folder that holds data sets (`mhsma/`, ...) already on this machine; "
        "looked in before anything is downloaded.",
    )
    cache: Path = Field(
        default_factory=lambda: user_data_path("androscope", appauthor=False),
        description="Folder that downloads are kept in.",
    )
    home: Path = Field(
        default_factory=lambda: user_data_path("androscope", appauthor=False),
        description="Folder that a lab's records are kept in.",
    )
    records: str | None = Field(
        default=None,
        description="Database of the records: `sqlite:///FILE` or `postgresql://...`.",
    )
    model: str = Field(
        default="default",
        description="Bundle that grades when none is named: a shipped name or a folder.",
    )
    threads: int = Field(
        default=0,
        ge=0,
        le=1024,
        description="Threads for inference; 0: one per physical core, or this process's share of "
        "them.",
    )
    backend: Backend = Field(
        default="onnxruntime",
        description="What runs the network that grades: `onnxruntime`, or `openvino`, which the "
        "extra of that name installs.",
    )
    batch_size: int = Field(
        default=32, ge=1, le=4096, description="Crops graded in one forward pass."
    )
    error_rate: float | None = Field(
        default=None,
        gt=0,
        le=0.5,
        description="Share of wrong verdicts, of truly normal and of truly abnormal parts, that is "
        "allowed; what cannot be decided so is *undecided*. Not set: verdicts are by thresholds.",
    )
    max_pixels: int = Field(
        default=100_000_000,
        ge=4096,
        description="Images with more pixels than this are refused before they are decoded.",
    )
    bit_depth: int | None = Field(
        default=None,
        ge=8,
        le=16,
        description="Bits that the camera's values have, for files of wider integers that do not "
        "say it themselves. Not set: the fewest that hold the largest value.",
    )

    def with_bit_depth(self, bits: int | None) -> Settings:
        """These settings with another bit depth, or themselves for ``None``.

        Raises
        ------
        ValueError
            If it is not between 8 and 16.
        """
        if bits is None:
            return self
        if not 8 <= bits <= 16:
            raise ValueError(f"bit_depth must be between 8 and 16, got {bits}")
        return self.model_copy(update={"bit_depth": bits})


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from ``environ`` (default: the process's environment).

    Raises
    ------
    SettingsError
        If a variable's value cannot be used; the message names the variable. Variables with the
        prefix that are no setting are left alone: other tools may share it.
    """
    environ = os.environ if environ is None else environ
    given = {
        name: environ[PREFIX + name.upper()]
        for name in Settings.model_fields
        if environ.get(PREFIX + name.upper(), "") != ""
    }
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper()
        raise SettingsError(
            f"{name}={first['input']!r}: {first['msg'].lower()}",
            advice=f"Unset {name} or give it a value of that kind",
        ) from error
