"""A measured value in words: with its 95% interval, where it has one."""

from __future__ import annotations

__all__ = ["measured_text"]


def measured_text(
    value: float | None, low: float | None, high: float | None, *, signed: bool = False
) -> str:
    """Give three decimals, the interval in brackets; ``not defined`` where there is no value."""
    if value is None:
        return "not defined"
    shape = "+.3f" if signed else ".3f"
    text = format(value, shape)
    if low is None or high is None:
        return text
    return f"{text} ({low:{shape}} to {high:{shape}})"
