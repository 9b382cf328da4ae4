"""The Textual application: screens, theme, keymap, opening the database, and changes for the screen on top."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from time import monotonic
from typing import Any, ClassVar, cast

from rich.text import Text
from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.geometry import Offset
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import WorkerFailed

from mission_control_tui.console.stylesheet import ParsedOnceStylesheet
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.screens.base.base import BaseScreen
from mission_control_tui.screens.base.host import Link
from mission_control_tui.terminal import crash_log, lifecycle
from mission_control_tui.terminal.ascii import AsciiFilter
from mission_control_tui.terminal.control_sequences import MOST_PASTED
from mission_control_tui.terminal.driver import ConsoleDriver
from mission_control_tui.terminal.input_events import PasteLeftOut
from mission_control_tui.terminal.job_control import can_be_resumed
from mission_control_tui.terminal.key_queue import KeyQueue
from mission_control_tui.widgets.shielded import shielded
from mission_control_tui.widgets.status_lines import TopInfo
from mission_control_tui.widgets.terminal_cursor import cursor_on
from mission_control_tui.widgets.text_lines import TextLines
from mission_control_tui.widgets.theme import choose_theme, themes

log = logging.getLogger(__name__)

BEING_OPENED = "The database is being opened"


class MissionControlApp(App[int], inherit_bindings=False):
    """Shows screens, opens the database after the first frame, hands changes to the screen that is on top.

    `opener` runs in a thread after the first frame and returns what screens work with (`store`); it may import and
    block as long as it likes. `links` are the screens of QUICK LINKS, the first is Home; `screen_class` finds any by
    its name, and raises KeyError for an unknown one.
    """

    TITLE = "Mission Control"
    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = "console.tcss"
    DEFAULT_MODE = "main"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", "Suspend", show=False),
        Binding("ctrl+q", "leave", "Quit", show=False),
        Binding("ctrl+c", "how_to_quit", "How to quit", show=False),
    ]

    class Opened(Message):
        """The database is open."""

    class OpeningFailed(Message):
        """The database could not be opened."""

        def __init__(self, error: Exception) -> None:
            super().__init__()
            self.error = error

    def __init__(
        self,
        links: Sequence[Link],
        screen_class: Callable[[str], type[Screen[Any]]],
        *,
        opener: Callable[[], Any] | None = None,
        options: lifecycle.TerminalOptions | None = None,
        top: TopInfo | None = None,
    ) -> None:
        super().__init__(driver_class=ConsoleDriver, ansi_color=True)
        self.stylesheet = ParsedOnceStylesheet(variables=self.get_css_variables())
        for theme in themes():
            self.register_theme(theme)
        self.animation_level = "none"
        self.links = tuple(links)
        self._screen_class = screen_class
        self.add_mode(self.DEFAULT_MODE, lambda: self.make_screen(self.links[0][0]))
        self.choose(options or lifecycle.TerminalOptions())
        self.memory: dict[str, dict[str, object]] = {}
        self.store: Any = None
        self.is_open = False
        self.is_arriving = True
        self.why_not_open = BEING_OPENED
        self.top_info = top or TopInfo()
        self.ending: lifecycle.SignalShutdown | None = None
        self._typed = KeyQueue(self, self._press)
        self._opener = opener
        self._held: AbstractContextManager[None] | None = None
        self._changes: set[object] = set()
        self._changes_lock = threading.Lock()
        self._app_loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def choose(self, options: lifecycle.TerminalOptions) -> None:
        """Look and act by these options from now on, but for those that hold from the next start (mouse, crash log)."""
        self.options = options
        self.keys: Mapping[str, str] = dict(options.keys)
        self.page_jump = options.page_jump
        self.shows_cursor = options.show_cursor
        self.set_class(options.show_cursor, "-shows-cursor")
        is_ascii = lifecycle.wants_ascii(options.ascii)
        self._ascii_filter: LineFilter | None = AsciiFilter() if is_ascii else None
        self.theme = choose_theme(options.theme)
        if self.is_running:
            self.set_keymap(dict(self.keys))
            for screen in self.base_screens:
                screen.refresh_keys()
            self.redraw()

    # Start

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = list(super().get_line_filters())
        if self._ascii_filter is not None:
            filters.append(self._ascii_filter)
        return filters

    def on_load(self) -> None:
        self._app_loop = asyncio.get_running_loop()
        self._held = self.batch_update()
        self._held.__enter__()

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _app: self.redraw())
        if self.keys:
            self.set_keymap(dict(self.keys))

    def on_ready(self) -> None:
        self.call_later(self._show_first_frame)

    def _show_first_frame(self) -> None:
        held, self._held = self._held, None
        if held is None:
            return
        held.__exit__(None, None, None)
        self.screen.refresh(layout=True)
        if isinstance(self.screen, BaseScreen):
            self.screen.paint_now()
        self._open()

    def _open(self) -> None:
        self.is_arriving, self.why_not_open = True, BEING_OPENED
        if self._opener is None:
            self.post_message(self.Opened())
            return
        threading.Thread(target=self._open_in_thread, name="opener", daemon=True).start()

    def _open_in_thread(self) -> None:
        try:
            self.store = self._opener() if self._opener is not None else None
        except Exception as error:  # noqa: BLE001 - handed to the application's own thread
            self.post_message(self.OpeningFailed(error))
        else:
            self.post_message(self.Opened())

    def on_mission_control_app_opened(self) -> None:
        # Beside the keys: one can leave while the database takes its time.
        self.start_task(self._take_opened())

    async def _take_opened(self) -> None:
        await self.opened()
        if self.is_open and not self.goes_back:
            self.is_arriving = False

    @property
    def goes_back(self) -> bool:
        """Whether the place where one was last is still being gone back to; whoever does so ends the arrival."""
        return False

    async def opened(self) -> None:
        """Take what the opener found and let the screen read it."""
        if inspect.isawaitable(self.store):
            self.store = await self.store
        self.is_open = True
        if isinstance(self.screen, BaseScreen):
            self.screen.reload()

    def on_mission_control_app_opening_failed(self, event: OpeningFailed) -> None:
        if not isinstance(event.error, MissionControlError):
            raise event.error
        self.why_not_open = event.error.what
        self._typed.begin_anew(monotonic(), event.error.what)
        self.is_arriving = False
        if isinstance(self.screen, BaseScreen):
            self.screen.announce_error(event.error)

    # Keys

    @property
    def holds_frames(self) -> bool:
        return isinstance(self._driver, ConsoleDriver) and self._driver.holds_frames

    @property
    def is_drawn(self) -> bool:
        return not isinstance(self._driver, ConsoleDriver) or self._driver.is_drawn

    def shown_since(self, painted_at: float) -> float:
        driver = self._driver
        return driver.shown_since(painted_at) if isinstance(driver, ConsoleDriver) else painted_at

    def arrive(self) -> None:
        """Take keys, and none that was typed before the screen on top, which came by itself."""
        came = self.screen.mounted_at if isinstance(self.screen, BaseScreen) else monotonic()
        self._typed.begin_anew(min(came, monotonic()))
        self.is_arriving = False

    @property
    def is_behind(self) -> bool:
        """Whether keys were typed that are not yet handled."""
        return self._typed.is_behind

    async def _press(self, event: events.Event) -> None:
        if isinstance(self.screen, BaseScreen):
            self.screen.frame.key_pressed()
        await super().on_event(event)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self._typed.take(event)
        else:
            await super().on_event(event)

    def on_paste_left_out(self, event: PasteLeftOut) -> None:
        if event.ended:
            said = f"Nothing was pasted: {event.characters:,} characters are more than {MOST_PASTED:,}; import a file"
        else:
            said = f"The end of a paste never came: nothing of its {event.characters:,} characters was taken"
        self.notify(said, severity="error")

    def on_input_left_out(self) -> None:
        self.notify("What came last was no key and was left out", severity="error")

    def action_suspend_process(self) -> None:
        if can_be_resumed():
            super().action_suspend_process()
        else:
            self.say_not_suspended()

    def say_not_suspended(self) -> None:
        """Say that the console goes on, since nothing could bring it back."""
        said = "Not suspended: no shell here could bring the console back; q quits"
        self.notify(said, severity="error")

    # Screens

    def make_screen(self, name: str, *arguments: Any, **named: Any) -> Any:
        """Build the screen of that name; its module is imported now. Raises KeyError for an unknown name."""
        return self._screen_class(name)(*arguments, **named)

    def form_name(self, kind: str) -> str:
        """Return what a kind of draft is called, by its screen; the kind itself where no screen says so."""
        try:
            return getattr(self._screen_class(kind), "DRAFT", "") or kind
        except KeyError:
            return kind

    def follow_link(self, name: str) -> None:
        """Go to a screen of QUICK LINKS, from Home, so that Escape leads there."""
        self.keep_screen()
        while len(self.screen_stack) > 1:
            self.pop_screen()
        if name != self.links[0][0]:
            self.go_on_to(self.make_screen(name))

    @property
    def quick_links(self) -> Sequence[Link]:
        """Where one can go from anywhere, just now."""
        return self.links

    @property
    def base_screens(self) -> list[BaseScreen]:
        """The screens on each other, the one on top last."""
        return [screen for screen in self.screen_stack if isinstance(screen, BaseScreen)]

    def keep_screen(self) -> None:
        """Have the screen on top keep its place, before another one is gone to."""
        if isinstance(self.screen, BaseScreen):
            self.screen.keep()

    def drop_screens(self, screens: Iterable[Screen[Any]]) -> None:
        """Take screens out of the stack from under the one on top."""
        for screen in screens:
            self._screen_stack.remove(screen)
            self.call_later(self._replace_screen, screen)

    def set_top(self, info: TopInfo) -> None:
        """Change the top line of this screen and of all that come."""
        self.top_info = info
        if isinstance(self.screen, BaseScreen):
            self.screen.update_top()

    def copy_to_clipboard(self, text: str, *, lines: bool = False, secret: bool = False) -> None:
        """Hand `text` to the terminal's clipboard, harmless and on one line: it may be pasted into a shell.

        `lines` keeps the lines of a text that is made here, for a ticket. A `secret` is not kept for Ctrl+V in fields.
        """
        parts = text.splitlines() if lines else [text]
        super().copy_to_clipboard("\n".join(harmless(part) for part in parts))
        if secret:
            self._clipboard = ""

    @property
    def cursor_position(self) -> Offset:
        """Where the terminal's own cursor stands after a frame: on what has the focus, as it was laid out for that."""
        return cursor_on(self.screen)

    @cursor_position.setter
    def cursor_position(self, place: Offset) -> None:
        """Leave it: Textual's fields say where they believe to be before they are laid out."""

    def redraw(self) -> None:
        """Paint everything again, whatever the terminal shows and whatever modes it was left in."""
        if isinstance(self._driver, ConsoleDriver):
            self._driver.reset_terminal()
        self.screen.refresh(layout=True)

    def on_resize(self) -> None:
        if isinstance(self._driver, ConsoleDriver):
            self._driver.forget_screen()

    # Work beside the keys

    def start_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` beside the keys until the console ends; what it raises ends the console."""
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_ended)
        return task

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(cast(Exception, error))

    async def guarded(self, work: Awaitable[None]) -> None:
        """Do `work`; an error that a person can act upon is announced."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - a flaw of the program is raised again
            from mission_control_tui.model.store.engine import operator_error

            said = operator_error(error)
            if isinstance(self.screen, BaseScreen):
                self.screen.announce_error(said)

    async def if_it_answers(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work`, to its end; an error of the database is no news here, and is only logged."""
        try:
            await shielded(work)
        except Exception as error:  # noqa: BLE001 - a flaw of the program is raised again
            from mission_control_tui.model.store.engine import operator_error

            operator_error(error)
            log.debug("nothing was kept: %s", type(error).__name__)

    # Changes

    def apply_changes(self, changes: Iterable[object]) -> None:
        """Take what others changed; the screen on top reads again what it shows. Callable from any thread."""
        with self._changes_lock:
            self._changes.update(changes)
        self.call_later(lambda: self.screen.post_message(BaseScreen.ChangesArrived()))

    def take_changes(self) -> Collection[object]:
        """Return what arrived since this was last asked; screens that come back read everything anyway."""
        with self._changes_lock:
            changes, self._changes = self._changes, set()
        return changes

    # End

    def action_leave(self) -> None:
        if self.is_open or self.ending is None:
            self.exit(return_code=0)
        else:
            # What opens the database may wait for another process, in a thread that cannot be cancelled.
            self.ending.end(0)

    def action_how_to_quit(self) -> None:
        self.answer("q or F10 quits; what was asked for goes on")

    def end_from_outside(self, code: int) -> None:
        """End because of a signal or a lost terminal; called in the main thread, possibly inside a signal handler."""
        if self._app_loop is not None and not self._app_loop.is_closed():
            self._app_loop.call_soon_threadsafe(lambda: self.exit(return_code=code))
        else:
            raise SystemExit(code)

    def terminal_lost(self) -> None:
        """The line was cut: end as SIGHUP would."""
        if self.ending is not None:
            self.ending.end(129)
        else:
            self.exit(return_code=129)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Toasts cost a repaint when they come and go and parse markup: announce instead."""
        if isinstance(self.screen, BaseScreen):
            self.screen.announce(message, error=severity == "error")

    def answer(self, message: str) -> None:
        """Say what a key did, until the next one is pressed."""
        if isinstance(self.screen, BaseScreen):
            self.screen.answer(message)

    def go_on_to(self, screen: Screen[Any]) -> None:
        """Open a screen over this one, where nothing is said any more when one comes back."""
        if isinstance(self.screen, BaseScreen):
            self.screen.frame.left_behind()
        self.push_screen(screen)

    def get_loading_widget(self) -> Widget:
        return TextLines("…")

    def fail(self, error: Exception) -> None:
        """End because of an error outside the message loop."""
        self._handle_exception(error)

    def _fatal_error(self) -> None:
        """Say in one line that it crashed and where the log is: Textual would print every variable."""
        error: BaseException | None = self._exception
        if isinstance(error, WorkerFailed):
            error = error.error
        name, log = "error", ""
        if error is not None:
            name = type(error).__name__
            where = crash_log.write_crash_log(error, lifecycle.state_directory(self.options))
            log = f"; see {where}" if where is not None else ""
        self.panic(
            Text(f"Mission Control stopped because of a fault in itself ({name}){log}", end="")
        )
