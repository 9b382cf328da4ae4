"""Paste a list: read as one types, planned, created, and what was refused stays."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

from textual import events
from textual.pilot import Pilot

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.onboarding.template_content import TemplateContent, TemplateService
from mission_control_tui.model.onboarding.templates import save_template
from mission_control_tui.model.orders.buying import buy
from mission_control_tui.model.search.user_list import page
from mission_control_tui.screens.users.paste import PasteScreen
from mission_control_tui.widgets.field import ChoiceField
from mission_control_tui.widgets.paste_area import PasteArea, harmless_lines
from mission_control_tui.widgets.row_list import RowList
from tests.screens.driving import answer, at_both_sizes, shows, text_of, until
from tests.screens.users.driving import context_of, opened


def area(app: MissionControlApp) -> PasteArea:
    return app.screen.query_one(PasteArea)


async def paste_in(app: MissionControlApp, pilot: Pilot[int], text: str) -> None:
    """What a terminal with bracketed paste hands over."""
    await until(pilot, lambda: isinstance(app.screen, PasteScreen) and area(app).has_focus)
    app.post_message(events.Paste(text))
    await pilot.pause()


async def count(app: MissionControlApp) -> int:
    context = context_of(app)
    return (await page(context.scope)).total


async def choose(app: MissionControlApp, name: str, value: str) -> None:
    app.screen.query_one(f"#{name}", ChoiceField).value = value


@at_both_sizes
async def test_a_list_becomes_users_with_mailboxes(
    world_db: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with opened(world_db, "paste", size=size) as (app, pilot):
        before = await count(app)
        await paste_in(app, pilot, "1. Mary Jackson\r\nVaughan, Dorothy\r\n12345\r\n")
        await shows(
            pilot, "2 to create, 1 to correct", "mary.jackson@acme.example", "is not a name"
        )
        await choose(app, "gets", "managed-exchange pc-web")
        await pilot.press("f2")
        await shows(pilot, "create 2 users; 1 line stays here?", "2 needed")
        await answer(pilot, "y")
        await shows(pilot, "File", "before anything is created")
        file = tmp_path / "p.csv"
        await pilot.press("ctrl+u")
        app.post_message(events.Paste(str(file)))
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: file.exists() and area(app).text == "12345")
        await shows(pilot, "2 users created")
        assert await count(app) == before + 2
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with file.open(newline="") as rows:
            made = list(csv.DictReader(rows))
        assert [one["upn"] for one in made] == [
            *("mary.jackson@acme.example", "dorothy.vaughan@acme.example")
        ]
        assert not any(one["password"] in text_of(app) for one in made)


async def test_a_list_without_errors_leads_to_its_bulk(world_db: Path, tmp_path: Path) -> None:
    async with opened(world_db, "paste") as (app, pilot):
        await paste_in(app, pilot, "Mary Jackson")
        await shows(pilot, "1 to create")
        await choose(app, "gets", "managed-exchange pc-web")
        await pilot.press("f2")
        await shows(pilot, "create 1 user?")
        await answer(pilot, "y")
        await shows(pilot, "File", "before anything is created")
        await pilot.press("ctrl+u")
        app.post_message(events.Paste(str(tmp_path / "p.csv")))
        await pilot.pause()
        await pilot.press("enter")
        await shows(pilot, "Services for new users", "1 user created", "mary.jackson@acme.example")


async def test_what_has_a_password_of_its_own_is_named_with_what_to_do(world_db: Path) -> None:
    async with opened(world_db, "home") as (app, pilot):
        context = context_of(app)
        scope = context.scope
        await buy(scope, "databases", level="small", quantity=2)
        services = (
            TemplateService("managed-exchange", "pc-web"),
            TemplateService("databases", "small"),
        )
        await save_template(scope, "New staff", TemplateContent({}, services))
        app.screen.go_to("paste")  # type: ignore[attr-defined]
        await paste_in(app, pilot, "Mary Jackson")
        await shows(pilot, "1 to create")
        await choose(app, "gets", "template New staff")
        await shows(pilot, "template New staff, without Databases")
        await pilot.press("f2")
        await shows(pilot, "create 1 user?", "1 needed")
        await shows(pilot, "Not given, for a password of its own: Databases.")
        await shows(pilot, ":users paste FILE --template 'New staff' --passwords-out FILE")
        await pilot.press("n")
        await choose(app, "gets", "managed-exchange pc-web")
        await pilot.press("f2")
        await shows(pilot, "create 1 user?", "1 needed")
        assert "Not given" not in text_of(app)


async def test_a_file_that_is_there_already_is_left_alone_and_nobody_is_created(
    world_db: Path, tmp_path: Path
) -> None:
    async with opened(world_db, "paste") as (app, pilot):
        before = await count(app)
        file = tmp_path / "p.csv"
        file.write_text("mine")
        await paste_in(app, pilot, "Mary Jackson")
        await shows(pilot, "1 to create")
        await pilot.press("f2")
        await shows(pilot, "create 1 user?")
        await answer(pilot, "y")
        await shows(pilot, "File", "before anything is created")
        await pilot.press("ctrl+u")
        app.post_message(events.Paste(str(file)))
        await pilot.pause()
        await pilot.press("enter")
        await shows(pilot, "This file exists already")
        assert (file.read_text(), await count(app), area(app).text) == (
            "mine",
            before,
            "Mary Jackson",
        )


async def test_passwords_that_cannot_be_written_create_nobody(world_db: Path) -> None:
    async with opened(world_db, "paste") as (app, pilot):
        before = await count(app)
        await paste_in(app, pilot, "Mary Jackson")
        await shows(pilot, "1 to create")
        await pilot.press("f2")
        await shows(pilot, "create 1 user?")
        await answer(pilot, "y")
        await shows(pilot, "File", "before anything is created")
        await pilot.press("ctrl+u")
        app.post_message(events.Paste("/nowhere/at/all/p.csv"))
        await pilot.pause()
        await pilot.press("enter")
        await shows(pilot, "This file cannot be written")
        assert await count(app) == before


async def test_no_changes_nothing_and_keeps_the_list(world_db: Path) -> None:
    async with opened(world_db, "paste") as (app, pilot):
        before = await count(app)
        await paste_in(app, pilot, "Mary Jackson")
        await shows(pilot, "1 to create")
        await pilot.press("f2")
        await shows(pilot, "create 1 user?")
        await pilot.press("escape")
        await shows(pilot, "Nothing was changed")
        assert (area(app).text, await count(app)) == ("Mary Jackson", before)


async def test_what_is_pasted_is_there_again_after_a_look_elsewhere(world_db: Path) -> None:
    async with opened(world_db, "paste") as (app, pilot):
        await paste_in(app, pilot, "Mary Jackson\nDorothy Vaughan")
        await shows(pilot, "2 to create")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: not isinstance(app.screen, PasteScreen))
        app.screen.go_to("paste")  # type: ignore[attr-defined]
        await until(pilot, lambda: isinstance(app.screen, PasteScreen) and app.screen.is_mounted)
        await shows(pilot, "2 to create", "Dorothy Vaughan")


async def test_hostile_text_is_shown_and_does_nothing(world_db: Path) -> None:
    async with opened(world_db, "paste") as (app, pilot):
        await paste_in(
            app, pilot, "\x1b[31mEve\x07 [/] [bold]x\x9b2J\u202e Evil\n名前 漢字\nJo [b]"
        )
        await shows(pilot, "to correct")
        text = text_of(app)
        assert not any(char in text for char in "\x1b\x07\x9b\u202e")
        assert not any(char in area(app).text for char in "\x1b\x07\x9b\u202e")


async def test_many_need_the_number_typed(world_db: Path) -> None:
    async with opened(world_db, "paste") as (app, pilot):
        await paste_in(app, pilot, "\n".join(f"Person Number{chr(97 + one)}" for one in range(26)))
        await shows(pilot, "26 to create")
        await pilot.press("f2")
        await shows(pilot, "create 26 users?", "Type 26")


async def test_two_thousand_lines_are_read(world_db: Path) -> None:
    async with opened(world_db, "paste") as (app, pilot):
        await paste_in(app, pilot, "\n".join(f"P{one % 9} N{one}x" for one in range(2000)))
        await shows(pilot, "2,000 to create")


def test_lines_and_tabs_stay() -> None:
    assert harmless_lines("a\tb\r\nc\rd\n\x1b") == "a\tb\nc\nd\n\ufffd"


async def test_the_last_of_many_people_comes_into_view(world_db: Path) -> None:
    async with opened(world_db, "paste") as (app, pilot):
        lines = [f"Ada Number{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(40)]
        area(app).load_text("\n".join(lines))
        people = app.screen.query_one(RowList)
        await until(pilot, lambda: people.count == len(lines))
        people.focus()
        await pilot.press("end")
        assert "ada.numberbn@acme.example" in text_of(app)
