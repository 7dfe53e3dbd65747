"""Keeping ``benchmark.json``: brought up to date from the runs' folders after each that is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from androscope import __version__
from androscope.datasets import Dataset
from androscope.errors import TrainingError
from androscope.protocol.distinct import Shared, shared_crops
from androscope.protocol.file import Loaded
from androscope.protocol.gather import (
    crossval_entry,
    predictions_of,
    run_entry,
    software_key,
)
from androscope.protocol.graded import Graded, baseline_of, means_of, read_graded
from androscope.protocol.plan import Task
from androscope.protocol.record import (
    RECORD,
    Baseline,
    Benchmark,
    Mean,
    Part,
    ProtocolFacts,
    RecipeEntry,
    RunEntry,
    read_benchmark,
    write_benchmark,
)
from androscope.protocol.state import state_of
from androscope.report.names import spreadsheet_name

__all__ = ["Book"]


class Book:
    """The record of a benchmark.

    Parameters
    ----------
    loaded
        The protocol.
    tasks
        All of its tasks.
    out
        The benchmark's folder.
    dataset
        The data; test is looked at only if it is among ``splits``.
    splits
        Those that are read this time.

    Raises
    ------
    TrainingError
        If the folder holds a benchmark on another data set.
    """

    def __init__(
        self,
        loaded: Loaded,
        tasks: Sequence[Task],
        out: Path,
        dataset: Dataset,
        splits: Sequence[str],
    ) -> None:
        self.loaded, self.tasks, self.out, self.dataset = loaded, tuple(tasks), out, dataset
        self.splits = tuple(splits)
        protocol = loaded.protocol
        before = read_benchmark(out) if (out / RECORD).is_file() else None
        if before is not None and before.protocol.dataset != protocol.dataset:
            raise TrainingError(
                f"holds a benchmark on {before.protocol.dataset}; the protocol is about "
                f"{protocol.dataset}",
                path=out,
                advice="Choose another folder with --out",
            )
        facts = ProtocolFacts(
            name=protocol.name,
            sha256=loaded.sha256,
            dataset=protocol.dataset,
            labels=protocol.labels,
            resamples=protocol.bootstrap.resamples,
            bootstrap_seed=protocol.bootstrap.seed,
        )
        # Means over draws of another kind are not kept.
        self._same_draws = before is not None and (
            before.protocol.resamples == facts.resamples
            and before.protocol.bootstrap_seed == facts.bootstrap_seed
        )
        self.found = Benchmark(
            androscope=__version__,
            updated=datetime.now(UTC).replace(microsecond=0),
            protocol=facts,
            baseline=before.baseline if before else {},
            near_duplicates=before.near_duplicates if before else None,
            # What was tried stays on record, in the protocol or not.
            recipes={
                name: entry.model_copy(update={"in_protocol": name in protocol.recipes})
                for name, entry in (before.recipes if before else {}).items()
            },
            crossval={
                name: entry.model_copy(update={"in_protocol": name in protocol.crossval})
                for name, entry in (before.crossval if before else {}).items()
            },
            software=before.software if before else {},
            tried_before=protocol.tried_before,
        )
        self._shared: Shared | None = None

    def update(self, groups: Sequence[str] | None = None) -> Benchmark:
        """Bring the entries of recipes and cross-validations up to date, and write the file.

        Parameters
        ----------
        groups
            Names of :attr:`Task.group`; all by default.
        """
        recipes, crossval = dict(self.found.recipes), dict(self.found.crossval)
        self._shared = shared_crops(self.dataset, self.out, look="test" in self.splits)
        baseline = dict(self.found.baseline)
        software = dict(self.found.software)
        protocol = self.loaded.protocol
        for name, recipe in protocol.recipes.items():
            if groups is not None and name not in groups:
                continue
            tasks = [t for t in self.tasks if t.kind != "crossval" and t.group == name]
            done = [t for t in tasks if state_of(t, self.out, ("valid",)) == "done"]
            runs = []
            for task in done:
                entry, versions = run_entry(task, self.out)
                runs.append(entry)
                if versions:
                    software[software_key(versions)] = versions
            before = recipes.get(name)
            means = {} if before is None or not self._same_draws else before.means
            if before is None or before.runs != tuple(runs) or not self._same_draws:
                means, of_parts = self._means(done, runs)
                for part, labels in of_parts.items():
                    baseline[part] = {**baseline.get(part, {}), **labels}
            recipes[name] = RecipeEntry(
                config=recipe.config,
                seeds=protocol.seeds_of(recipe),
                teachers=recipe.teachers,
                ensemble=recipe.ensemble,
                views=recipe.views if recipe.ensemble else None,
                planned=len(tasks),
                runs=tuple(runs),
                means=means,
            )
        for name, fold in protocol.crossval.items():
            if groups is not None and name not in groups:
                continue
            tasks = [t for t in self.tasks if t.kind == "crossval" and t.group == name]
            made = crossval_entry(tasks, fold, self.out)
            if made is not None:
                crossval[name] = made
        order = [*protocol.recipes, *(n for n in recipes if n not in protocol.recipes)]
        self.found = self.found.model_copy(
            update={
                "updated": datetime.now(UTC).replace(microsecond=0),
                "recipes": {name: recipes[name] for name in order if name in recipes},
                "crossval": crossval,
                "baseline": {
                    part: {n: of[n] for n in protocol.labels if n in of}
                    for part, of in baseline.items()
                },
                "near_duplicates": self._shared.facts if self._shared else None,
                "software": software,
            }
        )
        write_benchmark(self.out, self.found)
        return self.found

    def _means(
        self, tasks: Sequence[Task], runs: Sequence[RunEntry]
    ) -> tuple[
        dict[Part, dict[str, dict[str, Mean]]],
        dict[Part, dict[str, Baseline]],
    ]:
        means: dict[Part, dict[str, dict[str, Mean]]] = {}
        baseline: dict[Part, dict[str, Baseline]] = {}
        bootstrap = self.loaded.protocol.bootstrap
        for split in ("valid", "test"):
            read = [
                read_graded(path, run.labels)
                for task, run in zip(tasks, runs, strict=True)
                if (path := predictions_of(task, self.out, split)) is not None
            ]
            if not read:
                continue
            patients = self._patients(split, read)
            everything = np.ones(len(read[0].ids), bool)
            parts: dict[Part, np.ndarray] = {"test" if split == "test" else "valid": everything}
            if split == "test" and self._shared is not None:
                removed = self._shared.removed
                parts["distinct"] = np.array([name not in removed for name in read[0].ids])
            for part, kept in parts.items():
                means[part], baseline[part] = {}, {}
                own = None if patients is None else [p for p, k in zip(patients, kept) if k]  # noqa: B905
                for label in self.loaded.protocol.labels:
                    graded = [one.select(kept) for one in read if label in one.truth]
                    if not graded:
                        continue
                    baseline[part][label] = baseline_of(graded[0].truth[label])
                    means[part][label] = means_of(
                        label,
                        graded,
                        patients=own,
                        resamples=bootstrap.resamples,
                        seed=bootstrap.seed,
                    )
        return means, baseline

    def _patients(self, split: str, read: Sequence[Graded]) -> tuple[str, ...] | None:
        """Patients of a split's crops, once it is sure that the predictions are of these crops."""
        data = self.dataset.splits[split]
        ids = tuple(spreadsheet_name(name) for name in data.ids)
        if any(one.ids != ids for one in read):
            raise TrainingError(
                f"its runs were evaluated on other {split} crops than those of "
                f"{self.dataset.name} here",
                path=self.out,
                advice="Bring the data back, or choose another folder with --out",
            )
        return data.patients
