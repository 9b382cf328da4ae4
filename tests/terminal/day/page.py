"""docs/day.md: what the day is, the table that was measured, and what each number is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from tests.terminal.day.table import HEAD
from tests.terminal.day.tickets import KINDS
from tests.terminal.day.web import RECIPES, Step, cost
from tests.terminal.day.world import CUSTOMERS

PAGE = Path(__file__).parents[3] / "docs" / "day.md"
FENCE = "```"

INTRO = """# A helpdesk's day, counted

Written by `python -m tests.terminal.day --page` from `tests/terminal/day/`; `tests/terminal/test_day.py` holds them
together.

`python -m tests.terminal.day` plays 60 mixed tickets over {accounts} accounts with {users:,} users in a real
terminal of 80x24, with a real worker and the simulator, by keys alone: it looks at the screen, presses keys, and
waits for words, never for a time. In the middle the line is cut, and the next console has to be on the same screen,
account and user. At the end every ticket's effect has to be true, every row of the audit has to carry the right
ticket in the right account, nobody else may have been changed, nothing may be red, and no draft may be left. CI
plays a short day; `MC_PROOF=2 ./run-tests tests/terminal/test_day.py` plays the whole one. `--seed N` plays another
day.

**Keys** are all keys that are not text: letters that are verbs, Enter, Tab, arrows, and the letters that find a
quick link.
**Typed** are characters of text: names, parts of names that find somebody, the ticket's number. Each ticket begins
wherever the one before ended, mostly in another account, and sets its number (`t`, the number, Enter), which is
counted.
**Most** is the bound that a test holds each kind to. The day prints this table:"""

WEB = """
## The web's clicks and fields

What the article's web screens need for the same is counted from the steps that the article describes; a step in
italics is inferred from the same pages, and a kind that has such steps, other than finding the user in the list,
has an asterisk in the table. Every doubt is decided in favour of the web:

- logging in, changing the customer, waiting for pages, scrolling and pointing at menus cost nothing;
- a person is found by one field, Search and the name, although the article only shows a list to page through;
- a field is one field, however much is typed into it, and pre-filled fields cost nothing;
- there is no ticket to set, and nothing is asked before something is taken away;
- what the article's pages cannot do for several people at once is done for one after the other;
- a date on which somebody leaves is one field of Account Setting.

A click is not a key: a hand that goes to the mouse and back takes longer than two keys. The table leaves that to
the reader.

| kind of ticket | here | most keys | clicks | fields |
|---|---|---|---|---|
"""

HERE = {
    "starter": "`o` account, `n`, the form, Generate, Provision, Enter, the level, `p`",
    "like": "`/` the colleague, `l`, the form, Generate, Provision",
    "bulk": "Users, Find, `*`, `x`, the level, the plan, Start",
    "retry-all": "Lights, Find, `R`, `y`",
    "reset": "`/` name or phone, Reset Password, Generate and set, reveal",
    "level": "`/` name, `p`, Enter, the level, `p`, `y`",
    "short": "`/` name, `p`, Enter, the level, `b`, 3, Next, Buy, the level, `p`, `y`",
    "mend": "`/` name, `p`, Enter, read, `p`",
    "mend-level": "`/` name, `p`, Enter, read, `e`, the level, `p`, `y`",
    "leaver": "`/` name, Disable, `y`, `d`, Deprovision, the date",
    "enable": "`/` name, Enable",
    "undo": "`/` name, `h`, `u`, `y`",
    "restore": "`o` account, Recycling bin, the person, `y`",
    "alias": "`/` name, `e`, Email addresses, the alias, Add, Provision",
    "group": "`o` account, Groups, the group, Add, the person, Provision",
    "history": "`/` name, `h`, `y`",
    "domains": "`o` account, Home > Account > Domains",
}


def text(measured: Sequence[str]) -> str:
    """The whole page around a table that was measured."""
    intro = INTRO.format(accounts=len(CUSTOMERS), users=sum(one.users for one in CUSTOMERS))
    rows = [
        f"| {one.title} | {HERE[one.name]} | {one.most} | {web.clicks} | {web.fields} |"
        for one in KINDS
        for web in [cost(one.name)]
    ]
    recipes = [f"- **{one.title}**: {_recipe(RECIPES[one.name])}." for one in KINDS]
    block = [FENCE, *(line.rstrip() for line in measured), FENCE]
    return f"{intro}\n{_lines(block)}{WEB}{_lines(rows)}\n### Step by step\n\n{_lines(recipes)}"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _recipe(steps: Sequence[Step]) -> str:
    return "; ".join(_words(steps))


def _words(steps: Sequence[Step]) -> Iterator[str]:
    """Each step with what it is; the same pages for several people are said once."""
    said: list[str] = []
    for one, again in groupby(steps):
        count = len(list(again))
        words = f"{one.words} ({one.what}{f', {count} times' if count > 1 else ''})"
        said.append(words if one.article else f"*{words}*")
    yield from dict.fromkeys(said)
    repeated = max((said.count(one) for one in said), default=1)
    if repeated > 1:
        yield f"what comes more than once does so for up to {repeated} people or times"


def measured() -> list[str]:
    """The table that the page has."""
    inside = PAGE.read_text().split(FENCE)[1]
    lines = inside.strip("\n").splitlines()
    if not lines or lines[0] != HEAD.rstrip():
        raise ValueError(f"{PAGE} has no table that begins with {HEAD!r}")
    return lines
