"""Templates: what new users of the account are made like; made from a user, renamed, removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.containers import Horizontal
from textual.widget import Widget

from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.onboarding.template_content import TemplateService, described, like
from mission_control_tui.model.onboarding.templates import (
    Template,
    list_templates,
    remove_template,
    rename_template,
    save_template,
)
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.search.user_list import page
from mission_control_tui.model.users.queries import details
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.cells import age
from mission_control_tui.widgets.row_list import RowList
from mission_control_tui.widgets.rows import Column, CursorLines, Row
from mission_control_tui.widgets.text_lines import TextLines

NAMED = 3
"""People who are named where several are found."""

BUTTONS = (
    ("new", "make", "Make from a user", 22, "Asks for the user, then for a name."),
    ("edit", "rename", "Rename", 12, "Another name; e does the same."),
    ("discard", "remove", "Remove", 12, "Users made from it stay as they are; asks first."),
)
"""Verb, id, label, width and help."""

SEEN = 9
"""Templates in view at a time."""


class TemplatesScreen(MissionScreen):
    """The templates of the account."""

    NAME = "templates"
    MEMORY_NAME = "TemplatesScreen"
    HEADING = "Templates"
    ABOUT = (
        "What new users are made like: fields of Organisation and Address, flags, services with levels and settings; "
        "never names, passwords or what is one person's. n makes one from a user, e renames, Delete removes. A "
        "template is chosen in New User, under Template, and when a list is pasted."
    )
    VERBS = ("new", "edit", "discard")
    KEY_LABELS = (("edit", "Rename"), ("discard", "Remove"))
    CSS_PATH = "templates.tcss"
    AUTO_FOCUS = "#templates"

    def body(self) -> Iterable[Widget]:
        yield RowList(
            columns=(
                Column("Template", width=24),
                Column("Services"),
                Column("Fields", width=7, right=True),
                Column("Saved", width=8, right=True),
            ),
            empty="No templates yet: n makes one from a user",
            most=SEEN,
            id="templates",
        )
        with Horizontal(id="buttons"):
            for verb, name, label, width, words in BUTTONS:
                yield ActionButton(label, help_text=words, width=width, verb=verb, id=name)
        yield TextLines("", id="detail")

    # Data

    async def load(self) -> None:
        templates = await list_templates(self.context.scope)
        if self.is_here:
            self.query_one(RowList).set_rows([self._row(template) for template in templates])
            self._tell()
            self.refresh_keys()

    def _row(self, template: Template) -> Row:
        content, catalogue = template.content, self.context.catalogue
        services = ", ".join(of_service(catalogue, given) for given in content.services) or "-"
        cells = (template.name, services, str(len(content.fields)), age(template.updated_at))
        return Row(template.id, cells, template)

    @property
    def template(self) -> Template | None:
        """The template under the cursor."""
        return self.query_one(RowList).current_data(Template)

    def on_cursor_lines_moved(self, event: CursorLines.Moved) -> None:
        self._tell()

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if event.rows.id == "templates":
            self.action_verb("edit")

    def _tell(self) -> None:
        """Everything in the template under the cursor."""
        template = self.template
        over = "" if template is not None else " "
        for name in ("rename", "remove"):
            self.query_one(f"#{name}", ActionButton).reason = over
        lines: list[str] = []
        if template is not None:
            lines = [*described(self.context.catalogue, template.content)] or ["Nothing is in it."]
            lines.append(f"Saved by {template.operator}")
        self.query_one("#detail", TextLines).set("\n".join(lines))

    # Verbs

    def on_action_button_refused(self, event: ActionButton.Refused) -> None:
        self.answer("There is no template yet: make one from a user first", error=True)

    def verb_new(self) -> None:
        """Ask for a user, then for a name."""
        self.need_write()
        self.prompts.ask(
            ["Which user are new users to be made like? What is one person's is left out."],
            "User",
            self._named_user,
            hint="The beginning of a name, UPN or alias; Enter goes on, Esc gives up",
        )

    async def _named_user(self, text: str) -> Callable[[], None]:
        """Return the question for the template's name, which follows this one."""
        user = await details(self.context.scope, await self._found_user(text.strip()))
        content = await like(self.context.scope, user.id)
        what = "; ".join(described(self.context.catalogue, content)) or "nothing yet"
        start = user.details.title or user.details.department

        async def named(name: str) -> None:
            saved = await save_template(self.context.scope, name, user=user.id)
            self.announce(f"Saved: {saved.result.name}")
            await self.load()

        return lambda: self.prompts.ask(
            [f"New users like {user.details.display_name} get:", what],
            "Name",
            named,
            value=start,
            hint="What the template is called; Enter saves it, Esc gives up",
        )

    async def _found_user(self, text: str) -> str:
        """Return the id of the only user who is found by this. Raises NotFound, naming those there are."""
        asked = UserFilter(text)
        found = await page(self.context.scope, asked, limit=NAMED) if text else None
        if found is None or not found.rows:
            raise NotFound("Nobody is found by this.", hint="Type the beginning of a name or UPN.")
        exact = [row for row in found.rows if row.upn.casefold() == text.casefold()]
        if len(found.rows) > 1 and not exact:
            names = ", ".join(row.upn for row in found.rows)
            more = " and more" if found.more or found.total > len(found.rows) else ""
            raise NotFound(f"These are several: {names}{more}.")
        return (exact or list(found.rows))[0].id

    def verb_edit(self) -> None:
        template = self.template
        if template is None:
            self.answer("There is no template yet: n makes one from a user", error=True)
            return
        self.need_write()

        async def named(name: str) -> None:
            await rename_template(self.context.scope, template.name, name, version=template.version)
            self.announce(f"Renamed: {name}")
            await self.load()

        self.prompts.ask(
            [f"What is the template {template.name} to be called?"],
            "Name",
            named,
            value=template.name,
        )

    def verb_discard(self) -> None:
        template = self.template
        if template is None:
            self.answer("There is no template here", error=True)
            return
        self.need_write()

        async def remove() -> None:
            await remove_template(self.context.scope, template.name, version=template.version)
            self.announce(f"Removed: {template.name}")
            await self.load()

        self.prompts.confirm(
            [
                f"{self.context.account.name}: remove the template {template.name}?",
                "Lost: what is listed below. Users that were made from it stay as they are.",
            ],
            remove,
            yes="Remove",
        )


def of_service(catalogue: Catalogue, given: TemplateService) -> str:
    """Return a service and its level as people call them: Managed Exchange, PC & Web Access."""
    try:
        service = catalogue.service(given.service)
        level = service.level(given.level).name
    except NotFound:
        return f"{given.service} {given.level}"
    return f"{service.name}, {level.removeprefix(f'{service.name} - ')}"
