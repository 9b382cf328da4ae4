"""Connectors in observe mode: what they would do is kept with each wish, looked at seldom, and done once allowed."""

from __future__ import annotations

from mission_control_tui.model.requests.planned_changes import summary_words
from mission_control_tui.model.requests.request_details import show_request
from mission_control_tui.model.requests.request_plans import (
    agree_to_plans,
    summarise_plans,
    waiting_plans,
)
from mission_control_tui.model.states import Light, RequestKind, Word
from mission_control_tui.model.store.scope import AccountScope
from tests.provisioning.support import ACCOUNT, LARGE, SMALL, World, worker

OBSERVES = {"mode": "observe"}


def scope(world: World) -> AccountScope:
    return AccountScope(world.store, world.caller, ACCOUNT)


async def shown(world: World, count: int) -> None:
    """Wait until so many wishes wait with a plan."""

    async def all_looked_at() -> bool:
        return (await summarise_plans(scope(world))).requests == count

    await world.until(all_looked_at)


async def test_what_would_be_changed_is_kept_summed_up_and_done_once_it_is_allowed(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    upns = await world.people("ada", "ben", "cy")
    with worker(world):
        for upn in upns:
            await world.give(upn, LARGE)
        await world.settled()
    world.configure(simulator=OBSERVES)
    with worker(world, "observing"):
        smaller = [await world.give(upn, SMALL) for upn in upns[:2]]
        await world.turn(upns[2], RequestKind.SUSPEND)
        before = world.effect_counts()
        await shown(world, 3)
        summary = await summarise_plans(scope(world))
        assert summary_words(summary.counts) == (
            "2 x hide-from-address-list removed, 2 x imap removed, 2 x mapi removed, "
            "2 x protocols fewer, 2 x quota smaller, 1 x suspended, 2 x level changed, 2 x pop changed"
        )
        found = await show_request(scope(world), smaller[0].request_id or 0)
        assert found.plan is not None
        assert "level: pc-web -> popx" in found.plan.planned.lines
        assert world.effect_counts() == before

        waiting = await waiting_plans(scope(world))
        allowed = (await agree_to_plans(scope(world), waiting[:1])).result
        assert allowed == waiting[:1]

        async def done() -> bool:
            return (await world.light(smaller[0].assignment_id)) == Light.GREEN

        await world.until(done)
        assert world.effect_counts() != before

        async def waits_again() -> bool:
            row = await world.assignment(smaller[1].assignment_id)
            assert row.light == Light.ORANGE
            return row.word == Word.WAITING

        await world.until(waits_again)
        assert (await summarise_plans(scope(world))).requests == 2
