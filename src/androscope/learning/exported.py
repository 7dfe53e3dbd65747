"""What a bundle's graph computes: one network, or the mean over several and over a crop's views."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from androscope.learning.network import Network
from androscope.learning.views import dihedral_views

__all__ = ["Exported"]


class Exported(nn.Module):
    """Crops to probabilities (of abnormal) and the embedding.

    Parameters
    ----------
    networks
        One or more, with the same labels and crop size. Their probabilities are averaged, their
        embeddings put side by side.
    views
        Above 1, each crop is graded in so many views of
        :func:`androscope.learning.views.dihedral_views`, and probabilities and embeddings are the
        means over them.
    """

    order: Tensor | None

    def __init__(self, networks: Sequence[Network], views: int = 1) -> None:
        super().__init__()
        first = networks[0]
        self.networks = nn.ModuleList(networks)
        self.labels = first.labels
        self.crop_size = size = first.preprocess.crop_size
        self.views = views
        # Pixels of each view by their place in the crop: turning is one indexing in the graph.
        places = np.arange(size * size).reshape(1, size, size).astype(np.int64)
        order = np.concatenate(dihedral_views(places, views)).reshape(views, -1)
        self.register_buffer("order", torch.from_numpy(order) if views > 1 else None)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """``(N, S, S)`` uint8 to ``(N, L)`` and ``(N, D)`` float32."""
        if self.order is not None:
            crops = crops.flatten(1)[:, self.order].reshape(-1, self.crop_size, self.crop_size)
        embeddings = [network.embed(crops) for network in self.networks]  # type: ignore[operator]
        graded = [
            network.grade(embedding).sigmoid()  # type: ignore[operator]
            for network, embedding in zip(self.networks, embeddings, strict=True)
        ]
        # One network's graph has no needless sum or concatenation.
        alone = len(graded) == 1
        probabilities = graded[0] if alone else torch.stack(graded).mean(0)
        embedding = embeddings[0] if alone else torch.cat(embeddings, 1)
        if self.order is not None:
            probabilities = probabilities.reshape(-1, self.views, len(self.labels)).mean(1)
            embedding = embedding.reshape(-1, self.views, embedding.shape[-1]).mean(1)
        return probabilities, embedding
