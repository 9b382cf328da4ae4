"""Who calls: every model function takes a caller and every query is scoped by it."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import Self

from mission_control_tui.model.errors import Denied


@dataclass(frozen=True, slots=True)
class Caller:
    """The operator behind a call. `accounts` is None for all; `ticket` and `session` go into every audit row."""

    operator: str
    accounts: frozenset[int] | None = None
    may_write: bool = True
    ticket: str = ""
    source: str = "cli"
    session: str = ""

    @classmethod
    def from_operating_system(cls, *, ticket: str = "", source: str = "cli") -> Self:
        """Return the operating-system user, with all rights: until there are logins."""
        try:
            name = getpass.getuser()
        except (KeyError, OSError):
            name = "unknown"
        return cls(operator=name, ticket=ticket, source=source)

    def may_see(self, account_id: int) -> bool:
        """Tell whether this caller may see the account at all."""
        return self.accounts is None or account_id in self.accounts

    def require_write(self) -> None:
        """Raise Denied when this caller may only look."""
        if not self.may_write:
            raise Denied(
                "This session is read-only.",
                hint="In the console, a arms it; else ask someone who may make changes.",
            )


WORKER = Caller(operator="worker", source="worker")
