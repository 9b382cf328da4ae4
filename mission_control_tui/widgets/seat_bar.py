"""Seats as a bar of text: what is used, what is asked for, what is free."""

from __future__ import annotations

from dataclasses import dataclass

from mission_control_tui.widgets.lines import Part

USED, QUEUED, FREE = "█", "▒", "░"


@dataclass(frozen=True, slots=True)
class SeatCounts:
    """Seats of one level: owned, and how many of these are used and queued."""

    owned: int
    used: int
    queued: int = 0

    @property
    def free(self) -> int:
        return max(self.owned - self.used - self.queued, 0)


ROOM = 22
"""Cells for a bar and its numbers; more where the numbers leave less than the shortest bar."""

SHORTEST = 4


def seat_parts(seats: SeatCounts, width: int = 10) -> tuple[Part, ...]:
    """Return a bar of `width` cells and the number of free seats; every used and free seat shows at least one cell.

    The bar is shorter where the numbers are so long that they would not fit beside it.
    """
    if seats.owned <= 0:
        return ((" " * (width + 1), ""), ("none owned", "dim"))
    text = f" {seats.free} of {seats.owned} free"
    width = max(min(width, ROOM - len(text)), SHORTEST)
    used = _share(seats.used, seats.owned, width)
    queued = _share(seats.queued, seats.owned, width)
    if seats.free and used + queued >= width:
        used = max(width - 1 - queued, 0)
    if not seats.free:
        used = width - queued
    bar = USED * used + QUEUED * min(queued, width - used)
    return ((bar + FREE * (width - len(bar)), ""), (text, "" if seats.free else "red"))


def _share(part: int, whole: int, width: int) -> int:
    return max(1, round(part * width / whole)) if part > 0 else 0
