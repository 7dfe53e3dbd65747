"""A measured value in words: with its 95% interval, where it has one."""

from __future__ import annotations

from androscope.model.card_interval import Interval

__all__ = ["measured_text"]


def measured_text(found: Interval, *, signed: bool = False) -> str:
    """Give three decimals, the interval in brackets; ``not defined`` where there is no value."""
    if found.value is None:
        return "not defined"
    shape = "+.3f" if signed else ".3f"
    text = format(found.value, shape)
    if found.low is None or found.high is None:
        return text
    return f"{text} ({found.low:{shape}} to {found.high:{shape}})"
