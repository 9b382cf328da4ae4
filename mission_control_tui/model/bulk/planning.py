"""What a bulk would do: the same code as its slices, tried on one user of each kind and rolled back.

Users of whom the store knows the same facts get the same answer, so one of them stands for all; only seats and what
one alone can have depend on who comes first, and are counted in the items' order. Reading takes no lock, and each of
the trials that are rolled back ends within a slice's time, so that a plan for thousands keeps nobody waiting.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.bulk.actions import BulkContext, ItemResult, act, subjects
from mission_control_tui.model.bulk.facts import ItemKind, Kinds, Level, kinds_of, meant_users
from mission_control_tui.model.bulk.slices import SLICE_SECONDS
from mission_control_tui.model.bulk.targets import BulkOrder, BulkTarget, Picked, order
from mission_control_tui.model.bulk.views import (
    BulkAction,
    BulkChange,
    BulkOnlyAction,
    BulkPlan,
    BulkReason,
    BulkSeats,
    ItemState,
    MissingSeats,
)
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.prices import quote
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import Conflict, InvalidInput, NoSeats
from mission_control_tui.model.plan import PlanLine, PlanVerb
from mission_control_tui.model.requests.connector_pauses import pauses
from mission_control_tui.model.services.seats import no_seats
from mission_control_tui.model.states import Wish
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.documents import StoredWish
from mission_control_tui.model.store.tables.services import (
    AssignmentRow,
    SeatHoldRow,
    SeatPoolRow,
    SettingClaimRow,
)
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.differences import differences
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.registry import ACTIONS
from mission_control_tui.model.users.aliases import ADDRESSES, ALIASES

Claim = tuple[str, str]
"""What one alone can have: of what it is one, and the text."""

WAITING = "waiting"
_THE_USER = "the user"

COUNTED_AT_ONCE = 500
"""Items that are counted before keys get their turn."""


@dataclass(slots=True)
class _Answer:
    """What became of the one who stands for many.

    `takes` are seats newly held, `keeps` those held in the end.
    """

    acted: ItemResult
    removes: bool
    takes: frozenset[Level]
    keeps: frozenset[Level]
    changes: tuple[tuple[bool, str], ...] = ()
    """What changes in words, and whether it is lost."""
    claims: frozenset[Claim] = frozenset()
    """What nobody else can have then: unique values, and addresses."""
    not_kept: tuple[str, ...] = ()


@dataclass(slots=True)
class _Tally:
    """The plan as it grows, item by item: `pools` are seats owned and held, `paused` what is said of a connector."""

    catalogue: Catalogue
    pools: Mapping[Level, tuple[int, int]]
    paused: Mapping[str, str]
    free: dict[Level, int]
    counts: Counter[str] = field(default_factory=Counter)
    reasons: dict[tuple[str, str, int], list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )
    short: Counter[Level] = field(default_factory=Counter)
    released: Counter[Level] = field(default_factory=Counter)
    removals: int = 0
    passwords: int = 0
    changes: Counter[tuple[bool, str]] = field(default_factory=Counter)
    not_kept: Counter[str] = field(default_factory=Counter)
    claimed: dict[Claim, BulkTarget] = field(default_factory=dict)
    """Who of the items has first what nobody else can have."""


async def plan(
    scope: AccountScope, users: Picked, action: BulkAction, params: ActionParams | None = None
) -> BulkPlan:
    """Return what the bulk would do as things stand; nothing is changed, and nobody else waits.

    Raises what `control.start` raises; whatever a single user's wish would be refused for is in the plan's reasons.
    """
    return await plan_for(scope, await order(scope, users, action, params))


async def plan_for(scope: AccountScope, order: BulkOrder) -> BulkPlan:
    """Return the plan as `plan` does, for those who know the targets already."""
    async with scope.store.read() as session:
        catalogue = (await in_force(session)).catalogue
        pools = await _pools(session, order.account_id)
        paused = {pause.name: pause.said for pause in await pauses(session)}
        found: Kinds = {}
        meant = await meant_users(session, catalogue, order.account_id, order.params, order.targets)
        kinds = [
            kind
            for chunk in batches(order.targets)
            for kind in await kinds_of(session, chunk, order.params, found, meant)
        ]
    answers = await _answers(scope, order, list(found.values()))
    free = {level: owned - held for level, (owned, held) in pools.items()}
    tally = _Tally(catalogue, pools, paused, free)
    for number, (target, kind) in enumerate(zip(order.targets, kinds, strict=True)):
        _count(tally, target, kind, answers[id(kind)])
        if number % COUNTED_AT_ONCE == 0:
            await asyncio.sleep(0)  # keys go on meanwhile
    counts = tally.counts
    return BulkPlan(
        account_id=order.account_id,
        action=order.action,
        params=order.params,
        total=len(order.targets),
        users=len({target.user_id for target in order.targets if target.user_id}),
        domains=len({target.domain_id for target in order.targets if target.domain_id}),
        queued=counts[ItemState.QUEUED],
        waiting=counts[WAITING],
        unchanged=counts[ItemState.UNCHANGED],
        skipped=counts[ItemState.SKIPPED],
        refused=counts[ItemState.REFUSED],
        removals=tally.removals,
        passwords=tally.passwords,
        attended=order.attended,
        reasons=tuple(
            BulkReason(state, reason, tuple(names), code)
            for (state, reason, code), names in sorted(
                tally.reasons.items(), key=lambda reason: -len(reason[1])
            )
        ),
        seats=_seats(tally),
        missing=_missing(tally),
        warnings=_warnings(order, tally),
        changes=tuple(
            BulkChange(what, count, lost)
            for (lost, what), count in sorted(
                tally.changes.items(), key=lambda item: (not item[0][0], -item[1])
            )
        ),
    )


async def _pools(session: AsyncSession, account_id: int) -> dict[Level, tuple[int, int]]:
    rows = await session.execute(
        select(
            SeatPoolRow.service_id, SeatPoolRow.level_id, SeatPoolRow.owned, SeatPoolRow.held
        ).where(SeatPoolRow.account_id == account_id)
    )
    return {(service, level): (owned, held) for service, level, owned, held in rows}


async def _answers(
    scope: AccountScope, order: BulkOrder, kinds: Sequence[ItemKind]
) -> dict[int, _Answer]:
    """Return the answer for each kind by its identity, tried with a seat to spare of every level that is owned."""
    left = kinds
    answers: dict[int, _Answer] = {}
    while left:
        begun = time.monotonic()
        answers.update(await _try(scope, order, left))
        left = [kind for kind in left if id(kind) not in answers]
        if left:
            await asyncio.sleep(time.monotonic() - begun)
    return answers


@retries_on_conflict
async def _try(
    scope: AccountScope, order: BulkOrder, left: Sequence[ItemKind]
) -> dict[int, _Answer]:
    answers: dict[int, _Answer] = {}
    async with scope.store.write(scope.caller, order.account_id, dry_run=True) as tx:
        begun = time.monotonic()
        context = await BulkContext.of(tx, order.account_id, order.action, order.params)
        await tx.session.execute(
            update(SeatPoolRow)
            .where(SeatPoolRow.account_id == order.account_id, SeatPoolRow.owned > 0)
            .values(owned=SeatPoolRow.owned + 1)
        )
        for kind in left:
            trial = await tx.session.begin_nested()
            (subject,) = await subjects(tx, context, [kind.target])
            lines, lost, kept = len(tx.plan.lines), len(tx.lost), len(tx.not_kept)
            acted = await act(tx, context, subject)
            answer = await _answer(tx.session, kind, acted)
            answer.changes = (
                *((True, what) for what in tx.lost[lost:]),
                *((False, what) for what in _changes(tx.plan.lines[lines:])),
            )
            answer.not_kept = tuple(tx.not_kept[kept:])
            answers[id(kind)] = answer
            await trial.rollback()
            tx.read_again()
            if time.monotonic() - begun > SLICE_SECONDS:
                break
    return answers


def _changes(lines: Sequence[PlanLine]) -> list[str]:
    """Return what becomes of services that somebody has, and of addresses: before -> after."""
    changed = [line for line in lines if line.verb is PlanVerb.CHANGED]
    services = [
        (line.before, line.after)
        for line in changed
        if line.kind == "service" and "wish" not in line.after
    ]
    addresses = [
        (_of_addresses(line.before), _of_addresses(line.after))
        for line in changed
        if line.kind == "user"
    ]
    return [said for states in (*services, *addresses) for said in differences(*states)]


def _of_addresses(state: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in state.items() if name in ADDRESSES}


async def _answer(session: AsyncSession, kind: ItemKind, acted: ItemResult) -> _Answer:
    holds = keeps = kind.holds
    removes = False
    claims: set[Claim] = set()
    if acted.state is ItemState.QUEUED and acted.assignment_id is not None:
        await session.flush()
        rows = await session.execute(
            select(SeatPoolRow.service_id, SeatPoolRow.level_id)
            .join(SeatHoldRow, SeatHoldRow.pool_id == SeatPoolRow.id)
            .where(SeatHoldRow.assignment_id == acted.assignment_id)
        )
        holds = frozenset((service, level) for service, level in rows)
        row = await session.get_one(AssignmentRow, acted.assignment_id)
        removes = row.wish == Wish.ABSENT
        keeps = frozenset() if removes else holds & {(row.service_id, row.level_id)}
        if not removes:
            unique = await session.execute(
                select(
                    SettingClaimRow.service_id, SettingClaimRow.option_id, SettingClaimRow.value
                ).where(SettingClaimRow.assignment_id == row.id)
            )
            claims = {(f"{service} {option}", value) for service, option, value in unique}
        had = _aliases(acted.previous.get("before", {}))
        claims |= _aliases(acted.previous.get("after", {})) - had
    if acted.error is not None:
        acted = replace(acted, reason=acted.error.said_of(_THE_USER).in_a_line)
    return _Answer(acted, removes, holds - kind.holds, keeps, claims=frozenset(claims))


def _aliases(state: StoredWish) -> set[Claim]:
    aliases = state.get("addresses", {}).get(ALIASES, [])
    return {(ALIASES, str(alias)) for alias in aliases} if isinstance(aliases, list) else set()


def _count(tally: _Tally, target: BulkTarget, kind: ItemKind, answer: _Answer) -> None:
    name, acted, error = target.name, answer.acted, answer.acted.error
    state, reason, code = str(acted.state), acted.reason, error.exit_code if error else 0
    taken_by = {
        what: tally.claimed[what]
        for what in sorted(answer.claims & tally.claimed.keys())
        if (ALIASES, tally.claimed[what].user_id) != (what[0], target.user_id)
    }
    missing = [level for level in answer.takes if tally.free.get(level, 0) <= 0]
    if taken_by:
        state, code = ItemState.REFUSED, Conflict.exit_code
        reason = "; ".join(
            f"{text} goes to {first.name}" for (_what, text), first in taken_by.items()
        )
        reason += ", and nobody else can have it then."
    elif missing:
        tally.short.update(missing)
        service, level = missing[0]
        owned = tally.pools.get((service, level), (0, 0))[0]
        state = ItemState.REFUSED
        reason = no_seats(tally.catalogue.service(service), level, owned).in_a_line
        code = NoSeats.exit_code
    elif isinstance(error, NoSeats):  # no seat of these was ever bought
        tally.short.update(error.levels)
    tally.counts[state] += 1
    if state != ItemState.QUEUED:
        tally.reasons[state, reason, code].append(name)
        return
    tally.claimed.update(dict.fromkeys(answer.claims - tally.claimed.keys(), target))
    for taken in answer.takes:
        tally.free[taken] -= 1
    tally.released.update((kind.holds | answer.takes) - answer.keeps)
    tally.removals += answer.removes
    tally.changes.update(answer.changes)
    tally.not_kept.update(answer.not_kept)
    tally.passwords += acted.makes_password
    why = tally.paused.get(kind.connector)
    if acted.waits or why is not None:
        tally.counts[WAITING] += 1
        said = (
            f"Waits for connector {kind.connector}: {why}" if why else "Waits for what it requires."
        )
        tally.reasons[WAITING, said, 0].append(name)


def _seats(tally: _Tally) -> tuple[BulkSeats, ...]:
    """Return every level whose seats change or are missing, in the catalogue's order."""
    lines = []
    for service in tally.catalogue.services:
        for level in service.levels:
            key = (service.id, level.id)
            owned, held = tally.pools.get(key, (0, 0))
            queued = tally.free.get(key, 0)
            line = BulkSeats(
                *(service.id, service.name, level.id, level.name, owned),
                owned - held,
                queued,
                queued + tally.released[key],
                tally.short[key],
            )
            if line.short or line.free_before != line.free_queued or tally.released[key]:
                lines.append(line)
    return tuple(lines)


