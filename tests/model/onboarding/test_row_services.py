"""Services, levels and settings in the rows of an import: given with the user, or the row is refused."""

from __future__ import annotations

import pytest

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.onboarding.file_import import ImportResult, Passwords, run_import
from mission_control_tui.model.onboarding.files.read import read_users
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.search.user_list import page
from mission_control_tui.model.services import lights
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.views import Account, RevealedPassword
from tests.model.helpers import own_seats

pytestmark = pytest.mark.any_database

HEADINGS = "UPN,Display Name,Service,Level,Services,Settings\n"


async def given(scope: AccountScope, upn: str) -> dict[str, str]:
    views = await lights.status(scope, user=upn)
    return {view.service_id: view.level_id for view in views if view.level_id}


def wrong(result: ImportResult) -> dict[int, str]:
    return {bad.row.row: " | ".join(map(str, bad.problems)) for bad in result.refused}


async def test_rows_bring_services_levels_and_settings(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await own_seats(store, caller, account, "managed-exchange", "popx", 3)
    await own_seats(store, caller, account, "managed-exchange", "pc-web", 1)
    text = HEADINGS + (
        "a@acme.example,A,Managed Exchange,popx,,keep-copy=no\n"
        "b@acme.example,B,,pc-web,,\n"
        "c@acme.example,C,,,managed-exchange=popx,managed-exchange.quota=2048\n"
        "d@acme.example,D,,pc-web,,\n"
        "e@acme.example,E,,nosuch,,\n"
        "f@acme.example,F,managed-exchange,,,\n"
        "g@acme.example,G,managed-exchange,popx,,quota=nonsense\n"
        "h@acme.example,H,managed-exchange,popx,,nonsense\n"
        "i@acme.example,I,,,no-service=popx,\n"
        "j@acme.example,J,,,,\n"
        "k@acme.example,K,,popx,,\n"
        "l@acme.example,L,no-service,popx,,\n"
    )
    file = read_users(text.encode())
    tried = await run_import(scope, file, passwords=Passwords.GENERATE, dry_run=True)
    assert (await page(scope, UserFilter())).rows == ()
    assert {
        (line.service, line.level): (line.free_before, line.free_after) for line in tried.plan.seats
    } == {
        ("managed-exchange", "popx"): (3, 0),
        ("managed-exchange", "pc-web"): (1, 0),
    }
    assert len([line for line in tried.plan.lines if line.kind == "service"]) == 4
    outcome = await run_import(scope, file, passwords=Passwords.GENERATE)
    result = outcome.result
    assert result.created == tuple(f"{name}@acme.example" for name in "abcjk")
    assert wrong(result).keys() == wrong(tried.result).keys() == {5, 6, 7, 8, 9, 10, 13}
    assert "Level: there is no seat left of managed-exchange pc-web" in wrong(result)[5]
    assert "Level" in wrong(result)[6]
    assert "Level" in wrong(result)[7]
    assert "Settings" in wrong(result)[8]
    assert "Settings" in wrong(result)[9]
    assert "Services" in wrong(result)[10]
    assert ", Service: " in wrong(result)[13]
    assert await given(scope, "a@acme.example") == {"managed-exchange": "popx"}
    assert await given(scope, "b@acme.example") == {"managed-exchange": "pc-web"}
    assert await given(scope, "j@acme.example") == {}
    (view,) = await lights.status(scope, user="c@acme.example")
    assert view.settings["quota"] == 2048
    assert len(outcome.plan.requests) >= 4
    again = await run_import(scope, file, passwords=Passwords.GENERATE, update=True)
    assert (again.result.unchanged, again.result.differing) == (5, ())


async def test_existing_users_get_what_they_lack_only_with_update(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await own_seats(store, caller, account, "managed-exchange", "popx", 1)
    plain = read_users(b"UPN,Display Name\na@acme.example,A\n")
    await run_import(scope, plain, passwords=Passwords.GENERATE)
    file = read_users(b"UPN,Display Name,Level\na@acme.example,A,popx\n")
    (listed,) = (await run_import(scope, file)).result.differing
    assert dict(listed.after) == {"managed-exchange": "popx"}
    assert await given(scope, "a@acme.example") == {}
    await run_import(scope, file, update=True)
    assert await given(scope, "a@acme.example") == {"managed-exchange": "popx"}


async def test_passwords_of_services_are_kept_before_the_commit(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await own_seats(store, caller, account, "databases", "small", 2)
    text = "UPN,Display Name,Password,Services\na@acme.example,A,Correct-Horse-7,databases/shop=small\n"
    file = read_users(text.encode())
    with pytest.raises(UsageError, match="generated passwords"):
        await run_import(scope, file)
    assert (await page(scope, UserFilter())).rows == ()
    kept: list[RevealedPassword] = []
    await run_import(scope, file, passwords=Passwords.GENERATE, keep=kept.extend)
    assert [(new.upn, new.service_id, new.instance) for new in kept] == [
        ("a@acme.example", "databases", "shop")
    ]
    assert kept[0].login
