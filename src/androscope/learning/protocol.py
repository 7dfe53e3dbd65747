"""How exported weights were come by, in words, for the card; and which runs may be averaged."""

from __future__ import annotations

from collections.abc import Sequence

from androscope.errors import TrainingError
from androscope.learning.config import Config
from androscope.learning.graph import Agreement
from androscope.learning.run import Run
from androscope.learning.subject import TEST_READS

__all__ = ["fit_together", "protocol"]

#: The rules of ``checkpoint``, in words.
_RULES = {
    "balance": "the balance of accuracies",
    "mean": "mean accuracy",
    "accuracy": "accuracy",
    "loss": "loss",
}


def fit_together(runs: Sequence[Run], views: int) -> None:
    """Make sure that the probabilities of ``runs`` may be averaged and shown as one model's.

    Raises
    ------
    TrainingError
        If there is no run; if labels, crop size, backbone, its input size or the training data
        differ; or if thresholds were searched, which hold for each run alone.
    """
    if not runs:
        raise TrainingError("there is no run to export", advice="Name the folder of one at least")
    first = runs[0]
    for run in runs[1:]:
        for what, wanted, got in (
            ("labels", first.labels, run.labels),
            ("data.crop_size", first.config.data.crop_size, run.config.data.crop_size),
            ("backbone.name", first.config.backbone.name, run.config.backbone.name),
            (
                "backbone.input_size",
                first.config.backbone.input_size,
                run.config.backbone.input_size,
            ),
            ("training data", _data(first), _data(run)),
        ):
            if wanted != got:
                raise TrainingError(
                    f"cannot be averaged with {first.folder}: its {what} is {got}, not {wanted}",
                    path=run.folder,
                    advice="Average runs that differ in their seed alone",
                )
    if len(runs) == 1 and views == 1:
        return
    for run in runs:
        if run.config.threshold.search:
            raise TrainingError(
                "its thresholds were searched for its own probabilities, not for a mean",
                path=run.folder,
                advice="Train it with --set threshold.search=false",
            )


def _data(run: Run) -> dict[str, str]:
    return {name: split["sha256"] for name, split in run.record["data"]["splits"].items()}


def _chosen(config: Config) -> str:
    """Which epochs, heads and thresholds were chosen on valid, and which were not."""
    # What stage 1 keeps is what the card is read for first: said even where nothing was chosen.
    first = "stage 1" if config.method == "dmtl" else "training"
    chosen: list[str] = []
    fixed: list[str] = []
    if config.stage1.checkpoint == "last":
        averaged = " (their mean over the last epochs)" if config.stage1.swa else ""
        fixed.append(f"the last weights of {first}{averaged} were kept")
    else:
        rule = _RULES[config.stage1.checkpoint]
        chosen.append(f"the epoch of {first} (by {rule})")
    if config.method == "dmtl":
        own = [config.stage2.branches.get(name, config.stage2.default) for name in config.labels]
        rules = {_RULES[branch.checkpoint] for branch in own if branch.checkpoint != "last"}
        last = any(branch.checkpoint == "last" for branch in own)
        if rules:
            but = ", but where the last weights were kept" if last else ""
            by = " or ".join(sorted(rules))
            chosen.append(f"the epoch of each branch of stage 2 (by {by}){but}")
        elif last:
            fixed.append("the last weights of branches of stage 2 were kept")
        if config.stage2.fallback:
            chosen.append("for each label, whether its branch took the place of stage 1's head")
    search = config.threshold
    if search.search:
        chosen.append(f"thresholds (by accuracy + F0.5, from {search.low:g} to {search.high:g})")
    else:
        fixed.append("thresholds are 0.5")
    on_valid = f"Chosen on valid: {'; '.join(chosen) or 'nothing'}."
    return f"{on_valid} Not chosen: {'; '.join(fixed)}." if fixed else on_valid


def _counts(by_label: dict[str, int]) -> str:
    return ", ".join(f"{label} {count}" for label, count in by_label.items())


def protocol(runs: Sequence[Run], views: int, agreement: Agreement, remarks: Sequence[str]) -> str:
    """The card's ``protocol``: what was fitted and chosen on what, and how often test was read."""
    run = runs[0]
    phantoms = run.config.data.phantoms
    beside = f" and {phantoms} rendered sperm of known truth" if phantoms else ""
    teachers = run.record.get("teachers", [])
    own = ", each crop's from those that had not learned it" if run.config.teacher.held_out else ""
    own = ", asked of each view that was learned from" if run.config.teacher.match else own
    taught = (
        f" to targets between the labels (weight {1 - run.config.teacher.share:g}) and the mean "
        f"probability of {len(teachers)} networks trained before on the same crops{own}"
        if teachers
        else ""
    )
    lines = [
        f"Weights were fitted on train{beside}{taught}. {_chosen(run.config)} "
        "Training read no other split.",
    ]
    folds = [r.record["held_out"] for r in runs if r.record.get("held_out")]
    if folds:
        which = ", ".join(f"{fold['fold'] + 1} of {fold['folds']}" for fold in folds)
        lines.append(f"Left out of train, to grade it unlearned: part {which}.")
    parts = [r.record["part"] for r in runs if r.record.get("part")]
    if parts:
        which = ", ".join(f"{part['crops']} of {part['of']}" for part in parts)
        lines.append(f"Learned from a part of the train crops: {which}.")
    doubted = [r.record["doubted"]["labels_left_out"] for r in runs if r.record.get("doubted")]
    if doubted:
        which = ", ".join(f"{sum(one.values())} ({_counts(one)})" for one in doubted)
        lines.append(f"Labels of train that a list of doubted ones left out: {which}.")
    if len(runs) > 1:
        seeds = ", ".join(str(r.config.seed) for r in runs)
        lines.append(f"{len(runs)} networks are averaged, of seeds {seeds}.")
    if views > 1:
        lines.append(f"Probabilities are the mean over {views} views of the crop.")
    lines += [
        "Normal is the positive class; ROC AUC is from probabilities.",
        f"At export, {agreement}.",
    ]
    if remarks:
        lines.append(f"Metrics: {'; '.join(remarks)}.")
    reads = run.folder / TEST_READS
    if len(runs) == 1 and views == 1 and reads.is_file():
        count = sum(1 for line in reads.read_text(encoding="utf-8").splitlines() if line.strip())
        lines.append(f"Test was read {count} {'time' if count == 1 else 'times'} in this run.")
    return " ".join(lines)
