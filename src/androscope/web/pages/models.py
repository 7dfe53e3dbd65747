"""Models: their cards, which one grades by default, what adapting one changed; the leaderboard."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from androscope.benchmark.board import read_board
from androscope.benchmark.ranking import labels_of, percent, rank
from androscope.model.card_text import card_text
from androscope.web.render import page
from androscope.web.security.guard import VIEWER, Admin
from androscope.web.state import State, state_of
from androscope.web.texts import text

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_State = Annotated[State, Depends(state_of)]

#: Markup in a card's texts stays text.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")

_DATASET = "mhsma"


@router.get("/models", dependencies=[VIEWER])
def models_page(request: Request, state: _State) -> Response:
    """List the models."""
    offer = state.offer
    return page(request, "models.html", models=offer.models(), fixed=offer.fixed)


@router.get("/models/leaderboard", dependencies=[VIEWER])
def leaderboard_page(request: Request) -> Response:
    """Show published and verified results by accuracy, label by label."""
    board = read_board()
    info = board.by_name[_DATASET]
    ranked = {
        label: rank(board, _DATASET, label, "accuracy") for label in labels_of(board, _DATASET)
    }
    return page(request, "leaderboard.html", info=info, ranked=ranked, percent_of=percent)


@router.get("/models/{name}", dependencies=[VIEWER])
def model_page(request: Request, state: _State, name: str) -> Response:
    """Show a model's card whole."""
    if name not in state.offer.names():
        raise HTTPException(404, text("models.unknown", name=name))
    card = state.offer.card(name)
    # Without its heading, which the page has.
    words = card_text(card).partition("\n")[2]
    return page(request, "model.html", name=name, card=card, words=Markup(_MARKDOWN.render(words)))


@router.post("/models/{name}/choose")
def choose(caller: Admin, state: _State, name: str) -> Response:
    """Make a model the default, from the next picture on."""
    try:
        state.offer.choose(name, actor=caller.name)
    except ValueError as error:
        raise HTTPException(409, str(error)) from error
    return RedirectResponse("/models", 303)
