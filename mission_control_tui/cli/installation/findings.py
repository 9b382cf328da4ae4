"""What `doctor` finds: how bad it is, what was seen, what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from mission_control_tui.model.errors import MissionControlError

if TYPE_CHECKING:
    from mission_control_tui.model.catalogue.types import Service
    from mission_control_tui.model.requests.connector_pauses import Pause
    from mission_control_tui.provisioning.connector_health import ConnectorHealth


class Severity(StrEnum):
    """How bad it is. Only a problem makes the exit code 1."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """The result of one look."""

    check: str
    level: Severity
    said: str
    remedy: str = ""


def _of(level: Severity) -> Callable[..., HealthFinding]:
    return lambda check, said, remedy="": HealthFinding(check, level, said, remedy)


ok, note, warning, problem = map(_of, Severity)


def failed(check: str, error: MissionControlError) -> HealthFinding:
    """Return an error as what was found."""
    return problem(check, error.what_in_a_line, error.hint)


def connector_finding(
    health: ConnectorHealth,
    serves: Sequence[Service],
    part_of: Sequence[str],
    pause: Pause | None,
) -> HealthFinding:
    """Return the check of a connector as what was found; one that answers may still be paused."""
    check = f"connector {health.name}"
    names = ", ".join(service.name for service in serves)
    does = [f"serves {names}"] if names else []
    if part_of:
        does.append(f"part of {', '.join(part_of)}")
    said = f"{health.said} ({'; '.join(does) or 'serves nothing'})"
    if not health.reached:
        return problem(check, said, health.remedy)
    if health.remedy:
        return warning(check, said, health.remedy)
    if pause is None:
        return ok(check, said)
    still = f"{said}; still paused after: {pause.said}"
    return warning(check, still, "The worker checks again by itself.")
