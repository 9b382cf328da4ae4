"""What verbs on a user are done with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Self, cast

import msgspec

if TYPE_CHECKING:
    from mission_control_tui.model.store.tables.documents import StoredParams


@dataclass(frozen=True, slots=True)
class ActionParams:
    """What a verb is done with. `level` None keeps the present one, or takes the only one that is owned.

    Without a `service`, a deprovision takes everything away. `include_disabled` gives new services to disabled users of
    a bulk as well; `must_change` is for a password, `force` for an undo: also where somebody changed it since.
    What is deprovisioned `at_once` is not kept for a while before it is removed. `on` is the connector for what is
    placed, "" for the rule of the settings, or what is moved goes to; with a `new_password` where it needs one.
    """

    service: str = ""
    level: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    instance: str = ""
    adopt: bool = False
    include_disabled: bool = False
    must_change: bool | None = None
    force: bool = False
    at_once: bool = False
    on: str = ""
    new_password: bool = False

    def to_json(self) -> StoredParams:
        """Return everything, as bulks store it."""
        return cast("StoredParams", asdict(self))

    def stated(self) -> StoredParams:
        """Return what is stated only, as schedules store it."""
        return cast("StoredParams", {name: value for name, value in asdict(self).items() if value})

    @classmethod
    def from_json(cls, stored: StoredParams) -> Self:
        """Return what was stored, whole or in part."""
        return msgspec.convert(stored, cls)
