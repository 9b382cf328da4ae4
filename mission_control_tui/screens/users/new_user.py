"""New User: compulsory fields in view, the rest folded; what is wrong stands beside its field."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from textual import events
from textual.timer import Timer
from textual.widget import Widget

from mission_control_tui.model.domains.address_registry import upn_status, usual_domain
from mission_control_tui.model.errors import (
    InvalidInput,
    MissionControlError,
    NoSeats,
    Problem,
    ProblemCode,
)
from mission_control_tui.model.onboarding.new_user import create_with
from mission_control_tui.model.people.address_syntax import SPECIAL
from mission_control_tui.model.people.fields import (
    FIELD_BY_NAME,
    FIELDS,
    FORM_COMPULSORY,
    Group,
    UserDetails,
    Value,
)
from mission_control_tui.model.people.names import display_name_for, username_for
from mission_control_tui.model.people.validation import validate_details
from mission_control_tui.model.people.values import parse_value
from mission_control_tui.model.users.queries import free_username, password_policy
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.forms.password_fields import BROKEN_RULE, PasswordFields
from mission_control_tui.screens.forms.refused_fields import RefusedFields
from mission_control_tui.screens.forms.user_fields import (
    FormWidget,
    defaults,
    field_name,
    form_widgets,
    group_fold,
    make_widget,
    place_problems,
    value_of,
    widget_id,
    words_of,
)
from mission_control_tui.screens.users.copy_from import CopySource
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.cells import width_of, wrap
from mission_control_tui.widgets.field import LABEL, ChoiceField, ErrorChanged, Field, FormLine
from mission_control_tui.widgets.fold import Fold
from mission_control_tui.widgets.lines import Part
from mission_control_tui.widgets.text_lines import TextLines

INTRO = "Fields marked * are compulsory. Enter goes to the next field, F2 provisions."
TYPING_PAUSE = 0.25
"""Seconds without a key after which the UPN is looked up."""


class UpnOffer(ActionButton):
    """What is known of the UPN that is being typed; a free alternative that Enter takes, where it is taken."""

    def __init__(self, take: Callable[[], object]) -> None:
        super().__init__("", run=take, id="upn-offer")
        self.offer = ""
        self.words = ""
        self.style = ""
        self.can_focus = False

    def show(self, words: str, style: str, offer: str = "") -> None:
        self.words, self.style, self.offer = words, style, offer
        self.can_focus = bool(offer)
        self._grow()
        self.repaint()
        self.post_message(ErrorChanged())

    @property
    def refuses(self) -> bool:
        """Tell whether it says why the UPN cannot be had."""
        return self.style == "error"

    def on_resize(self, event: events.Resize) -> None:
        self._grow()

    def _grow(self) -> None:
        """Take the lines that the words need."""
        self.styles.height = max(len(self._rows(self.content_size.width)), 1)

    def _rows(self, width: int) -> list[list[Part]]:
        indent: Part = (" " * (LABEL + 1), "")
        below: list[list[Part]] = [
            [indent, (line, self.style)] for line in wrap(self.words, width - LABEL - 1)
        ]
        if not self.offer:
            return below
        label = f"[ Take {self.offer} ]"
        button: list[Part] = [("  ", ""), (label, "cursor" if self.has_focus else "strong")]
        if 4 + width_of(label) + width_of(self.words) <= width:
            return [[*button, ("  ", ""), (self.words, self.style)]]
        return [button, *below]

    def line(self, y: int, width: int) -> Iterable[Part]:
        rows = self._rows(width)
        return rows[y] if y < len(rows) else ()

    def action_press(self) -> None:
        if self.offer:
            self.post_message(self.Pressed(self))


class NewUserScreen(MissionScreen):
    """Creates a user and goes on to Provision Services."""

    NAME = "new-user"
    MEMORY_NAME = "NewUserScreen"
    DRAFT = "New User"
    HEADING = "New User"
    ABOUT = (
        "Creates a user. Fields marked * are compulsory; the others are in the groups below, which Enter or Space "
        "opens. The UPN is looked up while you type: when somebody has it, a free one is offered and Enter takes it. "
        "Nothing is sent before you press F2 or the Provision button. What you typed stays when you look elsewhere. "
        "Template fills the groups, and gives services in one go; l on a user comes here to make another like that one."
    )
    VERBS = ("provision", "buy")
    MAIN = "provision"
    CSS_PATH = "new_user.tcss"

    def __init__(self, like: str = "") -> None:
        """`like` is the id of a user that the new one is made like."""
        super().__init__()
        self.subject = f" {like}" if like else ""
        self._values = defaults()
        """What the fields hold whose groups are not open."""
        self.source = CopySource(self, like, self._values)
        self.parts = (self.source,)
        self._own: set[str] = set()
        """Which of the pre-filled fields were typed over."""
        self._domains: tuple[str, ...] = ()
        self._username_of: tuple[str, str] = ("", "")
        """The username that is free for a UPN, as it was last looked up."""
        self._timer: Timer | None = None
        self._created = False
        self._busy = False
        self._refused_fields = RefusedFields(self._heading, self._head, self._is_wrong)

    def body(self) -> Iterable[Widget]:
        yield TextLines(INTRO, "dim", id="intro")
        yield Field(
            "UPN",
            required=True,
            max_length=64,
            help_text="What the user logs in with: the part before the @. It must be unlike every other user's.",
            id="f-upn",
        )
        yield UpnOffer(self._take_offer)
        domains = self.context.account.domains if self.console.is_open else ()
        at_domain = ChoiceField(
            "  at domain",
            [(name, f"@{name}") for name in domains],
            enter_passes=True,
            help_text="One of the account's domains; Left and Right or its first letters choose. Or type it into "
            "the UPN, after an @.",
            id="domain",
        )
        at_domain.display = len(domains) > 1
        yield at_domain
        for name in ("first_names", "last_name", "display_name", "username"):
            yield make_widget(FIELD_BY_NAME[name], "")
        yield PasswordFields(required=True, id="password")
        yield ActionButton(
            "Provision",
            help_text="Creates the user and goes on to Provision Services.",
            verb="provision",
            id="provision",
        )
        yield from self.source.body()
        for group in Group:
            if group is not Group.IDENTITY:
                yield group_fold(group, self._values)

    # Data

    async def load(self) -> None:
        context = self.context
        if context.account.domains != self._domains:
            first = not self._domains
            usual = await usual_domain(context.scope)
            self._domains = context.account.domains
            domain = self.query_one("#domain", ChoiceField)
            domain.set_choices([(name, f"@{name}") for name in self._domains])
            wanted = self.memory.kept.pop("chosen-domain", usual if first else None)
            if wanted in self._domains:
                domain.value = str(wanted)
            domain.display = len(self._domains) > 1
            self._show_domain()
        policy = await password_policy(context.scope)
        passwords = self.query_one(PasswordFields)
        passwords.judge_by(self._text("username"), policy)
        passwords.used_at([one.name for one in context.catalogue.services if one.sign_in])
        if not self._domains:
            self.announce(
                "The account has no domain yet: buy one, or add one, before you create users",
                error=True,
            )
        self.refresh_keys()
        await self.source.load()
        await self._look_up()

    def _show_domain(self) -> None:
        self._field("upn").suffix = f"@{self._domain}" if self._domain else ""

    @property
    def _domain(self) -> str:
        return self.query_one("#domain", ChoiceField).value

    def _field(self, name: str) -> Field:
        return self.query_one("#" + widget_id(name), Field)

    def _text(self, name: str) -> str:
        return self._field(name).value

    def _upn(self) -> str:
        local = self._text("upn").strip()
        if "@" in local or not local:
            return local
        return f"{local}@{self._domain}"

    # Pre-filling

    def on_field_changed(self, event: Field.Changed) -> None:
        name = field_name(event.field.id)
        event.field.error = ""
        if name in ("display_name", "username"):
            if not event.field.value:
                self._own.discard(name)
            elif event.field.value != self._derived(name):
                self._own.add(name)
        if name in ("upn", "first_names", "last_name"):
            self._prefill()
        if name == "upn":
            self._domain_typed(event.field)
            self._ask_later()
        if name == "username":
            self.query_one(PasswordFields).judge_by(event.field.value)

    def _derived(self, name: str) -> str:
        if name == "display_name":
            return display_name_for(self._text("first_names"), self._text("last_name"))
        upn, free = self._username_of
        if upn == self._upn():
            return free
        return username_for(self._upn()) if self._text("upn") else ""

    def _prefill(self) -> None:
        for name in ("display_name", "username"):
            if name not in self._own:
                field = self._field(name)
                derived = self._derived(name)
                if derived != field.value:
                    with field.prevent(Field.Changed):
                        field.value = derived
                    field.error = ""
        self.query_one(PasswordFields).judge_by(self._text("username"))

    def _domain_typed(self, field: Field) -> None:
        """A whole address that was typed or pasted is split at its @."""
        local, at, domain = field.value.partition("@")
        if at and domain.casefold() in self._domains:
            self.query_one("#domain", ChoiceField).value = domain.casefold()
            field.value = local
            self._show_domain()

    # The UPN

    def on_form_line_changed(self, event: FormLine.Changed) -> None:
        self.source.changed(event)
        if event.field.id == "domain":
            self._show_domain()
            self._prefill()
            self._ask_later()

    def _ask_later(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(TYPING_PAUSE, self._ask)

    def _ask(self) -> None:
        if self.console.is_open:
            self.loader.do_latest(self._look_up(), "upn")

    async def _look_up(self) -> None:
        upn = self._upn()
        offer = self.query_one(UpnOffer)
        if not self._text("upn"):
            offer.show("", "")
            return
        scope = self.context.scope
        found = await upn_status(scope, upn)
        username = await free_username(scope, upn) if found.free else ""
        if self.is_here and found.upn == self._upn():
            if found.free:
                offer.show(f"{found.upn} is free", "green")
            else:
                words = words_of(found.problem) if found.problem is not None else ""
                offer.show(found.held if found.alternative else words, "error", found.alternative)
            if username:
                self._username_of = (upn, username)
                self._prefill()

    def _take_offer(self) -> None:
        offer = self.query_one(UpnOffer)
        local, _, domain = offer.offer.partition("@")
        field = self._field("upn")
        if domain in self._domains:
            self.query_one("#domain", ChoiceField).value = domain
        field.error = ""
        self._field("first_names").focus()
        offer.show(f"{offer.offer} is free", "green")
        field.value = local
        self._show_domain()

    # Leaving a field

    def on_field_left(self, event: Field.Left) -> None:
        name = field_name(event.field.id)
        if not event.field.value or name in ("upn", "password", "confirm", ""):
            return
        judged = validate_details(
            self._details(), domains=None, compulsory=frozenset(), special=SPECIAL
        )
        wrong = [problem for problem in judged.problems if problem.where == name]
        event.field.error = words_of(wrong[0]) if wrong else ""
        event.field.note = next(
            (warning.what for warning in judged.warnings if warning.where == name), ""
        )

    # Provision

    def _typed(self) -> dict[str, Value]:
        """Return what every field holds, those of groups that are not open too."""
        held = {field.name: value_of(widget) for field, widget in form_widgets(self.frame.body)}
        return {**self._values, **held}

    def _details(self) -> UserDetails:
        """Return all but the date, which may not be one yet."""
        stated = {**self._typed(), "upn": self._upn(), "expires_on": None}
        return UserDetails(**stated)  # type: ignore[arg-type]

    def why_not(self, verb: str) -> str:
        return self.source.why_not(verb) or super().why_not(verb)

    async def verb_provision(self) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            self._clear_errors()
            await self._look_up()
            details, problems = self._details(), list[Problem]()
            try:
                typed = str(self._typed()["expires_on"] or "")
                date = parse_value(FIELD_BY_NAME["expires_on"], typed)
                details = replace(details, expires_on=date)  # type: ignore[arg-type]
            except InvalidInput as error:
                problems += error.problems
            passwords = self.query_one(PasswordFields)
            if not passwords.password.value:
                problems.append(Problem("password", "is compulsory", code=ProblemCode.MISSING))
            if passwords.mismatch:
                problems.append(Problem("confirm", passwords.mismatch))
            try:
                await self._create(details, passwords.password.value, dry_run=bool(problems))
            except NoSeats as error:
                await self.source.load()
                self.announce(f"{self.source.buy_key} buys more. {error.what}", error=True)
            except MissionControlError as error:
                if not error.problems:
                    raise
                problems += error.problems
            if problems:
                await self._refused(problems)
        finally:
            self._busy = False

    async def _create(self, details: UserDetails, password: str, *, dry_run: bool) -> None:
        scope = self.context.scope
        services = self.source.services_to_give()
        outcome = await create_with(scope, details, password, services, dry_run=dry_run)
        if not dry_run:
            self._created = True
            if outcome.plan.requests:
                await self.queue_changed()
            self.console.memory.pop(self.memory_key, None)
            left = ", ".join(self.source.left_out())
            said = f"Not given yet: {left}. Open it, choose a level, and p provisions"
            says = ". ".join((*((said,) if left else ()), *outcome.plan.warnings))
            self.turn_into("provision", outcome.result.user.id, fresh=True, says=says)

    def _clear_errors(self) -> None:
        for _field, widget in form_widgets(self.frame.body):
            widget.error = ""
        passwords = self.query_one(PasswordFields)
        passwords.password.error = passwords.confirm.error = ""
        self._head("")

    def _heading(self) -> str:
        return self.query_one("#intro", TextLines).text

    def _head(self, heading: str) -> None:
        """Say above the fields how many need attention, or how the form is used."""
        self.query_one("#intro", TextLines).set(heading or INTRO, "error" if heading else "dim")

    def _is_wrong(self, field: FormWidget) -> bool:
        """Tell whether a field needs attention; what is wrong with the UPN may stand in the offer below it."""
        is_refused = field is self._field("upn") and self.query_one(UpnOffer).refuses
        return bool(field.error) or is_refused

    def on_error_changed(self) -> None:
        self._refused_fields.recount()

    async def _refused(self, problems: list[Problem]) -> None:
        problems = [problem for problem in problems if not self._said_elsewhere(problem)]
        names = {problem.where for problem in problems}
        for group in {field.group for field in FIELDS if field.name in names} - {Group.IDENTITY}:
            await self.query_one("#group-" + str(group).casefold(), Fold).open_now()
        places: dict[str, FormWidget] = {f.name: w for f, w in form_widgets(self.frame.body)}
        passwords = self.query_one(PasswordFields)
        optional = {name: places.pop(name) for name in list(places) if name not in FORM_COMPULSORY}
        places |= {"password": passwords.password, "confirm": passwords.confirm} | optional
        wrong, homeless = place_problems(problems, places)
        if passwords.password.error and passwords.password.value:
            passwords.password.error = BROKEN_RULE
        if self.query_one(UpnOffer).refuses:
            places["upn"].error = ""
        if wrong:
            self._refused_fields.count(places.values())
            wrong[0].focus()
        if homeless:
            self.announce("; ".join(str(problem) for problem in homeless), error=True)

    def _said_elsewhere(self, problem: Problem) -> bool:
        """Tell whether the form is right again without this: a username made from a UPN that is taken follows it."""
        offer = self.query_one(UpnOffer).offer
        return bool(offer) and problem.where == "username" and "username" not in self._own

    # Memory

    @property
    def unfinished(self) -> bool:
        typed = self._typed()
        return not self._created and any(
            typed.get(name) for name in ("upn", "first_names", "last_name")
        )

    @property
    def draft_title(self) -> str:
        typed = self._typed()
        names = " ".join(str(typed.get(name, "")) for name in ("first_names", "last_name"))
        return names.strip() or str(typed.get("upn", ""))

    def remember(self) -> dict[str, object]:
        if self._created:
            return {}
        return {
            **super().remember(),
            **self.source.remember(),
            "own": frozenset(self._own),
            "typed": self._typed(),
            "chosen-domain": self._domain,
        }

    def recall(self, memory: dict[str, object]) -> None:
        self.source.recall(memory)
        own, typed = memory.pop("own", None), memory.pop("typed", None)
        if isinstance(own, frozenset):
            self._own = set(own)
        if isinstance(typed, dict):
            self._values.update(typed)
