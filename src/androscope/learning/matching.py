"""Teachers asked of the very views that a network learns from.

Beyer et al. 2022, "Knowledge distillation: a good teacher is patient and consistent" (section 3,
*function matching*): the teacher grades the same turned, shifted, blended crop as the pupil, at
each step anew. Its answer then fits the picture, however strongly that was changed, and there is no
end of pictures to learn it from.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from androscope.learning.exported import Exported
from androscope.learning.graph import to_onnx
from androscope.learning.run import NETWORK, Run
from androscope.model.runtime import open_model
from androscope.model.session import INPUT, PROBABILITIES

__all__ = ["Matching", "shared_columns"]


def shared_columns(labels: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """Columns of those ``labels`` that are among ``theirs``, and their columns there."""
    own = [column for column, label in enumerate(labels) if label in theirs]
    return own, [theirs.index(labels[column]) for column in own]


class Matching:
    """Answers of finished runs as targets.

    They are asked as bundles would be: through ONNX, which takes a third of torch's time on a CPU,
    and in whole grey levels. So they run on the CPU wherever the pupil is.

    Parameters
    ----------
    runs
        Each grades some of ``labels``; each label has one at least.
    labels
        Columns of the targets.
    share
        Weight of the mean answer in a target; the rest is the label.
    """

    def __init__(self, runs: Sequence[Run], labels: tuple[str, ...], share: float) -> None:
        self.share = share
        self.labels = labels
        self._asked = []
        for run in runs:
            graph = to_onnx(Exported([run.network()]))
            session = open_model(graph, run.folder / NETWORK, threads=torch.get_num_threads())
            self._asked.append((session, *shared_columns(labels, run.labels)))

    def targets(self, crops: Tensor, known: Tensor) -> Tensor:
        """What to learn of a batch.

        Parameters
        ----------
        crops
            ``(N, S, S)`` float, grey levels 0 to 255: as the pupil sees them.
        known
            ``(N, L)``: labels in 0 to 1, negative where there are none.

        Returns
        -------
        Tensor
            ``(N, L)`` float32 on the crops' device. Where there is no label, the teachers' mean
            alone, for here it is their function that is learned.
        """
        grey = crops.detach().round().clamp(0, 255).to("cpu", torch.uint8).numpy()
        total = np.zeros((len(grey), len(self.labels)), np.float64)
        count = np.zeros(len(self.labels))
        for session, own, theirs in self._asked:
            (found,) = session.run([PROBABILITIES], {INPUT: grey})
            total[:, own] += found[:, theirs]
            count[own] += 1
        mean = torch.from_numpy((total / count).astype(np.float32)).to(crops.device)
        return torch.where(known >= 0, (1 - self.share) * known.float() + self.share * mean, mean)
