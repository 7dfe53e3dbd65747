"""A sample's images: added, listed, given as kept."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from fastapi import Depends, Header, HTTPException, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, JSONResponse, Response

from androscope.client.shapes import Id, ImageOut, Listed, QueuedOut
from androscope.files import sha256_of
from androscope.records.people import Reply, Role
from androscope.records.types import Page
from androscope.web.api.common import PageNumber, PerPage, StateOf, api_router
from androscope.web.security.callers import Caller
from androscope.web.security.guard import VIEWER, Allow
from androscope.web.state import State
from androscope.web.uploads.accept import accept
from androscope.web.uploads.queue import queue_files
from androscope.web.uploads.receive import Received

__all__ = ["FILES", "UNLIMITED", "Uploader", "receive_files", "router"]

router = api_router("images")

#: Routes that count what they receive for themselves, by the server's own limits.
UNLIMITED = 1 << 50

Uploader = Annotated[Caller, Depends(Allow(Role.REVIEWER, streams=True))]

#: A form with files, for OpenAPI: FastAPI does not see what is read from the wire.
FILES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {
                            "type": "array",
                            "minItems": 1,
                            "items": {
                                "type": "string",
                                "contentMediaType": "application/octet-stream",
                            },
                        },
                        "replicate": {"type": "string", "maxLength": 100},
                    },
                }
            }
        },
    }
}


async def receive_files(request: Request, caller: Caller, state: State, *, most: int) -> Received:
    """Take a form's files, at least one, while there is room for them."""

    def check(count: int) -> None:
        if not 1 <= count <= most:
            raise HTTPException(400, f"expected 1 to {most} files, got {count}")

    return await accept(request, caller, state, check)


@router.post(
    "/samples/{sample_id}/images",
    status_code=202,
    response_model=QueuedOut,
    openapi_extra=FILES,
    max_body_size=UNLIMITED,
)
async def add_images(
    request: Request,
    caller: Uploader,
    state: StateOf,
    sample_id: Id,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=200,
            description="The same key with the same files gives the first answer again, for a day.",
        ),
    ] = None,
) -> Response:
    """Add files to a sample; answered when all of them are on the server's disk."""
    await run_in_threadpool(state.records.samples.get, sample_id)
    received = await receive_files(request, caller, state, most=state.options.limits.files)
    try:
        reply = await run_in_threadpool(_queue, state, caller, received, sample_id, idempotency_key)
    except BaseException:
        received.forget()
        raise
    state.wake(sample_id)
    return JSONResponse(json.loads(reply.body), reply.status)


def _queue(
    state: State, caller: Caller, received: Received, sample_id: int, key: str | None
) -> Reply:
    request_sha256 = _hash(received, sample_id)
    if key is not None:
        known = state.records.replies.get(key, user=caller.name)
        if known is not None:
            received.forget()
            return _same(known, request_sha256, key)
    replicate = received.fields.get("replicate", "").strip()[:100]
    queue_files(state.records, sample_id, received.files, replicate=replicate, actor=caller.name)
    said = QueuedOut(
        sample_id=sample_id,
        files=[file.name for file in received.files],
        progress=f"/api/v1/samples/{sample_id}/progress",
    )
    reply = Reply(request_sha256, 202, said.model_dump_json())
    # Kept after the files are queued: a crash between queues them twice, and a file that comes
    # twice into a sample is kept once.
    return reply if key is None else state.records.replies.put(key, reply, user=caller.name)


def _same(known: Reply, request_sha256: str, key: str) -> Reply:
    if known.request_sha256 != request_sha256:
        raise HTTPException(409, f"the idempotency key {key!r} was used for another upload")
    return known


def _hash(received: Received, sample_id: int) -> str:
    said = [
        sample_id,
        received.fields.get("replicate", ""),
        [(file.name, sha256_of(file.path)) for file in received.files],
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@router.get("/samples/{sample_id}/images", dependencies=[VIEWER])
def list_images(
    state: StateOf, sample_id: Id, page: PageNumber = 1, per_page: PerPage = 100
) -> Listed[ImageOut]:
    """List a sample's pictures in the order they came."""
    state.records.samples.get(sample_id)
    images = state.records.images.list(sample_id)
    start = (page - 1) * per_page
    found = Page(images[start : start + per_page], page, per_page, len(images))
    return Listed[ImageOut].of(found, [ImageOut.model_validate(image) for image in found.items])


@router.get("/images/{image_id}", dependencies=[VIEWER])
def get_image(state: StateOf, image_id: Id) -> ImageOut:
    """Give what is known of a picture."""
    return ImageOut.model_validate(state.records.images.get(image_id))


@router.get(
    "/images/{image_id}/pixels",
    dependencies=[VIEWER],
    response_class=Response,
    responses={200: {"content": {"image/png": {}}, "description": "The picture as kept"}},
)
def get_pixels(state: StateOf, image_id: Id) -> Response:
    """Give the picture, 8-bit grey, without any tag of its file."""
    image = state.records.images.get(image_id)
    return FileResponse(state.records.images.path(image.sha256), media_type="image/png")
