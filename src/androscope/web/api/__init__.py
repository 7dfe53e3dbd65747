"""The same functions for programs: ``/api/v1``, described by ``/api/v1/openapi.json``."""

from __future__ import annotations

from fastapi import APIRouter

from androscope.web.api import assess, crops, images, models, reports, samples
from androscope.web.api.common import PREFIX, problems_in

__all__ = ["API_ROUTERS", "PREFIX", "problems_in"]

API_ROUTERS: tuple[APIRouter, ...] = (
    assess.router,
    samples.router,
    images.router,
    crops.router,
    reports.router,
    models.router,
)
