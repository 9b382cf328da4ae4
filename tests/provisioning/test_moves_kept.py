"""A move that has not ended and a deprovision on the way: the only one there is stays for as long as was promised."""

from __future__ import annotations

import pytest

from mission_control_tui.model.history.undo import undo
from mission_control_tui.model.recycle_bin.deletion import delete_user, restore_user
from mission_control_tui.model.requests import control as requests
from mission_control_tui.model.requests import kept_removals
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import Light, RequestKind, RequestState, Wish, Word
from mission_control_tui.model.users.provisioning import change_wish
from tests.provisioning.mails import DOWN, Mails, configure_wholes, given_at
from tests.provisioning.support import EXCHANGE, RULES, SMALL, worker
from tests.provisioning.test_retention import keeps, let_it_be_over

pytestmark = pytest.mark.any_database

NO_ROOM = '[[rule]]\nid = "no"\ncall = "apply"\nfail = "invalid"\nsaid = "No room"\n'
STEPS = RULES.replace("seed = 1\n", "")
AWAY = "left at mail-1"


async def away(mails: Mails) -> str:
    """Somebody whose only mailbox is at the place that a move, which removes it at once, has not ended from."""
    await keeps(mails.world)
    ada = await given_at(mails, "mail-1")
    await mails.move(ada, "mail-2", at_once=True, new_password=True)
    return ada


async def kept_at_the_old_place(mails: Mails) -> None:
    rows = await mails.rows()
    assert "removed" not in mails.done("mail-1")
    assert (rows["mail-1"].light, rows["mail-1"].wish) == (Light.GREY, Wish.ABSENT)
    assert rows["mail-1"].kept_until > 0


async def over(mails: Mails) -> None:
    """Let the time of all that is kept be over."""
    await let_it_be_over(mails.world)
    for overdue in await kept_removals.overdue_services(mails.world.store, 10):
        assert await kept_removals.remove_overdue(mails.world.store, overdue)


async def test_the_only_one_is_kept_where_it_was_left_comes_back_and_goes_when_its_time_is_over(
    mails: Mails,
) -> None:
    ada = await away(mails)
    tried = await change_wish(mails.scope, ada, EXCHANGE, RequestKind.DEPROVISION, dry_run=True)
    assert "suspended, removed on 20" in str(tried.plan.lines[-1].after[AWAY])
    assert tried.plan.lost == ()
    (asked,) = (await change_wish(mails.scope, ada, EXCHANGE, RequestKind.DEPROVISION)).result
    with worker(mails.world, "second"):
        await mails.world.settled()
        await kept_at_the_old_place(mails)
        (last, *_) = reversed(await mails.world.events(asked.request_id))
        assert "what was left at mail-1 is kept until 20" in last.said
        shown = [one for one in await status(mails.scope, user=ada) if one.instance == AWAY]
        assert shown[0].kept_until is not None
        await delete_user(mails.scope, ada)
        await restore_user(mails.scope, ada)
        back = await mails.world.give(ada)
        assert back.connector == "mail-1"
        await mails.world.settled()
        rows = await mails.rows()
        assert (rows["mail-1"].light, rows["mail-1"].marked) == (Light.GREEN, "")
        assert mails.done("mail-1").count("created") == 1
        given = [one for one in await status(mails.scope, user=ada) if one.service_id == EXCHANGE]
        assert [(one.connector, one.instance) for one in given] == [("mail-1", "")]
        assert await mails.world.held() == {SMALL: 1, "pc-web": 0}
        await mails.world.turn(ada, RequestKind.DEPROVISION)
        await mails.world.settled()
        assert "removed" not in mails.done("mail-1")
        await over(mails)
        await mails.world.settled()
    assert mails.done("mail-1")[-1] == "removed"
    assert mails.done("mail-2") == []


async def test_what_is_kept_there_is_removed_when_the_time_is_over(mails: Mails) -> None:
    ada = await away(mails)
    await mails.world.turn(ada, RequestKind.DEPROVISION)
    with worker(mails.world, "second"):
        await mails.world.settled()
        await kept_at_the_old_place(mails)
        await over(mails)
        await mails.world.settled()
    assert mails.done("mail-1")[-1] == "removed"
    assert {row.light for row in (await mails.rows()).values()} == {Light.GREY}
    assert {row.kept_until for row in (await mails.rows()).values()} == {0.0}