def _missing(tally: _Tally) -> tuple[MissingSeats, ...]:
    """Return what it would cost to buy the missing seats; a level that nothing sold grants is left out."""
    found = []
    for (service, level), count in tally.short.items():
        for product, granting in tally.catalogue.granting(service, level):
            try:
                priced = quote(tally.catalogue, product.id, granting.id, quantity=count)
            except InvalidInput:
                continue
            (line,) = priced.lines
            found.append(
                MissingSeats(
                    *(product.id, granting.id, count, line.term),
                    *(priced.net, priced.tax, priced.total),
                )
            )
            break
    return tuple(found)


def _warnings(order: BulkOrder, tally: _Tally) -> tuple[str, ...]:
    warnings = []
    if tally.removals:
        what = counted(tally.removals, "service is", "services are")
        warnings.append(f"{what} taken away, with the data.")
    if order.action in ACTIONS and ACTIONS[order.action].warning:
        warnings.append(ACTIONS[order.action].warning)
    if order.action is BulkOnlyAction.RESTATE and tally.passwords:
        warnings.append("What was taken away comes back empty, with a new password.")
    if order.action == "provision" and order.params.service:
        warnings += filter(None, [tally.catalogue.service(order.params.service).sign_in])
    warnings += [f"{said} ({counted(count, 'service')})" for said, count in tally.not_kept.items()]
    if order.params.force:
        warnings.append("Forced: what was changed since is overwritten.")
    return tuple(warnings)
