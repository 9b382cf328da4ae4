"""Ways through the console that many tickets go: to a ticket's account, person, mailbox or screen, and back."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.terminal.day.desk import Desk
from tests.terminal.day.world import MOBILE, PC_WEB, POPX, Customer, Person

LEVELS = {
    POPX: "Standard Mail (POPX)",
    PC_WEB: "Managed Exchange - PC & Web Access",
    MOBILE: "Managed Exchange - PC, Web & Mobile Access",
}
LETTERS = {
    "Home": "",
    "Users": "u",
    "Lights": "l",
    "Groups and shared mailboxes": "gr",
    "Recycling bin": "rec",
}
GREEN = "• Provisioned"
QUESTION = r"\[ No \]"


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket: its number, its kind's name, the customer, the people that it is about."""

    number: str
    kind: str
    customer: Customer
    people: tuple[Person, ...]

    @property
    def person(self) -> Person:
        return self.people[0]


def take(desk: Desk, ticket: Ticket) -> None:
    """Set the ticket's number, which every change carries."""
    desk.verb("t", then="Ticket:")
    desk.type(ticket.number)
    desk.press("enter", then=f"Every change carries ticket {ticket.number}")


def look_for(desk: Desk, typed: str, whole: str) -> None:
    """Type into Find, and wait for an answer."""
    desk.type(typed, then=rf"Find: {re.escape(whole)} +(\d+ found|the first)")


def find(desk: Desk, one: Person, by: str) -> None:
    """From anywhere to somebody's card, by part of a name or of a phone number, whichever account it is.

    Where too many others are found, the first name is added, or the whole number typed instead.
    """
    desk.verb("/", then="Find anyone|Find:(.|\\n)*F9 Go to")
    if not desk.sees("Find anyone"):
        desk.verb("/", then="Find anyone")
    row = rf"{one.customer.code} +{re.escape(one.name)} "
    look_for(desk, by, by)
    if not desk.sees(row, patience=1.5):
        if by in one.phone:
            desk.press("ctrl+u", then="whom you looked at last")
            look_for(desk, one.phone, one.phone)
        else:
            more = f" {one.first.lower()}"
            look_for(desk, more, by + more)
    desk.press("enter", then="Enter Open")
    desk.move(row, "enter")
    desk.see(rf"{re.escape(one.upn)}(.|\n)*> Services")


def last_name(one: Person) -> str:
    """As much of a last name as an operator types."""
    return one.last[:6].lower()


def services(desk: Desk) -> None:
    """From the card into the mailbox's open panel."""
    desk.press("p", then=r"Provision S.*\n(.*\n)+?. Managed Exchange")
    desk.press("enter", then=r"\( \) Standard Mail|\(•\) Standard Mail")


def choose(desk: Desk, level: str) -> None:
    """Put the cursor on a level and choose it."""
    name = re.escape(LEVELS[level])
    desk.move(rf"\(.\) {name}")
    desk.press("space", then=rf"> \(•\) {name}")


def go_to_account(desk: Desk, customer: Customer) -> None:
    """From anywhere to the customer's account, where the console is not there already; it opens at Home."""
    if customer.name[:8] in desk.text.splitlines()[0]:
        return
    desk.verb("o", then="Accounts(.|\\n)*F9 Go to")
    desk.type(customer.code, then=r" 1 account\b")
    desk.press("enter", then=rf"> {customer.code}")
    desk.press("enter", then=rf"Account changed: \S+ -> {customer.code}")
    desk.see(r"This month +AUD")


def follow(desk: Desk, link: str, then: str) -> None:
    """QUICK LINKS to a screen, by as many of its first letters as lead there; they count as keys."""
    desk.verb("g", then="QUICK LINKS")
    desk.press(*LETTERS[link], then=f"> {link}")
    desk.press("enter", then=then)


def go_home(desk: Desk, customer: Customer) -> None:
    """From anywhere to Home of the customer."""
    go_to_account(desk, customer)
    if not desk.sees(r"This month +AUD"):
        follow(desk, "Home", r"This month +AUD")


def fill_in(desk: Desk, one: Person) -> None:
    """The form of a new user, with a generated password that is read to whoever asked."""
    for text in (one.local, one.first, one.last):
        desk.type(text)
        desk.press("enter", then="F9 Go to")
    desk.press("enter", "enter", "enter", "enter", then="Enter Press")
    desk.press("enter", then="Reveal once")
    desk.press("enter", then="Password: ....-....-")
