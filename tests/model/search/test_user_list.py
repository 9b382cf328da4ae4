"""At which place of a list a user stands: the place at which the pages of the same list show it."""

from __future__ import annotations

import pytest

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.search.light_matrix import place
from mission_control_tui.model.search.user_list import page
from mission_control_tui.model.states import Light
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account
from tests.model.helpers import create, finish, named, own_seats

NAMES = ("zoe", "ada", "bob", "Ada", "Éva", "ada")


@pytest.fixture
async def people(store: Store, caller: Caller, account: Account, scope: AccountScope) -> list[str]:
    """Ids of users of whom some are called alike, one is disabled, one is in the bin, and two wait for a service."""
    await own_seats(store, caller, account, "managed-exchange", "pc-web")
    made = [
        await create(
            store,
            caller,
            account,
            named(f"user{number}", display_name=f"{name} Lovelace", disabled=number == 2),
        )
        for number, name in enumerate(NAMES)
    ]
    await deletion.delete_user(scope, made[0].id)
    await finish(store, caller, account)
    for user in made[3:5]:
        await provision(scope, user.id, [ActionParams("managed-exchange", "pc-web")])
    return [user.id for user in made]


@pytest.mark.parametrize(
    "asked",
    [
        UserFilter(),
        UserFilter("ada"),
        UserFilter("lovelace ada"),
        UserFilter(lights=frozenset({Light.ORANGE})),
        UserFilter("lovelace", frozenset({Light.ORANGE})),
        UserFilter(disabled=True),
        UserFilter(in_bin=True),
    ],
)
async def test_each_user_is_where_the_pages_show_it_and_the_others_are_nowhere(
    scope: AccountScope, people: list[str], asked: UserFilter
) -> None:
    shown = [row.id for row in (await page(scope, asked)).rows]
    assert shown
    for user in people:
        expected = shown.index(user) if user in shown else None
        assert await place(scope, user, asked) == expected
