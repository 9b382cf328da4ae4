"""Paste a list: names become users with services; what cannot be used stays for correction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import TextArea

from mission_control_tui.model.accounts.overview import list_seats
from mission_control_tui.model.catalogue.types import PasswordUse
from mission_control_tui.model.domains.address_registry import usual_domain
from mission_control_tui.model.errors import MissionControlError, OutcomeUnknown, UsageError
from mission_control_tui.model.onboarding.paste import PasteChoices, PasteResult, paste, preview
from mission_control_tui.model.onboarding.pasted_list import PastedList, read_list
from mission_control_tui.model.onboarding.template_content import TemplateContent, TemplateService
from mission_control_tui.model.onboarding.templates import list_templates
from mission_control_tui.model.onboarding.upn_proposals import Pattern, UpnProposal
from mission_control_tui.model.store.private_files import password_rows, path_named, write_at_once
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.views import RevealedPassword
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import ChoiceField, FormLine
from mission_control_tui.widgets.paste_area import PasteArea
from mission_control_tui.widgets.row_list import RowList
from mission_control_tui.widgets.rows import Column, CursorLines, Row
from mission_control_tui.widgets.text_lines import TextLines

INTRO = "One person a line: names, addresses, numbered lists, or a table with headings."
PATTERNS = {
    Pattern.FIRST_LAST: "ada.lovelace",
    Pattern.F_LAST: "alovelace",
    Pattern.FIRST: "ada",
    Pattern.LAST_FIRST: "lovelace.ada",
    Pattern.FIRSTLAST: "adalovelace",
}
NOTHING = "nothing"
TEMPLATE = "template "
TYPING_PAUSE = 0.35
"""Seconds without a key after which the list is read."""

SHOWN_MOST = 2000
"""People who are listed; the others are counted."""


class PasteScreen(MissionScreen):
    """A list of people that become users."""

    NAME = "paste"
    MEMORY_NAME = "PasteScreen"
    DRAFT = "Pasted list"
    HEADING = "Paste a list of users"
    ABOUT = (
        "One person a line, as Ada Lovelace, Lovelace, Ada, Ada Lovelace <ada@acme.example> or an address; bullets and "
        "numbers do not matter, and a table with a line of headings may state more. Below stands who would be created, "
        "and what is wrong with which line. F2 shows the plan with the seats and asks; passwords go into a file "
        "that only you can read. Lines that were refused stay here. Escape leaves the box."
    )
    VERBS = ("provision",)
    MAIN = "create"
    CSS_PATH = "paste.tcss"
    AUTO_FOCUS = "#list"

    def __init__(self) -> None:
        super().__init__()
        self._timer: Timer | None = None
        self._pasted: PastedList | None = None
        self._contents: dict[str, TemplateContent] = {NOTHING: TemplateContent()}
        self._left: dict[str, tuple[str, ...]] = {}
        self._chosen: dict[str, str] = {}
        self._busy = False

    def body(self) -> Iterable[Widget]:
        yield TextLines(INTRO, "dim", id="intro")
        yield PasteArea(id="list", help_text=INTRO)
        yield ChoiceField("UPN at domain", [], help_text="Of those who have none yet.", id="domain")
        yield ChoiceField(
            "UPN made like",
            [(str(pattern), f"{words}@") for pattern, words in PATTERNS.items()],
            help_text="How UPNs are made of names; one that is taken gets a number.",
            id="pattern",
        )
        yield ChoiceField(
            "Everybody gets",
            [(NOTHING, "no service")],
            help_text="A template of the account, or a level of a service. What has a password of its own is given on "
            "each user's Services, or to all by the command users paste.",
            id="gets",
        )
        yield TextLines("", "dim", id="summary")
        yield RowList(
            columns=(
                Column("Line", width=4, right=True),
                Column("Name", width=20),
                Column("UPN, or what is wrong"),
            ),
            empty="Nobody yet",
            most=SHOWN_MOST,
            id="people",
        )
        yield TextLines("", id="detail")
        yield ActionButton(
            "Create users",
            help_text="Shows the plan with the seats, and asks before anything is done.",
            verb="provision",
            id="create",
        )

    # Data

    async def load(self) -> None:
        context = self.context
        scope = context.scope
        domains = context.account.domains
        field = self.query_one("#domain", ChoiceField)
        if field.value not in domains:
            field.set_choices([(name, name) for name in domains])
            usual = self._chosen.pop("domain", await usual_domain(scope))
            if usual in domains:
                field.value = usual
        contents, labels = {NOTHING: TemplateContent()}, {NOTHING: "no service"}
        for template in await list_templates(scope):
            # Only a command takes the passwords that a bulk makes: `users paste`.
            own = [given for given in template.content.services if self._is_own(given)]
            plain = tuple(given for given in template.content.services if given not in own)
            contents[TEMPLATE + template.name] = TemplateContent(template.content.fields, plain)
            left = tuple(
                f"{context.catalogue.service(given.service).name} {given.instance}".strip()
                for given in own
            )
            self._left[TEMPLATE + template.name] = left
            less = f", without {', '.join(left)}" if left else ""
            labels[TEMPLATE + template.name] = f"template {template.name}{less}"
        for seat in await list_seats(scope):
            service = context.catalogue.service(seat.service_id)
            if service.level(seat.level_id).withdrawn or service.password is PasswordUse.OWN:
                continue
            key = f"{seat.service_id} {seat.level_id}"
            contents[key] = TemplateContent({}, (TemplateService(seat.service_id, seat.level_id),))
            labels[key] = f"{of_service(seat.service, seat.level)} ({seat.free:,} free)"
        self._contents = contents
        gets = self.query_one("#gets", ChoiceField)
        gets.set_choices(list(labels.items()))
        if (wanted := self._chosen.pop("gets", "")) in contents:
            gets.value = wanted
        await self._look()

    def _is_own(self, given: TemplateService) -> bool:
        return self.context.catalogue.service(given.service).password is PasswordUse.OWN

    def _choices(self) -> PasteChoices:
        domain = self.query_one("#domain", ChoiceField).value
        if not domain:
            raise UsageError("The account has no domain yet.", hint="Buy one, or add one, first.")
        pattern = Pattern(self.query_one("#pattern", ChoiceField).value)
        chosen = self._contents.get(self.query_one("#gets", ChoiceField).value)
        return PasteChoices(domain, pattern, chosen or TemplateContent())

    # Reading what is typed

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._look_later()

    def on_form_line_changed(self, event: FormLine.Changed) -> None:
        self._look_later()

    def _look_later(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(TYPING_PAUSE, self._start_looking)

    def _start_looking(self) -> None:
        if self.console.is_open:
            self.loader.do_latest(self._look(), "look")

    async def _look(self) -> None:
        """Say below who is in the list and what is wrong with it."""
        text = self.query_one(PasteArea).text
        try:
            pasted = await asyncio.to_thread(read_list, text)
            people: Sequence[UpnProposal] = ()
            if pasted.people:
                scope = self.context.scope
                people = await preview(scope, pasted, self._choices())
        except MissionControlError as error:
            self._pasted = None
            self._show((), f"{error.what} {error.hint}".strip(), "error")
            return
        if not self.is_here or text != self.query_one(PasteArea).text:
            return
        self._pasted = pasted
        self._show(people, *self._summary(pasted, people))

    def _summary(self, pasted: PastedList, people: Sequence[UpnProposal]) -> tuple[str, str]:
        wrong = sum(bool(person.problems) for person in people)
        words = [f"{len(people) - wrong:,} to create"]
        if wrong:
            words.append(f"{wrong:,} to correct")
        if pasted.ignored:
            words.append(f"not read: {', '.join(pasted.ignored)}")
        return (", ".join(words) if people else "", "error" if wrong else "dim")

    def _show(self, people: Sequence[UpnProposal], summary: str, style: str) -> None:
        wrong = [person for person in people if person.problems]
        good = [person for person in people if not person.problems]
        listed = [*wrong, *good][:SHOWN_MOST]
        more = len(people) - len(listed)
        rows = [_row(number, proposal) for number, proposal in enumerate(listed)]
        self.query_one(RowList).set_rows(rows, more=f"+{more:,} more" if more else "")
        self.query_one("#summary", TextLines).set(summary, style)
        self._tell()

    def on_cursor_lines_moved(self, event: CursorLines.Moved) -> None:
        self._tell()

    def _tell(self) -> None:
        """All that is wrong with the line under the cursor, in full."""
        proposal = self.query_one(RowList).current_data(UpnProposal)
        said = [*map(str, proposal.problems)] or [proposal.note] if proposal is not None else []
        self.query_one("#detail", TextLines).set("\n".join(said), "dim")

    # Creating

    async def verb_provision(self) -> None:
        self.need_write()
        if self._busy:
            return
        self._busy = True
        try:
            text = self.query_one(PasteArea).text
            pasted, choices = await asyncio.to_thread(read_list, text), self._choices()
            context = self.context
            scope = context.scope
            planned = (await paste(scope, pasted, choices, dry_run=True)).result
        finally:
            self._busy = False
        self._show(planned.people, *self._summary(pasted, planned.people))
        if not planned.created:
            self.announce("Nobody in this list can be created: see what is wrong below", error=True)
            return
        count = len(planned.created)
        lines = self._question(planned)
        if count > context.settings.console.confirm_above:
            self.prompts.ask_typed(
                lines, str(count), lambda: self._ask_file(pasted, choices), what="the number"
            )
        else:
            self.prompts.confirm(
                lines,
                lambda: self._ask_file(pasted, choices),
                yes="Create users",
                takes_away=False,
            )

    def _question(self, planned: PasteResult) -> list[str]:
        count = len(planned.created)
        stay = len({proposal.person.line for proposal in planned.refused})
        stays = "lines stay" if stay > 1 else "line stays"
        left = f"; {stay:,} {stays} here" if stay else ""
        lines = [f"{self.context.account.name}: create {counted(count, 'user')}{left}?"]
        same = sum(bool(proposal.namesake) for proposal in planned.created)
        if same:
            have = "has" if same == 1 else "have"
            lines.append(f"{same:,} of them {have} the same name as somebody who is there already.")
        for seat in planned.seats:
            short = f": {seat.short:,} will get none" if seat.short else ""
            lines.append(
                f"{of_service(seat.service, seat.level)}: {seat.needed:,} needed, {seat.free:,} free{short}"
            )
        chosen = self.query_one("#gets", ChoiceField).value
        if without := self._left.get(chosen, ()):
            template = quote(chosen.removeprefix(TEMPLATE))
            lines += [
                f"Not given, for a password of its own: {', '.join(without)}.",
                "Give it on each user's Services; or create all by the command instead:",
                f":users paste FILE --template {template} --passwords-out FILE",
            ]
        return lines

    def _ask_file(self, pasted: PastedList, choices: PasteChoices) -> Callable[[], None]:
        """Return the question for the file of passwords, which follows this one."""
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        name = f"passwords-{self.context.account.code}-{stamp}.csv"

        async def named(text: str) -> None:
            await self._create(pasted, choices, path_named(text))

        def ask() -> None:
            self.prompts.ask(
                [
                    "The generated passwords go into a new file that only you can read,",
                    "before anything is created. They are kept nowhere else.",
                ],
                "File",
                named,
                value=str(Path.home() / name),
            )

        return ask

    async def _create(self, pasted: PastedList, choices: PasteChoices, path: Path) -> None:
        file = _PasswordFile(path)
        try:
            outcome = await paste(
                self.context.scope, pasted, choices, keep=file.keep, allow_short=True
            )
        except OutcomeUnknown:
            raise
        except MissionControlError:
            file.forget()  # after anything else nobody knows whether the users were created
            raise
        result = outcome.result
        if result.bulk is not None:
            await self.queue_changed()
        self._leave_refused(pasted, result)
        made = len(result.created)
        words = f"{counted(made, 'user')} created, passwords in {path}"
        if result.refused:
            self.announce(f"{words}. The lines that were refused stay here")
            await self._look()
        elif result.bulk is not None:
            self.turn_into("bulk", result.bulk.id, says=words)
        else:
            self.turn_into("users", says=words)

    def _leave_refused(self, pasted: PastedList, result: PasteResult) -> None:
        """Keep the lines that were refused, under their headings."""
        wrong = {proposal.person.line for proposal in result.refused}
        numbers = sorted(wrong | ({pasted.heading_line} - {0} if wrong else set()))
        lines = [pasted.lines[number - 1] for number in numbers]
        self.query_one(PasteArea).load_text("\n".join(lines))
        if not wrong:
            self.console.memory.pop(self.memory_key, None)

    # Memory

    @property
    def unfinished(self) -> bool:
        return bool(self.query_one(PasteArea).text.strip())

    @property
    def draft_title(self) -> str:
        lines = self.query_one(PasteArea).text.strip().split("\n")
        return f"{lines[0][:40]} and {len(lines) - 1} more" if len(lines) > 1 else lines[0][:60]

    def remember(self) -> dict[str, object]:
        chosen = {
            name: self.query_one(f"#{name}", ChoiceField).value for name in ("domain", "gets")
        }
        return {**super().remember(), "text": self.query_one(PasteArea).text, "chosen": chosen}

    def recall(self, memory: dict[str, object]) -> None:
        text, chosen = memory.pop("text", None), memory.pop("chosen", None)
        self.query_one(PasteArea).recall(text)
        if isinstance(chosen, dict):
            self._chosen = {str(name): str(value) for name, value in chosen.items()}


def of_service(service: str, level: str) -> str:
    """Return a level with its service, unless its own name says it already."""
    return level if service in level else f"{service}, {level}"


def _row(number: int, proposal: UpnProposal) -> Row:
    name = proposal.person.display_name or proposal.person.text.strip()
    if proposal.problems:
        first = proposal.problems[0]
        words = first.what + (f" ({first.hint})" if first.hint else "")
        return Row(number, (str(proposal.person.line), name, (words, "error")), proposal)
    note = f"  {proposal.note}" if proposal.note else ""
    cells = (str(proposal.person.line), name, ((proposal.upn, ""), (note, "dim")))
    return Row(number, cells, proposal)


class _PasswordFile:
    """The file that passwords are kept in before they are committed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_ours = False

    def keep(self, made: Sequence[RevealedPassword]) -> None:
        """Write them; a transaction that begins again writes them anew."""
        self.forget()
        rows = ((new.upn, new.password) for new in made)
        write_at_once(self._path, password_rows(rows, ("upn", "password")))
        self._is_ours = True

    def forget(self) -> None:
        """Take the file away again, if it is ours."""
        if self._is_ours:
            self._path.unlink(missing_ok=True)
            self._is_ours = False
