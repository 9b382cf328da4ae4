"""A seat bar: every number is whole beside it, however many seats there are."""

from __future__ import annotations

import pytest

from mission_control_tui.widgets.seat_bar import FREE, ROOM, SHORTEST, USED, SeatCounts, seat_parts


@pytest.mark.parametrize(
    ("owned", "used", "bar"), [(5, 3, 10), (5_000, 94, 8), (11_000, 178, 6), (100_000, 100_000, 10)]
)
def test_the_bar_gives_way_to_long_numbers(owned: int, used: int, bar: int) -> None:
    parts = seat_parts(SeatCounts(owned, used))
    text = "".join(part[0] for part in parts)
    assert len(text) <= max(ROOM, SHORTEST + len(parts[1][0]))
    assert text.endswith(f" {owned - used} of {owned} free")
    assert len(parts[0][0]) >= min(bar, ROOM - len(parts[1][0]))
    assert USED in parts[0][0]
    assert (FREE in parts[0][0]) == (used < owned)
