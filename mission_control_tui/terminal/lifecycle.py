"""The terminal before and around the application: is there one, what can it show, how does it end.

Nothing here imports Textual, so that refusing costs nothing and the environment is set before Textual reads it.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import termios
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, Self, TextIO

from mission_control_tui.model.errors import UsageError

EXIT_NO_TERMINAL = 2
GRACE = 1.5
"""Seconds after a signal until the process ends whatever it is waiting for."""

ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_NOT_ANSI = re.compile(r"vt52|wy\d|adm\d|tvi\d|hp\d|h19|z19|d2\d\d|3270|ibm3\d")
_LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")
_SIMPLE_TERMINALS = ("linux", "vt100", "vt102", "vt220", "cons25")
MOUSE_OFF = "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1015l"
LEFT_ON = f"\x0f\x1b(B\x1b[?6l\x1b[?69l\x1b[r\x1b[4l\x1b[?1l\x1b>{MOUSE_OFF}\x1b[?1004l"
"""Back to ASCII in G0; no origin mode, margins, insert mode, application keys, reports of mouse or focus (ctlseqs)."""
CLEARED = "\x1b[0m\x1b[2J\x1b[H"
CURSOR_SHOWN, CURSOR_HIDDEN = "\x1b[?25h", "\x1b[?25l"
_RESTORE = f"\x1b[?2026l{LEFT_ON}\x1b[?2048l\x1b[?2004l\x1b[?7h{CLEARED}\x1b[?1049l{CURSOR_SHOWN}"


@dataclass(frozen=True, slots=True)
class TerminalOptions:
    """How the console looks and behaves on this terminal.

    `ascii` None asks the terminal; `keys` maps verb ids to keys; `page_jump` is how many rows a page key moves, 0 for
    as many as are in view; `state_dir` is where a crash leaves its log;
    `escape_ms` is how long an Escape waits to become an arrow key: more on slow lines; `show_cursor` shows the
    terminal's own cursor, which stands on what has the focus anyway.
    """

    theme: str = "auto"
    ascii: bool | None = None
    mouse: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)
    page_jump: int = 0
    state_dir: Path | None = None
    escape_ms: int = 100
    frames_per_second: int = 30
    show_cursor: bool = False


def require_terminal(
    environ: Mapping[str, str] | None = None,
    stdin: TextIO | None = None,
    stderr: TextIO | None = None,
) -> None:
    """Raise UsageError, in one line, unless there is a terminal that can show full screens.

    The application draws on standard error, so standard output may go elsewhere.
    """
    environ = os.environ if environ is None else environ
    for stream in (stdin or sys.__stdin__, stderr or sys.__stderr__):
        if stream is None or stream.closed or not stream.isatty():
            raise UsageError(
                "The console needs a terminal on standard input and standard error; "
                "everything it does is also a command: see mission-control --help"
            )
    if environ.get("TERM", "") in ("", "dumb", "unknown"):
        raise UsageError(
            f"The terminal says that it is {environ.get('TERM') or 'nothing'!r} and cannot show full screens; "
            "set TERM (xterm-256color, linux, ...) or use the commands: see mission-control --help"
        )
    if not _moves_the_cursor_as_ansi(environ["TERM"]):
        raise UsageError(
            f"A terminal of the type {environ['TERM']!r} has control sequences of its own, which the console does not "
            "know; set TERM to what it emulates, or use the commands: see mission-control --help"
        )


def _first_environment() -> Mapping[str, str]:
    """Return the environment that the process was started with: where the locale is C, Python changes it (PEP 538)."""
    try:
        block = Path("/proc/self/environ").read_bytes()
    except OSError:
        return os.environ
    pairs = (entry.partition(b"=") for entry in block.split(b"\0") if entry)
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


def _moves_the_cursor_as_ansi(term: str) -> bool:
    """Tell whether terminfo says so of a type of terminal, or, where it knows none, whether the name is no old one."""
    import curses

    try:
        curses.setupterm(term, sys.__stderr__.fileno() if sys.__stderr__ is not None else 2)
    except curses.error:
        return not _NOT_ANSI.match(term)
    move = curses.tigetstr("cup")
    return move is None or move.startswith(b"\x1b[")


def wants_ascii(
    setting: bool | None, environ: Mapping[str, str] | None = None, encoding: str | None = None
) -> bool:
    """Whether to draw with ASCII alone: as set, or because the encoding is not UTF-8 or the font is a console's."""
    if setting is not None:
        return setting
    environ = _first_environment() if environ is None else environ
    if encoding is None:
        encoding = sys.__stderr__.encoding if sys.__stderr__ is not None else "ascii"
    utf8 = (encoding or "").lower().replace("-", "").replace("_", "") == "utf8"
    locale = next((value for name in _LOCALE if (value := environ.get(name))), "")
    if locale in ("C", "POSIX"):
        return True
    return not utf8 or environ.get("TERM", "") in _SIMPLE_TERMINALS


