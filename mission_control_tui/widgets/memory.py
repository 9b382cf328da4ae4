"""What a widget must offer so that its screen can come back to where it was."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Rememberable(Protocol):
    """A widget that can tell where it is and go back there; it needs an id."""

    def remember(self) -> object: ...

    def recall(self, memory: object) -> None: ...
