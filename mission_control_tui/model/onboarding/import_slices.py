"""Writing an import a slice at a time: one short transaction each, so that nobody else waits for the database.

A slice is written whole, with its passwords on the disk before it is committed, or not at all. Whoever is killed in
between has lost nothing: the same file again finds the users of earlier slices there, and goes on with the others.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

from sqlalchemy import select

from mission_control_tui.model.bulk.slices import breath
from mission_control_tui.model.domains.address_registry import holders
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.onboarding.row_checks import CheckedRows, KnownUser, NewUser
from mission_control_tui.model.onboarding.user_insert import set_managers, write_users
from mission_control_tui.model.people.address_syntax import lookup_key
from mission_control_tui.model.people.fields import Value
from mission_control_tui.model.people.password_policy import PasswordPolicy
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.services.subjects import user_subject
from mission_control_tui.model.states import Priority
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.retry import retry_on_conflict
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.users.actions.base import action_context
from mission_control_tui.model.users.aliases import AddressChanges
from mission_control_tui.model.users.editing import apply_changes
from mission_control_tui.model.users.giving import provision_in
from mission_control_tui.model.users.rules import policy_of
from mission_control_tui.model.views import KeepPasswords, RevealedPassword

T = TypeVar("T")

SLICE_USERS = 100
"""New users in one transaction, at most."""
SLICE_CHANGES = 20
"""Users who are changed in one, or get services, at most."""
SLICE_SECONDS = 0.05
"""How long a transaction should last: on a slow machine there are fewer users in one, and those who are changed when it
is over are the last of theirs."""
LEAST_SHARE = 0.05
"""A slice is never smaller than this part of the most."""
FIRST_SHARE = 0.2
"""The first one is small: nobody knows yet how long it takes here."""


@dataclass(frozen=True, slots=True)
class ImportSlice:
    """Rows that are written together."""

    new: Sequence[NewUser] = ()
    known: Sequence[KnownUser] = ()

    @property
    def rows(self) -> tuple[int, ...]:
        """The numbers of its rows."""
        return (*(user.row.row for user in self.new), *(user.row.row for user in self.known))


@dataclass(slots=True)
class Pace:
    """How much of the most goes into a slice, by how long those before it took."""

    share: float = field(default_factory=lambda: FIRST_SHARE)

    def took(self, seconds: float) -> None:
        """Note how long a slice took, its commit included."""
        wanted = self.share * SLICE_SECONDS / max(seconds, 0.001)
        self.share = min(1.0, max(LEAST_SHARE, 0.5 * self.share, min(wanted, 2 * self.share)))

    def batches(self, rows: Sequence[T], most: int) -> Iterator[Sequence[T]]:
        """Yield the rows in pieces of the size that is right when each is asked for."""
        start = 0
        while piece := rows[start : start + max(1, round(self.share * most))]:
            yield piece
            start += len(piece)


def slices_of(judged: CheckedRows, pace: Pace, *, update: bool) -> Iterator[ImportSlice]:
    """Return what there is to write, managers before those whom they manage; only this call goes through all rows."""
    size = SLICE_CHANGES if any(user.gives for user in judged.new) else SLICE_USERS
    changed = [known for known in judged.known if known.differs] if update else []
    return chain(
        (ImportSlice(new=new) for new in pace.batches(_managers_first(judged.new), size)),
        (ImportSlice(known=known) for known in pace.batches(changed, SLICE_CHANGES)),
    )


def _managers_first(users: Sequence[NewUser]) -> list[NewUser]:
    by_key = {user.key: user for user in users}
    placed: dict[str, NewUser] = {}
    for user in users:
        chain: dict[str, NewUser] = {}
        above: NewUser | None = user
        while above is not None and above.key not in placed and above.key not in chain:
            chain[above.key] = above
            above = by_key.get(above.manager_key)
        placed |= {key: chain[key] for key in reversed(chain)}
    return list(placed.values())


@dataclass(slots=True)
class SliceResult:
    """What became of a slice: the passwords that were made, and by row why somebody could not be changed.

    `left` are known users for whom there was no time: they are to be written by another slice.
    """

    made: Sequence[RevealedPassword] = field(default=(), repr=False)
    refused: dict[int, MissionControlError] = field(default_factory=dict)
    left: Sequence[KnownUser] = ()


@dataclass(slots=True)
class SliceWriter:
    """Writes slices of one import; `keep` gets each password once."""

    scope: AccountScope
    account_id: int
    keep: KeepPasswords | None
    dry_run: bool
    _ids: dict[str, str] = field(default_factory=dict)
    _kept: set[tuple[str, ...]] = field(default_factory=set)
    _without_manager: dict[str, list[NewUser]] = field(default_factory=dict)
    """New users whose manager is written after them, because two manage each other, by the manager's key."""

    async def write(self, part: ImportSlice) -> Outcome[SliceResult] | None:
        """Write one slice; None, and nothing written, where the store is no longer as it was judged."""
        refused: dict[int, MissionControlError] = {}
        while True:
            left = ImportSlice(
                [user for user in part.new if user.row.row not in refused], part.known
            )
            try:
                outcome = await self._written(left)
            except _NotGiven as error:
                # Who does not get what the row gives is not created either: the others are tried without them.
                refused |= error.refused
                continue
            if outcome is not None:
                outcome.result.refused.update(refused)
            return outcome

    async def _written(self, part: ImportSlice) -> Outcome[SliceResult] | None:
        ids = {user.key: uuid.uuid4().hex for user in part.new}

        async def work() -> Outcome[SliceResult] | None:
            scope = self.scope
            async with scope.store.write(
                scope.caller,
                self.account_id,
                dry_run=self.dry_run,
                keep=self._keep,
                tried=scope.tried,
            ) as tx:
                tx.priority = Priority.BULK
                policy = await locked_policy(tx, self.account_id)
                rows = await _as_judged(tx, self.account_id, part)
                if rows is None:
                    tx.dry_run = True  # nothing is done, so nobody has to hear of it
                    return None
                result = SliceResult()
                await self._write(tx, part, ids, policy)
                await self._give(tx, part.new, ids)
                await self._change(tx, part.known, rows, result)
                result.made = tuple(tx.revealed)
            return tx.outcome(result)

        outcome = await retry_on_conflict(work)
        if outcome is not None and not self.dry_run:
            self._ids |= ids
            self._remember(part.new)
        return outcome

    async def _write(
        self, tx: Transaction, part: ImportSlice, ids: dict[str, str], policy: PasswordPolicy
    ) -> None:
        there = ChainMap(ids, self._ids)
        await write_users(tx, self.account_id, part.new, policy, ids=there)
        waiting = [
            user for manager in part.new for user in self._without_manager.get(manager.key, ())
        ]
        await set_managers(tx, waiting, there)
        await tx.session.flush()

    async def _give(self, tx: Transaction, new: Sequence[NewUser], ids: Mapping[str, str]) -> None:
        """Give new users what their rows give. Raises _NotGiven for those who cannot get it."""
        giving = {ids[user.key]: user for user in new if user.gives}
        if not giving:
            return
        context = await action_context(tx, self.account_id)
        found = await tx.session.scalars(select(UserRow).where(UserRow.id.in_(giving)))
        made = {row.id: row for row in found}
        not_created: dict[int, MissionControlError] = {}
        for user_id, user in giving.items():
            try:
                for params in user.gives:
                    await provision_in(tx, context, user_subject(made[user_id]), params)
            except MissionControlError as error:
                # The whole slice is taken back.
                not_created[user.row.row] = error
        if not_created:
            raise _NotGiven(not_created)

    async def _change(
        self,
        tx: Transaction,
        users: Sequence[KnownUser],
        rows: Mapping[str, UserRow],
        result: SliceResult,
    ) -> None:
        """Give known users what they lack, and change them, each whole or not at all, until the time is over."""
        until = time.monotonic() + SLICE_SECONDS
        gives = any(known.gives for known in users)
        context = await action_context(tx, self.account_id) if gives else None
        for number, known in enumerate(users, 1):
            row = rows[known.user.id]
            try:
                async with tx.attempt():
                    if context is not None:
                        for params in known.gives:
                            await provision_in(tx, context, user_subject(row), params)
                    added = AddressChanges(add=known.aliases)
                    await apply_changes(tx, row, self._changes(known), addresses=added)
            except MissionControlError as error:
                result.refused[known.row.row] = error
            if time.monotonic() >= until and not self.dry_run:
                result.left = users[number:]
                break

    def _changes(self, known: KnownUser) -> Mapping[str, Value]:
        """Return what is changed. What is only tried has no new users, whom a manager may be one of."""
        left_out = {"manager"} if self.dry_run else set()
        return {name: known.changes[name] for name in known.changes.keys() - left_out}

    def _keep(self, made: Sequence[RevealedPassword]) -> None:
        fresh = [new for new in made if _mark(new) not in self._kept]
        if self.keep is not None and fresh:
            self.keep(fresh)
            self._kept.update(map(_mark, fresh))

    def _remember(self, written: Sequence[NewUser]) -> None:
        for user in written:
            if user.manager_key and user.manager_key not in self._ids:
                self._without_manager.setdefault(user.manager_key, []).append(user)


