"""The server put together: middleware, routes, what begins and ends with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from androscope import __version__
from androscope.records.store import Records
from androscope.web import problems
from androscope.web.api import API_ROUTERS, PREFIX, problems_in
from androscope.web.offered import Offer
from androscope.web.options import ServeOptions
from androscope.web.pages import ROUTERS
from androscope.web.security.door import check_door
from androscope.web.security.headers import SecurityHeaders
from androscope.web.state import Changes, State
from androscope.web.static_files import StaticFiles
from androscope.web.work.dispatch import Dispatcher
from androscope.web.work.learn import Learner

__all__ = ["create_app"]

#: Of any request that uploads nothing.
_FORM_BYTES = 200_000


def create_app(records: Records, options: ServeOptions) -> FastAPI:
    """Make the server's application.

    Parameters
    ----------
    records
        Opened; who opened them closes them.
    options
        Where it listens and what it takes.

    Raises
    ------
    ServeError
        If other machines reach it and it has no lock.
    """
    check_door(options, records)
    offer = Offer(options.models, options.model)
    state = State(records, options, offer, Learner(records, offer))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        state.changes = Changes()
        options.incoming.mkdir(parents=True, exist_ok=True)
        if options.work:
            state.dispatcher = Dispatcher(records, options, offer, state.changes.tell)
            state.dispatcher.start()
            state.learner.start()
        try:
            yield
        finally:
            state.changes.close()
            if state.dispatcher is not None:
                state.dispatcher.stop()
                state.learner.stop()

    app = FastAPI(
        title="androscope",
        version=__version__,
        lifespan=lifespan,
        openapi_url=f"{PREFIX}/openapi.json",
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        max_body_size=_FORM_BYTES,
    )
    app.state.androscope = state
    problems.install(app)
    for router in (*API_ROUTERS, *ROUTERS):
        app.include_router(router)
    _describe(app)
    app.mount("/static", StaticFiles(Path(__file__).resolve().parent / "static"), name="static")
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=options.hosts, www_redirect=False)
    app.add_middleware(SecurityHeaders, https=options.https)
    return app


def _describe(app: FastAPI) -> None:
    """Say in OpenAPI what errors look like; worked out when first asked for."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = problems_in(made())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
