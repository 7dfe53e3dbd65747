"""What a search is about: kept in its study, and compared when somebody joins it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from androscope.errors import TrainingError
from androscope.learning.config import Config
from androscope.learning.config_file import dump_config, parse_config
from androscope.learning.record import different_keys
from androscope.search.schema import Space

if TYPE_CHECKING:
    from optuna import Study

__all__ = ["Facts", "differences", "read_facts"]

#: Keys that may differ between the machines of one search: where things lie, and how fast.
_FREE = ("data.dataset", "trainer.threads")


@dataclass(frozen=True)
class Facts:
    """What a search is about; all who work on it must agree.

    Attributes
    ----------
    space
        As it was read.
    base
        The configuration that trials change.
    seed
        Of the proposals.
    data
        Split's name to its hash, train and valid.
    """

    space: Space
    base: Config
    seed: int
    data: Mapping[str, str]

    def to_attrs(self) -> dict[str, Any]:
        """As the study keeps it."""
        return {
            "space": self.space.model_dump(mode="json"),
            "base": dump_config(self.base),
            "seed": self.seed,
            "data": dict(self.data),
        }


def read_facts(study: Study) -> Facts:
    """What the study is about. Raises :class:`TrainingError` if it is none of androscope's."""
    attrs = study.user_attrs
    try:
        return Facts(
            Space.model_validate(attrs["space"]),
            parse_config(attrs["base"], study.study_name),
            int(attrs["seed"]),
            dict(attrs["data"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise TrainingError(
            f"the study {study.study_name!r} was not begun by `androscope search`: {error!r}",
            advice="Choose another --name",
        ) from error


def differences(before: Facts, facts: Facts) -> list[str]:
    """What differs, in words: keys of the space and of the configuration, the seed, the crops."""
    different: list[str] = []
    if before.space.space != facts.space.space:
        keys = before.space.space.keys() | facts.space.space.keys()
        changed = [k for k in keys if before.space.space.get(k) != facts.space.space.get(k)]
        different += [f"space.{key}" for key in sorted(changed)]
    for key in ("objective", "sampler", "pruning"):
        if getattr(before.space, key) != getattr(facts.space, key):
            different.append(key)
    different += [k for k in different_keys(before.base, facts.base) if k not in _FREE]
    if before.seed != facts.seed:
        different.append("the search's seed")
    different += [f"the {k} crops" for k in facts.data if before.data.get(k) != facts.data[k]]
    return different
