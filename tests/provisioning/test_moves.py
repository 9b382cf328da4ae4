"""A service that goes to another connector: made there first, then taken away where it was; nothing is done twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from mission_control_tui.model.errors import Conflict, UsageError
from mission_control_tui.model.history.undo import undo
from mission_control_tui.model.placement import Placement
from mission_control_tui.model.requests import control as requests
from mission_control_tui.model.requests.drift import known_at
from mission_control_tui.model.services.kept_settings import keep_declaration
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.services.subjects import user_subject
from mission_control_tui.model.services.users_password import PasswordNotKept
from mission_control_tui.model.services.wishes import ExistingObject
from mission_control_tui.model.states import Light, RequestKind, RequestState, Wish, Word
from mission_control_tui.model.store.lookups import user_row
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.actions.base import HasNoService, action_context
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.giving import provision_in
from mission_control_tui.model.users.passwords import set_password
from mission_control_tui.model.users.provisioning import change_wish, move, provision
from mission_control_tui.provisioning.backends import Backends
from mission_control_tui.provisioning.drift import orphans_at
from mission_control_tui.settings.settings import load
from tests.provisioning.mails import DOWN, MAILS, Mails, configure_wholes, given_at
from tests.provisioning.support import EXCHANGE, LARGE, PASSWORD, SMALL, worker
from tests.provisioning.test_retention import keeps

pytestmark = pytest.mark.any_database


async def test_it_is_made_there_and_then_taken_away_where_it_was(mails: Mails) -> None:
    ada = await given_at(mails, "mail-1")
    held = await mails.world.held()
    tried = await move(
        mails.scope, ada, ActionParams(EXCHANGE, on="mail-2", new_password=True), dry_run=True
    )
    line = next(line for line in tried.plan.lines if "connector" in line.after)
    assert line.before == {"connector": "mail-1"}
    assert line.after == {"connector": "mail-2", "left at mail-1": "removed once it is there"}
    assert any("not carried along" in said for said in tried.plan.lost)
    await mails.move(ada, "mail-2", new_password=True)
    with worker(mails.world, "second"):
        await mails.world.settled()
    rows = await mails.rows()
    assert (rows["mail-2"].light, rows["mail-2"].marked) == (Light.GREEN, "")
    assert (rows["mail-1"].light, rows["mail-1"].wish) == (Light.GREY, Wish.ABSENT)
    assert mails.done("mail-1")[-1] == "removed"
    assert "created" in mails.done("mail-2")
    assert await mails.world.held() == held
    shown = await status(mails.scope, user=ada)
    assert [view.connector for view in shown if view.service_id == EXCHANGE] == ["mail-2"]


async def test_a_server_that_is_gone_holds_up_its_own_removal_and_nothing_else(
    mails: Mails,
) -> None:
    ada = await given_at(mails, "mail-1")
    mails.rules("mail-1", DOWN)
    await mails.move(ada, "mail-2", new_password=True)
    with worker(mails.world, "second"):

        async def there() -> bool:
            rows = await mails.rows()
            return rows["mail-2"].light == Light.GREEN and "Refused" in rows["mail-1"].step

        await mails.world.until(there)
        assert (await mails.rows())["mail-1"].light == Light.ORANGE
        mails.rules("mail-1")
        await mails.world.settled()
    assert (await mails.rows())["mail-1"].light == Light.GREY


async def test_what_fails_there_leaves_what_it_was_and_goes_back(mails: Mails) -> None:
    ada = await given_at(mails, "mail-1")
    mails.rules(
        "mail-2", '[[rule]]\nid = "no"\ncall = "apply"\nfail = "invalid"\nsaid = "No room"\n'
    )
    await mails.move(ada, "mail-2", new_password=True)
    with worker(mails.world, "second"):
        await mails.until_red("mail-2")
        assert (await mails.rows())["mail-1"].step == (
            "Waits for Managed Exchange, which failed: No room"
        )
        assert "removed" not in mails.done("mail-1")
        mails.rules("mail-2")
        await mails.move(ada, "mail-1")
        await mails.world.settled()
    rows = await mails.rows()
    assert (rows["mail-1"].light, rows["mail-1"].marked) == (Light.GREEN, "")
    assert rows["mail-2"].light == Light.GREY
    assert mails.done("mail-1").count("created") == 1


async def test_a_move_that_is_cancelled_goes_back_and_removes_nothing(mails: Mails) -> None:
    ada = await given_at(mails, "mail-1")
    number = await mails.move(ada, "mail-2", new_password=True)
    await requests.cancel(mails.scope, number)
    assert (await mails.world.request(number)).state == RequestState.CANCELLED
    rows = await mails.rows()
    assert rows["mail-1"].marked == ""
    assert rows["mail-1"].light == Light.ORANGE, "it is looked at again"
    assert {name for name in rows if name in MAILS} == {"mail-1"}, "nothing was ever there"
    with worker(mails.world, "second"):
        await mails.world.settled()
    assert (await mails.rows())["mail-1"].light == Light.GREEN
    assert "removed" not in mails.done("mail-1")
    assert mails.done("mail-2") == []


async def test_what_is_kept_for_days_comes_back_by_a_move_back_or_an_undo(mails: Mails) -> None:
    await keeps(mails.world)
    ada = await given_at(mails, "mail-1")
    number = await mails.move(ada, "mail-2", new_password=True)
    with worker(mails.world, "second"):
        await mails.world.settled()
        rows = await mails.rows()
        assert rows["mail-1"].kept_until > 0
        assert "removed" not in mails.done("mail-1")
        shown = await status(mails.scope, user=ada)
        assert {view.instance for view in shown if view.service_id == EXCHANGE} == {
            "",
            "left at mail-1",
        }
        with pytest.raises(Conflict, match="has Managed Exchange elsewhere"):
            await provision(mails.scope, ada, [ActionParams(EXCHANGE, instance="left at mail-1")])
        assert await known_at(
            mails.world.store, mails.world.caller, {"mail-1"}, {rows["mail-2"].id}
        ) == {rows["mail-2"].id}, "what is kept there is no orphan"
        undone = await undo(mails.scope, request=number)
        assert any("gets back what" in said for said in undone.plan.warnings)
        await mails.world.settled()
    rows = await mails.rows()
    assert (rows["mail-1"].light, rows["mail-1"].marked) == (Light.GREEN, "")
    assert (rows["mail-2"].light, rows["mail-2"].kept_until > 0) == (Light.GREY, True)
    assert mails.done("mail-1").count("created") == 1
    assert len([row for row in rows.values() if row.marked]) == 1
    await change_wish(
        mails.scope, ada, EXCHANGE, RequestKind.DEPROVISION, instance="left at mail-2", at_once=True
    )
    with worker(mails.world, "third"):
        await mails.world.settled()
    assert mails.done("mail-2")[-1] == "removed"


async def test_what_is_wished_on_the_way_holds_there_and_a_deprovision_ends_both(
    mails: Mails,
) -> None:
    ada = await given_at(mails, "mail-1")
    await mails.move(ada, "mail-2", new_password=True)
    await mails.world.give(ada, LARGE)
    with worker(mails.world, "second"):
        await mails.world.settled()
    assert (await mails.rows())["mail-2"].observed_level == LARGE
    assert (await mails.rows())["mail-1"].light == Light.GREY
    await mails.move(ada, "mail-3", new_password=True)
    await mails.world.turn(ada, RequestKind.DEPROVISION)
    with worker(mails.world, "third"):
        await mails.world.settled()
    assert {row.light for row in (await mails.rows()).values()} == {Light.GREY}
    assert mails.done("mail-2")[-1] == "removed"


async def test_a_change_that_is_cancelled_on_the_way_shows_no_green_of_where_it_was(
    mails: Mails,
) -> None:
    ada = await given_at(mails, "mail-1")
    await mails.move(ada, "mail-2", new_password=True)
    change = await mails.world.give(ada, LARGE)
    assert change.request_id is not None
    await requests.cancel(mails.scope, change.request_id)
    row = (await mails.rows())["mail-2"]
    assert (row.light, row.word) == (Light.ORANGE, Word.NOT_CHECKED)


async def test_where_it_cannot_go(mails: Mails) -> None:
    ada = await given_at(mails, "mail-1")
    with pytest.raises(PasswordNotKept) as refused:
        await mails.move(ada, "mail-2")
    assert "--reset-password" in refused.value.hint
    with pytest.raises(UsageError, match="elsewhere does not serve"):
        await mails.move(ada, "elsewhere")
    same = await move(mails.scope, ada, ActionParams(EXCHANGE, on="mail-1"))
    assert same.result[0].request_id is None
    (ben,) = await mails.world.people("ben")
    with pytest.raises(HasNoService):
        await mails.move(ben, "mail-2")
    mails.world.store.placements = {}
    with pytest.raises(UsageError, match="there is nowhere to move it"):
        await mails.move(ada, "mail-2")


async def test_a_connector_that_sets_no_password_needs_none(mails: Mails) -> None:
    ada = await given_at(mails, "mail-1")
    await keep_declaration(mails.world.store, "mail-2", None, password=False)
    await mails.move(ada, "mail-2")


async def test_a_part_that_both_have_stays_and_the_other_goes_along_with_its_mark(
    mails: Mails,
) -> None:
    world = mails.world
    configure_wholes(mails)
    (ada,) = await world.people("ada")
    given = await world.give(ada)
    assert given.connector == "exchange-1"
    with worker(world, "first"):
        await world.settled()
        await mails.move(ada, "exchange-2", new_password=True)
        await world.settled()
        assert [one for one in mails.done("directory") if one in {"created", "removed"}] == [
            "created"
        ]
        assert mails.done("mail-1")[-1] == "removed"
        rows = await mails.rows()
        assert {name: str(row.light) for name, row in rows.items()} == {
            "exchange-2": "green",
            "mail-1": "grey",
        }
        await mails.move(ada, "exchange-1", new_password=True)
        await world.settled()
    rows = await mails.rows()
    assert {name: row.marked == "" for name, row in rows.items()} == {
        "exchange-1": True,
        "mail-2": False,
    }
    assert mails.done("mail-1").count("created") == 2


async def test_a_shared_part_stays_also_where_the_composite_before_is_out_of_the_placement(
    mails: Mails,
) -> None:
    configure_wholes(mails)
    (ada,) = await mails.world.people("ada")
    await mails.world.give(ada)
    with worker(mails.world, "first"):
        await mails.world.settled()
    configure_wholes(mails, ["exchange-2"])
    await mails.move(ada, "exchange-2", new_password=True)
    with worker(mails.world, "second"):
        await mails.world.settled()
    assert "removed" not in mails.done("directory")
    assert mails.done("mail-1")[-1] == "removed"
    assert {name: str(row.light) for name, row in (await mails.rows()).items()} == {
        "exchange-2": "green",
        "mail-1": "grey",
    }


async def test_it_cannot_leave_what_the_settings_do_not_know_any_more(mails: Mails) -> None:
    ada = await given_at(mails, "mail-1")
    mails.world.store.placements = {EXCHANGE: Placement(MAILS[1:])}
    with pytest.raises(Conflict, match="have no connector mail-1"):
        await mails.move(ada, "mail-2", new_password=True)
    mails.world.store.placements = {EXCHANGE: Placement(MAILS[1:], others=frozenset({"mail-1"}))}
    await mails.move(ada, "mail-2", new_password=True)


async def test_what_is_given_anew_beside_what_a_move_left_is_not_removed_with_it(
    mails: Mails,
) -> None:
    world = mails.world
    await keeps(world)
    configure_wholes(mails)
    (ada,) = await world.people("ada")
    await world.give(ada)
    with worker(world, "first"):
        await world.settled()
        await mails.move(ada, "exchange-2", new_password=True)
        await world.settled()
        await change_wish(mails.scope, ada, EXCHANGE, RequestKind.DEPROVISION, at_once=True)
        await world.settled()
        configure_wholes(mails, ["exchange-1"])
        await set_password(mails.scope, ada, PASSWORD)
        await world.give(ada)
        await world.settled()
    rows = await mails.rows()
    assert rows["exchange-1"].light == Light.GREEN
    assert rows["mail-1"].kept_until > 0
    assert rows["exchange-1"].backend_name != rows["mail-1"].backend_name


async def test_a_removal_that_is_asked_for_again_still_waits_for_what_moved(mails: Mails) -> None:
    ada = await given_at(mails, "mail-1")
    mails.rules(
        "mail-2", '[[rule]]\nid = "no"\ncall = "apply"\nfail = "invalid"\nsaid = "No room"\n'
    )
    number = await mails.move(ada, "mail-2", new_password=True)
    with worker(mails.world, "second"):
        await mails.until_red("mail-2")
    removal = number + 1
    assert (await mails.world.request(removal)).kind == RequestKind.DEPROVISION
    await requests.reset(mails.scope, removal)
    (again,) = (await requests.retry(mails.scope, removal)).result
    assert (await mails.world.request(again)).state == RequestState.WAITING
    with worker(mails.world, "third"):
        await requests.retry(mails.scope, number)
        await mails.until_red("mail-2")
    assert "removed" not in mails.done("mail-1")


async def test_what_is_at_a_composite_that_the_settings_lost_is_no_orphan_of_its_parts(
    mails: Mails,
) -> None:
    world = mails.world
    configure_wholes(mails)
    (ada,) = await world.people("ada")
    await world.give(ada)
    with worker(world, "first"):
        await world.settled()
    world.configure(more=[*mails.lines, "[connectors.directory]", *mails.simulator("directory")])
    backends = Backends(load(), world.store.installation)
    try:
        found, gap = await orphans_at(world.store, world.caller, backends, "directory")
    finally:
        await backends.close()
    assert (found, gap) == ((), None)


async def called(mails: Mails, at: str, name: str) -> None:
    """Let what is at a connector be called so there, as what was taken over may be."""
    async with mails.world.store.write(mails.world.caller) as tx:
        await tx.session.execute(
            update(AssignmentRow).where(AssignmentRow.connector == at).values(backend_name=name)
        )


async def test_what_another_has_at_a_part_or_at_a_whole_with_the_same_part_is_not_taken(
    mails: Mails,
) -> None:
    world = mails.world
    ada = await given_at(mails, "mail-2")
    configure_wholes(mails)
    (ben,) = await world.people("ben")
    await world.give(ben)
    with worker(world, "first"):
        await world.settled()
    bens = (await mails.rows())["exchange-1"].backend_name
    own = (await mails.rows())["mail-2"].backend_name
    await called(mails, "mail-2", bens)
    with pytest.raises(Conflict, match="is another subject's"):
        await mails.move(ben, "exchange-2", new_password=True)
    with pytest.raises(Conflict, match="is another subject's"):
        await mails.move(ada, "exchange-2", new_password=True)
    await called(mails, "mail-2", own)
    await mails.move(ada, "exchange-2", new_password=True)


async def test_a_name_at_a_whole_is_not_free_at_its_part(mails: Mails) -> None:
    world = mails.world
    configure_wholes(mails)
    (ada, ben) = await world.people("ada", "ben")
    await world.give(ada)
    name = (await mails.rows())["exchange-1"].backend_name
    await called(mails, "exchange-1", name.replace("ada", "ben"))
    placed = world.store.placements[EXCHANGE]
    world.store.placements = {EXCHANGE: replace(placed, connectors=("mail-1", "mail-2"))}
    assert (await world.give(ben)).backend_name != name.replace("ada", "ben")
    (cyd,) = await world.people("cyd")
    wanted = ActionParams(EXCHANGE, SMALL, on="mail-1", adopt=True)

    async def taken_over() -> None:
        async with mails.scope.change(dry_run=True) as (tx, account_id):
            context = await action_context(tx, account_id)
            subject = user_subject(await user_row(tx.session, account_id, cyd))
            existing = ExistingObject(name.replace("ada", "ben"))
            await provision_in(tx, context, subject, wanted, existing=existing)

    with pytest.raises(Conflict, match="is another subject's"):
        await taken_over()


async def test_what_comes_back_and_moves_on_at_once_is_not_forgotten_where_it_was(
    mails: Mails,
) -> None:
    ada = await given_at(mails, "mail-1")
    for to in ("mail-2", "mail-1", "mail-3"):
        await mails.move(ada, to, new_password=True)
    left = (await mails.rows())["mail-1"]
    assert (left.instance, left.light) == ("left at mail-1", Light.ORANGE)
    with worker(mails.world, "second"):
        await mails.world.settled()
    assert mails.done("mail-1")[-1] == "removed"
    assert "created" in mails.done("mail-3")
    assert mails.done("mail-2") == []


async def test_all_parts_of_a_whole_come_back(mails: Mails) -> None:
    world = mails.world
    await keeps(world)
    configure_wholes(mails, ["exchange-1", "mail-3"])
    (ada,) = await world.people("ada")
    await world.give(ada)
    with worker(world, "first"):
        await world.settled()
        await mails.move(ada, "mail-3", new_password=True)
        await world.settled()
        await mails.move(ada, "exchange-1", new_password=True)
        await world.settled()
    assert (await mails.rows())["exchange-1"].light == Light.GREEN
    assert [mails.done(name).count("created") for name in ("mail-1", "directory")] == [1, 1]
