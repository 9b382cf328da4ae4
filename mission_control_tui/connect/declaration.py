"""What a connector says of itself before it is asked for anything: what its back end keeps and can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mission_control_tui.model.states import SubjectKind

LEVELS = "levels"  # the level of an existing object can be changed
SUSPEND = "suspend"  # an object can be suspended and resumed with its data kept
LIST = "list"  # all objects with this installation's mark can be listed
LIST_UNMARKED = "list_unmarked"  # all objects there are can be listed
OWNER_MARK = "owner_mark"  # objects carry a Mark; without it all objects of a name count as ours
LASTING_FENCE = "lasting_fence"  # the fence outlives its object: observe reports it afterwards
PASSWORD = "password"  # `DesiredState.secret` can be set
MEMBERS = "members"  # objects such as groups keep the members that `attributes` names
ADOPT = "adopt"  # an unmarked or foreign object can be taken over
CAPABILITIES = frozenset(
    {LEVELS, SUSPEND, LIST, LIST_UNMARKED, OWNER_MARK, LASTING_FENCE, PASSWORD, MEMBERS, ADOPT}
)

UNLIMITED = "unlimited"
"""The word for a limit that is none."""


class FenceGrade(StrEnum):
    """How an older act is kept from overtaking a newer one at the back end."""

    LOCKED = "locked"
    """Looking again, acting and writing the fence are one: a lock or a transaction of the back end's."""
    CONDITIONAL = "conditional"
    """The act names what it has seen (ETag, If-Match, a WHERE), and is refused when that has changed."""
    ADVISORY = "advisory"
    """The back end compares nothing: Mission Control lets only one act on an object at a time."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of a level that the back end keeps: the numbers that it takes, and whether a level must state it.

    Without numbers any value is taken. With `unlimited` so is the word "unlimited".
    """

    low: float | None = None
    high: float | None = None
    needed: bool = False
    unlimited: bool = False

    def takes(self, value: object) -> bool:
        """Return True when the back end can keep the value."""
        if (self.low is None and self.high is None) or (self.unlimited and value == UNLIMITED):
            return True
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a connector keeps and can do; what it lacks is said beforehand and planned as blocked.

    - `capabilities`: a subset of `CAPABILITIES`; `fence`: how safe its writes are against older ones.
    - `subjects`: what a service that it serves may belong to.
    - `levels`: ids of the levels that it knows, None for any.
    - `options`, `limits`, `attributes`: what is kept and compared; None keeps and compares whatever there is.
    - `sets`: patterns (`*`) of `Change.what` whose lists are sets: order and case say nothing.
    - `usage`: ids of what `observe` measures.
    - `needs_password`: a secret must be delivered when the object is created.
    - `paces`: it awaits `Context.pace` before each call to the back end; otherwise each call of a method counts as one.
    - `starts_enabled`: it writes without `mode = "enabled"`; for what is only simulated.
    """

    capabilities: frozenset[str]
    fence: FenceGrade
    subjects: frozenset[SubjectKind] = frozenset(SubjectKind)
    levels: frozenset[str] | None = None
    options: frozenset[str] | None = frozenset()
    limits: Mapping[str, Limit] | None = field(default_factory=dict)
    attributes: frozenset[str] | None = frozenset()
    sets: frozenset[str] = frozenset()
    usage: frozenset[str] = frozenset()
    needs_password: bool = False
    paces: bool = False
    starts_enabled: bool = False
