"""One group, contact or shared mailbox: its fields, its members, its light; or a new one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.catalogue.values import ValueRule
from mission_control_tui.model.domains.address_registry import usual_domain
from mission_control_tui.model.errors import MissionControlError, StaleVersion
from mission_control_tui.model.groups.editing import (
    GroupChanges,
    create_object,
    edit_object,
    remove_object,
    restore_object,
)
from mission_control_tui.model.groups.queries import ObjectView, choices, show_object
from mission_control_tui.model.states import Light
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.differences import difference_words
from mission_control_tui.model.text.folding import fold
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.forms.known_lines import kept_line, usage_line
from mission_control_tui.screens.forms.member_fields import AddBox, MemberFields
from mission_control_tui.screens.forms.option_fields import is_same, put
from mission_control_tui.screens.forms.refused_fields import announced_by, point_out
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.cells import age
from mission_control_tui.widgets.field import AnyField, ChoiceField, Field, FormLine
from mission_control_tui.widgets.light import LightCell
from mission_control_tui.widgets.rule_field import rule_field
from mission_control_tui.widgets.text_lines import TextLines

PREFIX = "option-"
SHOWN = ("name", "address")
_NOT_LOCAL = re.compile(r"[^a-z0-9]+")


class ObjectScreen(MissionScreen):
    """Makes or changes an object."""

    NAME = "object"
    MEMORY_NAME = "ObjectScreen"
    DRAFT = "Group or mailbox"
    HEADING = "Group or mailbox"
    ABOUT = (
        "Name, address and fields of a group, contact or shared mailbox, and who is in it: choose a role, type a name "
        "in Add, Down, Enter. Enter on a member takes it out. F2 or Provision sends everything at once; the light "
        "follows. Remove takes it away with what it holds."
    )
    VERBS = ("provision", "copy")
    MAIN = "provision"
    CSS_PATH = "object.tcss"
    AUTO_FOCUS = "#provision"

    def __init__(self, object_id: str | None = None, kind: str = "") -> None:
        """Without an id it is a new one of that `kind`."""
        super().__init__()
        self.object_id = object_id
        self.subject = f" {object_id or 'new'}"
        self._first_kind = kind
        self._view: ObjectView | None = None
        self._version = 0
        self._kept_version = 0
        """The version that what is remembered was typed over."""
        self._service: Service | None = None
        self._shown: dict[str, object] = {}
        self._proposed = ""
        self._domain = ""
        self._their_words: list[str] = []
        self._refused_fields = announced_by(self)

    def body(self) -> Iterable[Widget]:
        yield TextLines("…", "title", id="who")
        light = LightCell(id="light")
        light.display = self.object_id is not None
        yield light
        yield TextLines("", "error", id="notice")
        with Vertical(id="form"):
            if self.object_id is None:
                yield ChoiceField("Kind", [], help_text="What it is to be.", id="kind")
            yield Field(
                "Name", required=True, max_length=200, help_text="What people read.", id="name"
            )
            yield Field(
                "Address", required=True, max_length=320, help_text="Where mail goes.", id="address"
            )
            yield Vertical(id="fields")
            yield MemberFields(id="member-fields")
        yield TextLines("", "orange", id="pending")
        provision = ActionButton("Provision", width=40, verb="provision", id="provision")
        words = "Takes it away, with what it holds."
        run = self._ask_remove
        remove = ActionButton("Remove", help_text=words, width=30, run=run, id="remove")
        remove.display = self.object_id is not None
        yield Horizontal(provision, remove, id="buttons")

    # Data

    async def load(self) -> None:
        if self.object_id is None:
            await self._load_new()
        else:
            await self._load_stored()
        self._say()
        self.refresh_keys()

    async def _load_new(self) -> None:
        kinds = self.context.catalogue.kinds
        choice = self.query_one("#kind", ChoiceField)
        first = self._service is None
        choice.set_choices([(kind.id, kind.name) for kind in kinds])
        if first and any(kind.id == self._first_kind for kind in kinds):
            choice.value = self._first_kind
        self._domain = await usual_domain(self.context.scope)
        if not kinds:
            self._notice(["The catalogue in force has no groups, contacts or shared mailboxes."])
            return
        if first:
            await self._take_kind(choice.value)
            if self.memory.kept:
                self.go_back()
            # At once: what was typed ahead is let go when this reading ends.
            self.set_focus(self.query_one("#name", Field).input if self._first_kind else choice)

    async def _load_stored(self) -> None:
        view = await show_object(self.context.scope, str(self.object_id))
        if not self.is_here:
            return
        first = self._view is None
        if first or not self._changes:
            await self._take_kind(view.kind)
            recalled = self._given  # what a draft had typed may have come back until now
            self._adopt(view)
            fields = self._fields()
            for name, value in recalled.items():
                if name in fields:
                    put(fields[name], value)
            if self._kept_version:
                self._version, self._kept_version = self._kept_version, 0
        self._show_light(view)
        if first and self.memory.kept:
            self.go_back()

    async def _take_kind(self, kind: str) -> None:
        """Ask for what an object of this kind has."""
        service = self.context.catalogue.kind(kind)
        if self._service is not None and self._service.id == service.id:
            return
        self._service = service
        self.query_one("#who", TextLines).set(f"New {service.name}")
        fields = self.query_one("#fields", Vertical)
        await fields.remove_children()
        await fields.mount(*(rule_field(option, id=PREFIX + option.id) for option in self._options))
        for option in self._options:
            self._shown[option.id] = option.initial
        self.query_one(MemberFields).show(
            service.roles, self._view.members if self._view is not None else ()
        )
        external = service.address == "external"
        address = self.query_one("#address", Field)
        address.note = "somebody elsewhere" if external else ""
        if external and address.value == self._proposed:
            address.value = self._proposed = ""
        self._propose()

    @property
    def _options(self) -> tuple[ValueRule, ...]:
        service = self._service
        return service.options_for(service.levels[0].id) if service is not None else ()

    def _adopt(self, view: ObjectView) -> None:
        """Show what is stored of a view whose kind was taken."""
        self._view, self._version = view, view.version
        self.query_one("#who", TextLines).set(f"{view.name}  {view.address}  ({view.kind_name})")
        self._shown = {"name": view.name, "address": view.address, **view.settings}
        for name, widget in self._fields().items():
            put(widget, self._shown.get(name))
        roles = self._service.roles if self._service is not None else ()
        self.query_one(MemberFields).show(roles, view.members)

    def _show_light(self, view: ObjectView) -> None:
        service = view.service
        word = "Removing" if view.removed_at and service.light is Light.ORANGE else service.word
        note = f"{service.step} {age(service.since)}".strip()
        if view.member_of:
            note += "  in: " + ", ".join(name for _id, name in view.member_of)
        if service.drift:
            note += "  drift: the back end differs"
        if used := usage_line(service):
            note += f"  {used}"
        self.query_one("#light", LightCell).set(service.light, word, note)
        words = list(self._their_words)
        if service.light is Light.RED:
            words += [service.error_said, service.error_remedy, "Provision tries it again."]
        elif service.light is Light.ORANGE and self.context.no_worker:
            words.append(f"Nothing happens yet: {self.context.no_worker}.")
        if view.removed_at is not None and service.light is Light.GREY:
            words.append(
                kept_line(service)
                or "It was removed. Provision brings it back, without what it held."
            )
        self._notice(words)

    def _notice(self, words: Iterable[str]) -> None:
        self.query_one("#notice", TextLines).tell(*words)

    def _fields(self) -> dict[str, AnyField]:
        """Return the fields that are there, by what they hold: name, address and the options of the kind."""
        held = dict(zip(SHOWN, SHOWN, strict=True))
        held |= {f"{PREFIX}{option.id}": option.id for option in self._options}
        form = self.query_one("#form")
        return {
            name: widget
            for identity, name in held.items()
            for widget in form.query(f"#{identity}")
            if isinstance(widget, AnyField)
        }

    # What is changed

    @property
    def _given(self) -> dict[str, object]:
        """Return what stands in the form and differs from what is stored."""
        return {
            name: widget.value
            for name, widget in self._fields().items()
            if not is_same(widget, self._shown.get(name))
        }

    @property
    def _changes(self) -> int:
        return len(self._given) + self.query_one(MemberFields).count

    def on_field_changed(self, event: Field.Changed) -> None:
        event.field.error = ""
        if event.field.id == "name":
            self._propose()
        self._say()

    def on_form_line_changed(self, event: FormLine.Changed) -> None:
        if event.field.id == "kind":
            self.do(self._take_kind(self.query_one("#kind", ChoiceField).value))
        event.field.error = ""
        self._say()

    def on_error_changed(self) -> None:
        self._refused_fields.recount()

    def _propose(self) -> None:
        """Fill the address of a new object from its name, until somebody types there."""
        address = self.query_one("#address", Field)
        service = self._service
        if self.object_id is not None or service is None or service.address != "own":
            return
        if address.value != self._proposed or not self._domain:
            return
        local = _NOT_LOCAL.sub(".", fold(self.query_one("#name", Field).value)).strip(".")[:64]
        self._proposed = f"{local}@{self._domain}" if local else ""
        address.value = self._proposed

    def on_member_fields_changed(self) -> None:
        self._say()

    def on_member_fields_sought(self, event: MemberFields.Sought) -> None:
        event.stop()
        if self.console.is_open and self._service is not None:
            self.do(self._offer(event))

    async def _offer(self, sought: MemberFields.Sought) -> None:
        with self.query_one(AddBox).searching():
            found = await choices(self.context.scope, self._kind_of, sought.role, sought.text)
        if self.is_here:
            offered = [choice for choice in found if choice.id != self.object_id]
            self.query_one(MemberFields).offer(sought, offered)

    def _say(self) -> None:
        count, view = self._changes, self._view
        changes = counted(count, "change")
        text = f"Not yet provisioned: {changes}" if view is not None and count else ""
        self.query_one("#pending", TextLines).set(text)
        settled = view and view.service.light is Light.GREEN and not view.service.drift
        reason = "nothing is changed" if settled and not count else ""
        self.query_one("#provision", ActionButton).reason = reason

    # Provision

    def on_action_button_refused(self, event: ActionButton.Refused) -> None:
        self.answer(event.button.reason)

    async def verb_provision(self) -> None:
        if self._service is None:
            return
        try:
            if self.object_id is None:
                await self._create()
            elif self._view is None:
                self.answer("It is still being read")
            elif self._view.removed_at is not None and self._view.service.light is Light.GREY:
                await self._restore()
            else:
                await self._save()
        except StaleVersion as error:
            await self._show_theirs(error)
        except MissionControlError as error:
            if not error.problems:
                raise
            self._refused(error)

    async def _create(self) -> None:
        context, service, given = self.context, self._service, self._given
        if service is None:
            return
        members = self.query_one(MemberFields)
        outcome = await create_object(
            context.scope,
            service.id,
            str(given.pop("name", "")),
            str(given.pop("address", "")),
            settings=given,
            members=members.who(members.added),
        )
        self.announce(f"{outcome.result.name} is asked for; its light follows")
        await self.queue_changed()
        members.forget()
        self.console.memory.pop(self.memory_key, None)
        self._first_kind = service.id
        self.turn_into("object", outcome.result.id)

    async def _save(self) -> None:
        context, given = self.context, self._given
        members = self.query_one(MemberFields)
        name, address = given.pop("name", None), given.pop("address", None)
        outcome = await edit_object(
            context.scope,
            str(self.object_id),
            GroupChanges(
                None if name is None else str(name),
                None if address is None else str(address),
                given,
                members.who(members.added),
                members.who(members.removed),
            ),
            expected_version=self._version,
        )
        self._their_words = []
        members.forget()
        self._adopt(outcome.result)
        await self.done("Asked for; the light follows")

    async def _restore(self) -> None:
        outcome = await restore_object(self.context.scope, str(self.object_id))
        self._adopt(outcome.result)
        await self.done("; ".join(outcome.plan.warnings) or "It is made again; the light follows")

    async def _ask_remove(self) -> None:
        """Say from the plan itself what is lost, and ask."""
        view, context = self._view, self.context
        if view is None:
            return

        async def remove() -> None:
            await remove_object(context.scope, view.id, expected_version=self._version)
            self.query_one(MemberFields).forget()
            self._view = None
            await self.done(f"{view.name} is being removed; the light follows")

        tried = await remove_object(context.scope, view.id, dry_run=True)
        if not tried.plan.changes_anything:
            self.answer("It is being removed, or was")
            return
        self.prompts.confirm(
            [
                f"{context.account.name}: remove {view.name} ({view.kind_name})?",
                *(f"Lost: {warning}" for warning in tried.plan.warnings),
                "Seats and money: nothing changes.",
            ],
            remove,
            yes="Remove",
        )

    async def _show_theirs(self, error: StaleVersion) -> None:
        view = await show_object(self.context.scope, str(self.object_id))
        self._version, self._view = view.version, view
        labels = {option.id: option.name for option in self._options}
        self._their_words = [
            error.what,
            *difference_words(error.theirs, labels),
            "What you typed is kept; Provision again saves it over theirs.",
        ]
        roles = self._service.roles if self._service is not None else ()
        self.query_one(MemberFields).show(roles, view.members)
        self._show_light(view)
        self._say()
        self.announce("Nothing was saved, and nothing is lost; see above", error=True)

    def _refused(self, error: MissionControlError) -> None:
        self.announce("Nothing was saved, and nothing is lost; see above", error=True)
        self._notice(point_out(self._refused_fields, error.problems, self._fields()))

    def verb_copy(self) -> None:
        if self._view is not None:
            self.copy(self._view.address)

    # Leaving

    @property
    def unfinished(self) -> bool:
        return bool(self._changes)

    def may_leave(self) -> bool:
        if self._view is not None and self._changes:
            self.announce("What is not yet provisioned is kept; come back here for it")
        return True

    def remember(self) -> dict[str, object]:
        if self._view is not None and not self._changes:
            return {}
        return {
            **super().remember(),
            "given": self._given,
            "kind": self._kind_of,
            "version": self._version,
        }

    @property
    def _kind_of(self) -> str:
        return self._service.id if self._service is not None else ""

    def recall(self, memory: dict[str, object]) -> None:
        given, kind = memory.pop("given", None), memory.pop("kind", "")
        version = memory.pop("version", 0)
        if self.object_id is not None and isinstance(given, Mapping):
            # What is only shown is read anew, so that nobody saves what was there before.
            for place in [place for place in memory if place in SHOWN or place.startswith(PREFIX)]:
                if place.removeprefix(PREFIX) not in given:
                    del memory[place]
        if isinstance(version, int) and version:
            self._kept_version = version
            if self._view is not None:
                self._version = version
        if isinstance(given, Mapping) and kind == self._kind_of:
            fields = self._fields()
            for option in self._options:
                if option.id in given and option.id in fields:
                    put(fields[option.id], given[option.id])
            self._say()
