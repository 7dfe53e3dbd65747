"""``androscope evaluate`` and ``androscope crossval``: how well a model, or a recipe, grades."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from androscope.cli.options import JsonOption
from androscope.cli.options_learning import (
    BootstrapSeedOption,
    ConfigArgument,
    ConfigDataOption,
    ConfigLabelOption,
    OverridesOption,
    ResamplesOption,
    config_changes,
)

if TYPE_CHECKING:
    from androscope.learning.evaluate import Evaluation
    from androscope.learning.fold_scores import CrossValidation
    from androscope.learning.subject import Subject
    from androscope.learning.summary import LabelSummary, Measured, Summary

__all__ = ["crossval", "evaluate"]


def evaluate(
    model: Annotated[
        str,
        typer.Argument(
            metavar="RUN|BUNDLE", help="A run's folder, a bundle's folder or a shipped model."
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|PATH",
            help="Labelled crops: mhsma, or the path of your own.",
            show_default="the run's own, mhsma for a bundle",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="train, valid, test or all.",
            show_default="test; all of own data without splits for a bundle",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="RUN|BUNDLE", help="Another model, to be compared on the same crops."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write evaluation.json, predictions.csv and plots there.",
            show_default="RUN/evaluation/DATA-SPLIT for a run, nothing for a bundle",
        ),
    ] = None,
    seed: BootstrapSeedOption = 0,
    resamples: ResamplesOption = 2000,
    as_json: JsonOption = False,
) -> None:
    """Score a model on labelled crops, with 95 % intervals, beside calling all sperm normal.

    Normal is the positive class.

    Each reading of a test split is recorded beside the run and counted.

    [bold]Examples[/bold]

        $ androscope evaluate runs/dmtl

        $ androscope evaluate default --data lab/labels.csv

        $ androscope evaluate runs/dmtl --split valid --against runs/random-start
    """
    _require("evaluate a model")
    from androscope.errors import TrainingError
    from androscope.learning.compare import compare
    from androscope.learning.evaluate import evaluate as measure
    from androscope.learning.scored import crops_to_score
    from androscope.learning.subject import open_subject, record_test_read

    subject = open_subject(model)
    other = None if against is None else open_subject(against)
    if other is not None and other.crop_size != subject.crop_size:
        raise TrainingError(
            f"{subject.name} grades crops of {subject.crop_size} px, "
            f"{other.name} of {other.crop_size}: they cannot see the same crops"
        )
    subjects = [one for one in (subject, other) if one is not None]
    scored = crops_to_score(subjects, data or subject.dataset or "mhsma", split)
    crops = scored.crops

    def grade(one: Subject) -> tuple[Evaluation, int | None]:
        found = measure(
            one,
            crops,
            one.thresholds,
            model=one.name,
            model_sha256=one.sha256,
            name=scored.name,
            split=scored.split,
            seed=seed,
            resamples=resamples,
        )
        if scored.test_sha256 is None:
            return found, None
        return found, record_test_read(one, data=scored.name, data_sha256=scored.test_sha256)

    graded = [(one, *grade(one)) for one in subjects]
    found, reads = graded[0][1:]
    differences = compare(found, graded[1][1], crops) if other is not None else {}
    for note in scored.notes:
        typer.secho(f"{note}.", err=True, dim=True)
    if out is None and subject.kind == "run":
        out = Path(model) / "evaluation" / f"{scored.name}-{scored.split}"
    if out is not None:
        found.write(out)
    if as_json:
        values = found.summary.model_dump(mode="json") | {"test_reads": reads}
        if other is not None:
            values["against"] = graded[1][1].summary.model_dump(mode="json")
            values["difference"] = {
                label: {name: m.model_dump(mode="json") for name, m in one.items()}
                for label, one in differences.items()
            }
        typer.echo(json.dumps(values, indent=2))
        return
    for _, evaluation, _ in graded:
        typer.echo("\n".join([*_table(evaluation.summary), ""]))
    if other is not None:
        typer.echo("\n".join([*_differences(subject.name, other.name, differences), ""]))
    for one, _, count in graded:
        if count is not None:
            times = "once" if count == 1 else f"{count} times"
            whose = "these weights" if other is None else f"the weights of {one.name}"
            typer.echo(f"This test split has now been read {times} with {whose}.")
    if out is not None:
        typer.echo(f"Written to {out}")


def crossval(
    config: ConfigArgument,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the folds and the result.")],
    folds: Annotated[int, typer.Option(min=2, max=100, help="Number of folds.")] = 5,
    label: ConfigLabelOption = None,
    data: ConfigDataOption = None,
    overrides: OverridesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train and score a configuration on folds of the train and valid splits; test is not read.

    Folds are alike in their labels; patients stay whole where known.

    Each fold is trained in full, and chooses thresholds on crops of its own.

    Started again, it goes on where it stopped.

    [bold]Examples[/bold]

        $ androscope crossval dmtl --out runs/dmtl-cv

        $ androscope crossval dtl --label tail --folds 3 --set stage1.epochs=20 --out runs/tail-cv
    """
    _require("cross-validate", "torch", "timm", "lightning", "imblearn")
    from androscope.datasets import load
    from androscope.learning.config_file import load_config
    from androscope.learning.crossval import crossval as run

    settled = load_config(config, config_changes(overrides, label=label, data=data))
    dataset = load(settled.data.dataset, crop_size=settled.data.crop_size, labels=settled.labels)
    found = run(
        settled, dataset, out, folds, report=lambda line: typer.secho(line, err=True, dim=True)
    )
    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=2))
        return
    typer.echo("\n".join(_fold_table(found)))
    typer.echo(f"Written to {out}")


