"""The models that this server offers, with their cards."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fastapi import HTTPException

from androscope.client.shapes import ModelOut
from androscope.model.bundle import default_name, load_bundle, shipped_names
from androscope.model.card import Card
from androscope.web.api.common import StateOf, api_router
from androscope.web.security.guard import VIEWER

__all__ = ["card_of", "router"]

router = api_router("models")


@lru_cache(maxsize=8)
def card_of(name: str) -> Card:
    """Give a shipped model's card; the model is read and checked against it once."""
    return load_bundle(name).card


@router.get("/models", dependencies=[VIEWER])
def list_models(state: StateOf) -> list[ModelOut]:
    """List the shipped models; a sample that names none is graded by the default."""
    default = state.options.model or default_name()
    cards = {name: card_of(name) for name in shipped_names()}
    return [
        ModelOut(
            name=name,
            version=card.version,
            labels=list(card.labels),
            sha256=card.model_sha256,
            licence=card.licence,
            default=name == default,
        )
        for name, card in cards.items()
    ]


@router.get("/models/{name}", dependencies=[VIEWER])
def get_card(name: str) -> dict[str, Any]:
    """Give a model's card: training data, metrics, intended use, limits."""
    if name not in shipped_names():
        raise HTTPException(404, f"there is no model {name!r}")
    card: dict[str, Any] = card_of(name).model_dump(mode="json")
    return card
