"""Typed errors: what happened, where, and what to do, each kind with a stable code and a documented exit code.

No rule goes by the sentences, which are for people: whoever decides asks for the class, a code or a fact.

MissionControlError (1)
+-- UsageError (2)            the call itself is wrong: unknown name, missing or contradictory options
+-- InvalidInput (3)          a value breaks a rule; carries one Problem per field or row
+-- NotFound (4)              no such account, user, service, order, request
|   +-- InRecycleBin (4)     the user is in the recycling bin, and can be restored
+-- Conflict (5)              taken, already so, or still in use
|   +-- StaleVersion (5)      somebody else saved in between; carries the difference
+-- NoSeats (6)               a level has no free seat
+-- Denied (7)                this operator may not, or a confirmation is missing
+-- StoreError (8)            the database cannot be opened, is locked, too old or too new
|   +-- OutcomeUnknown (8)   the database was lost at the commit: the change may have happened
+-- StillRunning (9)          --wait ran out while lights were orange
+-- ProvisioningFailed (10)   a light that was waited for turned red
+-- ImportIncomplete (11)     some rows of a file were refused; the good ones are in
+-- LeaseLost (12)            this worker was taken over (in `requests/workers.py`)
+-- DriftFound (13)           a back end differs from what was provisioned, or holds orphans
+-- NotAllLookedAt (14)       some services could not be looked at, and the others agree
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class ProblemCode(StrEnum):
    """What is wrong, for those who go by it."""

    INVALID = "invalid"
    MISSING = "missing"
    TAKEN = "taken"
    """Somebody has the name: not wrong in itself."""
    PAST = "past"
    """A date and time that is over."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `where` is a field, row or line, `what` the rule broken, `hint` what to do."""

    where: str
    what: str
    hint: str = ""
    code: ProblemCode = ProblemCode.INVALID

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} ({self.hint})" if self.hint else text


class MissionControlError(Exception):
    """Base of all errors that a person can act upon."""

    code = "error"
    """What a program goes by: stable, where the sentences may be reworded."""
    title = "Something went wrong"
    exit_code = 1

    def __init__(self, what: str, *, hint: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.problems = tuple(problems)

    @property
    def details(self) -> tuple[str, ...]:
        """What the problems say that neither the sentence above them nor the hint below them says."""
        if len(self.problems) != 1 or self.problems[0].what not in self.what:
            return tuple(map(str, self.problems))
        hint = self.problems[0].hint
        return (hint,) if hint and hint != self.hint else ()

    @property
    def in_a_line(self) -> str:
        """All that is said, as one line."""
        details = (f"{detail}." for detail in self.details)
        return " ".join(filter(None, (self.what, *details, self.hint)))

    @property
    def what_in_a_line(self) -> str:
        """What is wrong with every problem, as one line, without what to do about it."""
        if not self.details:
            return self.what
        return f"{self.what.rstrip('.')}: {'; '.join(self.details)}"

    def said_of(self, _subject: str) -> MissionControlError:
        """Return the same error of another user; one whose sentences name the user overrides this."""
        return self

    def __str__(self) -> str:
        lines = [self.what, *(f"  {detail}" for detail in self.details)]
        if self.hint:
            lines.append(self.hint)
        return "\n".join(lines)


class UsageError(MissionControlError):
    code = "usage"
    title = "That call cannot be understood"
    exit_code = 2


class InvalidInput(MissionControlError):
    code = "invalid-input"
    title = "Some values are not valid"
    exit_code = 3


class NotFound(MissionControlError):
    code = "not-found"
    title = "Not found"
    exit_code = 4


class InRecycleBin(NotFound):
    """Somebody is meant who has been deleted, and can be restored."""

    code = "in-recycle-bin"


class Conflict(MissionControlError):
    code = "conflict"
    title = "This is in the way"
    exit_code = 5


class StaleVersion(Conflict):
    """Somebody else saved in between. `theirs` is field -> (value when loaded, value now)."""

    code = "stale-version"
    title = "Changed by somebody else meanwhile"

    def __init__(
        self, what: str, *, theirs: Mapping[str, tuple[object, object]], hint: str = ""
    ) -> None:
        super().__init__(what, hint=hint)
        self.theirs = dict(theirs)


class NoSeats(MissionControlError):
    """A level has no free seat. `levels` are those that are short, each as (service id, level id)."""

    code = "no-seats"
    title = "No free seat"
    exit_code = 6

    def __init__(
        self,
        what: str,
        *,
        levels: Sequence[tuple[str, str]] = (),
        hint: str = "",
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(what, hint=hint, problems=problems)
        self.levels = tuple(levels)


class Denied(MissionControlError):
    code = "denied"
    title = "Not allowed"
    exit_code = 7


class StoreError(MissionControlError):
    code = "store"
    title = "The database cannot be used"
    exit_code = 8


class OutcomeUnknown(StoreError):
    """The database was lost while a change was being committed: it may have happened."""

    code = "outcome-unknown"
    title = "It is not known whether this happened"

    def __init__(self, hint: str = "Look whether it has happened before you do it again.") -> None:
        super().__init__(
            "The connection to the database was lost while the change was being committed.",
            hint=hint,
        )


class StillRunning(MissionControlError):
    code = "still-running"
    title = "Still provisioning"
    exit_code = 9


class ProvisioningFailed(MissionControlError):
    code = "provisioning-failed"
    title = "Provisioning failed"
    exit_code = 10


class WouldFail(ProvisioningFailed):
    """Raised where a back end would refuse what is looked at before it is wished."""

    code = "would-fail"
    title = "A back end would refuse it"


class ImportIncomplete(MissionControlError):
    code = "import-incomplete"
    title = "Some rows were refused"
    exit_code = 11


class DriftFound(MissionControlError):
    code = "drift-found"
    title = "The back end differs"
    exit_code = 13


class NotAllLookedAt(MissionControlError):
    code = "not-all-looked-at"
    title = "Not everything could be looked at"
    exit_code = 14
