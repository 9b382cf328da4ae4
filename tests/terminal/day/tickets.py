"""The kinds of tickets of the day: who is in them, what the operator presses, and what is true afterwards.

`work` plays a ticket by looking at the screen; `check` asks the model. `web` is what the article's web screens need for
the same, see `web.py`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mission_control_tui.model.groups.queries import list_objects, show_object
from mission_control_tui.model.schedules.queries import list_schedules
from mission_control_tui.model.services.lights import status
from mission_control_tui.model.states import Light, Wish
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users.queries import details
from mission_control_tui.model.views import AssignmentView, UserView
from tests.terminal.day.desk import Desk
from tests.terminal.day.ways import (
    GREEN,
    LEVELS,
    QUESTION,
    Ticket,
    choose,
    fill_in,
    find,
    follow,
    go_home,
    go_to_account,
    last_name,
    services,
)
from tests.terminal.day.world import CALLER, MAIL, MOBILE, PC_WEB, POPX, Person

LEAVES_ON = "2027-03-31 18:00"
SEATS = 3
INTERNS, BATCH = "interns", "batch"
"""Parts of the UPNs of people whom one ticket is about together."""


@dataclass(frozen=True, slots=True)
class World:
    """What is true at the end, for checks."""

    store: Store

    async def user(self, one: Person) -> UserView:
        return await details(AccountScope(self.store, CALLER, one.customer.code), one.upn)

    async def mail(self, one: Person) -> AssignmentView:
        """The person's mailbox, grey where there is none."""
        found = await status(AccountScope(self.store, CALLER, one.customer.code), user=one.upn)
        return next(view for view in found if view.service_id == MAIL)

    async def is_green(self, one: Person, level: str) -> bool:
        view = await self.mail(one)
        return (view.light, view.level_id, view.wish) == (Light.GREEN, level, Wish.PRESENT)


