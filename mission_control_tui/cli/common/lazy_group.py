"""A command group that imports a command only when it is called or its help is shown."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

PACKAGE = "mission_control_tui.cli"


class LazyGroup(click.Group):
    """`lazy` maps a command's name to (short help, "module:attribute"), named below PACKAGE."""

    def __init__(
        self, *args: Any, lazy: Mapping[str, tuple[str, str]] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = dict(lazy or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.lazy[cmd_name][1].partition(":")
        command = getattr(import_module(f"{PACKAGE}.{module}"), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is no command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, and where there is no such command, those that it resembles."""
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], known, n=2)
            guess = f" Did you mean {' or '.join(close)}?" if close else ""
            ctx.fail(f"There is no command {args[0]!r}.{guess}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List all commands; those that are imported late are listed without importing them."""
        here = ((name, self.commands[name]) for name in super().list_commands(ctx))
        width = formatter.width - 6 - max(map(len, self.list_commands(ctx)), default=0)
        rows = [
            *(
                (name, command.get_short_help_str(max(width, 20)))
                for name, command in here
                if not command.hidden
            ),
            *((name, short) for name, (short, _) in self.lazy.items()),
        ]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
