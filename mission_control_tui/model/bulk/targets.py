"""Whom a bulk is for: names become users or domains, all of them in a few statements, and these become items."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.bulk.domain_targets import chosen_domains
from mission_control_tui.model.bulk.views import BulkAction, BulkOnlyAction
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.lookup import did_you_mean
from mission_control_tui.model.catalogue.types import Catalogue, PasswordUse
from mission_control_tui.model.domains.address_registry import domains_of
from mission_control_tui.model.errors import NotFound, Problem, UsageError
from mission_control_tui.model.people.address_syntax import lookup_key
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.search.user_queries import UserQuery
from mission_control_tui.model.services.subjects import wrong_subject
from mission_control_tui.model.states import Light, SubjectKind, Wish
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import DomainRow
from mission_control_tui.model.store.tables.documents import StoredItem
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.users.actions.base import resolved
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.registry import ACTIONS

T = TypeVar("T")

_NAMED_PROBLEMS = 50
_ID = re.compile(r"[0-9a-f]{32}")  # no username is so long, and every address has an "@"

Picked = Sequence[str] | UserFilter
"""Ids or names, or whoever a filter finds."""


@dataclass(frozen=True, slots=True)
class BulkTarget:
    """One item before it is stored: a user or domain, or one service of a user, a domain or the account."""

    user_id: str | None
    assignment_id: str | None
    name: str
    previous: StoredItem = field(default_factory=StoredItem)
    domain_id: int | None = None

    @property
    def owner(self) -> str | int | None:
        """The user's or domain's id; None where the item is one service alone."""
        return self.user_id or self.domain_id


@dataclass(frozen=True, slots=True)
class BulkOrder:
    """What a bulk does and to whom, before it is stored; `attended`: it makes passwords, which somebody has to take."""

    account_id: int
    action: BulkAction
    params: ActionParams
    targets: Sequence[BulkTarget]
    attended: bool


async def order(
    scope: AccountScope, users: Picked, action: BulkAction, params: ActionParams | None = None
) -> BulkOrder:
    """Return the order for these users. Raises NotFound (names, service, level), UsageError (nobody picked)."""
    async with scope.read() as (session, account_id):
        catalogue = (await in_force(session)).catalogue
        wanted = checked_params(catalogue, action, params or ActionParams())
        chosen = await targets(session, account_id, users, action, wanted)
    return order_of(catalogue, account_id, action, wanted, chosen)


def order_of(
    catalogue: Catalogue,
    account_id: int,
    action: BulkAction,
    params: ActionParams,
    chosen: Sequence[BulkTarget],
) -> BulkOrder:
    """Return the order as `order` does, for those who know the targets already."""
    if action is BulkOnlyAction.RESTATE:
        services = {
            target.previous["target"]["service"]
            for target in chosen
            if target.previous["expected"].get("wish") == Wish.ABSENT
        }
    elif action is BulkOnlyAction.GIVE:
        services = {target.previous["give"]["service"] for target in chosen}
    else:
        services = set()
    verb = ACTIONS.get(action)
    attended = any(
        service.id in services and service.password is PasswordUse.OWN
        for service in catalogue.services
    ) or (verb is not None and verb.reveals(catalogue, params))
    return BulkOrder(account_id, action, params, chosen, attended)


def checked_params(catalogue: Catalogue, action: BulkAction, params: ActionParams) -> ActionParams:
    """Return the same by ids. Raises NotFound for services and levels, UsageError for what does not go together."""
    verb = ACTIONS.get(action)
    checked = verb.check(catalogue, params) if verb is not None else resolved(catalogue, params)
    if checked.service and action is not BulkOnlyAction.RETRY:
        service = catalogue.service(checked.service)
        if service.subject not in (SubjectKind.USER, SubjectKind.DIRECTORY, SubjectKind.DOMAIN):
            raise wrong_subject(service, SubjectKind.USER)
    return checked


async def _nobody(session: AsyncSession, account_id: int, domain: str) -> UsageError:
    """Return the refusal of a bulk for nobody; a domain that the account has not got is named, with the nearest."""
    own = await domains_of(session, account_id) if domain else ()
    if not domain or domain in own:
        return UsageError("Nobody is picked, so there is nothing to do.")
    listed = f"The account has: {', '.join(own) or 'none'}."
    return UsageError(
        f"The account has no domain {harmless(domain)!r}, so nobody is picked.",
        hint=f"{did_you_mean(domain, own)} {listed}".strip(),
    )


async def targets(
    session: AsyncSession, account_id: int, picked: Picked, action: BulkAction, params: ActionParams
) -> list[BulkTarget]:
    """Return the items of an action: one for each user; of RETRY and of a verb on all services one for each service.

    Of a service of domains they are domains. Raises NotFound naming all the names that are nobody, and UsageError where
    nobody is picked.
    """
    of_service = {params.service} - {""}
    where = UserFilter()
    catalogue = (await in_force(session)).catalogue
    if of_service and catalogue.service(params.service).subject is SubjectKind.DOMAIN:
        domains = await chosen_domains(session, catalogue, account_id, picked, params.service)
        if action is not BulkOnlyAction.RETRY:
            return [BulkTarget(None, None, row.name, domain_id=row.id) for row in domains]
        names = {row.name for row in domains}
        red = await _red(session, account_id, None, of_service)
        return [target for target in red if target.name in names]
    if isinstance(picked, UserFilter):
        where = picked.resolved(catalogue)
        if action is BulkOnlyAction.RETRY:
            services = of_service or where.services
            if replace(
                where, services=frozenset()
            ).is_all:  # groups and domains too, not users alone
                return await _red(session, account_id, None, services)
            services = services or {service for service, _level in where.levels} - {""}
            found = [user.user_id or "" for user in await _found(session, account_id, where)]
            return await _red(session, account_id, found, services)
        users = await _found(session, account_id, where)
    else:
        users = await _named(session, account_id, picked)
    if not users:
        raise await _nobody(session, account_id, where.domain)
    ids = [user.user_id or "" for user in users]
    if action is BulkOnlyAction.RETRY:
        return await _red(session, account_id, ids, of_service)
    if action in ACTIONS and ACTIONS[action].of_service and not params.service:
        return await _services(session, ids)
    return users


async def _found(session: AsyncSession, account_id: int, where: UserFilter) -> list[BulkTarget]:
    found = (await UserQuery.of(session, account_id, where)).keys().subquery()
    sort_key, ident = found.c
    rows = await session.execute(
        select(UserRow.id, UserRow.upn).join(found, ident == UserRow.id).order_by(sort_key, ident)
    )
    return [BulkTarget(user_id, None, upn) for user_id, upn in rows]


async def _named(session: AsyncSession, account_id: int, names: Sequence[str]) -> list[BulkTarget]:
    """Return the users, each once, in the order of `names`, which are ids, UPNs, aliases, former UPNs or usernames.

    Ids alone are marks, whose order says nothing to anybody: these users come by UPN.
    """
    wanted = list(dict.fromkeys(names))
    problems = []
    targets: dict[str, BulkTarget] = {}
    for chunk in batches(wanted):
        keys = {name: lookup_key(name) for name in chunk}
        found: dict[str, set[str]] = {key: set() for key in keys.values()}
        users: dict[str, tuple[str, bool]] = {}
        for statement in _lookups(account_id, list(found)):
            for owner, user_id, upn, in_bin, key in await session.execute(statement):
                if owner == account_id:
                    found[key].add(user_id)
                    users[user_id] = (upn, in_bin)
        for name, key in keys.items():
            problem = _problem(name, found[key], users)
            if problem is not None:
                problems.append(problem)
                continue
            (user_id,) = found[key]
            targets[user_id] = BulkTarget(user_id, None, users[user_id][0])
    if problems:
        more = len(problems) - _NAMED_PROBLEMS
        shown = problems[:_NAMED_PROBLEMS] + ([Problem("", f"and {more} more")] if more > 0 else [])
        raise NotFound(
            f"{counted(len(problems), 'name stands', 'names stand')} for no user of this account. Nothing was changed.",
            problems=shown,
            hint="`mission-control users list` finds by part of a name.",
        )
    if all(_ID.fullmatch(name) for name in wanted):
        return sorted(targets.values(), key=lambda target: target.name)
    return list(targets.values())


def _lookups(account_id: int, keys: Sequence[str]) -> Iterator[Select[int, str, str, bool, str]]:
    """Yield statements for (account, user id, UPN, in the bin, key) of whom the keys stand for."""
    user = (UserRow.account_id, UserRow.id, UserRow.upn, UserRow.in_bin)
    # Looked up by account as well, SQLite walks all of the account's users for each chunk.
    if ids := [key for key in keys if _ID.fullmatch(key)]:
        yield select(*user, UserRow.id).where(UserRow.id.in_(ids))
    if others := [key for key in keys if not _ID.fullmatch(key)]:
        yield select(*user, UserRow.username_key).where(
            UserRow.account_id == account_id, UserRow.username_key.in_(others)
        )
        yield (
            select(*user, AddressRow.key)
            .join(AddressRow, AddressRow.user_id == UserRow.id)
            .where(AddressRow.key.in_(others))
        )


def _problem(name: str, found: set[str], users: dict[str, tuple[str, bool]]) -> Problem | None:
    if not found:
        return Problem(harmless(name), "is nobody here")
    if len(found) > 1:
        upns = ", ".join(sorted(users[user_id][0] for user_id in found))
        return Problem(harmless(name), f"means more than one user: {upns}", "give the UPN")
    (user_id,) = found
    if users[user_id][1]:
        return Problem(harmless(name), "is in the recycling bin", "restore the user first")
    return None


async def _services(session: AsyncSession, user_ids: Sequence[str]) -> list[BulkTarget]:
    """Return everything that these users have, user by user; whoever has nothing is an item all the same."""
    there: dict[str, list[BulkTarget]] = {}
    names: dict[str, str] = {}
    for chunk in batches(user_ids):
        users = await session.execute(select(UserRow.id, UserRow.upn).where(UserRow.id.in_(chunk)))
        names |= {row.id: row.upn for row in users}
        rows = await session.execute(
            select(AssignmentRow.user_id, AssignmentRow.id)
            .where(
                AssignmentRow.user_id.in_(chunk),
                (AssignmentRow.wish != Wish.ABSENT) | (AssignmentRow.light == Light.RED),
            )
            .order_by(AssignmentRow.service_id, AssignmentRow.instance)
        )
        for owner, assignment_id in rows:
            target = BulkTarget(owner, assignment_id, names[owner or ""])
            there.setdefault(target.user_id or "", []).append(target)
    return [
        target
        for user_id in user_ids
        for target in there.get(user_id, [BulkTarget(user_id, None, names[user_id])])
    ]


async def _red(
    session: AsyncSession,
    account_id: int,
    user_ids: Sequence[str] | None,
    services: Collection[str],
) -> list[BulkTarget]:
    """Return every red light: of the account, or of these users only."""
    statement = (
        select(
            AssignmentRow.user_id,
            AssignmentRow.id,
            func.coalesce(UserRow.upn, DomainRow.name, ObjectRow.name, ""),
        )
        .outerjoin(UserRow, UserRow.id == AssignmentRow.user_id)
        .outerjoin(DomainRow, DomainRow.id == AssignmentRow.domain_id)
        .outerjoin(ObjectRow, ObjectRow.id == AssignmentRow.object_id)
        .where(AssignmentRow.account_id == account_id, AssignmentRow.light == Light.RED)
        .order_by(AssignmentRow.since, AssignmentRow.id)
    )
    if services:
        statement = statement.where(AssignmentRow.service_id.in_(services))
    wanted = None if user_ids is None else set(user_ids)
    return [
        BulkTarget(user_id, assignment_id, name)
        for user_id, assignment_id, name in await session.execute(statement)
        if wanted is None or user_id in wanted
    ]