def _require(why: str, *modules: str) -> None:
    from androscope.extras import require

    for module in ("yaml", "sklearn", "matplotlib", *modules):
        require(module, extra="train", why=why)


def _shown(metric: str, value: float | None) -> str:
    """Percent with one decimal, as in the paper's tables; MCC from -1 to 1."""
    if value is None:
        return "-"
    return f"{value:.3f}" if metric == "mcc" else f"{100 * value:.1f}"


def _heading(label: str, found: LabelSummary) -> str:
    limit = "" if found.threshold is None else f"; abnormal from {found.threshold:g}"
    return f"{label}  n {found.n}: {found.normal} normal, {found.abnormal} abnormal{limit}"


def _notes(found: Summary) -> list[str]:
    lines = ["", f"Percent, MCC from -1 to 1. Normal is positive. {found.interval}."]
    reasons: dict[str, list[str]] = {}
    from androscope.learning.metrics import TITLES

    for label, one in found.by_label.items():
        for metric, measured in one.scores.items():
            if measured.why:
                reasons.setdefault(measured.why, []).append(f"{label} {TITLES[metric]}")
    lines += [f"- Undefined ({why}): {', '.join(where)}" for why, where in reasons.items()]
    if found.left_out:
        lines.append(f"- Not labelled in this data: {', '.join(found.left_out)}")
    return lines


def _table(found: Summary) -> list[str]:
    from androscope.learning.metrics import METRICS, TITLES

    patients = "" if found.patients is None else f" of {found.patients} patients"
    lines = [f"{found.model} on {found.data} {found.split}, {found.crops} crops{patients}"]
    for label, one in found.by_label.items():
        lines += ["", _heading(label, one)]
        lines.append(f"  {'':<10}{'value':>8}  {'95 % interval':<16}{'all normal':>10}")
        for metric in METRICS:
            m = one.scores[metric]
            ends = f"[{_shown(metric, m.low)}, {_shown(metric, m.high)}]"
            base = _shown(metric, one.baseline[metric])
            row = f"  {TITLES[metric]:<10}{_shown(metric, m.value):>8}  {ends:<16}{base:>10}"
            lines.append(row)
        lines += _calibration(one)
    return lines + _notes(found)


def _calibration(found: LabelSummary) -> list[str]:
    if found.calibration is None:
        return []
    exact = f"if exact {found.calibration.if_exact:.3f}"
    measured = (("calibr. err.", found.calibration.error), ("Brier score", found.calibration.brier))
    lines = []
    for (name, m), more in zip(measured, (exact, ""), strict=True):
        assert m.value is not None  # of labelled crops both are defined
        ends = f"[{m.low:.3f}, {m.high:.3f}]"
        lines.append(f"  {name:<12}{m.value:>6.3f}  {ends:<16}{more}".rstrip())
    return lines


def _differences(first: str, second: str, found: dict[str, dict[str, Measured]]) -> list[str]:
    from androscope.learning.metrics import METRICS, TITLES

    lines = [f"{first} against {second}: the first minus the second, the same draws for both"]
    for label, one in found.items():
        lines += ["", label, f"  {'':<10}{'more':>8}  95 % interval"]
        for metric in METRICS:
            m = one[metric]
            ends = f"[{_shown(metric, m.low)}, {_shown(metric, m.high)}]"
            lines.append(f"  {TITLES[metric]:<10}{_shown(metric, m.value):>8}  {ends}")
    return lines


def _fold_table(result: CrossValidation) -> list[str]:
    from androscope.learning.metrics import METRICS, TITLES

    found = result.pooled.summary
    lines = [f"{found.model} on {found.data} {found.split}, {found.crops} crops"]
    values: dict[str, Any] = result.to_json()["by_fold"]
    for label, one in found.by_label.items():
        lines += ["", _heading(label, one)]
        lines.append(f"  {'':<10}{'mean':>8}{'sd':>8}{'pooled':>10}  95 % interval")
        for metric in METRICS:
            m, over = one.scores[metric], values[label][metric]
            ends = f"[{_shown(metric, m.low)}, {_shown(metric, m.high)}]"
            lines.append(
                f"  {TITLES[metric]:<10}{_shown(metric, over['mean']):>8}"
                f"{_shown(metric, over['sd']):>8}{_shown(metric, m.value):>10}  {ends}"
            )
    return [*lines, *_notes(found), "Mean and sd over folds; pooled: all held-out crops together."]
