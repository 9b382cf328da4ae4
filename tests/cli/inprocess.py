"""The command within the test's own process: quick, for everything that needs no process of its own."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest import mock

from mission_control_tui.cli.main import main


@dataclass(frozen=True)
class Called:
    """What one call did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its stdout as JSON."""
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The error that it printed with --json."""
        return json.loads(self.err)["error"]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def call(*arguments: str, stdin: str = "", terminal: bool = False) -> Called:
    """Run `mission-control` with these arguments; on a `terminal`, stdin answers its questions."""
    make = Terminal if terminal else io.StringIO
    out, err = make(), make()
    typed = Terminal(stdin) if terminal else io.TextIOWrapper(io.BytesIO(stdin.encode()))
    code: object = None
    with redirect_stdout(out), redirect_stderr(err), mock.patch.object(sys, "stdin", typed):
        try:
            main(arguments)
        except SystemExit as ending:
            code = ending.code
    assert isinstance(code, int)
    return Called(code, out.getvalue(), err.getvalue())


def ok(*arguments: str, stdin: str = "", terminal: bool = False) -> Called:
    """As `call`, of one that succeeds."""
    called = call(*arguments, stdin=stdin, terminal=terminal)
    assert called.code == 0, f"{arguments}: exit {called.code}\n{called.out}\n{called.err}"
    return called


def answer(*arguments: str) -> Any:
    """The JSON of a call that succeeds."""
    return ok(*arguments, "--json").json
