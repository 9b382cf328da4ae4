"""What was folded by an older program, folded anew: the terms of users and the places of users and groups in lists.

It goes in slices, each a transaction under the lock of the installation's row: several consoles and workers share the
work, and one that is cut short is taken up by the next. Who is not folded anew yet is found as before.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import cast

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.caller import WORKER
from mission_control_tui.model.search.index import term_rows, terms_of, text_row
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.installation import InstallationRow
from mission_control_tui.model.store.tables.users import (
    AddressRow,
    SearchTermRow,
    SearchTextRow,
    UserRow,
)
from mission_control_tui.model.store.user_rows import sort_key, to_details
from mission_control_tui.model.text.folding import FOLDING

USERS_AT_ONCE = 200
"""Users of one transaction: it holds an embedded database for about a tenth of a second."""

SECONDS = 2.0
"""What a command spends on it by the way; a worker, a console or `upgrade` goes on to the end."""


async def renew(store: Store, seconds: float = math.inf) -> None:
    """Fold anew what is not, beginning nothing after so many seconds. Raises as the database does when it is away."""
    until = time.monotonic() + seconds
    while not store.folded_anew and time.monotonic() < until:
        store.folded_anew = await _slice(store)


@retries_on_conflict
async def _slice(store: Store) -> bool:
    """Fold some users anew, after the last of them the groups; return whether all is done."""
    async with store.write(WORKER) as tx:
        session = tx.session
        installation = (await session.scalars(select(InstallationRow).with_for_update())).one()
        if installation.folding >= FOLDING:
            return True
        users = (
            await session.scalars(
                select(UserRow)
                .where(UserRow.id > installation.folded_to)
                .order_by(UserRow.id)
                .limit(USERS_AT_ONCE)
                .with_for_update()
            )
        ).all()
        if users:
            await _fold_users(session, [user for user in users if user.purged_at is None])
            installation.folded_to = users[-1].id
            return False
        await _fold_groups(session)
        installation.folding, installation.folded_to = FOLDING, ""
        return True


async def _fold_users(session: AsyncSession, users: Sequence[UserRow]) -> None:
    ids = [user.id for user in users]
    aliases: dict[str, list[str]] = defaultdict(list)
    for user_id, address in await session.execute(
        select(AddressRow.user_id, AddressRow.address).where(AddressRow.user_id.in_(ids))
    ):
        aliases[str(user_id)].append(address)
    await session.execute(delete(SearchTermRow).where(SearchTermRow.user_id.in_(ids)))
    await session.execute(delete(SearchTextRow).where(SearchTextRow.user_id.in_(ids)))
    terms, texts = [], []
    for user in users:
        key = sort_key(user.display_name)
        if key != user.sort_key:
            # A statement of its own: no version of the row changes, for nobody edited the user.
            await session.execute(
                update(UserRow).where(UserRow.id == user.id).values(sort_key=key),
                execution_options={"synchronize_session": False},
            )
        found = terms_of(to_details(user), [name for name in aliases[user.id] if name != user.upn])
        terms += term_rows(user.account_id, user.id, key, user.in_bin, found)
        texts.append(text_row(user.account_id, user.id, found))
    if users:
        await session.execute(insert(SearchTermRow), terms)
        await session.execute(insert(SearchTextRow), texts)


async def _fold_groups(session: AsyncSession) -> None:
    names = await session.execute(select(ObjectRow.id, ObjectRow.name, ObjectRow.sort_key))
    stale = [
        {"b_id": ident, "b_key": sort_key(name)}
        for ident, name, key in names
        if key != sort_key(name)
    ]
    if stale:
        objects = cast("Table", ObjectRow.__table__)
        await session.execute(
            update(objects)
            .where(objects.c.id == bindparam("b_id"))
            .values(sort_key=bindparam("b_key")),
            stale,
        )
