"""The models that this server offers, with their cards."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException

from androscope.client.shapes import ModelOut
from androscope.web.api.common import StateOf, api_router
from androscope.web.security.guard import VIEWER

__all__ = ["router"]

router = api_router("models")


@router.get("/models", dependencies=[VIEWER])
def list_models(state: StateOf) -> list[ModelOut]:
    """List the models; a sample that names none is graded by the default."""
    return [
        ModelOut(
            name=model.name,
            version=model.card.version,
            labels=list(model.card.labels),
            sha256=model.card.model_sha256,
            licence=model.card.licence,
            default=model.default,
        )
        for model in state.offer.models()
        if model.card is not None
    ]


@router.get("/models/{name}", dependencies=[VIEWER])
def get_card(state: StateOf, name: str) -> dict[str, Any]:
    """Give a model's card: training data, metrics, intended use, limits."""
    if name not in state.offer.names():
        raise HTTPException(404, f"there is no model {name!r}")
    card: dict[str, Any] = state.offer.card(name).model_dump(mode="json")
    return card
