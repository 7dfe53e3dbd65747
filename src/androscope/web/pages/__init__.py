"""The pages, one module for each group of them; what they do is asked of the records."""

from __future__ import annotations

from fastapi import APIRouter

from androscope.web.pages import (
    door,
    downloads,
    learn,
    models,
    new,
    progress,
    review,
    sample,
    samples,
    sign,
    users,
)

__all__ = ["ROUTERS"]

#: Every route of the pages. A more exact path goes before one with a name in it.
ROUTERS: tuple[APIRouter, ...] = (
    door.router,
    users.router,
    samples.router,
    new.router,
    progress.router,
    review.router,
    downloads.router,
    sign.router,
    sample.router,
    models.router,
    learn.router,
)
