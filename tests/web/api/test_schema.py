"""Schemathesis asks every operation what OpenAPI allows and what it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

pytest.importorskip("fastapi", reason="needs the web extra: fastapi is not installed")

import schemathesis
from fastapi.routing import APIRoute
from schemathesis.specs.openapi.checks import positive_data_acceptance

from androscope.records.store import Records
from androscope.web.api import API_ROUTERS
from androscope.web.app import create_app
from androscope.web.options import ServeOptions

from .conftest import PROGRAM, TINY


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[schemathesis.BaseSchema]:
    folder: Path = tmp_path_factory.mktemp("lab")
    options = ServeOptions(
        incoming=folder / "incoming", model=str(TINY), work=False, names=("testserver",)
    )
    options.incoming.mkdir()
    with Records.open(f"sqlite:///{folder / 'records.db'}", folder / "images") as records:
        records.samples.create("so that number 1 is there", actor="tests")
        app = create_app(records, options)
        yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)


OPERATIONS = [
    (method, route.path)
    for router in API_ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods)
]


@pytest.mark.parametrize(
    ("method", "path"), OPERATIONS, ids=[f"{method} {path}" for method, path in OPERATIONS]
)
def test_no_server_error_and_no_answer_beside_the_schema(
    api: schemathesis.BaseSchema, method: str, path: str
) -> None:
    strategy = api[path][method].as_strategy()

    @given(case=strategy)
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    def ask(case: schemathesis.Case) -> None:
        # What JSON Schema cannot say (a printable name, a part that the model grades) is refused
        # all the same, by 400 with the reason.
        case.call_and_validate(headers=PROGRAM, excluded_checks=[positive_data_acceptance])

    ask()


def test_every_operation_is_asked(api: schemathesis.BaseSchema) -> None:
    described = {
        (method.upper(), path)
        for path, operations in api.raw_schema["paths"].items()
        for method in operations
    }
    assert described == set(OPERATIONS)
