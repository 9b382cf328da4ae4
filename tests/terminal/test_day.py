"""A helpdesk's day in a real terminal: mixed tickets over five accounts, keys counted, everything true at the end.

`./run-tests --all` plays a short day over 2,000 users; MC_PROOF=2 or more the whole one: 60 tickets, 20,000 users.
`python -m tests.terminal.day` prints the table, which docs/day.md explains.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.search import user_list
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users import editing
from tests.support import proof_factor
from tests.terminal.day import page, play, world
from tests.terminal.day.table import table
from tests.terminal.day.tickets import BY_NAME, KINDS
from tests.terminal.day.web import cost

SHORT, SMALLER = 12, 10


@pytest.mark.proof
def test_a_day_of_tickets(tmp_path: Path) -> None:
    """Each ticket's effect is there, under its number, in its account; no kind takes more keys than its bound."""
    whole = proof_factor() > 1
    count, scale = (play.TICKETS, 1) if whole else (SHORT, SMALLER)
    day = play.run(tmp_path, count, scale=scale)
    sys.stdout.write("\n".join(["", *table(day.played), ""]))
    assert len(day.played) == count
    beyond = [
        f"{one.ticket.kind}: {one.count.keys} keys, at most {BY_NAME[one.ticket.kind].most}"
        for one in day.played
        if one.count.keys > BY_NAME[one.ticket.kind].most
    ]
    assert not beyond


@pytest.mark.proof
def test_the_judge_sees_what_is_wrong(tmp_path: Path) -> None:
    """Without the tickets being played each has no effect, and changes for no ticket are found."""
    tickets = play.mix(len(KINDS), seed=3)
    path = asyncio.run(world.make(tmp_path, play.cast_of(tickets), scale=200))

    async def meddle() -> None:
        store = await Store.open(path)
        try:
            caller = Caller(world.OPERATOR, ticket="INC-1", source="console")
            mine = {one.upn for one in play.cast_of(tickets)}
            customer = world.CUSTOMERS[0]
            found = await user_list.page(AccountScope(store, caller, customer.code))
            other = next(one for one in found.rows if one.upn not in mine)
            await editing.edit_user(
                AccountScope(store, caller, customer.code), other.id, {"title": "Clerk"}
            )
        finally:
            await store.close()

    asyncio.run(meddle())
    wrong = "\n".join(asyncio.run(play.judge(path, tickets)))
    for ticket in tickets:
        if BY_NAME[ticket.kind].changes:
            assert f"{ticket.number}: " in wrong, ticket.kind
            assert f"{ticket.number} ({ticket.kind}) has 0 rows in the audit" in wrong
    assert "carries the ticket 'INC-1'" in wrong
    assert "was changed, for no ticket" in wrong
    assert "is red" in wrong


def test_the_page_is_of_this_day() -> None:
    """docs/day.md is what the code makes around a table of every kind whose web columns are those of now."""
    measured = page.measured()
    assert page.text(measured) == page.PAGE.read_text(), (
        "write it again: python -m tests.terminal.day --page"
    )
    for kind in KINDS:
        web = cost(kind.name)
        (line,) = (
            one for one in measured if one.startswith((f"{kind.title}  ", f"{kind.title} *"))
        )
        count, median, worst, most, _typed, clicks, fields, both = map(int, line[40:].split())
        assert count
        assert median <= worst <= most == kind.most
        assert (clicks, fields, both) == (web.clicks, web.fields, web.clicks + web.fields)
    assert measured[-1].split()[3] == str(play.TICKETS)
