"""A space over a network that trains in a second, and a search of it in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from androscope.search.file import LoadedSpace, parse_space
from androscope.search.loop import equip, loop
from androscope.search.run import facts_of, place_of
from androscope.search.study import join, url_of
from androscope.search.trial import Bench

from ..learning import tiny  # noqa: TID252  (tests are no package)

if TYPE_CHECKING:
    from optuna import Study

SPACE = """
name: small
config: tiny.yaml
set: {stage1.epochs: 2, stage2.default.epochs: 1, stage2.views: 1}
space:
  stage1.optimizer.lr: {low: 1e-4, high: 0.1, log: true}
  stage1.optimizer.name: {choices: [adam, sgd]}
  branch.dense: {layers: [0, 1], widths: [4, 8], also: [stage2.default.dense]}
sampler: {startup_trials: 2}
pruning: {enabled: false}
"""


def loaded(folder: Path, text: str = SPACE) -> LoadedSpace:
    """The space, with its configuration beside it in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.yaml").write_text(tiny.QUICK)
    return parse_space(text, "small.yaml", folder)


def begin(
    folder: Path,
    text: str = SPACE,
    *,
    seed: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> tuple[Study, Bench]:
    """A study in ``folder / "out"`` and what its trials have in common."""
    out = folder / "out"
    out.mkdir(parents=True, exist_ok=True)
    facts = facts_of(loaded(folder, text), tiny.dataset(), seed, 1)
    study, facts = join(url_of(out, None), facts.space.name, facts)
    equip(study, facts)
    return study, Bench(facts.space, facts.base, tiny.dataset(), out, place_of(out), report)


def go(folder: Path, trials: int, text: str = SPACE, **options: Any) -> Study:
    """Search in this process until there are ``trials`` trials."""
    seed = options.pop("seed", 0)
    study, bench = begin(folder, text, seed=seed, report=options.pop("report", lambda _: None))
    loop(study, bench, trials=trials, **options)
    return study
