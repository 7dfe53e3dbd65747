"""The configuration that a bundle's card holds, read without torch."""

from __future__ import annotations

import json

from androscope.errors import AdaptError
from androscope.learning.config import Config
from androscope.model.bundle import Bundle

__all__ = ["TRY_RUN", "configuration"]

TRY_RUN = "Give the run it was exported from with --run, or leave the trunk alone with --no-trunk"


def configuration(bundle: Bundle) -> Config:
    """The configuration of the run that a bundle came from.

    Raises
    ------
    AdaptError
        If the card has none, or one that this version does not read.
    """
    if not bundle.card.config:
        raise AdaptError("its card holds no configuration of a run", advice=TRY_RUN)
    try:
        return Config.model_validate_json(json.dumps(bundle.card.config))
    except ValueError as error:
        first = str(error).splitlines()
        raise AdaptError(
            f"the configuration in its card is not one of this version: {' '.join(first[1:3])}",
            advice=TRY_RUN,
        ) from error
