"""The day: which tickets come in which order, playing them, and whether everything is true at the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.operators.drafts import list_drafts
from mission_control_tui.model.requests.workers import live_workers
from mission_control_tui.model.states import ACTIVE_STATES, Light
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from tests.terminal.day import world
from tests.terminal.day.desk import Count, Desk
from tests.terminal.day.tickets import BY_NAME, KINDS, Kind, World
from tests.terminal.day.ways import Ticket, take
from tests.terminal.day.world import CUSTOMERS, OPERATOR, PC_WEB, POPX, Customer, Person

TICKETS = 60
_FIRST_NAMES = (
    "Odette Hugo Iris Pia Rex Wanda Silas Mabel Otto Greta Felix Nora Jasper Edith Cyrus Thea"
)
_LAST_NAMES = (
    "Abernathy Bellwether Brackenridge Cadwallader Castlebury Chadbourne Copperfield "
    "Cuthbertson Dankworth Drinkwater Dunwoody Eddington Etheridge Fairweather Featherstone "
    "Fothergill Gainsborough Galbraith Goldsworthy Greenhalgh Haddington Harkness Hathersage "
    "Heatherly Hollingsworth Huxtable Inglethorpe Ironmonger Jellicoe Kenworthy Kingfisher "
    "Knatchbull Lillywhite Lockhart Longbottom Lovibond Makepeace Merriweather Micklethwait "
    "Mountjoy Nethercott Nightingale Oglethorpe Osbaldeston Papworth Pemberton Pettigrew "
    "Pickersgill Proudfoot Quillfeather Rainsford Ravenscroft Rowbottom Satterthwaite "
    "Shufflebottom Silverlock Smallbone Spofforth Stainforth Summerscale Swarbrick Tattersall "
    "Thistlewood Trelawney Underhay Vanderbyl Vexley Wigglesworth Winterbourne Wolstenholme "
    "Yarborough Younghusband Zimmermann Zouche"
)

FIRST_NAMES = _FIRST_NAMES.split()
LAST_NAMES = _LAST_NAMES.split()


@dataclass(frozen=True, slots=True)
class Played:
    """A ticket as it was played."""

    ticket: Ticket
    count: Count
    seconds: float


@dataclass(slots=True)
class Day:
    """What happened."""

    played: list[Played] = field(default_factory=list)
    slow: list[tuple[str, float]] = field(default_factory=list)


def mix(count: int, seed: int = 1) -> list[Ticket]:
    """So many tickets, the same ones for the same seed: each kind once at least, the usual ones more often."""
    dice = random.Random(seed)
    names = [one.name for one in KINDS][:count]
    more = [one.name for one in KINDS for _ in range(one.weight - 1)]
    dice.shuffle(more)
    names += more[: count - len(names)]
    dice.shuffle(names)
    last_names = LAST_NAMES[:]
    dice.shuffle(last_names)
    busy: dict[str, set[str]] = {}
    tickets = []
    for number, name in enumerate(names, 1001):
        kind = BY_NAME[name]
        free = [one for one in CUSTOMERS if one.code not in busy.get(name, set())]
        customer = dice.choice(free if kind.once_a_customer else CUSTOMERS)
        busy.setdefault(name, set()).add(customer.code)
        people = tuple(
            _person(kind, place, customer, last_names.pop(), dice) for place in range(kind.people)
        )
        tickets.append(Ticket(f"INC-{number}", name, customer, people))
    return tickets


def _person(kind: Kind, place: int, customer: Customer, last: str, dice: random.Random) -> Person:
    phone = (
        f"+61 4{dice.randrange(10, 100)} {dice.randrange(100, 1000)} {dice.randrange(100, 1000)}"
    )
    stated: dict[str, object] = {
        "level": dice.choice((PC_WEB, POPX)),
        **kind.cast,
        **(kind.others if place else {}),
    }
    if kind.name in ("short", "mend"):
        stated["level"] = PC_WEB
    return Person(customer, dice.choice(FIRST_NAMES), last, phone, **stated)  # type: ignore[arg-type]


def play(directory: Path, tickets: Sequence[Ticket], cut_after: int, say: bool = False) -> Day:
    """Play all tickets in a terminal; after `cut_after` of them the connection is cut and the console opened again."""
    day = Day()
    desk = Desk(directory)
    try:
        first = tickets[0].customer
        desk.see("Which account do you want")
        desk.type(first.code, then=r" 1 account\b")
        desk.press("enter", then=f"> {first.code}")
        desk.press("enter", then=r"This month +AUD")
        for number, ticket in enumerate(tickets):
            began = time.monotonic()
            with desk.counted() as count:
                take(desk, ticket)
                BY_NAME[ticket.kind].work(desk, ticket)
            taken = time.monotonic() - began
            day.played.append(Played(ticket, count, taken))
            if say:
                print(  # noqa: T201 (a command)
                    f"{ticket.number} {ticket.kind:<12}{ticket.customer.code:<9}"
                    f"{count.keys:>4} keys {count.typed:>4} typed {taken:6.1f} s",
                    flush=True,
                )
            if number + 1 == cut_after:
                lose_and_come_back(desk)
        day.slow = desk.slow
        desk.press("f10", then="")
        assert desk.terminal.wait() == 0
    finally:
        desk.close()
    return day


def lose_and_come_back(desk: Desk) -> None:
    """Cut the line; the next console is on the same screen, account, user and ticket.

    A copied text over the screen is no place: it is closed before.
    """
    if desk.sees("Copied"):
        desk.terminal.press("escape")
    desk.terminal.settle(0.3)
    before = place_of(desk)
    desk.lose()
    desk.close()
    desk.open()
    desk.see("Back where the connection was lost")
    desk.terminal.settle(0.5)
    after = place_of(desk)
    assert after == before, f"{before} became {after}"


def place_of(desk: Desk) -> list[str]:
    """The lines that say where one is, without the lights, which go on by themselves."""
    top, *others = desk.text.splitlines()[:3]
    return [top.partition(" red")[2], *others]


# What is true at the end


def settled(path: Path) -> None:
    """Wait until nothing is on its way."""

    async def active() -> int:
        store = await Store.open(path)
        try:
            async with store.read() as session:
                statement = select(func.count()).where(RequestRow.state.in_(ACTIVE_STATES))
                return await session.scalar(statement) or 0
        finally:
            await store.close()

    deadline = time.monotonic() + 120
    while asyncio.run(active()):
        assert time.monotonic() < deadline, "something is still on its way"
        time.sleep(0.2)


async def judge(path: Path, tickets: Sequence[Ticket]) -> list[str]:
    """Everything that is not as it should be."""
    store = await Store.open(path)
    try:
        seen = World(store)
        wrong = [
            f"{one.number}: {BY_NAME[one.kind].title} has no effect on {[p.upn for p in one.people]}"
            for one in tickets
            if not await _has_effect(seen, one)
        ]
        return [*wrong, *await _audited(store, tickets), *await _untouched(store, tickets)]
    finally:
        await store.close()


async def _has_effect(seen: World, ticket: Ticket) -> bool:
    try:
        return await BY_NAME[ticket.kind].check(seen, ticket)
    except NotFound:
        return False


async def _audited(store: Store, tickets: Sequence[Ticket]) -> list[str]:
    """Each change carries the ticket that it was made for, in that ticket's account and about its people."""
    by_number = {one.number: one for one in tickets}
    wrong = []
    carried: Counter[str] = Counter()
    async with store.read() as session:
        codes = dict((await session.execute(select(AccountRow.id, AccountRow.code))).all())
        upns = dict((await session.execute(select(UserRow.id, UserRow.upn))).all())
        rows = await session.scalars(select(AuditRow).where(AuditRow.operator == OPERATOR))
        for row in rows:
            ticket = by_number.get(row.ticket)
            what = f"audit {row.id}, {row.action} of {row.target}"
            if ticket is None:
                wrong.append(f"{what} carries the ticket {row.ticket!r}")
                continue
            carried[ticket.number] += 1
            if codes.get(row.account_id or 0) != ticket.customer.code:
                wrong.append(f"{what} for {ticket.number} is in {codes.get(row.account_id or 0)}")
            if row.user_id is not None:
                mine = {one.upn for one in ticket.people}
                if upns[row.user_id] not in mine:
                    wrong.append(f"{what} for {ticket.number} is about {upns[row.user_id]}")
    return wrong + [
        f"{one.number} ({one.kind}) has {carried[one.number]} rows in the audit"
        for one in tickets
        if bool(carried[one.number]) != BY_NAME[one.kind].changes
    ]


