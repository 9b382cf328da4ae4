"""A back end did it, and its answer was lost on the way: whoever tries again says that it is the same act."""

from __future__ import annotations

from pathlib import Path

from mission_control_tui.model.states import Light
from tests.provisioning.connectors import json_objects
from tests.provisioning.hosted import hosted
from tests.provisioning.support import World, worker
from tests.web_service import WebService


async def test_what_was_done_without_an_answer_is_not_done_twice(
    world: World, tmp_path: Path
) -> None:
    # It does not show at once what it has done.
    service = WebService(tmp_path / "objects.json", lost=1, unseen=4).start()
    try:
        (upn,) = await world.people("ann")
        given = await world.give(upn)
        hosted(world, service)
        with worker(world):
            await world.settled()
    finally:
        service.stop()
    assert await world.light(given.assignment_id) == Light.GREEN
    assert (await world.request(given.request_id)).attempt > 1
    assert service.effects == [*json_objects.PARTS]
    first, second = (call.headers["idempotency-key"] for call in service.acts()[:2])
    assert first == second
