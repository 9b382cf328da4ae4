"""Screens that show every widget, for tests and benchmarks: their data is made up and needs no database."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

from textual.containers import Grid
from textual.widget import Widget

from mission_control_tui.console import base_app
from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.states import Light
from mission_control_tui.screens.base.base import BaseScreen
from mission_control_tui.screens.base.host import Link
from mission_control_tui.terminal.lifecycle import TerminalOptions
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.event_log import EventLog
from mission_control_tui.widgets.field import CheckField, ChoiceField, Field
from mission_control_tui.widgets.find_box import FindBox
from mission_control_tui.widgets.fold import Fold, ServicePanel
from mission_control_tui.widgets.level_picker import LevelChoice, LevelPicker
from mission_control_tui.widgets.light import light_parts
from mission_control_tui.widgets.line_list import LineList, RowPage
from mission_control_tui.widgets.quadrant import Quadrant
from mission_control_tui.widgets.rows import Column, CursorLines, Row
from mission_control_tui.widgets.seat_bar import SeatCounts
from mission_control_tui.widgets.status_lines import TopInfo
from mission_control_tui.widgets.text_lines import TextLines

NASTY = (
    "[bold]Not markup[/] [/",
    "esc\x1b[31mape\x07 bell",
    "名前はとても長い漢字です",
    "שלום עולם",
    "\u202eright to left override",
    "cafe\u0301 combining",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 family \U0001f1e6\U0001f1fa",
    "tab\tand\nnewline",
)
LEVELS = (
    LevelChoice(
        "pcweb", "Managed Exchange - PC & Web Access", SeatCounts(10, 4, 1), "$8.00 a month"
    ),
    LevelChoice("popx", "Standard Mail (POPX)", SeatCounts(3, 3), "$2.00 a month"),
    LevelChoice("archive", "Archive", SeatCounts(0, 0)),
)


class HomeDemo(BaseScreen):
    MEMORY_NAME = "HomeDemo"
    HEADING = "Home"
    ABOUT = "The first screen: services, users, the account and what happened."
    VERBS = ("new", "buy", "find")

    DEFAULT_CSS = """
    HomeDemo Grid { grid-size: 2 2; height: 1fr; }
    """

    def body(self) -> Iterable[Widget]:
        columns = (Column(), Column(width=14, right=True))
        with Grid():
            yield Quadrant("Services", columns=columns, id="services")
            yield Quadrant("Users", columns=columns, id="users")
            yield Quadrant("Account", columns=columns, id="account")
            yield Quadrant("Activity", columns=(Column(),), id="activity")

    async def load(self) -> None:
        self.query_one("#services", Quadrant).set_rows(
            [Row(n, (f"Service {n}", f"{n}/{n * 2}")) for n in range(1, 15)]
        )
        self.query_one("#users", Quadrant).set_rows(
            [Row("new", ("New User", "")), Row("all", ("All Users", "120"))]
        )
        self.query_one("#account", Quadrant).set_rows([Row("n", ("Acme Pty Ltd", ""))])
        self.query_one("#activity", Quadrant).set_rows(
            [
                Row(i, ((*light_parts(Light.RED, "Error"), (f" {t}", "")),))
                for i, t in enumerate(NASTY)
            ],
            more=3,
        )

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "users":
            self.app.push_screen(UsersDemo())

    def verb_new(self) -> None:
        self.app.push_screen(FormDemo())

    def verb_buy(self) -> None:
        self.announce("Buying")

    def verb_find(self) -> None:
        self.app.push_screen(UsersDemo())


class UsersDemo(BaseScreen):
    MEMORY_NAME = "UsersDemo"
    HEADING = "Users"
    VERBS = ("find", "provision", "edit", "copy")
    TOTAL = int(os.environ.get("DEMO_ROWS", "1000"))

    def body(self) -> Iterable[Widget]:
        find_box = FindBox(id="find")
        yield find_box
        yield LineList(
            self.fetch,
            find=self.where,
            find_box=find_box,
            columns=(
                Column("Light", width=15),
                Column("Name"),
                Column("UPN", width=30),
                Column("Seats", width=5, right=True),
            ),
            marking=True,
            empty="No users",
            id="list",
        )

    async def fetch(self, offset: int, limit: int) -> RowPage:
        wanted = self.query_one(FindBox).text
        rows = [n for n in range(self.TOTAL) if wanted in str(n)] if wanted else range(self.TOTAL)
        lights = list(Light)
        return RowPage(
            [
                Row(
                    n,
                    (
                        light_parts(lights[n % 4], lights[n % 4].name.title()),
                        f"User {n} {NASTY[n % len(NASTY)] if n % 5 == 0 else ''}",
                        f"user{n}@example.com",
                        str(n % 7),
                    ),
                )
                for n in rows[offset : offset + limit]
            ],
            len(rows),
        )

    async def where(self, key: Hashable) -> int | None:
        wanted = self.query_one(FindBox).text
        return None if wanted else int(str(key))

    async def load(self) -> None:
        self.query_one(LineList).reload()

    def on_find_box_changed(self, event: FindBox.Changed) -> None:
        self.query_one(LineList).reload(keep=False)

    def on_line_list_loaded(self, event: LineList.Loaded) -> None:
        self.query_one(FindBox).note = f"{event.rows.count} users"

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "list":
            self.app.push_screen(PanelsDemo())

    def verb_find(self) -> None:
        self.query_one(FindBox).focus()

    def verb_provision(self) -> None:
        rows = self.query_one(LineList)
        self.prompts.confirm(
            [f"Provision {len(rows.marks) or 1} users of Acme Pty Ltd?", "Takes 2 seats."],
            lambda: self.announce("Queued"),
        )

    def verb_edit(self) -> None:
        self.app.push_screen(FormDemo())

    def verb_copy(self) -> None:
        self.announce("Copied")


class FormDemo(BaseScreen):
    MEMORY_NAME = "FormDemo"
    HEADING = "New User"
    ABOUT = "Fields with a * are compulsory."
    VERBS = ("provision",)

    def body(self) -> Iterable[Widget]:
        yield TextLines("Fields marked * are compulsory.", "dim", id="intro")
        yield Field(
            "UPN",
            required=True,
            suffix="@example.com",
            help_text="Unique here.",
            id="upn",
            max_length=1024,
        )
        yield Field("First Names", required=True, id="first")
        yield Field("Last Name", required=True, id="last")
        yield Field("Password", required=True, password=True, id="password")
        yield ChoiceField(
            "Country", [("au", "Australia"), ("nz", "New Zealand")], "nz", id="country"
        )
        yield CheckField("Test User", id="test")
        yield Fold(
            "Contact",
            lambda: [Field("Office phone", id="office"), Field("Fax", id="fax")],
            note="3 fields",
            id="contact",
        )
        yield ActionButton("Provision", id="go")

    def on_field_changed(self, event: Field.Changed) -> None:
        if event.field.id == "upn":
            event.field.error = "taken by Jo Bloggs; free: jo2" if event.field.value == "jo" else ""

    def on_action_button_pressed(self, event: ActionButton.Pressed) -> None:
        self.verb_provision()

    def verb_provision(self) -> None:
        missing = [f for f in self.query(Field) if f.required and not f.value]
        for field in missing:
            field.error = "is needed"
        if missing:
            missing[0].focus()
            self.announce(f"{len(missing)} fields need attention", error=True)
        else:
            self.announce("Provisioned")


class PanelsDemo(BaseScreen):
    MEMORY_NAME = "PanelsDemo"
    HEADING = "Provision Services"
    VERBS = ("provision", "buy", "retry")

    def body(self) -> Iterable[Widget]:
        yield ServicePanel(
            "Managed Exchange",
            self.levels,
            light=Light.GREEN,
            word="Provisioned",
            note="PC & Web Access",
            id="exchange",
        )
        yield ServicePanel(
            "Web Hosting",
            lambda: [TextLines("Step 2 failed: the server said [no]\nTry again.", id="why")],
            light=Light.RED,
            word="Error",
            id="web",
        )
        yield ServicePanel("Databases", self.nothing, word="Not provisioned", id="databases")
        yield EventLog(columns=(Column(width=8), Column()), id="log")

    def levels(self) -> list[Widget]:
        return [
            LevelPicker(LEVELS, "pcweb", id="levels"),
            ActionButton("Provision", reason="choose a level", id="provision"),
        ]

    def nothing(self) -> list[Widget]:
        return [TextLines("Nothing to set", "dim")]

    async def load(self) -> None:
        self.query_one(EventLog).add(Row(n, (f"12:0{n}", f"Event {n}")) for n in range(5))

    def on_level_picker_chosen(self, event: LevelPicker.Chosen) -> None:
        self.query_one("#provision", ActionButton).reason = ""

    def verb_provision(self) -> None:
        self.query_one("#exchange", ServicePanel).light.set(Light.ORANGE, "Queued", "step 1, 3 s")

    def verb_buy(self) -> None:
        raise RuntimeError("a fault with a secret: hunter2")

    def verb_retry(self) -> None:
        self.query_one("#web", ServicePanel).light.set(Light.GREEN, "Provisioned")


LINKS: tuple[Link, ...] = (
    ("home", "Home"),
    ("users", "Users"),
    ("form", "New User"),
    ("panels", "Provision Services"),
)
SCREENS = {"home": HomeDemo, "users": UsersDemo, "form": FormDemo, "panels": PanelsDemo}


class DemoApp(MissionControlApp):
    """Begins with any of the screens, while the real one begins with Home, which has no field."""

    CSS_PATH = str(Path(base_app.__file__).with_name("console.tcss"))

    def clear_selection(self) -> None:
        # Python 3.12 and later mount what the first screen holds before that screen is on the stack.
        if self._screen_stacks.get(self.DEFAULT_MODE):
            super().clear_selection()


def make_app(
    options: TerminalOptions | None = None, first: str = "home", **kwargs: Any
) -> MissionControlApp:
    """The demo, starting with the screen called `first`."""
    links = sorted(LINKS, key=lambda link: link[0] != first)
    top = TopInfo("Acme Pty Ltd", "fred", red=2, orange=1)
    return DemoApp(links, SCREENS.__getitem__, options=options, top=top, **kwargs)
