"""The plan of a change: the same object is the dry run, the confirmation and what the audit holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from mission_control_tui.model.money import Money

T = TypeVar("T")


class PlanVerb(StrEnum):
    """What happens to one thing."""

    CREATED = "created"
    CHANGED = "changed"
    REMOVED = "removed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One thing that is created, changed or removed. `before` and `after` hold only what differs."""

    verb: PlanVerb
    kind: str
    name: str
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeatLine:
    """Seats of one level before and after."""

    service: str
    level: str
    owned_before: int
    owned_after: int
    free_before: int
    free_after: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a change does, whether it was carried out or only tried."""

    lines: tuple[PlanLine, ...] = ()
    seats: tuple[SeatLine, ...] = ()
    net: Money | None = None
    tax: Money | None = None
    total: Money | None = None
    warnings: tuple[str, ...] = ()
    requests: tuple[int, ...] = ()
    lost: tuple[str, ...] = ()
    """What shrinks or is taken away, in words: whoever does it is asked before."""

    @property
    def changes_anything(self) -> bool:
        """Whether any line is more than 'unchanged'."""
        return any(line.verb is not PlanVerb.UNCHANGED for line in self.lines)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What a change gave: its result, its plan, and whether it was applied or only tried."""

    result: T
    plan: Plan
    applied: bool