class _NotGiven(Exception):
    """New users of a slice who cannot get what their rows give, with why, by row."""

    def __init__(self, refused: dict[int, MissionControlError]) -> None:
        super().__init__()
        self.refused = refused


def _mark(new: RevealedPassword) -> tuple[str, ...]:
    # A password of a service is made anew when its slice is tried again.
    of_service = (new.service_id, new.instance, new.password)
    return (new.upn, *(of_service if new.service_id else ()))


async def breathe(took: float) -> None:
    """Leave the database to others after a slice that took so long."""
    await asyncio.sleep(breath(took))


async def locked_policy(tx: Transaction, account_id: int) -> PasswordPolicy:
    """The account's policy. One slice of an account at a time; single users are created meanwhile all the same."""
    account = (
        await tx.session.scalars(
            select(AccountRow).where(AccountRow.id == account_id).with_for_update(key_share=True)
        )
    ).one()
    return policy_of(account)


async def _as_judged(
    tx: Transaction, account_id: int, part: ImportSlice
) -> dict[str, UserRow] | None:
    """Return the known users by id, locked; None where a name is taken meanwhile, or a user was changed."""
    keys = {user.key for user in part.new}
    keys |= {lookup_key(alias) for user in part.new for alias in user.aliases}
    names = {user.details.username.casefold() for user in part.new}
    if keys and await holders(tx.session, keys):
        return None
    for some in batches(sorted(names)):
        taken = select(UserRow.id).where(
            UserRow.account_id == account_id, UserRow.username_key.in_(some)
        )
        if await tx.session.scalar(taken.limit(1)) is not None:
            return None
    judged = {known.user.id: known.version for known in part.known}
    found = await tx.session.scalars(
        select(UserRow).where(UserRow.id.in_(judged)).order_by(UserRow.id).with_for_update()
    )
    rows = {row.id: row for row in found}
    if {row.id: row.version for row in rows.values() if not row.in_bin} != judged:
        return None
    return rows
