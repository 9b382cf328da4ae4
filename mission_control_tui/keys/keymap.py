"""One table of verbs: bindings, footer, help and docs/keys.md all come from it.

Letters work while no field has the focus; the function-key twin of a verb works in fields too. Nothing here
needs keys that terminals, multiplexers or container tools keep for themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that a key does.

    `key` works outside fields, `twin` everywhere; `label` is the footer's word, `description` the help's sentence;
    the footer shows the lowest `priority` first, and never those with 0; `where` says in words when it works.
    """

    id: str
    key: str
    label: str
    description: str
    twin: str = ""
    priority: int = 0
    where: str = "everywhere"


VERBS: tuple[Verb, ...] = (
    Verb(
        "open",
        "enter",
        "Open",
        "Open what the cursor is on",
        priority=10,
        where="on a row, panel or button",
    ),
    Verb(
        "mark",
        "space",
        "Mark",
        "Mark the row; open or close a panel; choose a level",
        priority=60,
        where="on a row, panel, level or check box",
    ),
    Verb(
        "back",
        "escape",
        "Back",
        "Go back one level: leave the field, close the panel, go back a step, leave the screen",
        priority=70,
    ),
    Verb("help", "?", "Help", "Help on this screen and on the focused field", "f1", priority=80),
    Verb(
        "provision",
        "p",
        "Provision",
        "Provision what is chosen: send the wish to the worker",
        "f2",
        priority=20,
        where="on forms and services",
    ),
    Verb(
        "find",
        "/",
        "Find",
        "Find as you type: on this screen's list first, and from there anyone in any account",
        "f3",
        priority=35,
    ),
    Verb(
        "edit",
        "e",
        "Edit",
        "Edit what the cursor is on",
        "f4",
        priority=30,
        where="on a user, service, template or schedule",
    ),
    Verb(
        "retry",
        "r",
        "Retry",
        "Try again what is red",
        "f5",
        priority=40,
        where="on a red light or a failed request",
    ),
    Verb(
        "new",
        "n",
        "New",
        "New user",
        "f6",
        priority=25,
        where="on Home, in the Service Management Area and on lists of users, templates and groups",
    ),
    Verb(
        "buy",
        "b",
        "Buy",
        "Buy the product or more seats",
        "f7",
        priority=28,
        where="on products and levels",
    ),
    Verb("next_red", "!", "Next red", "Go to the next red light", "f8", priority=65),
    Verb("go", "g", "Go to", "QUICK LINKS: go to another screen", "f9", priority=50),
    Verb(
        "quit", "q", "Quit", "Leave Mission Control; what was asked for goes on", "f10", priority=90
    ),
    Verb(
        "copy",
        "y",
        "Copy",
        "Copy the user's name, an order or an error text to the terminal's clipboard",
        "f12",
        where="on rows and panels",
    ),
    Verb(
        "mark_range",
        "v",
        "Mark to here",
        "Mark from the last mark to the cursor",
        where="where rows can be marked",
    ),
    Verb(
        "mark_all",
        "*",
        "Mark all",
        "Mark what the filter shows; when all of it is marked, clear the marks",
        where="where rows can be marked",
    ),
    Verb(
        "act",
        "x",
        "Act on marked",
        "One action for all marked: provision, change level, suspend, disable and more",
        priority=15,
        where="where rows can be marked",
    ),
    Verb(
        "retry_all",
        "R",
        "Retry all red",
        "Try again all that is red in view, after saying what is likely to fail again",
        priority=45,
        where="on lights, users and requests",
    ),
    Verb(
        "sort",
        "s",
        "Sort",
        "Sort by name, by age, by account or by connector",
        priority=55,
        where="on lights and on what is red and waiting",
    ),
    Verb(
        "connector",
        "i",
        "Connector",
        "Go to the connector behind it: whether it answers, why it is paused",
        priority=85,
        where="on a service, a request, and what is red and waiting",
    ),
    Verb(
        "like",
        "l",
        "New like this",
        "New user with this one's levels, settings and groups of fields, never identity or password",
        priority=45,
        where="on a user",
    ),
    Verb(
        "schedule",
        "d",
        "Date",
        "Schedule at a date and time what the cursor is on",
        where="on a user or service",
    ),
    Verb(
        "history",
        "h",
        "History",
        "History of the user, or of the account",
        priority=57,
        where="on a user and on Home",
    ),
    Verb(
        "undo",
        "u",
        "Undo",
        "Take back the change the cursor is on, or the last one of this session",
        priority=43,
        where="in the history and after a change",
    ),
    Verb(
        "write",
        "w",
        "Write file",
        "Write what is shown to a file",
        priority=46,
        where="in the history, statements and settings",
    ),
    Verb(
        "discard",
        "delete",
        "Throw away",
        "Throw away what the cursor is on",
        priority=40,
        where="on drafts, templates and settings",
    ),
    Verb(
        "ticket", "t", "Ticket", "Set the ticket that every change carries; empty clears it", "f11"
    ),
    Verb("account", "o", "Account", "Go to another account", "ctrl+o"),
    Verb("arm", "a", "Arm", "Arm a read-only console, or make it read-only again", "ctrl+r"),
    Verb(
        "command", ":", "Command", "Type a command of the command line; Tab completes it", "ctrl+g"
    ),
    Verb("up", "up", "Up", "The row above", where="in lists"),
    Verb("down", "down", "Down", "The row below", where="in lists"),
    Verb("pageup", "pageup", "Page up", "One page up", where="in lists"),
    Verb("pagedown", "pagedown", "Page down", "One page down", where="in lists"),
    Verb("home", "home", "First", "The first row", where="in lists"),
    Verb("end", "end", "Last", "The last row", where="in lists"),
    Verb(
        "right",
        "right",
        "Open panel",
        "Open the panel; the next choice",
        where="on panels and choices",
    ),
    Verb(
        "left",
        "left",
        "Close panel",
        "Close the panel; the choice before",
        where="on panels and choices",
    ),
    Verb(
        "redraw",
        "ctrl+l",
        "Redraw",
        "Paint the whole screen again, after something else wrote on it",
    ),
)

