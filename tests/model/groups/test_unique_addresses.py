"""An address is had once in the installation, whoever asks for it: users, aliases, objects, in whatever order."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.domains.address_registry import upn_status
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.groups.editing import (
    GroupChanges,
    create_object,
    edit_object,
    remove_object,
)
from mission_control_tui.model.states import Light, Wish
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import AddressRow
from mission_control_tui.model.users import editing
from mission_control_tui.model.views import Account
from tests.model.conftest import DOMAIN, make_account
from tests.model.helpers import create, finish, named, own_seats
from tests.support import share

LOCALS = ("ann", "bob", "Ann", "sales", "info")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["user", "alias", "group", "shared", "move", "remove", "gone"]),
        st.sampled_from(LOCALS),
        st.integers(0, 5),
    ),
    min_size=3,
    max_size=14,
)


@settings(max_examples=share(12), deadline=None)
@given(steps=STEPS)
def test_no_address_is_ever_had_twice(
    steps: list[tuple[str, str, int]],
    sqlite_template: Path,
    catalogue: Catalogue,
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "store.db"
        shutil.copy(sqlite_template, path)
        shutil.copy(f"{sqlite_template}.key", f"{path}.key")
        asyncio.run(_walk(path, catalogue, steps))


async def _walk(path: Path, catalogue: Catalogue, steps: list[tuple[str, str, int]]) -> None:
    store = await Store.open(path)
    caller = Caller(operator="anna")
    try:
        account = await make_account(store, caller, catalogue, "acme", DOMAIN)
        await own_seats(store, caller, account, "managed-exchange", "popx")
        people: list[str] = []
        objects: list[str] = []
        for number, (what, local, which) in enumerate(steps):
            address = f"{local}@{DOMAIN}"
            free = (await upn_status(AccountScope(store, caller, account.id), address)).free
            try:
                done = await _do(
                    store, caller, account, (what, address, number, which), people, objects
                )
            except MissionControlError:
                assert what in ("remove", "gone", "move", "alias") or not free
            else:
                assert free or not done or what in ("alias", "move")
            await _check(store)
    finally:
        await store.close()


async def _do(
    store: Store,
    caller: Caller,
    account: Account,
    step: tuple[str, str, int, int],
    people: list[str],
    objects: list[str],
) -> bool:
    """Do the step; whether it took an address."""
    what, address, number, which = step
    scope = AccountScope(store, caller, account.id)
    if what == "user":
        local = address.partition("@")[0]
        made = await create(store, caller, account, named(local))
        people.append(made.id)
        return True
    if what in ("group", "shared"):
        kind = "distribution-group" if what == "group" else "shared-mailbox"
        objects.append((await create_object(scope, kind, f"Object {number}", address)).result.id)
        return True
    if what == "gone":
        async with store.write(caller, account.id) as tx:
            for row in await tx.session.scalars(select(AssignmentRow)):
                gone = row.wish == Wish.ABSENT
                row.light = Light.GREY if gone else Light.GREEN
                row.observed_wish = row.wish
        await finish(store, caller, account)
        return False
    among = people if what == "alias" else objects
    if not among:
        return False
    one = among[which % len(among)]
    if what == "alias":
        await editing.add_alias(scope, one, address)
    elif what == "move":
        await edit_object(scope, one, GroupChanges(address=address))
    else:
        await remove_object(scope, one)
    return False


async def _check(store: Store) -> None:
    async with store.read() as session:
        rows = (await session.execute(select(AddressRow.key, AddressRow.object_id))).all()
        assert len({key for key, _ in rows}) == len(rows)
        own = {one for _, one in rows if one is not None}
        live = set(
            await session.scalars(select(ObjectRow.id).where(ObjectRow.removed_at.is_(None)))
        )
        assert live <= own
