"""Long texts through the operator's pager, which is another program and gets no secret of this one."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys

import click

from mission_control_tui.model.store.child_environment import environment_of_others

_VARIABLES = ("PAGER", "LESS", "LESSCHARSET", "LESSHISTFILE", "MORE", "LV")


def page(text: str) -> None:
    """Show the text by PAGER, `less` where it is not set; as it is without a terminal or such a program."""
    words = _pager()
    if not words:
        click.echo(text)
        return
    with (
        subprocess.Popen(
            words, stdin=subprocess.PIPE, env=environment_of_others(*_VARIABLES)
        ) as pager,
        contextlib.suppress(BrokenPipeError),
    ):  # it was left before the end of the text
        pager.communicate(text.encode())


def _pager() -> list[str]:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return []
    try:
        wanted = shlex.split(os.environ.get("PAGER", ""))
    except ValueError:
        wanted = []
    if not wanted and os.environ.get("TERM", "dumb") in ("dumb", "emacs"):
        return []
    program, *words = wanted or ["less"]
    found = shutil.which(program)
    return [found, *words] if found else []