BY_ID: Mapping[str, Verb] = {verb.id: verb for verb in VERBS}

EVERYWHERE = ("back", "help", "find", "next_red", "go", "account", "quit", "redraw")
"""Verbs that every screen has."""

HINTED_WHERE_NAMED = frozenset({"find", "history", "undo"})
"""Verbs that work everywhere, and that the hints show on the screens that name them as their own."""

OPERATING = ("history", "undo", "ticket", "arm", "command")
"""Verbs that every screen of an account has beside those."""

MOST_HINTS = 7

LEAVE_FIELD = "Leave field"
"""What Escape does in a field: letters are verbs then, and a second one goes back."""

_KEY_WORDS = {
    "enter": "Enter",
    "space": "Space",
    "escape": "Esc",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "home": "Home",
    "end": "End",
    "delete": "Del",
}
_MOVES = (
    ("Tab, Shift+Tab", "The next, the previous field, list or panel"),
    ("Enter in a field", "The next field; it never submits"),
    ("Ctrl+Z", "Suspend; `fg` comes back"),
)


def key_word(key: str) -> str:
    """Return how a key is written for people."""
    if key in _KEY_WORDS:
        return _KEY_WORDS[key]
    if key.startswith("ctrl+"):
        return "Ctrl+" + key[5:].upper()
    return key.upper() if len(key) > 1 and key[0] == "f" and key[1:].isdigit() else key


def bindings(*ids: str, action: str = "{id}") -> list[Binding]:
    """Textual bindings of these verbs; `action` says what a verb's id becomes."""
    from textual.binding import Binding

    return [
        Binding(
            ",".join(filter(None, (verb.key, verb.twin))),
            action.format(id=verb.id),
            verb.label,
            show=False,
            id=verb.id,
            tooltip=verb.description,
        )
        for verb in (BY_ID[verb_id] for verb_id in ids)
    ]


def keys_of(verb: Verb, overrides: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Return the key and the twin of a verb, as the user's own keymap has them."""
    if overrides and verb.id in overrides:
        own = [key.strip() for key in overrides[verb.id].split(",") if key.strip()]
        twin = next((key for key in own if len(key) > 1), "")
        return (own[0], twin) if own else ("", "")
    return verb.key, verb.twin


def hints(
    ids: Iterable[str],
    width: int,
    *,
    in_field: bool = False,
    overrides: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> list[tuple[str, str]]:
    """Key and label of at most seven verbs, the most important first to stay; never one that is cut off.

    In a field a verb is shown with the key that works there, and left out when it has none. `labels` say what verbs do
    just now, by their ids.
    """
    wanted = sorted(
        (BY_ID[verb_id] for verb_id in dict.fromkeys(ids) if BY_ID[verb_id].priority),
        key=lambda verb: verb.priority,
    )
    shown: list[tuple[Verb, str, str]] = []
    for verb in wanted:
        key, twin = keys_of(verb, overrides)
        label = (labels or {}).get(verb.id, verb.label)
        if in_field and verb.id == "back":
            label = (labels or {}).get("back", LEAVE_FIELD)
        elif in_field:
            key = twin
        if key:
            shown.append((verb, key_word(key), label))
    kept = {"help", "back"}
    while shown and (
        len(shown) > MOST_HINTS
        or sum(len(key) + len(label) + 1 for _verb, key, label in shown) + 2 * (len(shown) - 1)
        > width
    ):
        shown.remove(next((hint for hint in reversed(shown) if hint[0].id not in kept), shown[-1]))
    return [(key, label) for _verb, key, label in shown]


def help_rows(
    ids: Sequence[str], overrides: Mapping[str, str] | None = None
) -> list[tuple[str, str, str]]:
    """Key, twin and description of each verb, in the table's order."""
    wanted = set(ids)
    return [
        (*(key_word(key) for key in keys_of(verb, overrides)), verb.description)  # type: ignore[misc]
        for verb in VERBS
        if verb.id in wanted
    ]


def markdown() -> str:
    """docs/keys.md."""
    lines = [
        "# Keys",
        "",
        (
            "Written by `python -m mission_control_tui.keys.keymap > docs/keys.md` "
            "from `mission_control_tui/keys/keymap.py`."
        ),
        "Letters work while no field has the focus; the second key works in fields too.",
        "`id` is what the settings file calls it.",
        "",
        "| Key | Also in fields | What it does | Where | id |",
        "|---|---|---|---|---|",
    ]
    for verb in VERBS:
        twin = f"`{key_word(verb.twin)}`" if verb.twin else ""
        lines.append(
            f"| `{key_word(verb.key)}` | {twin} | {verb.description} | {verb.where} | {verb.id} |"
        )
    lines += [f"| {key} |  | {what} | everywhere |  |" for key, what in _MOVES]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(markdown())
