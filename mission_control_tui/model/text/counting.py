"""How many of something, as people read it."""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number and what it counts: "1 user", "1,200 users"; `many` where that is not `one` with an s."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
