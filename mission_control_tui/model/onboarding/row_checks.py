"""What an import would do with each row: create, change, leave alone or refuse. The store is only read."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.domains.address_registry import (
    KEYS_AT_ONCE,
    AddressKind,
    Holder,
    address_rules,
    holders,
    taken,
)
from mission_control_tui.model.errors import InvalidInput, Problem, ProblemCode
from mission_control_tui.model.onboarding.files.check import CheckedRow
from mission_control_tui.model.onboarding.files.read import ImportFile, ImportRow
from mission_control_tui.model.onboarding.row_aliases import RowAliases, aliases_of, new_aliases
from mission_control_tui.model.onboarding.row_services import RowServices, services_of
from mission_control_tui.model.people.address_syntax import lookup_key
from mission_control_tui.model.people.fields import UserDetails, Value
from mission_control_tui.model.people.names import username_for
from mission_control_tui.model.people.password_policy import PasswordPolicy, problems_of
from mission_control_tui.model.services.seats import overview
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from mission_control_tui.model.store.user_rows import difference, to_details
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.users.actions.params import ActionParams


@dataclass(slots=True)
class NewUser:
    """A row that becomes a user. `manager_key` is set where the manager is another new user of the file."""

    row: ImportRow
    key: str
    details: UserDetails
    password: str | None = field(default=None, repr=False)
    generated: str | None = field(default=None, repr=False)
    manager_id: str | None = None
    manager_key: str = ""
    aliases: tuple[str, ...] = ()
    gives: tuple[ActionParams, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownUser:
    """A row whose user exists: what it states otherwise (before, after as JSON values), and the changes to make."""

    row: ImportRow
    user: UserRow
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    changes: Mapping[str, Value]
    version: int
    """The user's, when the row was judged."""
    aliases: tuple[str, ...] = ()
    """Those that the user does not have yet."""
    gives: tuple[ActionParams, ...] = ()
    """The services that the user does not have, or has at another level."""

    @property
    def differs(self) -> bool:
        """Whether the row states something else than the user has."""
        return bool(self.after)


@dataclass(slots=True)
class CheckedRows:
    """The rows of a file, judged. `refused` has every problem of a row by the row's number."""

    new: list[NewUser] = field(default_factory=list)
    known: list[KnownUser] = field(default_factory=list)
    refused: dict[int, list[Problem]] = field(default_factory=dict)
    services: RowServices | None = None
    """What is given, and the seats for it, where rows give anything."""


