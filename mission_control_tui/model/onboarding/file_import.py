"""Importing the users of a file: the good rows are created in one transaction, every bad row is told with its reasons.

A row whose user exists changes nothing unless the import updates; the same file again is unchanged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from sqlalchemy import select

from mission_control_tui.model.dates import today_of
from mission_control_tui.model.domains.address_registry import domains_of, special_characters
from mission_control_tui.model.errors import InvalidInput, Problem
from mission_control_tui.model.onboarding.files.check import CheckedRow, check_rows, foreign_domains
from mission_control_tui.model.onboarding.files.read import ImportFile, ImportRow, Progress
from mission_control_tui.model.onboarding.row_checks import CheckedRows, NewUser, RowChecker
from mission_control_tui.model.onboarding.user_insert import NewPassword, write_users
from mission_control_tui.model.people.password_policy import PasswordPolicy
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.states import Priority
from mission_control_tui.model.store.retry import retry_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.users.editing import apply_changes
from mission_control_tui.model.users.rules import policy_of

CHECKED_AT_ONCE = 200
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
    passwords: tuple[NewPassword, ...] = field(default=(), repr=False)

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
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Outcome[ImportResult]:
    """Create the users of `file`, and with `update` change those who exist to what the file states.

    All good rows are written, or none when something fails. A password in the file is only used for a new user.
    `progress` hears (rows done, rows). Raises InvalidInput before anything is written when a new user would have no
    password.
    """
    async with scope.store.read() as session:
        owner = await scope.row(session)
        account_id = owner.id
        domains = await domains_of(session, account_id)
        special = await special_characters(session)
    foreign = foreign_domains(file, domains)
    steps = _Steps(progress, len(file.rows))
    today = today_of(owner.time_zone, datetime.now(UTC))
    checked = await _checked(file, special, steps, today)

    async def work() -> Outcome[ImportResult]:
        async with scope.store.write(scope.caller, account_id, dry_run=dry_run) as tx:
            tx.priority = Priority.BULK
            policy = await locked_policy(tx, account_id)
            judge = RowChecker(
                tx.session,
                account_id,
                file,
                checked,
                {row for rows in foreign.values() for row in rows},
                None if passwords is Passwords.NONE else policy,
            )
            judged = await judge.judge(lock=update)
            if passwords is not Passwords.GENERATE:
                _require_passwords(file, judged.new)
            made = await write_users(tx, account_id, judged.new, policy, progress=steps.more)
            if update:
                for known in judged.known:
                    if known.changes:
                        await apply_changes(tx, known.user, known.changes)
                    steps.more(1)
                if any(known.row.password is not None for known in judged.known):
                    tx.warn("Passwords in the file are set for new users only.")
            steps.end()
            revealed = () if dry_run else made
            # Before the end: what a dry run rolls back cannot be read afterwards.
            result = _result(file, checked, judged, foreign, revealed, update=update)
        return tx.outcome(result)

    return await retry_on_conflict(work)


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


async def locked_policy(tx: Transaction, account_id: int) -> PasswordPolicy:
    """The account's policy. One import of an account at a time; single users are created meanwhile all the same."""
    account = (
        await tx.session.scalars(
            select(AccountRow).where(AccountRow.id == account_id).with_for_update(key_share=True)
        )
    ).one()
    return policy_of(account)


def _require_passwords(file: ImportFile, users: Sequence[NewUser]) -> None:
    without = [user.row.row for user in users if user.password is None]
    if not without:
        return
    count = f"{len(without)} new user{'s'[: len(without) > 1]}"
    raise InvalidInput(
        f"{count} of {file.source} would have no password. Nothing was imported.",
        hint="Have passwords generated (--passwords-out FILE), or put them into the file.",
        problems=[Problem(_numbers("row", without), "has no password")],
    )


def _numbers(word: str, numbers: Sequence[int]) -> str:
    named = ", ".join(str(number) for number in numbers[:NAMED])
    more = f" and {len(numbers) - NAMED} more" if len(numbers) > NAMED else ""
    return f"{word}{'s'[: len(numbers) > 1]} {named}{more}"


def _domains_problem(missing: Mapping[str, tuple[int, ...]]) -> list[Problem]:
    if not missing:
        return []
    named = "; ".join(
        f"{domain} ({_numbers('row', rows)})" for domain, rows in sorted(missing.items())
    )
    what = f"the account does not have: {named}"
    return [Problem("domains", what, "buy or add them first, or correct the rows")]


def _result(
    file: ImportFile,
    checked: Sequence[CheckedRow],
    judged: CheckedRows,
    foreign: Mapping[str, tuple[int, ...]],
    made: Sequence[NewPassword],
    *,
    update: bool,
) -> ImportResult:
    refused = judged.refused
    rows = {row.row.row: row.row for row in checked}
    for domain, numbers in foreign.items():
        problem = Problem("upn", f"{domain} is not a domain of this account", "buy or add it first")
        for number in numbers:
            refused[number].append(file.located(rows[number], problem))
    return ImportResult(
        source=file.source,
        rows=len(file.rows),
        created=tuple(user.details.upn for user in judged.new),
        unchanged=sum(not known.changes for known in judged.known),
        differing=tuple(
            RowDifference(known.row.row, known.user.upn, known.before, known.after, update)
            for known in judged.known
            if known.changes
        ),
        refused=tuple(
            RejectedRow(rows[number], tuple(problems))
            for number, problems in sorted(refused.items())
        ),
        warnings=tuple(warning for row in checked for warning in row.warnings),
        missing_domains=foreign,
        passwords=tuple(made),
    )
