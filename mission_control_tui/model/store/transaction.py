"""One write: its session, its caller, its time, and the plan and audit that it gathers on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar, cast

from sqlalchemy import Table, insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import OutcomeUnknown
from mission_control_tui.model.money import Money
from mission_control_tui.model.placement import Placement
from mission_control_tui.model.plan import Outcome, Plan, PlanLine, PlanVerb, SeatLine
from mission_control_tui.model.states import Priority
from mission_control_tui.model.store.engine import is_lost
from mission_control_tui.model.store.sqlite_files import announce
from mission_control_tui.model.store.tables.accounts import DomainRow
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.requests import RequestEventRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatPoolRow
from mission_control_tui.model.views import KeepPasswords, RevealedPassword

T = TypeVar("T")

_INSERT_AUDIT = insert(cast("Table", AuditRow.__table__))
_NOTHING_MORE: dict[str, object] = {"step": "", "duration_ms": None, "detail": {}}
"""What an event says where it is not told: all of one statement have the same columns."""
_INSERT_EVENTS = insert(cast("Table", RequestEventRow.__table__))


TryOut: TypeAlias = Callable[["Transaction"], Awaitable[None]]
"""Gets a change that is only tried when all of it is written, before it is rolled back: to read what would be."""


@dataclass(eq=False)
class Transaction:
    """Gathers what a change does while it does it, so that plan, audit and reality cannot differ."""

    session: AsyncSession
    caller: Caller
    account_id: int | None
    _: KW_ONLY
    dry_run: bool
    is_sqlite: bool
    connectors: Mapping[str, str]
    placements: Mapping[str, Placement] = field(default_factory=dict)
    """Service id -> how it is shared out between connectors, for those that several serve."""
    private_suffixes: tuple[str, ...] = ()
    """Endings of domains in the provider's own networks."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    requests: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    """Those of the `requests` that wait for others."""
    lost: list[str] = field(default_factory=list)
    """What the change takes away, in words."""
    priority: int = Priority.INTERACTIVE
    """How urgent the requests are that it queues."""
    bulk_id: int | None = None
    keep: KeepPasswords | None = None
    """Gets what was revealed, before the commit."""
    tried: TryOut | None = None
    """Reads what a dry run would have written."""
    revealed: list[RevealedPassword] = field(default_factory=list, repr=False)
    """Passwords that were made on the way."""
    known_subjects: set[str] = field(default_factory=set)
    """Users that it made, or whose services it has locked: there is nothing of theirs but `known_services`."""
    known_services: dict[tuple[str, str, str, str], AssignmentRow] = field(default_factory=dict)
    """By kind and id of the subject, service and instance."""
    held: dict[tuple[int, str, str], SeatPoolRow] = field(default_factory=dict)
    """Pools of seats that it has locked: nobody else changes them."""
    domains: dict[tuple[int, str], DomainRow | None] = field(default_factory=dict)
    """Domains of accounts as they were looked up."""
    placed: dict[str, dict[tuple[str, int], int]] = field(default_factory=dict)
    """Service id -> how many are at each connector, of each account: nobody else places any until the end."""
    heard_by: set[int] = field(default_factory=set)
    """Accounts that are told of the change beside `account_id`; where there is neither, everybody is."""
    silent: bool = False
    """Whether it changes nothing that anybody is to be told of."""
    not_kept: list[str] = field(default_factory=list)
    """Warnings of settings that no back end keeps, each time that one was asked for."""
    _lines: list[PlanLine] = field(default_factory=list)
    _seats: dict[tuple[str, str], SeatLine] = field(default_factory=dict)
    _warnings: list[str] = field(default_factory=list)
    _audit: list[dict[str, object]] = field(default_factory=list)
    _events: list[dict[str, object]] = field(default_factory=list)
    _money: tuple[Money, Money, Money] | None = None
    _commands: list[list[str]] = field(default_factory=list)

    def record(
        self,
        verb: PlanVerb,
        kind: str,
        name: str,
        *,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
        action: AuditAction | None = None,
        of: str = "",
        user_id: str | None = None,
        request_id: int | None = None,
        account_id: int | None = None,
        version: int | None = None,
        assignment_id: str | None = None,
    ) -> None:
        """Add one line to the plan and, unless nothing changes, one row to the audit.

        The audit calls it `action`, and `of` the id of what was sold; without one it says what became of the `kind`.
        `version` is the changed row's, after the change.
        """
        before, after = dict(before or {}), dict(after or {})
        commands, self._commands = self._commands, []
        self._lines.append(PlanLine(verb, kind, name, before, after))
        account = account_id if account_id is not None else self.account_id
        if verb is PlanVerb.UNCHANGED or account is None:
            return
        self._audit.append(
            {
                "account_id": account,
                "at": self.now,
                "operator": self.caller.operator,
                "source": self.caller.source,
                "ticket": self.caller.ticket,
                "action": action.stored(of) if action is not None else f"{kind} {verb}",
                "target": name,
                "user_id": user_id,
                "request_id": request_id,
                "version": version,
                "before": before,
                "after": after,
                "session": self.caller.session,
                "assignment_id": assignment_id,
                "bulk_id": self.bulk_id,
                "command": commands or None,
            }
        )

    def event(self, **columns: object) -> None:
        """Note what happened to a request, by the event's columns. The end of the transaction writes it."""
        self._events.append({"at": self.now, **_NOTHING_MORE, **columns})

    def take_events(self) -> list[dict[str, object]]:
        """Return the events gathered so far, for who writes them together with something else."""
        events, self._events = self._events, []
        return events

    @property
    def payloads(self) -> list[str]:
        """The accounts that PostgreSQL tells of the change; "" for all of them."""
        heard_by = self.heard_by | ({self.account_id} if self.account_id else set())
        return [str(account) for account in heard_by] or [""]

    def command(self, *words: str) -> None:
        """Note what the command line calls this change, without `mission-control`; the next audit row carries it.

        A change that takes several commands says one after the other. Never give it a password: the audit keeps it.
        """
        self._commands.append(list(words))

    def seats(self, line: SeatLine) -> None:
        """Note a change of seats; several changes of one level show as one, first to last."""
        first = self._seats.get((line.service, line.level), line)
        self._seats[line.service, line.level] = replace(
            line, owned_before=first.owned_before, free_before=first.free_before
        )

    def warn(self, warning: str) -> None:
        """Note something that does not stop the change but that a person should know; said once."""
        if warning not in self._warnings:
            self._warnings.append(warning)

    def warned(self, warning: str) -> bool:
        """Tell whether this was noted already."""
        return warning in self._warnings

    def money(self, net: Money, tax: Money, total: Money) -> None:
        """Note what a part of the change costs; the plan has the sums."""
        before = self._money or (Money(0, net.currency),) * 3
        self._money = (before[0] + net, before[1] + tax, before[2] + total)

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """Do a part that may be refused: an error takes back all that the part wrote and gathered, and goes on up."""
        marks = [
            (gathered, len(gathered))
            for gathered in (
                self.requests,
                self.waiting,
                self.lost,
                self.revealed,
                self._lines,
                self._warnings,
                self._audit,
                self._events,
            )
        ]
        seats, money = dict(self._seats), self._money
        try:
            async with self.session.begin_nested():
                yield
        except BaseException:
            # A part that was cancelled is taken back like one that was refused.
            for gathered, length in marks:
                del gathered[length:]
            self._seats, self._money, self._commands = seats, money, []
            self.read_again()
            raise

    def read_again(self) -> None:
        """Trust nothing that was read before: rows were taken back."""
        for known in (
            self.known_subjects,
            self.known_services,
            self.held,
            self.domains,
            self.placed,
        ):
            known.clear()

    @property
    def plan(self) -> Plan:
        """The plan so far."""
        net, tax, total = self._money or (None, None, None)
        return Plan(
            lines=tuple(self._lines),
            seats=tuple(self._seats.values()),
            net=net,
            tax=tax,
            total=total,
            warnings=tuple(self._warnings),
            requests=tuple(self.requests),
            lost=tuple(self.lost),
        )

    def outcome(self, result: T) -> Outcome[T]:
        """Return what the change gave: `result`, the plan, and whether it is applied or only tried."""
        return Outcome(result, self.plan, not self.dry_run)

    async def flush_audit(self) -> None:
        """Write the audit rows gathered so far; the end of the transaction does it by itself."""
        if self._audit:
            rows, self._audit = self._audit, []
            await self.session.execute(_INSERT_AUDIT, rows)

    async def finish(self, channel: str) -> None:
        """Commit, or roll everything back when this was a dry run."""
        await self.session.flush()
        await self.flush_audit()
        if self.dry_run:
            if self.tried is not None:
                await self.tried(self)
            await self.session.rollback()
            return
        if self._events:
            await self.session.execute(_INSERT_EVENTS, self._events)
        if self.is_sqlite:
            await announce(self.session)
        elif not self.silent:
            await self.session.execute(
                text(
                    "SELECT pg_notify(:channel, payload)"
                    " FROM unnest(CAST(:payloads AS text[])) AS payload"
                ),
                {"channel": channel, "payloads": self.payloads},
            )
        if self.keep is not None and self.revealed:
            self.keep(tuple(self.revealed))
        try:
            await self.session.commit()
        except Exception as error:
            if self.is_sqlite or not is_lost(error):
                raise
            raise OutcomeUnknown from error
