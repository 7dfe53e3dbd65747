"""What a protocol is: the schema behind the YAML file that `androscope benchmark run` follows."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from androscope.learning.config_table import Table
from androscope.model.card import LabelName
from androscope.spelling import closest
from androscope.types import Views

__all__ = ["BootstrapConfig", "Crossval", "FixedProtocol", "Recipe", "RecipeName"]

#: Also the name of a folder, of a log and of a row of the tables.
RecipeName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60)]
Seeds = tuple[Annotated[int, Field(ge=0, lt=2**32)], ...]


class Recipe(Table):
    """How networks come to be: a configuration and its seeds, or the mean of another recipe's."""

    config: str | None = Field(
        None,
        description="A shipped configuration, or a YAML file beside the protocol's.",
    )
    seeds: Seeds | None = Field(
        None, min_length=1, description="One run for each; null: the protocol's `seeds`."
    )
    set: dict[str, Any] = Field(
        default_factory=dict, description="Keys of the configuration that are changed."
    )
    per_label: bool = Field(
        False, description="One run per label and seed, as DTL needs; `labels` become the one."
    )
    teachers: RecipeName | None = Field(
        None, description="`teacher.runs` become the finished runs of this recipe, all seeds."
    )
    ensemble: RecipeName | None = Field(
        None,
        description="Nothing is trained: probabilities are the mean over the runs of this recipe.",
    )
    views: Views = Field(
        8, description="Of each crop in an ensemble: itself, two, or all eight turned and mirrored."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.config is None) == (self.ensemble is None):
            raise ValueError("expected either config, to train by, or ensemble, to average")
        if self.ensemble is not None:
            for key in ("seeds", "set", "per_label", "teachers"):
                if getattr(self, key):
                    raise ValueError(f"{key} says how to train, and an ensemble is not trained")
        elif "views" in self.model_fields_set:
            raise ValueError("views are those of an ensemble; for a teacher's set teacher.views")
        return self


class Crossval(Table):
    """A configuration trained and scored on folds; thresholds are found inside each fold."""

    config: str = Field(description="A shipped configuration, or a YAML file.")
    folds: int = Field(5, ge=2, le=100, description="Parts of which each is held out once.")
    seed: int = Field(0, ge=0, lt=2**32, description="Of the folds and of their runs.")
    splits: tuple[Literal["train", "valid", "test"], ...] = Field(
        ("train", "valid", "test"),
        min_length=1,
        description="Splits that are pooled and divided anew.",
    )
    set: dict[str, Any] = Field(
        default_factory=dict, description="Keys of the configuration that are changed."
    )
    per_label: bool = Field(False, description="One cross-validation per label, as DTL needs.")


class BootstrapConfig(Table):
    """The intervals."""

    resamples: int = Field(2000, ge=100, le=100_000, description="Draws of the bootstrap.")
    seed: int = Field(0, ge=0, lt=2**32, description="Of the draws: the same for every recipe.")


class FixedProtocol(Table):
    """What is trained, on what, and how it is read."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80, description="The protocol's name."
    )
    dataset: str = Field(
        "mhsma", description="`mhsma`, or the path of an own labelled set with all three splits."
    )
    labels: tuple[LabelName, ...] = Field(
        ("head", "acrosome", "vacuole"),
        min_length=1,
        max_length=8,
        description="Labels of the tables, in their order.",
    )
    seeds: Seeds = Field((0, 1, 2, 3, 4), min_length=1, description="Of each recipe.")
    bootstrap: BootstrapConfig = BootstrapConfig()
    recipes: dict[RecipeName, Recipe] = Field(
        min_length=1, description="By their names; one that learns from another stands below it."
    )
    crossval: dict[RecipeName, Crossval] = Field(
        default_factory=dict, description="Cross-validations, by their names."
    )
    tried_before: tuple[str, ...] = Field(
        (), description="What else has been tried on test, a sentence each, for the record."
    )

    @model_validator(mode="after")
    def _recipes_stand_below_what_they_need(self) -> Self:
        above: list[str] = []
        for name, recipe in self.recipes.items():
            for key in ("teachers", "ensemble"):
                wanted = getattr(recipe, key)
                if wanted is None:
                    continue
                if wanted not in above:
                    near = closest(wanted, above)
                    nearest = "" if near is None else f"; the nearest is {near!r}"
                    raise ValueError(
                        f"{key} of {name}: there is no recipe {wanted!r} above it{nearest}"
                    )
                if self.recipes[wanted].config is None:
                    raise ValueError(f"{key} of {name}: {wanted} is an ensemble and has no runs")
            above.append(name)
        for name, recipe in self.recipes.items():
            seeds = recipe.seeds or ()
            if len(set(seeds)) != len(seeds):
                raise ValueError(f"seeds of {name} must differ, got {list(seeds)}")
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"seeds must differ, got {list(self.seeds)}")
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels must differ, got {list(self.labels)}")
        return self

    def seeds_of(self, recipe: Recipe) -> tuple[int, ...]:
        """The seeds of a recipe that is trained; none for an ensemble."""
        if recipe.config is None:
            return ()
        return self.seeds if recipe.seeds is None else recipe.seeds
