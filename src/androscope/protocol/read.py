"""Reading a split with a model: validation as often as need be, test once and never again."""

from __future__ import annotations

from pathlib import Path

from androscope.datasets import Dataset
from androscope.errors import TrainingError
from androscope.learning.evaluate import PREDICTIONS, evaluate
from androscope.learning.subject import Subject, count_test_reads, record_test_read
from androscope.learning.summary import SUMMARY, Summary, read_summary
from androscope.protocol.state import evaluation_folder

__all__ = ["evaluate_once"]


def evaluate_once(
    subject: Subject,
    dataset: Dataset,
    split: str,
    folder: Path,
    *,
    seed: int,
    resamples: int,
) -> Path:
    """Grade a split and keep the evaluation; one that is kept already is not made again.

    A reading of test is recorded once its evaluation is written, so that an attempt that was killed
    on the way, of which nobody saw a number, does not count; and one that is recorded is never
    followed by another.

    Parameters
    ----------
    subject
        The model.
    dataset
        With crops of the model's size; a split that is not read is not looked at.
    split
        ``"valid"`` or ``"test"``.
    folder
        Of the run.
    seed, resamples
        Of the bootstrap.

    Returns
    -------
    Path
        Folder of the evaluation, where `androscope evaluate` puts it too.

    Raises
    ------
    TrainingError
        If test has been read with these weights and its evaluation is not here, or is of another
        model or other data.
    """
    if split not in dataset.splits:
        raise TrainingError(
            f"{dataset.name} has no {split} split; there are {', '.join(dataset.splits)}",
            advice="A benchmark needs train, valid and test",
        )
    out = evaluation_folder(folder, dataset.name, split)
    crops = dataset.splits[split]
    readings = 0
    if split == "test":
        readings = count_test_reads(subject.reads, subject.sha256, crops.sha256)
    kept = _kept(out)
    whole = (
        kept is not None
        and kept.model_sha256 == subject.sha256
        and kept.data_sha256 == crops.with_labels(kept.labels).sha256
    )
    if readings and not whole:
        raise TrainingError(
            "test has been read with these weights, and what came of it is not here; "
            "it is not read again",
            path=out,
            advice="Restore the folder; or remove the run's, and say so where you report results",
        )
    if not whole:
        found = evaluate(
            subject,
            crops,
            subject.thresholds,
            model=subject.name,
            model_sha256=subject.sha256,
            name=dataset.name,
            split=split,
            seed=seed,
            resamples=resamples,
        )
        found.write(out)
    if split == "test" and not readings:
        record_test_read(subject, data=dataset.name, data_sha256=crops.sha256)
    return out


def _kept(folder: Path) -> Summary | None:
    if not (folder / SUMMARY).is_file() or not (folder / PREDICTIONS).is_file():
        return None
    return read_summary(folder)