async def _untouched(store: Store, tickets: Sequence[Ticket]) -> list[str]:
    """Nobody else was changed, nothing is red, no draft is left."""
    mine = {one.upn for ticket in tickets for one in ticket.people}
    wrong = []
    async with store.read() as session:
        changed = await session.scalars(select(UserRow.upn).where(UserRow.version > 1))
        wrong += [f"{upn} was changed, for no ticket" for upn in changed if upn not in mine]
        red = await session.scalars(
            select(AssignmentRow.backend_name).where(AssignmentRow.light == Light.RED)
        )
        wrong += [f"{name} is red" for name in red]
    drafts = await list_drafts(store, Caller(OPERATOR))
    return [*wrong, *(f"a draft is left: {one.title or one.kind}" for one in drafts)]


@contextlib.contextmanager
def workers_ended(path: Path) -> Iterator[None]:
    """End the day's workers afterwards, by their ids."""

    async def pids() -> list[int]:
        store = await Store.open(path)
        try:
            return [one.pid for one in await live_workers(store, 60.0)]
        finally:
            await store.close()

    try:
        yield
    finally:
        for pid in asyncio.run(pids()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def cast_of(tickets: Sequence[Ticket]) -> list[Person]:
    """Everybody in the tickets."""
    return [one for ticket in tickets for one in ticket.people]


def run(directory: Path, count: int, *, scale: int = 1, seed: int = 1, say: bool = False) -> Day:
    """Make the world, play the day and judge it. Raises AssertionError for whatever is not as it should be."""
    tickets = mix(count, seed)
    path = asyncio.run(world.make(directory, cast_of(tickets), scale))
    with workers_ended(path):
        day = play(directory, tickets, cut_after=count // 2, say=say)
        settled(path)
    wrong = asyncio.run(judge(path, tickets))
    assert not wrong, "\n".join(wrong)
    return day
