"""A password that no back end ever got is kept for the one that will; what a reset does to others is said."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.recycle_bin import deletion, purge
from mission_control_tui.model.services import sealed_passwords
from mission_control_tui.model.states import Light, Wish
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import deprovision_all, provision
from mission_control_tui.model.views import Account, UserView
from tests.model.helpers import create, finish, own_seats, secrets_kept

pytestmark = pytest.mark.any_database
MAIL = ActionParams("managed-exchange", "pc-web")


@pytest.fixture
async def user(store: Store, caller: Caller, account: Account) -> UserView:
    """Ada, who has a password and no service."""
    await own_seats(store, caller, account, "managed-exchange", "pc-web")
    return await create(store, caller, account)


async def end(store: Store, caller: Caller, account: Account, *, delivered: bool) -> None:
    """The back end reached what is wished: as a worker leaves the password then."""
    async with store.write(caller, account.id) as tx:
        for row in await tx.session.scalars(select(AssignmentRow)):
            await sealed_passwords.let_go(tx, row, delivered=delivered)
            row.light = Light.GREEN if row.wish == Wish.PRESENT else Light.GREY
            row.observed_wish = row.wish


async def test_delete_and_restore_keep_it_until_the_purge(
    store: Store, scope: AccountScope, user: UserView
) -> None:
    await deletion.delete_user(scope, user.id)
    restored = await deletion.restore_user(scope, user.id)
    assert restored.result.password_waiting
    await provision(scope, user.id, [MAIL])
    assert await secrets_kept(store) == 1


async def test_a_purge_wipes_it(store: Store, scope: AccountScope, user: UserView) -> None:
    await deletion.delete_user(scope, user.id)
    assert await secrets_kept(store) == 1
    await purge.purge_user(scope, user.id)
    assert await secrets_kept(store) == 0


async def test_a_deprovision_after_a_failure_keeps_it(
    store: Store, caller: Caller, account: Account, scope: AccountScope, user: UserView
) -> None:
    await provision(scope, user.id, [MAIL])
    await deprovision_all(scope, user.id)
    await end(store, caller, account, delivered=False)
    assert await secrets_kept(store) == 1
    await provision(scope, user.id, [MAIL])
    await end(store, caller, account, delivered=True)
    assert await secrets_kept(store) == 0, "the back end has it"
    async with store.read() as session:
        assert await session.scalar(select(UserRow.secret_id)) is None


async def test_what_a_reset_does_to_others_is_said(
    store: Store, caller: Caller, account: Account, scope: AccountScope, user: UserView
) -> None:
    await provision(scope, user.id, [MAIL])
    await end(store, caller, account, delivered=True)
    await finish(store, caller, account)
    async with store.write(caller, account.id) as tx:
        row = (await tx.session.scalars(select(AssignmentRow))).one()
        row.service_id = "elsewhere"
        row.instance = "other"
    with pytest.raises(Conflict) as refused:
        await provision(scope, user.id, [MAIL])
    assert "Reset the password" in refused.value.hint
    async with store.write(caller, account.id) as tx:
        row = (await tx.session.scalars(select(AssignmentRow))).one()
        row.service_id = "managed-exchange"
    with pytest.raises(Conflict) as refused:
        await provision(scope, user.id, [MAIL])
    assert "A reset changes it for Managed Exchange as well" in refused.value.hint
