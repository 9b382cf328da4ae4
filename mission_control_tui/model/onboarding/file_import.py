"""Importing the users of a file: the good rows are created, slice by slice, every bad row is told with its reasons.

A row whose user exists changes nothing unless the import updates; the same file again is unchanged.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import islice
from typing import Any, Self

from mission_control_tui.model.dates import today_of
from mission_control_tui.model.domains.address_registry import domains_of, special_characters
from mission_control_tui.model.errors import (
    Conflict,
    InvalidInput,
    Problem,
    UsageError,
)
from mission_control_tui.model.onboarding import import_slices, row_memory
from mission_control_tui.model.onboarding.files.check import CheckedRow, check_rows, foreign_domains
from mission_control_tui.model.onboarding.files.read import ImportFile, ImportRow, Progress
from mission_control_tui.model.onboarding.import_slices import (
    ImportSlice,
    Pace,
    SliceResult,
    SliceWriter,
    slices_of,
)
from mission_control_tui.model.onboarding.row_checks import (
    CheckedRows,
    KnownUser,
    NewUser,
    RowChecker,
)
from mission_control_tui.model.plan import Outcome, Plan, PlanLine, PlanVerb, SeatLine
from mission_control_tui.model.store.engine import operator_error
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.users.rules import policy_of
from mission_control_tui.model.views import KeepPasswords, RevealedPassword

CHECKED_AT_ONCE = 200
IDLE_LIMIT = 20
"""So often in a row others may be quicker before an import gives up."""
NAMED = 20
"""Rows that an error names; the others are counted."""


class Passwords(StrEnum):
    """Where new users get their passwords: those of the file, generated where it has none, or nowhere."""

    FILE = "file"
    GENERATE = "generate"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A row that states something else than its user has; `changed` when the import updated it."""

    row: int
    upn: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    changed: bool


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was not imported, with everything that is wrong with it; a missing domain stands last."""

    row: ImportRow
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of the rows of a file.

    `created` are UPNs in the file's order. `missing_domains` are domains that the account lacks, with the numbers of
    their rows: these are among `refused`. `passwords` are those that were generated, revealed here and never again.
    """

    source: str
    rows: int
    created: tuple[str, ...]
    unchanged: int
    differing: tuple[RowDifference, ...]
    refused: tuple[RejectedRow, ...]
    warnings: tuple[Problem, ...]
    missing_domains: Mapping[str, tuple[int, ...]]
    passwords: tuple[RevealedPassword, ...] = field(default=(), repr=False)

    @property
    def changed(self) -> int:
        """How many users were updated."""
        return sum(row.changed for row in self.differing)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong in the order of the rows; all missing domains are one problem, the first."""
        foreign = {row for rows in self.missing_domains.values() for row in rows}
        of_rows = [
            problem
            for rejected in self.refused
            for problem in rejected.problems[: -1 if rejected.row.row in foreign else None]
        ]
        return (*_domains_problem(self.missing_domains), *of_rows)


async def run_import(
    scope: AccountScope,
    file: ImportFile,
    *,
    update: bool = False,
    passwords: Passwords = Passwords.FILE,
    keep: KeepPasswords | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Outcome[ImportResult]:
    """Create the users of `file`, and with `update` change those who exist to what the file states.

    All rows are judged before the first is written; then they are written in slices, so that nobody waits. What fails
    in between leaves the slices before it, and the same file again goes on. A password in the file is only used for a
    new user. `keep` gets generated passwords before the commit of their slice. `progress` hears (rows done, rows).
    Raises InvalidInput before anything is written when a new user would have no password.
    """
    scope.caller.require_write()
    with row_memory.released():
        with row_memory.uncollected():
            steps = _Steps(progress, len(file.rows))
            run = await _ImportRun.of(scope, file, update, passwords, steps)
            await run.judge()
        writer = SliceWriter(scope, run.account_id, keep, dry_run)
        if passwords is not Passwords.GENERATE:
            run.require_passwords(dry_run)
        while not await run.write(writer):
            await run.judge()
        run.steps.end()
        return await asyncio.to_thread(run.outcome, applied=not dry_run)


@dataclass(slots=True)
class _ImportRun:
    """One import on its way: what is judged, what is written, and what is left."""

    scope: AccountScope
    account_id: int
    file: ImportFile
    update: bool
    passwords: Passwords
    steps: _Steps
    checked: Sequence[CheckedRow]
    foreign: Mapping[str, tuple[int, ...]]
    judged: CheckedRows = field(default_factory=CheckedRows)
    refused: dict[int, list[Problem]] = field(default_factory=dict)
    created: dict[int, NewUser] = field(default_factory=dict)
    known: dict[int, KnownUser] = field(default_factory=dict)
    made: list[RevealedPassword] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seats: tuple[SeatLine, ...] = ()
    pace: Pace = field(default_factory=Pace)
    idle: int = 0
    """How often nothing could be written since the last slice, because others were quicker."""

    @classmethod
    async def of(
        cls,
        scope: AccountScope,
        file: ImportFile,
        update: bool,
        passwords: Passwords,
        steps: _Steps,
    ) -> Self:
        async with scope.store.read() as session:
            owner = await scope.row(session)
            domains = await domains_of(session, owner.id)
            special = await special_characters(session)
        foreign = await asyncio.to_thread(foreign_domains, file, domains)
        today = today_of(owner.time_zone, datetime.now(UTC))
        checked = await _checked(file, special, steps, today)
        return cls(scope, owner.id, file, update, passwords, steps, checked, foreign)

    async def judge(self) -> None:
        """Judge all rows that are neither written nor refused, by the store as it is now."""
        ended = self.refused.keys() | self.created.keys() | self.known.keys()
        rows = [row for row in self.checked if row.row.row not in ended]
        async with self.scope.store.read() as session:
            policy = policy_of(await self.scope.row(session))
            self.judged = await RowChecker(
                session,
                self.account_id,
                self.file,
                rows,
                {row for rows in self.foreign.values() for row in rows},
                None if self.passwords is Passwords.NONE else policy,
                self.update,
            ).judge()
        self.refused |= self.judged.refused
        same = [known for known in self.judged.known if not (known.differs and self.update)]
        self.known |= {known.row.row: known for known in same}

    def require_passwords(self, dry_run: bool) -> None:
        without = [user.row.row for user in self.judged.new if user.password is None]
        if without and dry_run:
            count = counted(len(without), "new user")
            self.warnings.append(
                f"{count} would have no password: have them generated (--passwords-out FILE)."
            )
        elif without:
            raise _no_passwords(self.file, without)
        services = self.judged.services
        if services is not None and services.makes_passwords and not dry_run:
            raise UsageError(
                "Services of this file get generated passwords, which have to go somewhere. Nothing was imported.",
                hint="Name a new file for them: --passwords-out FILE",
            )

    async def write(self, writer: SliceWriter) -> bool:
        """Write slice after slice; False where the store is no longer as it was judged."""
        took = 0.0
        slices = await asyncio.to_thread(slices_of, self.judged, self.pace, update=self.update)
        for part in slices:
            left: ImportSlice | None = part
            while left is not None:
                if took and self.scope.store.is_sqlite and not writer.dry_run:
                    await import_slices.breathe(took)
                begun = time.monotonic()
                outcome = await self._tried(writer, left)
                if outcome is None and _is_tried(writer, left):
                    self.idle += 1
                    if self.idle > IDLE_LIMIT:
                        raise Conflict(
                            "Others change the same users all the time.", hint="Import again later."
                        )
                    return False
                left = self._written(left, outcome)
                took = time.monotonic() - begun
                self.pace.took(took)
        return True

    async def _tried(self, writer: SliceWriter, part: ImportSlice) -> Outcome[SliceResult] | None:
        """Write a slice, or of a dry run what has to be tried; None where nothing was."""
        try:
            return await writer.write(part) if _is_tried(writer, part) else None
        except Exception as error:
            # A driver's own words of a lost connection come unwrapped.
            told = operator_error(error)
            if self.created:
                done = f"{counted(len(self.created), 'user was', 'users were')} created before, and stay."
                told.hint = f"{done} The same file again goes on. {told.hint}".strip()
            raise told from error

    def _written(
        self, part: ImportSlice, outcome: Outcome[SliceResult] | None
    ) -> ImportSlice | None:
        """Note what became of a slice; returns what of it is left to write."""
        left = outcome.result.left if outcome is not None else ()
        done = ImportSlice(part.new, part.known[: len(part.known) - len(left)])
        self.idle = 0
        self.created |= {user.row.row: user for user in done.new}
        self.known |= {known.row.row: known for known in done.known}
        self.seats = self.judged.services.lines if self.judged.services is not None else ()
        if outcome is not None:
            self.made += outcome.result.made
            self.plans.append(outcome.plan)
            for number, error in outcome.result.refused.items():
                self.known.pop(number, None)
                self.created.pop(number, None)
                said = [
                    Problem(f"row {number}", problem.what, problem.hint)
                    for problem in error.problems
                ]
                self.refused[number] = said or [Problem(f"row {number}", error.what, error.hint)]
        self.steps.more(len(done.rows))
        return ImportSlice(known=left) if left else None

    def outcome(self, *, applied: bool) -> Outcome[ImportResult]:
        """Return what became of all rows, with one plan."""
        if self.update and any(known.row.password is not None for known in self.known.values()):
            self.warnings.append("Passwords in the file are set for new users only.")
        users = [user for _, user in sorted(self.created.items())]
        result = _result(self, users, () if not applied else self.made)
        lines = [PlanLine(PlanVerb.CREATED, "user", user.details.upn) for user in users]
        lines += [
            line
            for plan in self.plans
            for line in plan.lines
            if (line.verb, line.kind) != (PlanVerb.CREATED, "user")
        ]
        plan = Plan(
            lines=tuple(lines),
            seats=self.seats,
            warnings=tuple(
                dict.fromkeys(
                    (*self.warnings, *(said for plan in self.plans for said in plan.warnings))
                )
            ),
            requests=tuple(number for plan in self.plans for number in plan.requests),
            lost=tuple(said for plan in self.plans for said in plan.lost),
        )
        return Outcome(result, plan, applied)


def _is_tried(writer: SliceWriter, part: ImportSlice) -> bool:
    """Tell whether a slice is written: a dry run has no new users but for what they would get."""
    return not (writer.dry_run and part.new) or any(user.gives for user in part.new)


class _Steps:
    """Progress over two passes, checking and writing, each of them half."""

    def __init__(self, report: Progress | None, rows: int) -> None:
        self._report = report
        self._rows = rows
        self._done = 0

    def more(self, count: int) -> None:
        self._done = min(self._done + count, 2 * self._rows)
        if self._report is not None:
            self._report(self._done // 2, self._rows)

    def end(self) -> None:
        self.more(2 * self._rows)


async def _checked(file: ImportFile, special: str, steps: _Steps, today: date) -> list[CheckedRow]:
    """Return all rows judged by the rules about people, without keeping others from the processor."""
    rows = check_rows(file, domains=None, special=special, today=today)
    checked: list[CheckedRow] = []
    while chunk := await asyncio.to_thread(lambda: list(islice(rows, CHECKED_AT_ONCE))):
        checked += chunk
        steps.more(len(chunk))
    return checked


def _no_passwords(file: ImportFile, without: Sequence[int]) -> InvalidInput:
    count = counted(len(without), "new user")
    return InvalidInput(
        f"{count} of {file.source} would have no password. Nothing was imported.",
        hint="Have passwords generated (--passwords-out FILE), or put them into the file.",
        problems=[Problem(_numbers("row", without), "has no password")],
    )


def _numbers(word: str, numbers: Sequence[int]) -> str:
    named = ", ".join(str(number) for number in numbers[:NAMED])
    more = f" and {len(numbers) - NAMED} more" if len(numbers) > NAMED else ""
    return f"{word if len(numbers) == 1 else f'{word}s'} {named}{more}"


def _domains_problem(missing: Mapping[str, tuple[int, ...]]) -> list[Problem]:
    if not missing:
        return []
    named = "; ".join(
        f"{domain} ({_numbers('row', rows)})" for domain, rows in sorted(missing.items())
    )
    what = f"the account does not have: {named}"
    return [Problem("domains", what, "buy or add them first, or correct the rows")]


def _result(
    run: _ImportRun, users: Sequence[NewUser], made: Sequence[RevealedPassword]
) -> ImportResult:
    rows = {row.row.row: row.row for row in run.checked}
    for domain, numbers in run.foreign.items():
        problem = Problem("upn", f"{domain} is not a domain of this account", "buy or add it first")
        for number in numbers:
            run.refused[number].append(run.file.located(rows[number], problem))
    known = [run.known[number] for number in sorted(run.known)]
    return ImportResult(
        source=run.file.source,
        rows=len(run.file.rows),
        created=tuple(user.details.upn for user in users),
        unchanged=sum(not row.differs for row in known),
        differing=tuple(
            RowDifference(row.row.row, row.user.upn, row.before, row.after, run.update)
            for row in known
            if row.differs
        ),
        refused=tuple(
            RejectedRow(rows[number], tuple(problems))
            for number, problems in sorted(run.refused.items())
        ),
        warnings=tuple(warning for row in run.checked for warning in row.warnings),
        missing_domains=run.foreign,
        passwords=tuple(made),
    )
