"""The corpus: what an operator does from Home, as the keys that they press for it.

Every action changes the database or the terminal's clipboard, so that whom a key was for can be seen there.
"""

from __future__ import annotations

from dataclasses import dataclass

ASKED = "<a question about what is taken away is shown>"


@dataclass(frozen=True, slots=True)
class Action:
    """What is done: `keys` are names of keys, texts that are typed, and ASKED; `shown` is what the screen says then."""

    name: str
    shown: str
    keys: tuple[str, ...]


def _does(name: str, shown: str, *keys: str) -> Action:
    return Action(name, shown, keys)


def _go(place: str, *keys: str) -> tuple[str, ...]:
    """By QUICK LINKS, which follow first letters."""
    return ("g", place, "enter", *keys)


def _in(place: str, text: str) -> tuple[str, ...]:
    """The first that is found in the list of a place."""
    return _go(place, "/", text, "down")


PASSWORD = "Correct-Horse-7"
PASTED = "\x1b[200~Bea Dow\rCy Ott\r\x1b[201~"
PROVISION = ("enter", "down", "space", "p")
"""The first panel of Provision Services, the level that is offered, and the wish."""

ACTIONS = (
    _does("buy seats", "Order 4", "down", "enter", "space", "b", "f7", "f7"),
    _does(
        "create a user",
        "The user is created",
        *("n", "bo.derek", "enter", "Bo", "enter", "Derek", "enter", "enter", "enter"),
        *(PASSWORD, "enter", PASSWORD, "f2"),
    ),
    _does("provision", "Asked for", *_in("users", "mia"), "p", *PROVISION),
    _does(
        "change a level",
        "Asked for",
        *(*_in("users", "alan"), "p", "enter", "up", "space", "p", ASKED, "y"),
    ),
    _does(
        "suspend",
        "Asked for",
        *(*_in("users", "alan"), "p", "enter", *["tab"] * 4, "enter", ASKED, "y"),
    ),
    _does(
        "deprovision",
        "deprovision",
        *(*_in("users", "alan"), "enter", *["down"] * 4, "enter", ASKED, "right", "enter"),
    ),
    _does(
        "delete",
        "recycling",
        *(*_in("users", "miles"), "enter", *["down"] * 5, "enter", ASKED),
        *("miles@acme.example", "enter"),
    ),
    _does(
        "disable", "Disabled", *_in("users", "alan"), "enter", *["down"] * 3, "enter", ASKED, "y"
    ),
    _does("users: edit", "Saved", *_in("users", "mia"), "e", *["tab"] * 4, "Clerk", "f2"),
    _does("users: copy", "Copied: mia@", *_in("users", "mia"), "y"),
    _does("users: mark", "Running", *_in("users", "mia"), "space", "x", "f2", "p"),
    _does(
        "users: suspend marked",
        "Running",
        *(*_in("users", "alan"), "space", "x", "right", "right", "f2", "p", ASKED, "y"),
    ),
    _does("users: history", "Copied", *_in("users", "zoe"), "h", "y"),
    _does("lights: provision", "Asked for", *_in("lights", "zoe"), "enter", "down", "space", "p"),
    _does("lights: copy", "Copied: zoe@", *_in("lights", "zoe"), "y"),
    _does("lights: try again", "tried", *_in("lights", "grace"), "R", "y"),
    _does("lights: mark", "Running", *_in("lights", "zoe"), "space", "x", "f2", "p"),
    _does(
        "schedule",
        "Scheduled, number 1",
        *(*_in("lights", "miles"), "d", "enter", "2031-02-03 10:00", "enter"),
    ),
    _does("requests: try again", "Tried again", *_go("requests", "end", "up", "r")),
    _does("history: undo", "Undone", *_in("history", "apples"), "u", ASKED, "y"),
    _does("history: copy", "Copied", *_in("history", "bananas"), "y"),
    _does(
        "groups: add a member",
        "Asked for",
        *(*_in("groups", "ban"), "enter", "shift+tab", "shift+tab", "alan", "down", "enter", "f2"),
    ),
    _does("groups: copy", "Copied", *_in("groups", "cherries"), "y"),
    _does("bin: restore", "is back", *_in("recycling", "kim"), "enter", "y"),
    _does(
        "bin: purge",
        "purged",
        *(*_in("recycling", "kim"), "tab", "tab", "enter", ASKED, "kim@acme.example", "enter"),
    ),
    _does("area: provision", "Asked for", *_in("service", "miles"), "enter", "p", *PROVISION),
    _does("anyone: edit", "Saved", "/", "homer", "down", "enter", "e", *["tab"] * 4, "Clerk", "f2"),
    _does("anyone: copy", "Copied: homer", "/", "homer", "down", "y"),
    _does(
        "accounts: buy",
        "Order 4",
        *_go("accounts", "globex", "down", "enter", "down", "enter", "space", "b", "f7", "f7"),
    ),
    _does("paste", "created", *_go("paste", PASTED, "f2", "y", "enter")),
    _does(
        "overlays",
        "Saved",
        *("?", "escape", "g", "escape", *_in("users", "mia"), "?", "escape", "e"),
        *(*["tab"] * 4, "Clerk", "f2"),
    ),
    _does("a command", "Done", ":", "users disable ada@acme.example", "enter"),
    _does("a ticket", "Asked for", "t", "INC-7", "enter", *_in("users", "mia"), "p", *PROVISION),
    _does("undo", "Undone", *_in("users", "mia"), "p", *PROVISION, "u", "u", ASKED, "y"),
    _does("the newest red", "Asked for", "!", "p"),
)
