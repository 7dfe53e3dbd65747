"""Which of the processes that train together this one is."""

from __future__ import annotations

import os

__all__ = ["rank"]


def rank() -> int:
    """Number of this process among all that train together, on all machines; 0 if it is alone.

    Known before they have met: from what Lightning, torchrun or SLURM put into the environment.
    """
    from lightning.fabric.utilities.rank_zero import rank_zero_only

    known = int(getattr(rank_zero_only, "rank", 0) or 0)
    # Started by hand on each machine, the first process of the second one knows its machine alone.
    return known or int(os.environ.get("NODE_RANK") or 0)