def prepare_environment(options: TerminalOptions) -> None:
    """Set what Textual reads when it is imported; what the user has set stays, but for a size."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        if all(os.get_terminal_size(sys.__stderr__.fileno())):  # type: ignore[union-attr]
            for name in ("COLUMNS", "LINES"):
                os.environ.pop(name, None)
    wanted = {
        "TEXTUAL_FPS": str(options.frames_per_second),
        "ESCDELAY": str(options.escape_ms),
        "TEXTUAL_ANIMATIONS": "none",
        "TEXTUAL_SMOOTH_SCROLL": "0",
        "TEXTUAL_DISABLE_KITTY_KEY": "1",
    }
    for name, value in wanted.items():
        os.environ.setdefault(name, value)


class SignalShutdown:
    """Ends the application on SIGTERM, SIGHUP and SIGQUIT: politely at once, by force after `GRACE` seconds.

    Force restores the terminal first. It is needed where output blocks on a frozen line, or a handler never returns.
    """

    def __init__(self, ask: Callable[[int], None]) -> None:
        self._ask = ask
        self._before: dict[signal.Signals, Any] = {}
        self._attributes: list[Any] | None = None
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Self:
        with contextlib.suppress(termios.error, ValueError, OSError):
            self._attributes = termios.tcgetattr(sys.__stdin__.fileno())  # type: ignore[union-attr]
        for number in ENDING_SIGNALS:
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._timer is not None:
            self._timer.cancel()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.end(128 + number)

    def end(self, code: int) -> None:
        """End with this exit status; calling it again changes nothing."""
        if self._timer is not None:
            return
        self._timer = threading.Timer(GRACE, self._force, (code,))
        self._timer.daemon = True
        self._timer.start()
        self._ask(code)

    def _force(self, code: int) -> None:
        restore_terminal(self._attributes)
        os._exit(code)


def restore_terminal(attributes: list[Any] | None) -> None:
    """Leave the terminal as a shell wants it, without waiting for a terminal that takes nothing any more."""
    stderr = sys.__stderr__
    if stderr is None:
        return
    with contextlib.suppress(termios.error, OSError, ValueError):
        descriptor = stderr.fileno()
        termios.tcflush(descriptor, termios.TCOFLUSH)
        os.set_blocking(descriptor, False)
        os.write(descriptor, _RESTORE.encode())
        os.set_blocking(descriptor, True)
    with contextlib.suppress(termios.error, OSError, ValueError):
        if attributes is not None and sys.__stdin__ is not None:
            termios.tcsetattr(sys.__stdin__.fileno(), termios.TCSANOW, attributes)


def state_directory(options: TerminalOptions) -> Path:
    """Return where a crash leaves its log."""
    if options.state_dir is not None:
        return options.state_dir
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "mission-control"


class Runnable(Protocol):
    """The application, as its life cycle knows it."""

    ending: SignalShutdown | None

    @property
    def return_code(self) -> int | None: ...
    def run(self, *, mouse: bool) -> Any: ...
    def end_from_outside(self, code: int) -> None: ...


def start(options: TerminalOptions, make_app: Callable[[TerminalOptions], Runnable]) -> int:
    """Run the application that `make_app` builds (and imports) and return the process's exit status.

    Raises UsageError, with exit code 2, without a terminal; Textual has not been imported then.
    """
    require_terminal()
    prepare_environment(options)
    app = make_app(options)
    with SignalShutdown(app.end_from_outside) as ending:
        app.ending = ending
        app.run(mouse=options.mouse)
    return app.return_code or 0
