"""QUICK LINKS: where one can go."""

from __future__ import annotations

from collections.abc import Sequence

from .rows import Column, CursorLines, Row


class LinkList(CursorLines):
    """The screens that can be reached from anywhere, as (name, label)."""

    def __init__(self, links: Sequence[tuple[str, str]]) -> None:
        super().__init__(columns=(Column("QUICK LINKS"),))
        self._links = tuple(links)

    @property
    def count(self) -> int:
        return len(self._links)

    def row_at(self, index: int) -> Row | None:
        name, label = self._links[index]
        return Row(name, (label,))
