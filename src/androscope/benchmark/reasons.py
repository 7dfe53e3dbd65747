"""Why a submission is refused: every reason at once, each with its lines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from androscope.errors import SubmissionError

__all__ = ["Reasons", "counted", "listed", "refused"]

#: Lines, ids and values that are named before "and N more".
_SHOWN = 5


class Reasons:
    """Collects what is wrong with a file; the same fault in many lines is one reason."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[list[int], dict[str, None]]] = {}

    def add(self, what: str, line: int | None = None, *, got: str | None = None) -> None:
        """Add a fault.

        Parameters
        ----------
        what
            What is wrong, one sentence without a full stop; what tells faults apart.
        line
            Where, from 1.
        got
            What was there instead; different ones of the same fault are listed.
        """
        lines, values = self._found.setdefault(what, ([], {}))
        if line is not None:
            lines.append(line)
        if got is not None:
            values[got] = None

    def __len__(self) -> int:
        return len(self._found)

    def texts(self) -> list[str]:
        """Every reason in words, in the order in which they were first found."""
        found = []
        for what, (lines, values) in self._found.items():
            place = ""
            if lines:
                place = f"line{'s' if len(lines) > 1 else ''} {listed(map(str, lines))}: "
            found.append(f"{place}{what}{f', got {listed(values)}' if values else ''}")
        return found


def listed(items: Iterable[str]) -> str:
    """The first few of ``items``, and how many more there are."""
    everything = list(items)
    more = len(everything) - _SHOWN
    return ", ".join(everything[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def counted(number: int, what: str) -> str:
    """``1 fault``, ``2 faults``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def refused(reasons: Iterable[str], path: str | Path | None = None) -> SubmissionError:
    """One error that lists every reason."""
    everything = list(reasons)
    lines = "".join(f"\n  {reason}" for reason in everything)
    return SubmissionError(
        f"refused for {counted(len(everything), 'reason')}:{lines}\n",
        path=path,
        advice="Nothing was entered; mend these and submit again",
    )
