"""Settings: what an operator may choose about the console, kept in the documented file; most of it holds at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.widget import Widget

from mission_control_tui.keys import custom_keys
from mission_control_tui.keys.keymap import BY_ID, key_word, keys_of
from mission_control_tui.model.errors import Conflict, InvalidInput, Problem, UsageError
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.settings.file import SettingsFile, understand
from mission_control_tui.settings.settings import environment, load, settings_file
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.bars import KeyBar
from mission_control_tui.widgets.field import CheckField, ChoiceField, Field, FormLine
from mission_control_tui.widgets.key_list import OwnKeysList
from mission_control_tui.widgets.rows import CursorLines
from mission_control_tui.widgets.text_lines import TextLines

THEMES = (
    ("auto", "auto: as the terminal says"),
    ("dark", "dark background"),
    ("light", "light background"),
    ("dark-16", "dark background, sixteen colours"),
    ("light-16", "light background, sixteen colours"),
)
HOW = "Tab goes on, Space and arrows change it; {back} then {save} saves, {back} {back} leaves."
NOTHING = "nothing is changed"
MOST_TOLD = 2
"""Problems of the keymap that are told above the form."""

NEXT_START = frozenset({"console.mouse", "console.read_only"})
"""Settings that hold from the next start on."""


@dataclass(frozen=True, slots=True)
class SettingField:
    """A setting with a field: how the field is called, what help says, what a wrong value is told."""

    key: str
    label: str
    help_text: str
    rule: str = ""
    suffix: str = ""

    @property
    def id(self) -> str:
        return f"f-{self.key.replace('.', '-')}"

    @property
    def name(self) -> str:
        """The setting's name within its table."""
        return self.key.partition(".")[2]


CHOICES = (
    SettingField(
        "console.theme",
        "Theme",
        "The background that your terminal has, and how many colours it shows. auto asks the terminal.",
    ),
    SettingField(
        "console.ascii",
        "Draw with ASCII alone",
        "For a font or line that garbles lines and signs. Without it the terminal is asked.",
    ),
    SettingField(
        "console.mouse",
        "The console has the mouse (from the next start)",
        "While it has, the terminal's own selecting and copying with the mouse is off. --mouse does it once.",
    ),
    SettingField(
        "console.read_only",
        "Start read-only (from the next start)",
        "Nothing is changed until you press a, which the top line shows. --read-only does it once.",
    ),
    SettingField(
        "console.page_jump",
        "Page jump",
        "How many rows PgUp and PgDn move in a list; 0 for as many as are in view.",
        "a number from 0 to 1000",
        " rows; 0: as many as are in view",
    ),
    SettingField(
        "console.confirm_above",
        "Confirm above",
        "An action on more users than this is confirmed by typing, not by a key.",
        "a number from 1",
        " users: an action on more is typed",
    ),
)


