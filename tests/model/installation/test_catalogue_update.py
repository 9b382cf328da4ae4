"""The catalogue in force: versions by content, who is touched, what is refused, a last good one that stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import insert, select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue import in_force
from mission_control_tui.model.catalogue.diff import ChangeKind
from mission_control_tui.model.catalogue.file.shipped import shipped
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import Conflict, Denied, InvalidInput, NotFound, StoreError
from mission_control_tui.model.installation import catalogue_update
from mission_control_tui.model.orders.approval import decline_order
from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.orders.removing import remove
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.services import seats
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import Light, RequestKind, Word
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.installation import CatalogueVersionRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import change_wish, provision
from mission_control_tui.model.views import Account
from tests.model.conftest import make_account
from tests.model.helpers import create, finish, named

REGISTRANT = {"registrant-name": "Acme Pty Ltd", "registrant-email": "owner@acme.example"}


def without(*headings: str, text: str | None = None) -> str:
    """The shipped file without the tables ([[...]] to the next blank line) that hold one of these lines."""
    blocks = (text or shipped()).split("\n\n")
    kept = [block for block in blocks if not any(line in block.splitlines() for line in headings)]
    return "\n\n".join(kept)


def without_level(level: str) -> str:
    """Without a level of Managed Exchange and all that names it."""
    text = without(
        f'id = "{level}"', f"[services.options.per_level.{level}]", f'grants_level = "{level}"'
    )
    text = text.replace(f"per_level = {{ {level} = {{ default = true }} }}\n", "")
    return (
        text.replace(f'"{level}", ', "")
        .replace(f', "{level}"]', "]")
        .replace(f'levels = ["{level}"]\n', "")
    )


CHEAPER = shipped().replace("prices = { 1 = 300, 12 = 3300 }", "prices = { 1 = 250, 12 = 2750 }")


@pytest.mark.any_database
async def test_a_version_is_known_by_its_content(
    store: Store, caller: Caller, account: Account
) -> None:
    same = await catalogue_update.load(store, caller, shipped() + "\n# a comment\n", "again.toml")
    assert (same.result.number, same.result.changes) == (1, ())
    assert not same.plan.changes_anything
    done = await catalogue_update.load(store, caller, CHEAPER, "cheaper.toml")
    assert done.result.number == 2
    (change,) = done.result.changes
    assert change.change.path == "product email > level popx > prices"
    assert done.plan.lines[0].verb is PlanVerb.CHANGED
    force = await in_force.current(store)
    assert force.number == 2
    assert force.catalogue.product("email").level("popx").prices == {1: 250, 12: 2750}
    back = await catalogue_update.load(store, caller, shipped(), "back.toml")
    assert back.result.number == 3


@pytest.mark.any_database
async def test_looking_and_trying_write_nothing(
    store: Store, caller: Caller, account: Account
) -> None:
    seen = await catalogue_update.compare(store, caller, CHEAPER, "cheaper.toml")
    assert (seen.number, len(seen.changes), seen.refusals) == (1, 1, ())
    tried = await catalogue_update.load(store, caller, CHEAPER, "cheaper.toml", dry_run=True)
    assert (tried.applied, tried.result.number) == (False, 2)
    assert (await in_force.current(store)).number == 1


@pytest.mark.any_database
async def test_the_first_catalogue_is_all_new(store: Store, caller: Caller) -> None:
    seen = await catalogue_update.compare(store, caller, shipped(), "first.toml")
    assert seen.number == 0
    added = {
        change.change.path for change in seen.changes if change.change.kind is ChangeKind.ADDED
    }
    assert {"product email", "service databases"} <= added
    with pytest.raises(NotFound, match="no catalogue"):
        await in_force.current(store)
    await catalogue_update.load(store, caller, shipped(), "first.toml")
    assert (await in_force.current(store)).number == 1


@pytest.mark.any_database
async def test_a_bad_file_and_a_caller_without_all_accounts_change_nothing(
    store: Store, caller: Caller, account: Account
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await catalogue_update.load(store, caller, 'format = 1\ncurrency = "XXQ"\n', "bad.toml")
    assert len(caught.value.problems) > 1
    some = replace(caller, accounts=frozenset({account.id}))
    with pytest.raises(Denied):
        await catalogue_update.load(store, some, CHEAPER, "cheaper.toml")
    with pytest.raises(InvalidInput, match="connector"):
        await catalogue_update.load(
            store, caller, shipped(), "x.toml", connectors=["something-else"]
        )
    assert (await in_force.current(store)).number == 1


async def test_changes_name_the_users_that_they_touch(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await buy(scope, "email", level="popx", quantity=10)
    await buy(scope, "email", level="pc-web", quantity=10)
    for number in range(7):
        user = await create(store, caller, account, named(f"u{number}"))
        level = "popx" if number < 6 else "pc-web"
        await provision(scope, user.id, [ActionParams("managed-exchange", level)])
    changed = shipped().replace('limits = { protocols = ["pop", "web"] }', "limits = {}")
    seen = await catalogue_update.compare(store, caller, changed, "changed.toml")
    (touched,) = seen.changes
    assert touched.change.path == "service managed-exchange > level popx > limits"
    assert touched.users == 6
    assert touched.first == tuple(f"u{number}@acme.example" for number in range(5))
    # One user who is at one level and will be at another is touched by changes of either, once.
    await finish(store, caller, account)
    await provision(scope, "u0", [ActionParams("managed-exchange", "pc-web")])
    seen = await catalogue_update.compare(store, caller, changed, "changed.toml")
    assert seen.changes[0].users == 6
    renamed = shipped().replace("name_limit = 20 ", "name_limit = 19 ")
    (touched,) = (await catalogue_update.compare(store, caller, renamed, "x.toml")).changes
    assert touched.users == 0


async def test_what_is_in_use_cannot_vanish(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    smaller = without_level("popx")

    async def refused() -> set[str]:
        seen = await catalogue_update.compare(store, caller, smaller, "smaller.toml")
        return {problem.where for problem in seen.refusals}

    assert await refused() == set()
    await buy(scope, "email", level="popx", quantity=2)
    user = await create(store, caller, account)
    await provision(scope, user.id, [ActionParams("managed-exchange", "popx")])
    both = {"service managed-exchange > level popx", "product email > level popx"}
    assert await refused() == both
    with pytest.raises(Conflict) as caught:
        await catalogue_update.load(store, caller, smaller, "smaller.toml")
    assert {problem.where for problem in caught.value.problems} == both
    assert (await in_force.current(store)).number == 1

    await finish(store, caller, account)
    kind = RequestKind.DEPROVISION
    await change_wish(scope, user.id, "managed-exchange", kind)
    assert await refused() == both
    await finish(store, caller, account)
    await give_back_seats(store, caller, account)
    assert await refused() == both, "bought still"
    await remove(scope, "email")
    assert await refused() == set()
    await catalogue_update.load(store, caller, smaller, "smaller.toml")
    assert (await in_force.current(store)).number == 2


async def test_an_observed_level_is_in_use_after_the_wish_moved_on(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    for level in ("popx", "pc-web"):
        await buy(scope, "email", level=level)
    user = await create(store, caller, account)
    await provision(scope, user.id, [ActionParams("managed-exchange", "popx")])
    await finish(store, caller, account)
    await provision(scope, user.id, [ActionParams("managed-exchange", "pc-web")])
    seen = await catalogue_update.compare(store, caller, without_level("popx"), "smaller.toml")
    assert "service managed-exchange > level popx" in {one.where for one in seen.refusals}


async def test_options_and_extensions_in_use_cannot_vanish(
    store: Store, caller: Caller, scope: AccountScope
) -> None:
    smaller = without('id = "auto-renew"', 'id = "com"')
    assert (await catalogue_update.compare(store, caller, smaller, "x.toml")).refusals == ()
    await buy(scope, "domain-names", domain="acme.com", fields=REGISTRANT)
    seen = await catalogue_update.compare(store, caller, smaller, "x.toml")
    assert {problem.where for problem in seen.refusals} == {
        "service domain-registration > option auto-renew",
        "product domain-names > extension com",
    }


async def test_an_order_that_waits_for_approval_holds_what_it_is_about(
    store: Store, caller: Caller, scope: AccountScope
) -> None:
    fields = {**REGISTRANT, "eligibility-type": "other", "eligibility-number": "51824753556"}
    order = (await buy(scope, "domain-names", domain="acme.com.au", fields=fields)).result
    smaller = without('id = "com-au"').replace('"com-au", ', "")
    seen = await catalogue_update.compare(store, caller, smaller, "x.toml")
    assert "product domain-names > extension com-au" in {one.where for one in seen.refusals}
    await decline_order(scope, order.id, "no")
    assert (await catalogue_update.compare(store, caller, smaller, "x.toml")).refusals == ()


@pytest.mark.any_database
async def test_a_version_that_cannot_be_read_leaves_the_last_good_one(
    store: Store, caller: Caller, account: Account
) -> None:
    good = await in_force.current(store)
    async with store.write(caller) as tx:
        await tx.session.execute(
            insert(CatalogueVersionRow).values(
                number=2,
                digest="of a newer program" + store.shown_url[-8:],
                document='{"format": 99, "catalogue": {}}',
                source="newer",
                loaded_at=tx.now,
                operator="otto",
            )
        )
    with pytest.raises(StoreError, match="newer"):
        await in_force.current(store)
    kept = await in_force.current(store, good)
    assert (kept.number, kept.catalogue) == (1, good.catalogue)
    assert "newer" in kept.problem
    again = await in_force.current(store, kept)
    assert again.problem == kept.problem


@pytest.mark.any_database
async def test_a_withdrawn_level_stays_for_its_holders(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await buy(scope, "email", level="popx", quantity=3)
    user = await create(store, caller, account)
    await provision(scope, user.id, [ActionParams("managed-exchange", "popx")])
    await finish(store, caller, account)
    level = 'id = "popx"\nname = "Standard Mail (POPX)"\n'
    marked = shipped().replace(level, f"{level}withdrawn = true\n")
    done = await catalogue_update.load(store, caller, marked, "withdrawn.toml")
    assert {one.change.kind for one in done.result.changes} == {ChangeKind.WITHDRAWN}
    assert max(one.users for one in done.result.changes) == 1
    with pytest.raises(InvalidInput, match="no longer sold"):
        await buy(scope, "email", level="popx")
    other = await create(store, caller, account, named("bob"))
    with pytest.raises(Conflict, match="withdrawn"):
        await provision(scope, other.id, [ActionParams("managed-exchange", "popx")])
    kept = await provision(
        scope, user.id, [ActionParams("managed-exchange", settings={"quota": 200})]
    )
    assert kept.result[0].level_id == "popx"
    await remove(scope, "email", quantity=2)


async def test_another_connector_leaves_no_light_green(
    sqlite_store: Store, caller: Caller, catalogue: Catalogue
) -> None:
    store = sqlite_store
    account = await make_account(store, caller, catalogue, "acme", "acme.example")
    await buy(AccountScope(store, caller, account.id), "email", level="popx")
    user = await create(store, caller, account)
    await provision(
        AccountScope(store, caller, account.id), user.id, [ActionParams("managed-exchange", "popx")]
    )
    await finish(store, caller, account)
    mail = 'description = "A mailbox with calendar and contacts."\nconnector = "'
    moved = shipped().replace(f"{mail}simulator", f"{mail}elsewhere")
    await catalogue_update.load(store, caller, moved, "moved.toml", dry_run=True)
    (before,) = await status(AccountScope(store, caller, account.id))
    assert before.light is Light.GREEN
    await catalogue_update.load(store, caller, moved, "moved.toml")
    (after,) = await status(AccountScope(store, caller, account.id))
    assert (after.connector, after.light, after.word) == (
        "elsewhere",
        Light.ORANGE,
        Word.NOT_CHECKED,
    )


async def give_back_seats(store: Store, caller: Caller, account: Account) -> None:
    """As a worker does when it has seen that a service is gone."""
    async with store.write(caller, account.id) as tx:
        for row in await tx.session.scalars(select(AssignmentRow)):
            await seats.release(tx.session, row.id)
