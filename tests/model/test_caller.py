"""What a caller reaches: nothing of accounts that are not theirs, no change where they may only look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from mission_control_tui.model.accounts import contacts, domain_overview, overview, seat_usage
from mission_control_tui.model.accounts import editing as accounts
from mission_control_tui.model.accounts.contacts import Contact, ContactRole
from mission_control_tui.model.accounts.search import find_accounts
from mission_control_tui.model.billing import statements
from mission_control_tui.model.bulk import control as bulks
from mission_control_tui.model.bulk import planning, queries, retry, targets
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import Denied, MissionControlError, NotFound
from mission_control_tui.model.groups import editing as objects
from mission_control_tui.model.groups import queries as object_views
from mission_control_tui.model.history import audit_log as audit
from mission_control_tui.model.history import undo
from mission_control_tui.model.onboarding import paste, template_content, templates
from mission_control_tui.model.onboarding.pasted_list import read_list
from mission_control_tui.model.onboarding.template_content import TemplateContent
from mission_control_tui.model.operators import drafts, recents
from mission_control_tui.model.orders import approval
from mission_control_tui.model.recycle_bin import deletion, purge
from mission_control_tui.model.schedules import editing as schedules
from mission_control_tui.model.schedules import queries as schedule_queries
from mission_control_tui.model.search import light_matrix
from mission_control_tui.model.search.anyone import find_anyone
from mission_control_tui.model.search.filters import ALL
from mission_control_tui.model.states import BulkState
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.bulk import BulkRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.views import Account
from tests.model.conftest import make_account
from tests.model.helpers import ada, create, own_seats

pytestmark = pytest.mark.any_database

LATER, EVEN_LATER = "+30d", "+31d"
SECRETS = ("globex", "Globex", "Grace", "grace", "Hopper")


@dataclass(frozen=True, slots=True)
class World:
    """Two accounts in one store: `theirs` has one of everything, `mine` has nobody."""

    store: Store
    anna: Caller
    mine: Account
    theirs: Account
    user: str
    bulk: int
    passwords: int
    schedule: int
    object: str
    audit: int
    draft: int


@pytest.fixture
async def world(sqlite_store: Store, caller: Caller, catalogue: Catalogue) -> World:
    store = sqlite_store
    mine = await make_account(store, caller, catalogue, "acme", "acme.example")
    theirs = await make_account(store, caller, catalogue, "globex", "globex.example")
    scope = AccountScope(store, caller, theirs.id)
    await own_seats(store, caller, theirs, "managed-exchange", "popx")
    details = ada(
        upn="grace@globex.example",
        username="grace",
        first_names="Grace",
        last_name="Hopper",
        display_name="Grace Hopper",
    )
    user = (await create(store, caller, theirs, details)).id
    give = ActionParams("managed-exchange", "popx")
    bulk = (await bulks.start(scope, [user], "provision", give)).result.id
    passwords = (await bulks.start(scope, [user], "password")).result.id
    schedule = (await schedules.schedule(scope, user, "disable", None, LATER)).result.id
    group = await objects.create_object(
        scope, "mail-contact", "Grace outside", "grace@elsewhere.example", settings={}
    )
    await templates.save_template(scope, "Graces", user=user)
    draft = await drafts.save_draft(scope, "edit-user", {"title": "Rear Admiral"}, subject=user)
    (row,) = await audit.entries(scope, user=user, action="create user")
    return World(
        *(store, caller, mine, theirs, user, bulk, passwords, schedule),
        *(group.result.id, row.id, draft),
    )


Call = Callable[[World, AccountScope], Awaitable[object]]

READS: dict[str, Call] = {
    "account": lambda w, s: overview.show(s),
    "domains": lambda w, s: domain_overview.account_domains(s),
    "resolve": lambda w, s: accounts.resolve_account(s.store, s.caller, s.account),
    "limit": lambda w, s: approval.approval_limit(s),
    "audit": lambda w, s: audit.entries(s),
    "audit count": lambda w, s: audit.count_entries(s),
    "bulks": lambda w, s: queries.list_bulks(s),
    "contacts": lambda w, s: contacts.list_contacts(s),
    "matrix": lambda w, s: light_matrix.columns(s),
    "matrix ids": lambda w, s: light_matrix.ids(s),
    "objects": lambda w, s: object_views.list_objects(s),
    "bin": lambda w, s: purge.list_bin(s, bin_days=30),
    "schedules": lambda w, s: schedule_queries.list_schedules(s),
    "when": lambda w, s: schedules.when(s, "tomorrow"),
    "statements": lambda w, s: statements.list_statements(s),
    "statement": lambda w, s: statements.statement(s),
    "templates": lambda w, s: templates.list_templates(s),
    "usage": lambda w, s: seat_usage.usage(s),
    "drafts": lambda w, s: drafts.list_drafts(s.store, s.caller, account=s.account),
    "remember": lambda w, s: recents.remember(s.store, s.caller, w.theirs.id),
    "pick": lambda w, s: targets.order(s, ALL, "disable"),
    "preview": lambda w, s: paste.preview(
        s, read_list("Ann Other"), paste.PasteChoices("globex.example")
    ),
}
"""What only looks at an account."""

OF_ONE: dict[str, Call] = {
    "bulk": lambda w, s: queries.show(s, w.bulk),
    "items": lambda w, s: queries.items(s, w.bulk),
    "bulk plan": lambda w, s: planning.plan(s, [w.user], "disable"),
    "bulk chosen": lambda w, s: targets.order(s, [w.user], "disable"),
    "retry plan": lambda w, s: retry.retry_plan(s, [w.user]),
    "undo plan": lambda w, s: undo.undo_plan(s, w.bulk),
    "schedule": lambda w, s: schedule_queries.show_schedule(s, w.schedule),
    "schedules of": lambda w, s: schedule_queries.list_schedules(s, user=w.user),
    "object": lambda w, s: object_views.show_object(s, w.object),
    "template": lambda w, s: templates.show_template(s, "Graces"),
    "like": lambda w, s: template_content.like(s, w.user),
    "audit of": lambda w, s: audit.entries(s, user=w.user),
}
"""What only looks at one thing of an account."""

CHANGES: dict[str, Call] = {
    "attend": lambda w, s: attended(w, s),  # noqa: PLW0108 - it stands below
    "start": lambda w, s: bulks.start(s, [w.user], "disable"),
    "stop": lambda w, s: bulks.stop(s, w.bulk, cancel_queued=True),
    "resume": lambda w, s: bulks.resume(s, w.passwords),
    "undo bulk": lambda w, s: undo.undo(s, bulk=w.bulk),
    "undo": lambda w, s: undo.undo(s, audit=w.audit),
    "schedule": lambda w, s: schedules.schedule(s, w.user, "disable", None, LATER),
    "reschedule": lambda w, s: schedules.change_schedule(s, w.schedule, when=EVEN_LATER),
    "unschedule": lambda w, s: schedules.cancel_schedule(s, w.schedule),
    "edit object": lambda w, s: objects.edit_object(
        s, w.object, objects.GroupChanges(name="Taken")
    ),
    "remove object": lambda w, s: objects.remove_object(s, w.object),
    "restore object": lambda w, s: objects.restore_object(s, w.object),
    "template like": lambda w, s: templates.save_template(s, "New", user=w.user),
    "rename template": lambda w, s: templates.rename_template(s, "Graces", "Mine"),
    "remove template": lambda w, s: templates.remove_template(s, "Graces"),
    "delete": lambda w, s: deletion.delete_user(s, w.user),
    "restore": lambda w, s: deletion.restore_user(s, w.user),
    "purge": lambda w, s: purge.purge_user(s, w.user),
    "approve": lambda w, s: approval.approve_order(s, 1),
    "decline": lambda w, s: approval.decline_order(s, 1, "no"),
    "cancel order": lambda w, s: approval.cancel_order(s, 1),
}
"""What changes one thing of an account."""

CHANGES_OF_ACCOUNTS: dict[str, Call] = {
    "contacts": lambda w, s: contacts.set_contacts(s, [Contact(ContactRole.PRIMARY, "Somebody")]),
    "edit account": lambda w, s: accounts.edit_account(s, version=1, name="Taken"),
    "approval": lambda w, s: approval.set_approval_limit(s, None),
    "template": lambda w, s: templates.save_template(
        s, "New", TemplateContent({"department": "Sales"}, ())
    ),
    "object": lambda w, s: objects.create_object(
        s, "mail-contact", "Someone", "someone@elsewhere.example"
    ),
    "paste": lambda w, s: paste.paste(
        s, read_list("Ann Other"), paste.PasteChoices("globex.example")
    ),
}
"""What changes an account without naming anything that it has."""


async def attended(w: World, s: AccountScope) -> int:
    """How many items were done by attending the bulk that makes passwords."""
    done = 0
    async for one in bulks.attend(s, w.passwords):
        done += one.items
    return done


def said(error: MissionControlError) -> str:
    return " ".join([str(error), error.what, error.hint, *map(str, error.problems)])


async def refusal(world: World, call: Call, caller: Caller, account: int) -> str:
    """What it is refused with, after its type; "done" where it is not."""
    before = await audit.count_entries(AccountScope(world.store, world.anna, world.theirs.id))
    try:
        await call(world, AccountScope(world.store, caller, account))
    except MissionControlError as error:
        text = f"{type(error).__name__} {said(error)}"
    else:
        text = "done"
    after = await audit.count_entries(AccountScope(world.store, world.anna, world.theirs.id))
    return text if after == before else f"changed, {text}"


@pytest.mark.parametrize("sees", ["nothing", "another"])
async def test_nobody_reaches_an_account_that_is_not_theirs(world: World, sees: str) -> None:
    mine = frozenset({world.mine.id}) if sees == "another" else frozenset()
    limited = replace(world.anna, accounts=mine)
    calls = READS | OF_ONE | CHANGES | CHANGES_OF_ACCOUNTS
    texts = {
        name: await refusal(world, call, limited, world.theirs.id) for name, call in calls.items()
    }
    wrong = {
        name: text
        for name, text in texts.items()
        if not text.startswith(("Denied", "NotFound")) or any(one in text for one in SECRETS)
    }
    assert not wrong


async def test_ids_of_another_account_are_nothing_in_ones_own(world: World) -> None:
    calls = OF_ONE | CHANGES
    texts = {
        name: await refusal(world, call, world.anna, world.mine.id) for name, call in calls.items()
    }
    wrong = {
        name: text
        for name, text in texts.items()
        if not text.startswith("NotFound")
        or any(one in text.replace("'Graces'", "") for one in SECRETS)
    }
    assert not wrong


async def test_who_may_only_look_changes_nothing(world: World) -> None:
    looking = replace(world.anna, may_write=False)
    calls = CHANGES | CHANGES_OF_ACCOUNTS
    texts = {
        name: await refusal(world, call, looking, world.theirs.id) for name, call in calls.items()
    }
    wrong = {
        name: text for name, text in texts.items() if not text.startswith("Denied This session")
    }
    assert not wrong
    async with world.store.read() as session:
        row = await session.get_one(BulkRow, world.passwords)
        assert row.state == BulkState.ATTENDED


async def test_a_wrong_account_names_only_those_that_may_be_seen(world: World) -> None:
    limited = replace(world.anna, accounts=frozenset({world.mine.id}))
    for key in ("nosuch", 99):
        with pytest.raises(NotFound, match=r"There is acme \(") as refused:
            await overview.show(AccountScope(world.store, limited, key))
        assert not [one for one in SECRETS if one in said(refused.value)]
    with pytest.raises(Denied, match="globex"):
        await overview.show(AccountScope(world.store, limited, "globex"))


async def test_finding_and_recents_show_nobody_of_other_accounts(world: World) -> None:
    limited = replace(world.anna, accounts=frozenset({world.mine.id}))
    await recents.remember(world.store, world.anna, world.theirs.id, world.user)
    await recents.remember(world.store, limited, world.mine.id, world.user)
    for caller in (limited, replace(limited, accounts=frozenset())):
        for query in ("grace", "grace@globex.example", "rac", "hopper", "globex"):
            found = await find_anyone(world.store, caller, query, current=world.theirs.id)
            assert found.users == ()
            assert not found.more
        assert await recents.recent_users(world.store, caller) == ()
        assert await find_accounts(world.store, caller, "globex") == ()
        assert world.theirs not in await recents.recent_accounts(world.store, caller)
        assert await drafts.list_drafts(world.store, caller) == ()
        with pytest.raises(NotFound):
            await drafts.show_draft(world.store, caller, world.draft)
        with pytest.raises(NotFound):
            await drafts.discard_draft(world.store, caller, world.draft)


async def test_the_middle_of_a_word_is_found_past_many_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others whom one may not see take no places and are not said to be there."""
    monkeypatch.setattr("mission_control_tui.model.search.anyone.CANDIDATES", 1)
    limited = replace(world.anna, accounts=frozenset({world.mine.id}))
    assert not (await find_anyone(world.store, limited, "oppe")).more
    await create(world.store, world.anna, world.mine, ada(display_name="Ann Shopper"))
    (hit,) = (await find_anyone(world.store, limited, "oppe")).users
    assert hit.display_name == "Ann Shopper"