def short(path: Path) -> str:
    """Return a path for people: below their home directory it begins with ~."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except ValueError:
        return str(path)


class SettingsScreen(MissionScreen):
    """A form over the settings file: what is changed here is written there, and nothing else."""

    NAME = "settings"
    MEMORY_NAME = "SettingsScreen"
    DRAFT = "Settings"
    HEADING = "Settings"
    ABOUT = (
        "Your own choices, in the settings file that is named above; comments in it stay. w or Save writes what was "
        "changed. Below are the keys of all verbs: Enter asks for a new one, Delete gives back the default. The "
        "command line has the same: `settings show`, `settings set`, `settings unset`."
    )
    VERBS = ("write", "discard")
    KEY_LABELS = (("write", "Save"), ("discard", "Default"))
    CSS_PATH = "settings.tcss"
    MAIN = "save"

    def __init__(self) -> None:
        super().__init__()
        self._file: SettingsFile | None = None
        self._keymap: dict[str, Any] = {}
        self._kept: Mapping[str, Any] = {}

    def body(self) -> Iterable[Widget]:
        yield TextLines("…", "dim", id="where")
        yield TextLines(self._how(), id="how")
        yield TextLines("", "orange", id="notice")
        for setting in CHOICES:
            yield self._field_of(setting)
        yield ActionButton("Save", reason="not read yet", verb="write", id="save")
        yield OwnKeysList(id="keys")

    def _how(self) -> str:
        """Return how one gets about in the form, by the keys that are in force: in a field the hints cannot say it."""
        own = self.console.keys
        back, save = (key_word(keys_of(BY_ID[verb], own)[0]) for verb in ("back", "write"))
        return HOW.format(back=back, save=save)

    def _field_of(self, setting: SettingField) -> Widget:
        if setting.key == "console.theme":
            return ChoiceField(setting.label, THEMES, help_text=setting.help_text, id=setting.id)
        if not setting.rule:
            return CheckField(setting.label, help_text=setting.help_text, id=setting.id)
        suffix, words = setting.suffix, setting.help_text
        return Field(
            setting.label, max_length=6, width=6, suffix=suffix, help_text=words, id=setting.id
        )

    @property
    def unhinted(self) -> frozenset[str]:
        return frozenset() if isinstance(self.focused, OwnKeysList) else frozenset({"discard"})

    # What is stored, and what is typed

    async def load(self) -> None:
        typed = self._kept or self._typed()
        try:
            file = SettingsFile.read()
            file.settings  # noqa: B018 - a file that breaks a rule is not edited
        except UsageError as error:
            self._refuse(error)
            return
        self._kept = {}
        self._adopt(file, typed)

    def _refuse(self, error: UsageError) -> None:
        """Say in full, above the form, why the file cannot be used or written."""
        said = f"{error.what} {error.hint}".strip().replace(f"{Path.home()}/", "~/")
        self.query_one("#notice", TextLines).tell(said)
        self.announce("The settings file cannot be used; see above", error=True)
        if self._file is None:
            self.query_one("#where", TextLines).set(f"Kept in {short(settings_file())}")
            self.query_one("#save", ActionButton).reason = "the settings file cannot be used"

    def _adopt(self, file: SettingsFile, typed: Mapping[str, Any]) -> None:
        """Show what the file says, and over it what is typed."""
        console = file.settings.console
        self._file = file
        for setting in CHOICES:
            self._put(setting, typed.get(setting.key, getattr(console, setting.name)))
        keymap = {**console.keymap, **typed.get("keymap", {})}
        self._keymap = {verb: keys for verb, keys in keymap.items() if keys is not None}
        self._show()

    def _widget(self, setting: SettingField) -> Any:
        return self.query_one(f"#{setting.id}")

    def _put(self, setting: SettingField, value: object) -> None:
        widget = self._widget(setting)
        widget.value = str(value) if isinstance(widget, Field) else value

    def _typed(self) -> dict[str, Any]:
        """What differs from the file, as it is typed: by setting, and `keymap` by verb (None for the default)."""
        if self._file is None:
            return {}
        console, found = self._file.settings.console, dict[str, Any]()
        for setting in CHOICES:
            value, stored = self._widget(setting).value, getattr(console, setting.name)
            if value != (str(stored) if setting.rule else stored):
                found[setting.key] = value
        before, now = console.keymap, self._keymap
        verbs = [verb for verb in {**before, **now} if before.get(verb) != now.get(verb)]
        return {**found, "keymap": {verb: now.get(verb) for verb in verbs}} if verbs else found

    @property
    def unfinished(self) -> bool:
        return bool(self._typed())

    def _show(self) -> None:
        file = self._file
        if file is None:
            return
        self.query_one("#where", TextLines).set(f"Kept in {short(file.path)}")
        self.query_one("#how", TextLines).set(self._how())
        said = [
            f"The environment sets {name} and wins over the file."
            for name in environment()
            if name.startswith("console.")
        ]
        wrong = custom_keys.problems(self._keymap)
        said += [f"Left out: {problem.where}: {problem.what}" for problem in wrong[:MOST_TOLD]]
        if len(wrong) > MOST_TOLD:
            said.append(f"and {len(wrong) - MOST_TOLD} more: `settings show` says all")
        self.query_one("#notice", TextLines).tell(*said)
        self.query_one(OwnKeysList).show(self._keymap)
        self._judge()

    def _judge(self) -> None:
        self.query_one("#save", ActionButton).reason = "" if self._typed() else NOTHING

    def remember(self) -> dict[str, object]:
        fields = {setting.id for setting in CHOICES}
        found = {name: place for name, place in super().remember().items() if name not in fields}
        return {**found, "typed": self._typed() or dict(self._kept)}

    def recall(self, memory: dict[str, object]) -> None:
        typed = memory.pop("typed", None)
        if isinstance(typed, dict):
            self._kept = typed
            self.reload()

    def on_field_changed(self, event: Field.Changed) -> None:
        event.field.error = ""
        self._judge()

    def on_form_line_changed(self, event: FormLine.Changed) -> None:
        self._judge()

    # Keys

    def on_cursor_lines_opened(self, event: CursorLines.Opened) -> None:
        if isinstance(event.rows, OwnKeysList):
            event.stop()
            self._ask_for_key(str(event.row.key))

    def _ask_for_key(self, verb_id: str) -> None:
        verb = BY_ID[verb_id]

        def pressed(key: str | None) -> None:
            if key is None:
                self.prompts.close(bar)
                self.answer("The key stays")
                return
            if wrong := self._take_keys(custom_keys.with_key(self._keymap, verb_id, key)):
                bar.say(f"{wrong}. Press another key.", error=True)
                return
            self.prompts.close(bar)
            self.announce(f"{verb.label} is {key_word(key)}; w saves it")

        bar = KeyBar(
            [f"Press the new key for {verb.label}.", "A letter, a sign, or F1 to F12."], pressed
        )
        self.prompts.show_bar(bar)

    def _take_keys(self, keymap: dict[str, Any]) -> str:
        """Go on with this keymap, unless something is wrong with it that was not before; return what."""
        known = custom_keys.problems(self._keymap)
        new = [problem for problem in custom_keys.problems(keymap) if problem not in known]
        if new:
            return new[0].what
        self._keymap = keymap
        self._show()
        return ""

    def verb_discard(self) -> None:
        """Give the verb under the cursor its default keys again."""
        row = self.query_one(OwnKeysList).current
        if not isinstance(self.focused, OwnKeysList) or row is None:
            self.answer("Put the cursor on a key first", error=True)
            return
        verb = BY_ID[str(row.key)]
        left = {other: keys for other, keys in self._keymap.items() if other != verb.id}
        wrong = self._take_keys(left)
        self.announce(wrong or f"{verb.label} has its default keys; w saves it", error=bool(wrong))

    # Saving

    def on_action_button_refused(self, event: ActionButton.Refused) -> None:
        self.answer(event.button.reason.capitalize(), error=True)

    def verb_write(self) -> None:
        """Write what was changed, and go on with it."""
        if self._file is None:
            self.announce("The settings file cannot be used", error=True)
            return
        self.need_write()
        changes = self._changes()
        if not changes:
            self.answer("Nothing is changed")
            return
        try:
            self._file = self._file.save(changes)
        except Conflict:
            self.reload()
            said = "Not saved: the file was changed meanwhile. Yours is kept; save again"
            self.announce(said, error=True)
            return
        except UsageError as error:
            self._refuse(error)
            return
        self.console.accounts.change_settings(load())
        self._show()
        rest = " Mouse and read-only: from the next start." if NEXT_START & changes.keys() else ""
        self.announce(f"Saved in {short(self._file.path)}.{rest}")

    def _changes(self) -> dict[str, object]:
        """Return what is to be written, in its types. Raises InvalidInput, with the error beside each field."""
        typed = self._typed()
        changes: dict[str, object] = {
            f"{custom_keys.WHERE}.{verb}": keys for verb, keys in typed.pop("keymap", {}).items()
        }
        wrong = []
        for setting in CHOICES:
            if setting.key not in typed:
                continue
            try:
                changes[setting.key] = understand(setting.key, str(typed[setting.key]).strip())
            except UsageError:
                self._widget(setting).error = setting.rule
                wrong.append(setting)
        if wrong:
            self._widget(wrong[0]).focus()
            problems = [Problem(setting.label, setting.rule) for setting in wrong]
            raise InvalidInput("Nothing was saved.", problems=problems)
        return changes
