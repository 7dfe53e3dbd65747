"""One scale for fields that belong together: those of a replicate, or of one run.

The heads of one field mislead an estimate; the median over several is steadier, and one scale for
all makes their verdicts comparable. A known scale is held against the heads of the first fields,
for a wrong one makes every verdict wrong and looks like any other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from androscope.imaging.head_estimate import HeadEstimate, estimate_head_length
from androscope.imaging.head_scale import FieldScale, scale_of
from androscope.types import GreyImage

__all__ = ["AHEAD", "SharedScale"]

#: Pictures that are read ahead of the one to be graded.
AHEAD = 5
#: Estimates after which no more are made: of an unknown scale, or once fields were graded by it.
_ENOUGH, _ENOUGH_USED = 5, 3
#: Fields that a known scale is held against, unless an earlier one confirms it.
_CHECKED = 3

T = TypeVar("T")


@dataclass(slots=True)
class _Group:
    """Fields of one size and one stated pixel size, by whose number they were looked at."""

    estimates: list[HeadEstimate] = field(default_factory=list)
    looked: set[tuple[str, int | None]] = field(default_factory=set)
    used: bool = False


class SharedScale:
    """What is known of the scale of fields that belong together.

    Fields are of one group if their sides and the pixel size that they state are the same.

    Parameters
    ----------
    pixel_size_um, head_length
        As the user gave them: see :func:`~androscope.imaging.head_scale.scale_of`.
    """

    def __init__(
        self, *, pixel_size_um: float | None = None, head_length: float | None = None
    ) -> None:
        self._given = {"pixel_size_um": pixel_size_um, "head_length": head_length}
        self._groups: dict[tuple[tuple[int, ...], float | None], _Group] = {}

    def look(self, image: GreyImage) -> None:
        """Estimate a field's scale, unless enough of its group were looked at."""
        group, name = self._group(image), (image.source, image.index)
        if name in group.looked or self._settled(image):
            return
        group.looked.add(name)
        estimate = estimate_head_length(image.pixels)
        if estimate is not None:
            group.estimates.append(estimate)

    def of(self, image: GreyImage) -> FieldScale | None:
        """The scale to grade a field by; ``None`` if none of its group has one."""
        self.look(image)
        self._group(image).used = True
        return self._scale(image)

    def ahead(
        self, pictures: Iterable[T], as_field: Callable[[T], GreyImage | None]
    ) -> Iterator[T]:
        """The same pictures, each given when the fields behind it have been looked at.

        ``as_field`` gives the image of a picture that is a field. At most ``AHEAD`` wait.
        """
        waiting: deque[T] = deque()
        for picture in pictures:
            waiting.append(picture)
            image = as_field(picture)
            if image is not None:
                self.look(image)
            while waiting and (len(waiting) >= AHEAD or self._ready(as_field(waiting[0]))):
                yield waiting.popleft()
        yield from waiting

    def _ready(self, image: GreyImage | None) -> bool:
        return image is None or self._settled(image)

    def _settled(self, image: GreyImage) -> bool:
        group = self._group(image)
        scale = self._scale(image)
        if scale is not None and scale.origin != "estimated":
            confirmed = bool(group.estimates) and not scale.in_doubt
            return confirmed or len(group.looked) >= _CHECKED
        return len(group.estimates) >= (_ENOUGH_USED if group.used else _ENOUGH)

    def _scale(self, image: GreyImage) -> FieldScale | None:
        estimates = self._group(image).estimates
        return scale_of(estimates, stated_um=image.pixel_size_um, **self._given)

    def _group(self, image: GreyImage) -> _Group:
        return self._groups.setdefault((image.pixels.shape, image.pixel_size_um), _Group())
