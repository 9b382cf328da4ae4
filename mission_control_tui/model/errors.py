"""Typed errors: what happened, where, and what to do, each kind with a documented exit code.

MissionControlError (1)
+-- UsageError (2)            the call itself is wrong: unknown name, missing or contradictory options
+-- InvalidInput (3)          a value breaks a rule; carries one Problem per field or row
+-- NotFound (4)              no such account, user, service, order, request
+-- Conflict (5)              taken, already so, or still in use
|   +-- StaleVersion (5)      somebody else saved in between; carries the difference
+-- NoSeats (6)               a level has no free seat
+-- Denied (7)                this operator may not, or a confirmation is missing
+-- StoreError (8)            the database cannot be opened, is locked, too old or too new
+-- StillRunning (9)          --wait ran out while lights were orange
+-- ProvisioningFailed (10)   a light that was waited for turned red
+-- ImportIncomplete (11)     some rows of a file were refused; the good ones are in
+-- LeaseLost (12)            this worker was taken over (in `leases`)
+-- DriftFound (13)           a back end differs from what was provisioned, or holds orphans
+-- NotAllLookedAt (14)       some services could not be looked at, and the others agree
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `where` is a field, row or line, `what` the rule broken, `hint` what to do."""

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} ({self.hint})" if self.hint else text


class MissionControlError(Exception):
    """Base of all errors that a person can act upon."""

    title = "Something went wrong"
    exit_code = 1

    def __init__(self, what: str, *, hint: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = [self.what, *(f"  {problem}" for problem in self.problems)]
        if self.hint:
            lines.append(self.hint)
        return "\n".join(lines)


class UsageError(MissionControlError):
    title = "That call cannot be understood"
    exit_code = 2


class InvalidInput(MissionControlError):
    title = "Some values are not valid"
    exit_code = 3


class NotFound(MissionControlError):
    title = "Not found"
    exit_code = 4


class Conflict(MissionControlError):
    title = "This is in the way"
    exit_code = 5


class StaleVersion(Conflict):
    """Somebody else saved in between. `theirs` is field -> (value when loaded, value now)."""

    title = "Changed by somebody else meanwhile"

    def __init__(
        self, what: str, *, theirs: Mapping[str, tuple[object, object]], hint: str = ""
    ) -> None:
        super().__init__(what, hint=hint)
        self.theirs = dict(theirs)


class NoSeats(MissionControlError):
    title = "No free seat"
    exit_code = 6


class Denied(MissionControlError):
    title = "Not allowed"
    exit_code = 7


class StoreError(MissionControlError):
    title = "The database cannot be used"
    exit_code = 8


class StillRunning(MissionControlError):
    title = "Still provisioning"
    exit_code = 9


class ProvisioningFailed(MissionControlError):
    title = "Provisioning failed"
    exit_code = 10


class ImportIncomplete(MissionControlError):
    title = "Some rows were refused"
    exit_code = 11


class DriftFound(MissionControlError):
    title = "The back end differs"
    exit_code = 13


class NotAllLookedAt(MissionControlError):
    title = "Not everything could be looked at"
    exit_code = 14
