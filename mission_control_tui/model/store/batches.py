"""Long lists of values in batches that one statement can carry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")

BATCH = 500
"""Values in one statement, below the limits of both databases."""


def batches(items: Sequence[T], size: int = BATCH) -> Iterable[Sequence[T]]:
    """Return `items` in pieces of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))
