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


def clicks(*words: str, article: bool = True) -> tuple[Step, ...]:
    return tuple(click(one, article=article) for one in words)


AREA = click("Home > Service Management Area")
ALL_USERS = click("All Users")
SEARCH = (fill("search the list of users", article=False), click("Search", article=False))
NAME = click("the user's name: User Functions and Account Status expand")
FIND = (AREA, ALL_USERS, *SEARCH, NAME)
TO_SERVICES = click("User Functions > Services")
OPEN = click("Managed Exchange: its options expand")
PROVISION = click("Provision")
SAVE = click("Provision", article=False)
CHANGE = (TO_SERVICES, OPEN, click("the radio button next to the other level"), PROVISION)
AGAIN = (TO_SERVICES, OPEN, PROVISION)
EDIT = (*FIND, click("User Functions > Edit User", article=False))
ACCOUNT_SETTING = (*EDIT, *clicks("Account Setting", "Account disabled", article=False))
NEW_USER = (
    click("New User"),
    *map(fill, ("UPN", "First Names", "Last Name", "Password", "Confirm")),
    PROVISION,
    OPEN,
)

RECIPES: Mapping[str, Sequence[Step]] = {
    "starter": (AREA, *NEW_USER, click("Managed Exchange - PC & Web Access"), PROVISION),
    "like": (
        *FIND,
        TO_SERVICES,
        AREA,
        *NEW_USER,
        click("the level that the colleague has"),
        PROVISION,
    ),
    "bulk": (AREA, ALL_USERS, *(*SEARCH, NAME, *CHANGE) * 4),
    "retry-all": (AREA, ALL_USERS, *(*SEARCH, NAME, *AGAIN) * 3),
    "reset": (
        *EDIT,
        click("Password Reset", article=False),
        fill("New password", article=False),
        fill("Confirm", article=False),
        SAVE,
    ),
    "level": (*FIND, *CHANGE),
    "short": (
        *FIND,
        TO_SERVICES,
        OPEN,
        *clicks("Home", "Email", "the level", "BUY EMAIL"),
        fill("quantity"),
        *clicks("Next", "Confirm the order", "QUICK LINKS > Service Management Area"),
        ALL_USERS,
        *SEARCH,
        NAME,
        TO_SERVICES,
        OPEN,
        click("the radio button next to the level"),
        PROVISION,
    ),
    "mend": (*FIND, *AGAIN),
    "mend-level": (
        *FIND,
        TO_SERVICES,
        OPEN,
        click("the radio button next to another level"),
        PROVISION,
    ),
    "leaver": (*ACCOUNT_SETTING, fill("Account expires", article=False), SAVE),
    "enable": (*ACCOUNT_SETTING, SAVE),
    "undo": (*ACCOUNT_SETTING, SAVE),
    "restore": (
        AREA,
        click("Users > Deleted users", article=False),
        *SEARCH,
        *clicks("the user's name", "Restore", "OK in the browser's question", article=False),
    ),
    "alias": (
        *EDIT,
        click("Email addresses", article=False),
        fill("New alias", article=False),
        click("Add", article=False),
        SAVE,
    ),
    "group": (
        AREA,
        *clicks("Distribution groups", "the group's name", "Members > Add", article=False),
        *SEARCH,
        *clicks("the user", "Add", article=False),
        SAVE,
    ),
    "history": (
        *FIND,
        *clicks(
            "User Functions > History",
            "the change",
            "Copy, after the text was marked",
            article=False,
        ),
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