async def test_a_deprovision_that_is_undone_gives_back_what_is_kept_where_it_was_left(
    mails: Mails,
) -> None:
    ada = await away(mails)
    gone = await mails.world.turn(ada, RequestKind.DEPROVISION)
    with worker(mails.world, "second"):
        await mails.world.settled()
        undone = await undo(mails.scope, request=gone.request_id)
        assert any("gets back what" in said for said in undone.plan.warnings)
        await mails.world.settled()
    rows = await mails.rows()
    assert (rows["mail-1"].light, rows["mail-1"].marked) == (Light.GREEN, "")
    assert mails.done("mail-1").count("created") == 1


async def test_a_restoration_that_is_cancelled_leaves_it_kept(mails: Mails) -> None:
    ada = await away(mails)
    await mails.world.turn(ada, RequestKind.DEPROVISION)
    with worker(mails.world, "second"):
        await mails.world.settled()
    back = await mails.world.give(ada)
    assert back.request_id is not None
    await requests.cancel(mails.scope, back.request_id)
    row = (await mails.rows())["mail-1"]
    assert (row.marked, row.wish, row.light, row.kept_until > 0) == (
        *("", Wish.ABSENT, Light.GREY),
        True,
    )
    with worker(mails.world, "third"):
        await mails.world.give(ada)
        await mails.world.settled()
    assert (await mails.rows())["mail-1"].light == Light.GREEN
    assert mails.done("mail-1").count("created") == 1


@pytest.mark.parametrize("ended", ["red", "half-way", "reset"])
async def test_a_move_that_failed_or_was_stopped_at_the_new_place_is_one_that_has_not_ended(
    mails: Mails, ended: str
) -> None:
    await keeps(mails.world)
    ada = await given_at(mails, "mail-1")
    slow = f'{STEPS}[[rule]]\nid = "slow"\nstep = "mailbox"\ndelay = 1.0\n'
    mails.rules("mail-2", NO_ROOM if ended == "red" else slow)
    number = await mails.move(ada, "mail-2", at_once=True, new_password=True)
    with worker(mails.world, "second"):
        if ended == "red":
            await mails.until_red("mail-2")
        else:
            await mails.world.until(lambda: mails.world.running_step("mailbox"))
            if ended == "half-way":
                await requests.cancel(mails.scope, number)
            else:
                await requests.reset(mails.scope, number)
            await mails.until_red("mail-2")
        mails.rules("mail-2", "" if ended == "red" else STEPS)
        await mails.world.turn(ada, RequestKind.DEPROVISION)
        await mails.world.settled()
        await kept_at_the_old_place(mails)
        back = await mails.world.give(ada)
        assert back.connector == "mail-1"
        await mails.world.settled()
    assert (await mails.rows())["mail-1"].light == Light.GREEN
    assert mails.done("mail-1").count("created") == 1


async def test_a_second_move_on_the_way_does_not_make_less_of_it(mails: Mails) -> None:
    ada = await away(mails)
    await mails.move(ada, "mail-3", at_once=True, new_password=True)
    await mails.world.turn(ada, RequestKind.DEPROVISION)
    with worker(mails.world, "second"):
        await mails.world.settled()
        await kept_at_the_old_place(mails)
        assert (await mails.world.give(ada)).connector == "mail-1"
        await mails.world.settled()
    assert mails.done("mail-1").count("created") == 1


async def test_a_composite_whose_shared_part_is_there_has_not_arrived_with_it(
    mails: Mails,
) -> None:
    world = mails.world
    await keeps(world)
    configure_wholes(mails)
    (ada,) = await world.people("ada")
    await world.give(ada)
    with worker(world, "first"):
        await world.settled()
        mails.rules("mail-2", NO_ROOM)
        await mails.move(ada, "exchange-2", at_once=True, new_password=True)
        await mails.until_red("exchange-2")
        mails.rules("mail-2")
        await world.turn(ada, RequestKind.DEPROVISION)
        await world.settled()
        assert "removed" not in [*mails.done("mail-1"), *mails.done("directory")]
        assert (await mails.rows())["mail-1"].kept_until > 0
        assert (await world.give(ada)).connector == "exchange-1"
        await world.settled()
    rows = await mails.rows()
    assert rows["exchange-1"].light == Light.GREEN
    assert mails.done("mail-1").count("created") == 1
    assert mails.done("directory").count("created") == 1