@dataclass(slots=True)
class RowChecker:
    """Judges the checked rows of one file against the store.

    Rows of domains that the account lacks (`foreign`, by number) are refused, and told of what else is wrong with them.
    `policy` judges the file's passwords; None means that they are not used. With `update` known users are given what
    they lack.
    """

    session: AsyncSession
    account_id: int
    file: ImportFile
    rows: Sequence[CheckedRow]
    foreign: Collection[int]
    policy: PasswordPolicy | None
    update: bool = False
    _judged: CheckedRows = field(default_factory=CheckedRows)
    _keys: dict[int, str] = field(default_factory=dict)
    _held: dict[str, Holder] = field(default_factory=dict)
    _users: dict[str, UserRow] = field(default_factory=dict)
    _manager_upns: dict[str, str] = field(default_factory=dict)
    _aliases: dict[str, list[AddressRow]] = field(default_factory=dict)

    async def judge(self) -> CheckedRows:
        """Return all rows, as the store is now."""
        # What goes through all rows does so in a thread: tens of thousands would hold the event loop.
        addresses, aliases = await asyncio.to_thread(self._addresses)
        self._held = await holders(self.session, addresses)
        await self._load()
        await asyncio.to_thread(self._sort)
        if aliases:
            await self._judge_aliases()
        if self._judged.new:
            names = await self.session.scalars(
                select(UserRow.username_key).where(UserRow.account_id == self.account_id)
            )
            await asyncio.to_thread(self._name, set(names))
        await asyncio.to_thread(self._resolve_managers)
        await asyncio.to_thread(self._leave_out_refused)
        if any(row.row.gives for row in self.rows):
            await self._judge_services()
            self._leave_out_refused()
        return self._judged

    def _addresses(self) -> tuple[set[str], set[str]]:
        """Return the keys of all addresses that the rows state, and of those among them that are aliases."""
        self._keys = {row.row.row: lookup_key(row.details.upn) for row in self.rows}
        for row in self.rows:
            if row.problems or row.row.row in self.foreign:
                self._judged.refused[row.row.row] = list(row.problems)
        stated = {lookup_key(row.details.manager) for row in self.rows if row.details.manager}
        aliases = {lookup_key(address) for row in self.rows for address in row.row.aliases}
        return {*self._keys.values(), *stated, *aliases}, aliases

    def _leave_out_refused(self) -> None:
        refused = self._judged.refused
        self._judged.new = [user for user in self._judged.new if user.row.row not in refused]
        self._judged.known = [user for user in self._judged.known if user.row.row not in refused]

    async def _judge_services(self) -> None:
        catalogue = (await in_force(self.session)).catalogue
        bought = await overview(self.session, catalogue, self.account_id)
        services = RowServices(
            catalogue, {(owned.service_id, owned.level_id): owned for owned in bought}
        )
        self._judged.services = services
        giving = [known for known in self._judged.known if known.row.gives]
        has = await services_of(self.session, [known.user.id for known in giving])
        await asyncio.to_thread(self._give, services, has)

    def _give(
        self, services: RowServices, has: Mapping[str, Mapping[tuple[str, str], str]]
    ) -> None:
        """Work out what each row gives, where known users have these services."""
        for user in self._judged.new:
            user.gives = self._given(services, user.row, {}, take=True)
        for number, known in enumerate(self._judged.known):
            held = has.get(known.user.id, {})
            if gives := self._given(services, known.row, held, take=self.update):
                levels = {params.service: params.level for params in gives}
                before = {
                    params.service: held.get((params.service, params.instance), "")
                    for params in gives
                }
                self._judged.known[number] = replace(
                    known,
                    before={**known.before, **before},
                    after={**known.after, **levels},
                    gives=gives,
                )

    def _given(
        self,
        services: RowServices,
        row: ImportRow,
        has: Mapping[tuple[str, str], str],
        *,
        take: bool,
    ) -> tuple[ActionParams, ...]:
        """Return what the row gives that the user has not, or at another level; refuses it where there is no seat."""
        if not row.gives:
            return ()
        try:
            given = services.given(row)
            other = tuple(
                params
                for params in given
                if has.get((params.service, params.instance)) != params.level
            )
            if take:
                services.take(other, has)
        except InvalidInput as error:
            for problem in error.problems:
                self._refuse(row, problem)
            return ()
        return other

    async def _load(self) -> None:
        """The users whose UPNs the file states, and the UPNs of their managers."""
        held = (self._held.get(key) for key in self._keys.values())
        ids = {holder.user_id for holder in held if holder is not None and self._is_ours(holder)}
        for chunk in batches(sorted(ids), KEYS_AT_ONCE):
            statement = select(UserRow).where(UserRow.id.in_(chunk)).order_by(UserRow.id)
            rows = await self.session.scalars(statement)
            self._users.update((row.id, row) for row in rows)
        managers = sorted({row.manager_id for row in self._users.values() if row.manager_id})
        for chunk in batches(managers, KEYS_AT_ONCE):
            found = await self.session.execute(
                select(UserRow.id, UserRow.upn).where(UserRow.id.in_(chunk))
            )
            self._manager_upns.update((row.id, row.upn) for row in found)

    def _is_ours(self, holder: Holder) -> bool:
        in_account = holder.account_id == self.account_id and not holder.in_bin
        return in_account and holder.kind is AddressKind.UPN

    def _sort(self) -> None:
        """Into new, known and refused, by who has the UPN."""
        first: dict[str, int] = {}
        for checked in self.rows:
            row, key = checked.row, self._keys[checked.row.row]
            earlier = first.setdefault(key, row.row)
            if earlier != row.row and not checked.problems:
                what = f"{harmless(checked.details.upn)} stands in row {earlier} already"
                self._refuse(row, Problem("upn", what, "keep one of the two rows"))
            holder = self._held.get(key)
            if holder is None or row.row in self.foreign:
                self._judged.new.append(NewUser(row, key, checked.details))
                self._check_password(self._judged.new[-1])
            elif self._is_ours(holder):
                self._compare(checked, self._users[holder.user_id])
            else:
                self._refuse(row, taken("upn", checked.details.upn, holder, self.account_id))

    async def _judge_aliases(self) -> None:
        rows_of = {key: row for row, key in self._keys.items()}
        rules = await address_rules(self.session, self.account_id)
        judge = RowAliases(self.account_id, rules, self._held, rows_of)
        for user in self._judged.new:
            for problem in judge.problems(user.row):
                self._refuse(user.row, problem)
            user.aliases = new_aliases(user.row, (), user.key)
        stating = [known for known in self._judged.known if known.row.aliases]
        present = await aliases_of(self.session, [known.user.id for known in stating])
        for number, known in enumerate(self._judged.known):
            if not known.row.aliases:
                continue
            for problem in judge.problems(known.row, known.user.id):
                self._refuse(known.row, problem)
            has = present.get(known.user.id, [])
            more = new_aliases(known.row, [held.key for held in has], lookup_key(known.user.upn))
            if more:
                had = [held.address for held in has]
                self._judged.known[number] = replace(
                    known,
                    before={**known.before, "aliases": had},
                    after={**known.after, "aliases": [*had, *more]},
                    aliases=more,
                )

    def _check_password(self, user: NewUser) -> None:
        if self.policy is None or user.row.password is None:
            return
        user.password = user.row.password
        username = user.details.username or username_for(user.details.upn)
        for problem in problems_of(user.row.password, username, self.policy):
            self._refuse(user.row, problem)

    def _compare(self, checked: CheckedRow, user: UserRow) -> None:
        """An empty cell and a value that was worked out from others say nothing of a user who is there already."""
        row = checked.row
        current = to_details(user, self._manager_upns.get(user.manager_id or "", ""))
        for problem in checked.problems:
            if problem.code is ProblemCode.MISSING:
                self._forgive(row, problem)
        for name, problem in row.damaged.items():
            if getattr(current, name) == getattr(checked.details, name):
                self._forgive(row, problem)
        if current.external_email and current.external_email == checked.details.external_email:
            # What a user has already is not judged again, whatever the catalogue allows by now.
            where = self.file.located(row, Problem("external_email", "")).where
            for problem in checked.problems:
                if problem.where == where:
                    self._forgive(row, problem)
        says = row.fields.keys() - row.derived - {"upn"}
        wanted = replace(current, **{name: getattr(checked.details, name) for name in says})
        if wanted.username.casefold() != current.username.casefold():
            what = f"is fixed since the user was created, as {current.username}"
            self._refuse(row, Problem("username", what, "leave the cell empty"))
        wanted = replace(wanted, username=current.username)
        if wanted.manager != current.manager:
            holder = self._held.get(lookup_key(wanted.manager))
            if holder is not None and holder.user_id == user.manager_id:
                wanted = replace(wanted, manager=current.manager)
        before, after = difference(current, wanted)
        changes = {name: getattr(wanted, name) for name in after}
        self._judged.known.append(KnownUser(row, user, before, after, changes, user.version))

    def _name(self, in_store: set[str]) -> None:
        """Give new users without a username one that is free in the store, which has these, and in the file."""
        rows_of: dict[str, int] = {}
        for user in self._judged.new:
            key, shown = user.details.username.casefold(), harmless(user.details.username)
            if not key:
                continue
            if key in in_store:
                offer = username_for(user.details.upn, in_store | rows_of.keys())
                what, hint = f"{shown} is taken by another user", f"{offer} is free"
            elif key in rows_of:
                what = f"{shown} stands in row {rows_of[key]} already"
                hint = "choose another, or leave it empty"
            else:
                rows_of[key] = user.row.row
                continue
            self._refuse(user.row, Problem("username", what, hint))
        used = in_store | rows_of.keys()
        for user in self._judged.new:
            if not user.details.username:
                username = username_for(user.details.upn, used)
                used.add(username)
                user.details = replace(user.details, username=username)

    def _resolve_managers(self) -> None:
        """A manager is a user, or a row that becomes one: who depends on a refused row is refused as well."""
        new = {user.key: user for user in self._judged.new}
        in_file: list[tuple[ImportRow, NewUser, NewUser | None]] = []
        for row, upn, user in self._managed():
            key = lookup_key(upn)
            holder = self._held.get(key)
            ours = holder is not None and holder.account_id == self.account_id
            if key == self._keys[row.row]:
                what, hint = "a user cannot be their own manager", "leave it empty"
            elif key in new:
                in_file.append((row, new[key], user))
                continue
            elif holder is None or not ours or holder.kind is AddressKind.OBJECT:
                what = f"{harmless(upn)} is no user of this account, nor of this file"
                hint = "create the manager first"
            elif holder.in_bin:
                what = f"{harmless(upn)} is in the recycling bin"
                hint = "restore that user, or name another"
            else:
                if user is not None:
                    user.manager_id = holder.user_id
                continue
            self._refuse(row, Problem("manager", what, hint))
        refused = self._judged.refused
        while depending := [needs for needs in in_file if needs[1].row.row in refused]:
            in_file = [needs for needs in in_file if needs[1].row.row not in refused]
            for row, manager, _ in depending:
                upn = harmless(manager.details.upn)
                what = f"{upn} stands in row {manager.row.row}, which is refused"
                self._refuse(row, Problem("manager", what, "correct that row"))
        for _, manager, user in in_file:
            if user is not None:
                user.manager_key = manager.key

    def _managed(self) -> Iterator[tuple[ImportRow, str, NewUser | None]]:
        """Yield the rows that state a manager who is not the present one, with the manager and the new user."""
        for user in self._judged.new:
            if user.details.manager:
                yield user.row, user.details.manager, user
        for known in self._judged.known:
            if known.changes.get("manager"):
                yield known.row, str(known.changes["manager"]), None

    def _forgive(self, row: ImportRow, problem: Problem) -> None:
        left = [told for told in self._judged.refused.pop(row.row, []) if told is not problem]
        if left:
            self._judged.refused[row.row] = left

    def _refuse(self, row: ImportRow, problem: Problem) -> None:
        located = self.file.located(row, problem)
        self._judged.refused.setdefault(row.row, []).append(located)
