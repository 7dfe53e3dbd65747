"""Labelled data: MHSMA and a lab's own crops, found, checked and described."""

from androscope.datasets.loading import load
from androscope.datasets.types import SPLITS, UNLABELLED, Counts, Dataset, LabelledCrops

__all__ = ["SPLITS", "UNLABELLED", "Counts", "Dataset", "LabelledCrops", "load"]
