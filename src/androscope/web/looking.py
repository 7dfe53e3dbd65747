"""Where the model looked in a crop that is kept: for the page of review and for programs."""

from __future__ import annotations

from fastapi import HTTPException

from androscope.web.state import State
from androscope.web.texts import text
from androscope.web.work.wire import HeatTask

__all__ = ["KEPT_FOR", "heat_of"]

#: A record's opinion never changes, and so its map does not.
KEPT_FOR = {"cache-control": "private, max-age=86400"}


def heat_of(state: State, crop_id: int, part: str = "") -> bytes:
    """Draw where the model looked, as a PNG, with the verdict and flags of the record.

    Parameters
    ----------
    part
        Which; ``""``: that which it called abnormal the most.

    Raises
    ------
    HTTPException
        404 if nothing was cut out or graded, or not that part; 409 if this server does not grade.
    RecordMissingError
        If there is no such crop.
    BundleError
        If the model that graded the crop is not at hand.
    BusyError
        If too many ask already.
    """
    crop = state.records.crops.get(crop_id)
    pixels = state.records.crops.pixels(crop_id)
    asked = [p for p in crop.opinion.parts if part in ("", p.label)]
    if pixels is None or not asked:
        raise HTTPException(404, text("review.no_map"))
    if state.dispatcher is None:
        raise HTTPException(409, text("review.no_work"))
    name = crop.model.rpartition(" ")[0]
    offer = state.offer
    task = HeatTask(
        pixels=pixels.tobytes(),
        label=max(asked, key=lambda p: p.probability - p.threshold).label,
        parts=crop.opinion.parts,
        flags=crop.opinion.flags,
        model=offer.where(name) if offer.fixed is None else offer.fixed,
        graded_by=crop.model,
    )
    return state.dispatcher.direct.heat(task)
