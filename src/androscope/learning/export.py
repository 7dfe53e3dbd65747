"""Finished runs as a bundle: the graph, verified, and the card."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from androscope.datasets import LabelledCrops
from androscope.errors import TrainingError
from androscope.imaging.phantom_set import phantom_set
from androscope.learning.export_card import draft_card
from androscope.learning.export_metrics import evaluations_of
from androscope.learning.exported import Exported
from androscope.learning.graph import check_graph, to_onnx
from androscope.learning.protocol import fit_together
from androscope.learning.run import Run
from androscope.learning.trust.checks import with_checks
from androscope.learning.trust.recalibrate import with_trust
from androscope.model.bundle import Bundle
from androscope.model.bundle_writing import write_bundle
from androscope.types import UInt8Array, Views

__all__ = ["export"]


def export(
    run: Run | str | Path | Sequence[Run | str | Path],
    out: str | Path,
    *,
    views: Views = 1,
    name: str | None = None,
    version: str = "0.1.0",
    crops: UInt8Array | None = None,
    validation: LabelledCrops | None = None,
    learned: LabelledCrops | None = None,
    licence: str | None = None,
    pixel_size_um: float | None = None,
    evaluations: Sequence[str | Path] = (),
    report: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Write ``run`` as a bundle into the new folder ``out``.

    Parameters
    ----------
    run
        A finished run or its folder; or several, whose probabilities the bundle averages.
    out
        Must not exist yet, or be an empty folder.
    views
        1, 2 or 8: the bundle grades each crop in so many views and gives the mean; see
        :func:`androscope.learning.views.dihedral_views`.
    name, version
        Of the bundle; the run's name, and a version such as ``0.1.0``.
    crops
        ``(N, S, S)`` uint8 on all of which torch and ONNX must agree, before calibration; 64
        phantoms by default.
    validation
        The run's validation crops, on which probabilities are calibrated and the conformal data is
        gathered; thresholds move with them, so that no verdict changes. None: neither is done.
    learned
        The run's training crops: with ``validation``, the checks before grading are fitted on them.
        None, or too few: the bundle's inputs are not checked.
    licence
        Of the weights; by default that of the data they were learned from.
    pixel_size_um
        Micrometres per pixel of the training crops, if known.
    evaluations
        Further ``evaluation.json``, or their folders, for the card beside those in a single run's
        own folder: those of this very bundle, exported and evaluated before.
    report
        Called with what was verified.

    Raises
    ------
    TrainingError
        If a run is not finished or damaged, several do not fit together, an evaluation is of other
        weights, ``validation`` is not what the run chose on, the backbone cannot be exported, or
        torch and ONNX differ by more than 1e-4.
    OutputError, BundleError
        If ``out`` cannot be written, or name and version are none.
    """
    given = [run] if isinstance(run, Run | str | Path) else run
    runs = [r if isinstance(r, Run) else Run.load(r) for r in given]
    fit_together(runs, views)
    if validation is not None:
        _same_validation(runs[0], validation)
    exported = Exported([r.network() for r in runs], views)
    size = exported.crop_size
    if crops is None:
        crops = np.stack([phantom.pixels for phantom in phantom_set(64, 0, size=size)])
    model = to_onnx(exported)
    agreement = check_graph(exported, model, crops)
    report(str(agreement))
    draft = draft_card(
        runs,
        views=views,
        evaluations=evaluations_of(runs, views, evaluations, hashlib.sha256(model).hexdigest()),
        name=name or runs[0].config.name,
        version=version,
        agreement=agreement,
        licence=licence,
        pixel_size_um=pixel_size_um,
    )
    if validation is None:
        report("not calibrated, and never undecided: the validation crops are not here")
        return write_bundle(out, model, draft)
    data = runs[0].record["data"]["name"]
    draft = with_trust(draft, model, validation, f"{data} valid", report=report)
    domain = None
    if learned is None:
        report("its inputs are not checked: the crops it learned from are not here")
    else:
        try:
            draft, domain = with_checks(draft, model, learned, validation, data, report=report)
        except TrainingError as error:
            # A model of few crops is still a model; its card then says that nothing is checked.
            report(f"its inputs are not checked: {error.reason}")
    return write_bundle(out, model, draft, domain)


def _same_validation(run: Run, crops: LabelledCrops) -> None:
    """Make sure that these crops are those that the run chose on, and did not learn from."""
    expected = run.record["data"]["splits"]["valid"]["sha256"]
    if (got := crops.with_labels(run.labels).sha256) != expected:
        raise TrainingError(
            f"its validation crops have changed: expected SHA-256 {expected}, got {got}; it may "
            "have learned from what is to calibrate it",
            path=run.folder,
            advice="Restore the data as it was, or train again",
        )