async def test_what_was_suspended_on_the_way_is_there_and_the_old_one_goes(mails: Mails) -> None:
    ada = await away(mails)
    await mails.world.turn(ada, RequestKind.SUSPEND)
    with worker(mails.world, "second"):
        await mails.world.settled()
        await mails.world.turn(ada, RequestKind.DEPROVISION)
        await mails.world.settled()
    rows = await mails.rows()
    assert mails.done("mail-1")[-1] == "removed"
    assert (rows["mail-2"].light, rows["mail-2"].kept_until > 0) == (Light.GREY, True)


async def test_at_once_means_it_and_the_plan_says_that_it_is_the_only_one(mails: Mails) -> None:
    ada = await away(mails)
    tried = await change_wish(
        mails.scope, ada, EXCHANGE, RequestKind.DEPROVISION, at_once=True, dry_run=True
    )
    (lost,) = tried.plan.lost
    assert "left at mail-1: the only one there is" in lost
    assert tried.plan.lines[-1].after[AWAY] == "the only one there is, removed at once"
    await change_wish(mails.scope, ada, EXCHANGE, RequestKind.DEPROVISION, at_once=True)
    with worker(mails.world, "second"):
        await mails.world.settled()
    assert mails.done("mail-1")[-1] == "removed"
    assert {row.light for row in (await mails.rows()).values()} == {Light.GREY}


@pytest.mark.parametrize("how", ["asked", "reset and asked", "retried"])
async def test_what_is_left_is_removed_by_nobody_before_it_is_at_its_new_place(
    mails: Mails, how: str
) -> None:
    await keeps(mails.world)
    ada = await given_at(mails, "mail-1")
    mails.rules("mail-2", NO_ROOM)
    number = await mails.move(ada, "mail-2", at_once=how != "asked", new_password=True)
    removal = number + 1
    with worker(mails.world, "second"):
        await mails.until_red("mail-2")
        if how != "asked":
            await requests.reset(mails.scope, removal)
        if how == "retried":
            (again,) = (await requests.retry(mails.scope, removal)).result
        else:
            outcome = await change_wish(
                *(mails.scope, ada, EXCHANGE, RequestKind.DEPROVISION),
                instance=AWAY,
                at_once=True,
            )
            again = outcome.result[0].request_id or 0
            assert outcome.plan.lines[-1].after["removed"] == "once it is at mail-2"
        assert (await mails.world.request(again)).state == RequestState.WAITING
        mails.rules("mail-2")
        await requests.retry(mails.scope, number)
        await mails.world.settled()
    assert mails.done("mail-1")[-1] == "removed"
    assert (await mails.rows())["mail-2"].light == Light.GREEN


async def test_a_removal_that_waits_ends_also_where_what_moved_was_asked_for_anew_and_taken_away(
    mails: Mails,
) -> None:
    ada = await given_at(mails, "mail-1")
    mails.rules("mail-2", NO_ROOM)
    number = await mails.move(ada, "mail-2", new_password=True)
    with worker(mails.world, "second"):
        await mails.until_red("mail-2")
        again = await mails.world.give(ada)

        async def failed() -> bool:
            return (await mails.world.request(again.request_id)).state == RequestState.FAILED

        await mails.world.until(failed)
        await requests.reset(mails.scope, number + 1)
        await requests.retry(mails.scope, number + 1)
        mails.rules("mail-2")
        await mails.world.turn(ada, RequestKind.DEPROVISION)
        await mails.world.settled()
    assert mails.done("mail-1")[-1] == "removed"


async def test_a_removal_that_is_cancelled_is_still_known_and_can_be_asked_for(
    mails: Mails,
) -> None:
    ada = await given_at(mails, "mail-1")
    mails.rules("mail-1", DOWN)
    number = await mails.move(ada, "mail-2", new_password=True)
    await requests.cancel(mails.scope, number + 1)
    left = (await mails.rows())["mail-1"]
    assert (left.wish, left.light, left.word) == (Wish.ABSENT, Light.ORANGE, Word.NOT_CHECKED)
    assert AWAY in {one.instance for one in await status(mails.scope, user=ada)}
    mails.rules("mail-1")
    with worker(mails.world, "second"):
        await mails.world.settled()
        assert (await mails.rows())["mail-2"].light == Light.GREEN
        assert "removed" not in mails.done("mail-1")
        await change_wish(mails.scope, ada, EXCHANGE, RequestKind.DEPROVISION, instance=AWAY)
        await mails.world.settled()
    assert mails.done("mail-1")[-1] == "removed"
