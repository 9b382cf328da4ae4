"""What `doctor` finds: how bad it is, what was seen, what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from mission_control_tui.model.errors import MissionControlError


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
    said = " ".join([error.what, *(str(problem) for problem in error.problems)])
    return problem(check, said, error.hint)
