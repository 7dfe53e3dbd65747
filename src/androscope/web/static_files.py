"""The page's own scripts, styles and icons, which caches may keep while their version lasts."""

from __future__ import annotations

from pathlib import Path

from starlette import staticfiles
from starlette.responses import Response
from starlette.types import Scope

__all__ = ["StaticFiles"]


class StaticFiles(staticfiles.StaticFiles):
    """Starlette's, with a cache that asks whether they changed; licences and sources too."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve a file."""
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "no-cache"
        return response
