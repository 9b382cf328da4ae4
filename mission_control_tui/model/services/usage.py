"""How much of its limits a service has used, as the back end measured it last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mission_control_tui.model.store.tables.documents import StoredUsage
    from mission_control_tui.model.store.tables.services import AssignmentRow

NEAR = 0.9
"""What is used to this part of its limit is near it."""
_LARGER = {"MB": "GB", "GB": "TB"}
_TIMES = 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement: how much of `name` is used, of how much (None: without end), and when that was found."""

    name: str
    value: float
    limit: float | None
    unit: str
    at: datetime

    @property
    def part(self) -> float | None:
        """Return the used part of the limit, None without one."""
        return self.value / self.limit if self.limit else None

    @property
    def words(self) -> str:
        """Say it without its age: "mailbox 4.1 of 5 GB (82 %)"."""
        value, limit, unit = self.value, self.limit, self.unit
        while unit in _LARGER and max(value, limit or 0.0) >= _TIMES:
            value, limit = value / _TIMES, None if limit is None else limit / _TIMES
            unit = _LARGER[unit]
        most = "" if limit is None else f" of {_number(limit)}"
        name = "" if self.unit == self.name else f"{self.name.replace('_', ' ')} "
        part = "" if self.part is None else f" ({self.part:.0%})".replace("%", " %")
        return f"{name}{_number(value)}{most} {unit}".rstrip() + part


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def measured(usage: Mapping[str, Any]) -> Iterator[Measured]:
    """Yield what a service's `usage` holds, by name."""
    for name, found in sorted(usage.items()):
        yield Measured(
            name,
            found["value"],
            found["limit"],
            found["unit"],
            datetime.fromisoformat(found["at"]),
        )


def fullness(usage: Mapping[str, Any]) -> float:
    """Return the largest used part of a limit, 0 where nothing has one."""
    return max((one.part or 0.0 for one in measured(usage)), default=0.0)


def keep_usage(row: AssignmentRow, usage: Mapping[str, StoredUsage]) -> None:
    """Note on a service what was measured of it."""
    row.usage = dict(usage)
    row.fullness = fullness(usage)
