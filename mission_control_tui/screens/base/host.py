"""What screens ask of the application that shows them."""

from __future__ import annotations

from collections.abc import Collection, Coroutine, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from mission_control_tui.screens.base.command_line import CommandLine
from mission_control_tui.screens.base.context import Context
from mission_control_tui.widgets.status_lines import TopInfo

if TYPE_CHECKING:
    from mission_control_tui.model.caller import Caller
    from mission_control_tui.model.operators.drafts import Draft
    from mission_control_tui.model.views import Account
    from mission_control_tui.settings.settings import Settings

Link = tuple[str, str]
"""A screen's name, and its words in QUICK LINKS."""


class Accounts(Protocol):
    """The accounts that were gone to, and who works in them."""

    caller: Caller

    def context_for(self, account: Account) -> Context: ...
    def change(self, account: Account) -> None: ...
    def change_caller(self, **changes: Any) -> None: ...
    def change_settings(self, settings: Settings) -> None: ...
    def remember_user(self, context: Context, user_id: str) -> None: ...


class Session(Protocol):
    """What is kept of this console: its place, and drafts."""

    def keep_draft(self, screen: Any) -> None: ...
    def open_draft(self, draft: Draft) -> Coroutine[Any, Any, None]: ...


class Host(Protocol):
    """The application, as screens know it."""

    keys: Mapping[str, str]
    """The operator's own keys, by verb."""
    quick_links: Sequence[Link]
    memory: dict[str, dict[str, object]]
    """What each screen remembers, by its memory key."""
    store: Any
    is_open: bool
    """Whether the database is open."""
    why_not_open: str
    is_arriving: bool
    """Whether the database is still being opened, or the place that was left is still being gone back to."""
    holds_frames: bool
    """Whether painting waits for a slow line."""
    is_drawn: bool
    """Whether the terminal has all that was painted."""

    def shown_since(self, painted_at: float) -> float:
        """Return when what was painted at that time went to the terminal, which a slow line puts off."""

    top_info: TopInfo
    accounts: Accounts
    session: Session
    commands: CommandLine | None

    def form_name(self, kind: str) -> str: ...
    def make_screen(self, name: str, *arguments: Any, **named: Any) -> Any: ...
    def go_on_to(self, screen: Any) -> None: ...
    def follow_link(self, name: str) -> None: ...
    def next_red(self) -> Any: ...
    def find_anyone(self, text: str) -> None: ...
    def choose_account(self) -> None: ...
    def enter(self, context: Context) -> None: ...
    def copy_to_clipboard(
        self, text: str, *, lines: bool = False, secret: bool = False
    ) -> None: ...
    def redraw(self) -> None: ...
    def apply_changes(self, changes: Iterable[object]) -> None: ...
    def take_changes(self) -> Collection[object]: ...
    def action_leave(self) -> None: ...
