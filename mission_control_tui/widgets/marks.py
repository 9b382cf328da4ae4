"""What keys do to marks: plain sets, so that filters, pages and coming back cannot lose any."""

from __future__ import annotations

from collections.abc import Collection, Hashable


def with_range(marks: Collection[Hashable], between: Collection[Hashable]) -> set[Hashable]:
    """Return the marks with all from the last mark to the cursor; a range never takes a mark away."""
    return {*marks, *between}


def with_all(marks: Collection[Hashable], shown: Collection[Hashable]) -> set[Hashable]:
    """Return the marks with all that is shown; where all of it is marked already, without them. The others stay."""
    marked, wanted = set(marks), set(shown)
    return marked - wanted if wanted and wanted <= marked else marked | wanted


def words(marked: int, hidden: int) -> str:
    """Return how many marks there are: "12 marked, 3 not shown"; empty without any."""
    if not marked:
        return ""
    return f"{marked:,} marked" + (f", {hidden:,} not shown" if hidden else "")