Play = Callable[[Desk, Ticket], None]
Check = Callable[[World, Ticket], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of ticket. `most` is the number of keys that it may take, typed text aside."""

    name: str
    title: str
    work: Play
    check: Check
    most: int
    weight: int
    people: int = 1
    cast: Mapping[str, object] = field(default_factory=dict)
    others: Mapping[str, object] = field(default_factory=dict)
    once_a_customer: bool = False
    changes: bool = True


# New starter


def starter(desk: Desk, ticket: Ticket) -> None:
    one = ticket.person
    go_home(desk, ticket.customer)
    desk.press("n", then=rf"UPN \* .*@{ticket.customer.domain}")
    fill_in(desk, one)
    desk.press("p", then="The user is created")
    desk.press("enter", then=r"> \( \)")
    choose(desk, PC_WEB)
    desk.press("p", then=GREEN)


def like(desk: Desk, ticket: Ticket) -> None:
    newcomer, colleague = ticket.people
    find(desk, colleague, last_name(colleague))
    desk.press("l", then=rf"Like {re.escape(colleague.name)}")
    fill_in(desk, newcomer)
    desk.press("p", then=rf"Provision S(.|\n)*{re.escape(newcomer.name)}")
    desk.see(GREEN)


async def has_the_same_level(world: World, ticket: Ticket) -> bool:
    newcomer, colleague = ticket.people
    return await world.is_green(newcomer, colleague.level)


async def has_pc_web(world: World, ticket: Ticket) -> bool:
    return await world.is_green(ticket.person, PC_WEB)


# Passwords


def reset(desk: Desk, ticket: Ticket) -> None:
    one = ticket.person
    by_phone = int(ticket.number[-1]) % 2
    find(desk, one, one.phone[-7:] if by_phone else last_name(one))
    desk.move("Reset Password", "enter")
    desk.see(r"\[ Generate and set \]")
    desk.press("enter", then="the new password is on its way")
    desk.press("enter", then="Password: ....-....-")
    desk.press("escape", then="> Reset Password|> Services")


async def is_reset(world: World, ticket: Ticket) -> bool:
    view = await world.mail(ticket.person)
    return view.light is Light.GREEN and view.generation > 1


# Levels


def level(desk: Desk, ticket: Ticket) -> None:
    wanted = other_level(ticket.person)
    find(desk, ticket.person, last_name(ticket.person))
    services(desk)
    choose(desk, wanted)
    desk.press("p", then=QUESTION)
    desk.press("y", then=rf"\(•\) {re.escape(LEVELS[wanted])}  now")
    desk.see(GREEN)


def other_level(one: Person) -> str:
    return PC_WEB if one.level == POPX else POPX


async def has_other_level(world: World, ticket: Ticket) -> bool:
    return await world.is_green(ticket.person, other_level(ticket.person))


def short(desk: Desk, ticket: Ticket) -> None:
    """Nobody has a seat left of the dearest level: buy three and come back."""
    find(desk, ticket.person, last_name(ticket.person))
    services(desk)
    name = re.escape(LEVELS[MOBILE])
    desk.move(rf"\( \) {name}")
    desk.press("b", then="How many")
    desk.type(str(SEATS), then=rf"\[{SEATS} ")
    desk.press("f7", then="Review")
    desk.press("f7", then=rf"bought {SEATS} x Email")
    choose(desk, MOBILE)
    desk.press("p", then=QUESTION)
    desk.press("y", then=rf"Managed Exchange  PC, Web & Mobile.*{GREEN}")


async def has_mobile(world: World, ticket: Ticket) -> bool:
    return await world.is_green(ticket.person, MOBILE)


# Red lights


def mend(desk: Desk, ticket: Ticket) -> None:
    find(desk, ticket.person, last_name(ticket.person))
    services(desk)
    desk.see("What to do: Provision again")
    desk.press("p", then=GREEN)


async def is_mended(world: World, ticket: Ticket) -> bool:
    return await world.is_green(ticket.person, ticket.person.level)


def mend_level(desk: Desk, ticket: Ticket) -> None:
    find(desk, ticket.person, last_name(ticket.person))
    services(desk)
    desk.see("What to do: Choose a level without POP")
    desk.press("e", then=r"> \(•\) Standard Mail")
    choose(desk, PC_WEB)
    desk.press("p", then=QUESTION)
    desk.press("y", then=GREEN)


# Leaving and coming back


def leaver(desk: Desk, ticket: Ticket) -> None:
    find(desk, ticket.person, last_name(ticket.person))
    desk.move("Disable", "enter")
    desk.see(QUESTION)
    desk.press("y", then="Disabled; services follow")
    desk.press("d", then="At a date and time")
    desk.move("Deprovision everything", "enter")
    desk.see("When:")
    desk.type(LEAVES_ON, then="2027-03-31 18:00 ")
    desk.press("enter", then=QUESTION)
    desk.press("y", then="Scheduled, number")


async def has_left(world: World, ticket: Ticket) -> bool:
    one = ticket.person
    user = await world.user(one)
    found = await list_schedules(AccountScope(world.store, CALLER, one.customer.code), user=one.upn)
    due = [(str(each.action), f"{each.due_at:%Y-%m-%d %H:%M}", each.state) for each in found]
    return user.details.disabled and due == [("deprovision", LEAVES_ON, "waiting")]


def enable(desk: Desk, ticket: Ticket) -> None:
    find(desk, ticket.person, last_name(ticket.person))
    desk.move("Enable", "enter")
    desk.see("Enabled; services follow")


async def is_enabled(world: World, ticket: Ticket) -> bool:
    user = await world.user(ticket.person)
    return not user.details.disabled and await world.is_green(ticket.person, ticket.person.level)


def undo(desk: Desk, ticket: Ticket) -> None:
    """The night shift disabled the wrong one: take that change back, from the person's history."""
    find(desk, ticket.person, last_name(ticket.person))
    desk.press("h", then=r"History of(.|\n)*> .* disable user")
    desk.press("u", then=QUESTION)
    desk.press("y", then="Undone: disable user")


def restore(desk: Desk, ticket: Ticket) -> None:
    go_to_account(desk, ticket.customer)
    follow(desk, "Recycling bin", "Who stays here is purged")
    desk.move(re.escape(ticket.person.name), "enter")
    desk.see(QUESTION)
    desk.press("y", then="is back, without services")


async def is_back(world: World, ticket: Ticket) -> bool:
    return not (await world.user(ticket.person)).in_bin


# Addresses and groups


def alias_of(one: Person) -> str:
    return f"{one.first.lower()}.{one.last[:3].lower()}@{one.customer.domain}"


def alias(desk: Desk, ticket: Ticket) -> None:
    find(desk, ticket.person, last_name(ticket.person))
    desk.press("e", then="F9 Go to")
    desk.press("escape", then="Enter Open")
    desk.press("shift+tab", "shift+tab", then=r"Email addresses(.|\n)*Enter Open")
    desk.press("enter", then=r"New alias(.|\n)*F9 Go to")
    desk.type(alias_of(ticket.person))
    desk.press("enter", then="Enter Press")
    desk.press("enter", then="to be added")
    desk.press("p", then="Saved; the services")


async def has_alias(world: World, ticket: Ticket) -> bool:
    user = await world.user(ticket.person)
    return alias_of(ticket.person) in user.aliases and await world.is_green(
        ticket.person, ticket.person.level
    )


def group(desk: Desk, ticket: Ticket) -> None:
    one = ticket.person
    go_to_account(desk, ticket.customer)
    follow(desk, "Groups and shared mailboxes", "found")
    desk.move("Reception", "enter")
    desk.see("Add:")
    desk.press("shift+tab", "shift+tab", then="F9 Go to")
    desk.type(last_name(one), then=re.escape(one.name))
    desk.see("1 found")
    desk.press("down", then=rf"> .*{re.escape(one.name)}")
    desk.press("enter", then=r"\+ +Member")
    desk.press("f2", then="Asked for; the light follows")
    desk.see(GREEN)


async def is_member(world: World, ticket: Ticket) -> bool:
    scope = AccountScope(world.store, CALLER, ticket.customer.code)
    found = await list_objects(scope, query="Reception")
    shown = await show_object(scope, found.rows[0].id)
    members = {one.address for one in shown.members}
    return shown.service.light is Light.GREEN and ticket.person.upn in members


# Several at once


def bulk(desk: Desk, ticket: Ticket) -> None:
    """All of a group of people go to PC & Web Access: found together, marked together."""
    go_to_account(desk, ticket.customer)
    follow(desk, "Users", r"Show +<")
    count = len(ticket.people)
    desk.press("/", then="F9 Go to")
    desk.type(INTERNS, then=rf"Find: {INTERNS} +{count} users")
    desk.press("enter", then=r"> ")
    desk.press("*", then=f"{count} marked")
    desk.press("x", then=f"For {count} users")
    desk.press("right", then="<Change level or settings>")
    desk.press("down", "down", "right", then=r"<Managed Exchange - PC & Web")
    desk.press("f2", then=f"{count} of {count} would be done")
    desk.press("p", then=QUESTION)
    desk.press("y", then=rf"Bulk \d+: (.|\n)*{count}")


async def all_have_pc_web(world: World, ticket: Ticket) -> bool:
    return all([await world.is_green(one, PC_WEB) for one in ticket.people])


def retry_all(desk: Desk, ticket: Ticket) -> None:
    """A store was full last night: everybody whom it hit is tried again at once."""
    go_to_account(desk, ticket.customer)
    count = len(ticket.people)
    follow(desk, "Lights", r"ME Managed Exchange")
    desk.press("/", then="F9 Go to")
    desk.type(f"{BATCH} red", then=rf"Find: {BATCH} red +{count} users")
    desk.press("enter", then=r"> ")
    desk.press("R", then=rf"try again {count} red(.|\n)*{QUESTION}")
    desk.press("y", then=f"{count} queued to be tried again")


async def all_are_mended(world: World, ticket: Ticket) -> bool:
    return all([await world.is_green(one, one.level) for one in ticket.people])


# Questions


def history(desk: Desk, ticket: Ticket) -> None:
    """Who gave this user the mailbox? The line is copied for the ticket."""
    find(desk, ticket.person, last_name(ticket.person))
    desk.press("h", then=r"History of(.|\n)*> .*provision")
    desk.press("y", then="Copied")


def domains(desk: Desk, ticket: Ticket) -> None:
    """Which domains has this customer, and how are they?"""
    go_home(desk, ticket.customer)
    desk.press("tab", "tab", then="> Name")
    desk.move("Domains", "enter")
    desk.see(rf"▼ Domains(.|\n)*{ticket.customer.domain}")


async def nothing_changed(world: World, ticket: Ticket) -> bool:
    """Judged for all questions at once, by the audit: no row carries the ticket's number."""
    if not ticket.people:
        return True
    return (await world.user(ticket.person)).version == 1


KINDS: Sequence[Kind] = (
    Kind(
        "starter", "New starter with a mailbox", starter, has_pc_web, 22, 8, cast={"exists": False}
    ),
    Kind(
        "like",
        "New starter like a colleague",
        like,
        has_the_same_level,
        18,
        4,
        people=2,
        others={"exists": True},
        cast={"exists": False},
    ),
    Kind(
        "bulk",
        "Several at once: level change",
        bulk,
        all_have_pc_web,
        21,
        2,
        people=4,
        cast={"trouble": INTERNS, "level": POPX},
        once_a_customer=True,
    ),
    Kind(
        "retry-all",
        "Everything red of an outage again",
        retry_all,
        all_are_mended,
        14,
        2,
        people=3,
        cast={"trouble": f"{BATCH}.full-once", "level": PC_WEB},
        once_a_customer=True,
    ),
    Kind("reset", "Password reset, found by name or phone", reset, is_reset, 14, 14),
    Kind("level", "Level change PC & Web <-> POPX", level, has_other_level, 14, 7),
    Kind("short", "No seat left: buy 3, come back", short, has_mobile, 17, 3, once_a_customer=True),
    Kind("mend", "Red light: read, again", mend, is_mended, 10, 4, cast={"trouble": "full-once"}),
    Kind(
        "mend-level",
        "Red light: another level",
        mend_level,
        has_pc_web,
        15,
        2,
        cast={"trouble": "no-pop", "level": POPX},
    ),
    Kind("leaver", "Leaver: disable, deprovision on a date", leaver, has_left, 17, 5),
    Kind("enable", "Back from leave", enable, is_enabled, 13, 2, cast={"morning": "disabled"}),
    Kind("undo", "Undo of a wrong change", undo, is_enabled, 10, 3, cast={"morning": "disabled"}),
    Kind(
        "restore",
        "Out of the recycling bin",
        restore,
        is_back,
        15,
        2,
        cast={"morning": "binned", "level": ""},
    ),
    Kind("alias", "Alias added", alias, has_alias, 15, 4),
    Kind("group", "Into a group", group, is_member, 18, 4),
    Kind("history", "History copied for a ticket", history, nothing_changed, 10, 2, changes=False),
    Kind("domains", "Domain question", domains, nothing_changed, 11, 2, people=0, changes=False),
)
BY_NAME: Mapping[str, Kind] = {one.name: one for one in KINDS}
