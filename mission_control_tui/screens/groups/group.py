"""One group, contact or shared mailbox: its fields, its members, its light; or a new one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import ClassVar

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
    restore_object,
)
from mission_control_tui.model.groups.queries import ObjectView, choices, show_object
from mission_control_tui.model.states import Light
from mission_control_tui.model.text.clean import fold
from mission_control_tui.model.text.differences import difference_words
from mission_control_tui.screens.forms.member_fields import MemberFields
from mission_control_tui.screens.forms.option_fields import is_same, put
from mission_control_tui.screens.forms.user_fields import point_out
from mission_control_tui.screens.groups.removing import ObjectRemovingScreen
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.cells import age
from mission_control_tui.widgets.check_field import CheckField
from mission_control_tui.widgets.choice_field import ChoiceField
from mission_control_tui.widgets.field import Field, FormLine
from mission_control_tui.widgets.light import LightCell
from mission_control_tui.widgets.rule_field import AnyField, rule_field
from mission_control_tui.widgets.text_lines import TextLines

PREFIX = "option-"
_NOT_LOCAL = re.compile(r"[^a-z0-9]+")


class ObjectScreen(ObjectRemovingScreen):
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
    VERBS: ClassVar[tuple[str, ...]] = ("provision", "copy")
    MAIN: ClassVar[str] = "provision"
    CSS_PATH = "group.tcss"
    AUTO_FOCUS = "#provision"

    def __init__(self, object_id: str | None = None, kind: str = "") -> None:
        """Without an id it is a new one of that `kind`."""
        super().__init__()
        self.object_id = object_id
        self._first_kind = kind
        self._service: Service | None = None
        self._shown: dict[str, object] = {}
        self._proposed = ""
        self._domain = ""
        self._their_words: list[str] = []

    @property
    def memory_key(self) -> str:
        return f"{super().memory_key} {self.object_id or 'new'}"

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
        remove = ActionButton("Remove", help_text=words, width=30, id="remove")
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
                self.memory.recall()
            # At once: what was typed ahead is let go when this reading ends.
            self.set_focus(self.query_one("#name", Field).input if self._first_kind else choice)

    async def _load_stored(self) -> None:
        view = await show_object(self.context.scope, str(self.object_id))
        if not self.is_here:
            return
        first = self._view is None
        if first or not self._changes:
            recalled = self._given  # before the first reading: what a draft had typed
            await self._adopt(view)
            for name, value in recalled.items():
                self.query_one(f"#{name}", Field).value = str(value)
        self._show_light(view)
        if first and self.memory.kept:
            self.memory.recall()

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

    async def _adopt(self, view: ObjectView) -> None:
        """Show what is stored."""
        self._view, self._version = view, view.version
        await self._take_kind(view.kind)
        self.query_one("#who", TextLines).set(f"{view.name}  {view.address}  ({view.kind_name})")
        self._shown = {"name": view.name, "address": view.address, **view.settings}
        self.query_one("#name", Field).value = view.name
        self.query_one("#address", Field).value = view.address
        for option in self._options:
            if (widget := self._find(option.id)) is not None:
                put(widget, view.settings.get(option.id))
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
        self.query_one("#light", LightCell).set(service.light, word, note)
        words = list(self._their_words)
        if service.light is Light.RED:
            words += [service.error_said, service.error_remedy, "Provision tries it again."]
        elif service.light is Light.ORANGE and self.context.no_worker:
            words.append(f"Nothing happens yet: {self.context.no_worker}.")
        if view.removed_at is not None and service.light is Light.GREY:
            words.append("It was removed. Provision brings it back, without what it held.")
        self._notice(words)

    def _notice(self, words: Iterable[str]) -> None:
        self.query_one("#notice", TextLines).tell(*words)

    def _find(self, option: str) -> AnyField | None:
        for widget in self.query(f"#{PREFIX}{option}"):
            if isinstance(widget, Field | ChoiceField | CheckField):
                return widget
        return None

    # What is changed

    @property
    def _given(self) -> dict[str, object]:
        """Return what stands in the form and differs from what is stored."""
        found: dict[str, object] = {}
        for name in ("name", "address"):
            value = self.query_one(f"#{name}", Field).value
            if value != self._shown.get(name, ""):
                found[name] = value
        for option in self._options:
            widget = self._find(option.id)
            if widget is not None and not is_same(widget, self._shown.get(option.id)):
                found[option.id] = widget.value
        return found

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
            self.do(self._offer(event.role, event.text))

    async def _offer(self, role: str, text: str) -> None:
        context, service = self.context, self._service
        if service is None:
            return
        found = await choices(context.scope, service.id, role, text)
        if self.is_here:
            offered = [one for one in found if one.id != self.object_id]
            self.query_one(MemberFields).offer(role, offered)

    def _say(self) -> None:
        count = self._changes
        changes = "1 change" if count == 1 else f"{count} changes"
        stored = self._view is not None
        text = f"Not yet provisioned: {changes}" if stored and count else ""
        self.query_one("#pending", TextLines).set(text)
        settled = (
            stored
            and self._view is not None
            and self._view.service.light is Light.GREEN
            and not self._view.service.drift
        )
        reason = "nothing is changed" if settled and not count else ""
        self.query_one("#provision", ActionButton).reason = reason

    # Provision

    def on_action_button_pressed(self, event: ActionButton.Pressed) -> None:
        if event.button.id == "remove":
            self.do(self.ask_remove())

    def on_action_button_refused(self, event: ActionButton.Refused) -> None:
        self.announce(event.button.reason)

    async def verb_provision(self) -> None:
        if self._service is None:
            return
        try:
            if self._view is None:
                await self._create()
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
        await self._adopt(outcome.result)
        self.announce("Asked for; the light follows")
        await self.queue_changed()
        await self.load()

    async def _restore(self) -> None:
        outcome = await restore_object(self.context.scope, str(self.object_id))
        self.announce("; ".join(outcome.plan.warnings) or "It is made again; the light follows")
        await self._adopt(outcome.result)
        await self.queue_changed()
        await self.load()

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
        places: dict[str, Field | FormLine] = {
            "name": self.query_one("#name", Field),
            "address": self.query_one("#address", Field),
        }
        for option in self._options:
            widget = self._find(option.id)
            if isinstance(widget, Field | FormLine):
                places[option.id] = widget
        self.announce("Nothing was saved, and nothing is lost; see above", error=True)
        self._notice(point_out(self, error.problems, places))

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
        return {**super().remember(), "given": self._given, "kind": self._kind_of}

    @property
    def _kind_of(self) -> str:
        return self._service.id if self._service is not None else ""

    def recall(self, memory: dict[str, object]) -> None:
        given, kind = memory.pop("given", None), memory.pop("kind", "")
        if isinstance(given, Mapping) and kind == self._kind_of:
            for option in self._options:
                widget = self._find(option.id)
                if widget is not None and option.id in given:
                    put(widget, given[option.id])
            self._say()
