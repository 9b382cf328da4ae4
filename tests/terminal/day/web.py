"""What the article's web screens need for the same tickets, in clicks and fields: the other column of the table.

Each recipe is a list of steps. Those that the article shows are named with its own words; the others are marked as
inferred and follow the same pages (docs/vocabulary.md's sources), always the shortest way that such pages allow. Every
doubt is decided in favour of the web: logging in, waiting for pages, scrolling and pointing at menus cost nothing, a
person is found by one field and one click whatever the customer, and there is no ticket reference to set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CLICK, FIELD = "click", "field"


@dataclass(frozen=True, slots=True)
class Step:
    """One click, or one field to fill in; `article` where the article describes it."""

    what: str
    words: str
    article: bool = True


def click(words: str, *, article: bool = True) -> Step:
    return Step(CLICK, words, article)


def fill(words: str, *, article: bool = True) -> Step:
    return Step(FIELD, words, article)


AREA = click("Home > Service Management Area")
ALL_USERS = click("All Users")
SEARCH = (
    fill("search the list of users", article=False),
    click("Search", article=False),
)
NAME = click("the user's name: User Functions and Account Status expand")
FIND = (AREA, ALL_USERS, *SEARCH, NAME)
SERVICES = (*FIND, click("User Functions > Services"))
OPEN = click("Managed Exchange: its options expand")
PROVISION = click("Provision")
CHANGE = (
    NAME,
    click("User Functions > Services"),
    OPEN,
    click("the radio button next to the other level"),
    PROVISION,
)
AGAIN = (NAME, click("User Functions > Services"), OPEN, PROVISION)
OK = click("OK in the browser's question", article=False)

RECIPES: Mapping[str, Sequence[Step]] = {
    "starter": (
        AREA,
        click("New User"),
        fill("UPN"),
        fill("First Names"),
        fill("Last Name"),
        fill("Password"),
        fill("Confirm"),
        PROVISION,
        OPEN,
        click("Managed Exchange - PC & Web Access"),
        PROVISION,
    ),
    "like": (
        *FIND,
        click("User Functions > Services"),
        click("Home > Service Management Area"),
        click("New User"),
        fill("UPN"),
        fill("First Names"),
        fill("Last Name"),
        fill("Password"),
        fill("Confirm"),
        PROVISION,
        OPEN,
        click("the level that the colleague has"),
        PROVISION,
    ),
    "bulk": (
        AREA,
        ALL_USERS,
        *(each for _ in range(4) for each in (*SEARCH, *CHANGE)),
    ),
    "retry-all": (
        AREA,
        ALL_USERS,
        *(each for _ in range(3) for each in (*SEARCH, *AGAIN)),
    ),
    "reset": (
        *FIND,
        click("User Functions > Edit User", article=False),
        click("Password Reset", article=False),
        fill("New password", article=False),
        fill("Confirm", article=False),
        click("Provision", article=False),
    ),
    "level": (*SERVICES, OPEN, click("the radio button next to the other level"), PROVISION),
    "short": (
        *SERVICES,
        OPEN,
        click("Home"),
        click("Email"),
        click("the level"),
        click("BUY EMAIL"),
        fill("quantity"),
        click("Next"),
        click("Confirm the order"),
        click("QUICK LINKS > Service Management Area"),
        ALL_USERS,
        *SEARCH,
        NAME,
        click("User Functions > Services"),
        OPEN,
        click("the radio button next to the level"),
        PROVISION,
    ),
    "mend": (*SERVICES, OPEN, PROVISION),
    "mend-level": (
        *SERVICES,
        OPEN,
        click("the radio button next to another level"),
        PROVISION,
    ),
    "leaver": (
        *FIND,
        click("User Functions > Edit User", article=False),
        click("Account Setting", article=False),
        click("Account disabled", article=False),
        fill("Account expires", article=False),
        click("Provision", article=False),
    ),
    "enable": (
        *FIND,
        click("User Functions > Edit User", article=False),
        click("Account Setting", article=False),
        click("Account disabled", article=False),
        click("Provision", article=False),
    ),
    "undo": (
        *FIND,
        click("User Functions > Edit User", article=False),
        click("Account Setting", article=False),
        click("Account disabled", article=False),
        click("Provision", article=False),
    ),
    "restore": (
        AREA,
        click("Users > Deleted users", article=False),
        *SEARCH,
        click("the user's name", article=False),
        click("Restore", article=False),
        OK,
    ),
    "alias": (
        *FIND,
        click("User Functions > Edit User", article=False),
        click("Email addresses", article=False),
        fill("New alias", article=False),
        click("Add", article=False),
        click("Provision", article=False),
    ),
    "group": (
        AREA,
        click("Distribution groups", article=False),
        click("the group's name", article=False),
        click("Members > Add", article=False),
        *SEARCH,
        click("the user", article=False),
        click("Add", article=False),
        click("Provision", article=False),
    ),
    "history": (
        *FIND,
        click("User Functions > History", article=False),
        click("the change", article=False),
        click("Copy, after the text was marked", article=False),
    ),
    "domains": (click("Domain Names"),),
}
"""Kind of ticket -> what is clicked and filled in."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Clicks and fields of a kind, and whether all of it is described in the article."""

    clicks: int
    fields: int
    described: bool


def cost(kind: str) -> Cost:
    """What a kind of ticket costs on the web screens."""
    steps = RECIPES[kind]
    return Cost(
        sum(one.what == CLICK for one in steps),
        sum(one.what == FIELD for one in steps),
        all(one.article for one in steps if one not in SEARCH),
    )
