"""What every command that changes something promises: `--yes` where it asks, `--wait` where it queues requests."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from inspect import unwrap
from types import CodeType, FunctionType, ModuleType

import click
import pytest

from mission_control_tui.cli.main import root

CLI = "mission_control_tui.cli"
ASKS = {"confirm", "confirm_losses"}
"""The methods of a session that ask."""

LOOKS_WITHOUT_YES = {"adopt load"}
"""It shows its plan without `--yes`, and asks nothing."""

QUEUES_NOTHING = {
    "account add-domain": "a name that is registered elsewhere asks nobody for anything",
    "account allow-domain": "a consent of another account",
    "account approval": "a limit for orders to come",
    "account contacts clear": "of the account itself",
    "account contacts set": "of the account itself",
    "account disallow-domain": "what the other account has by now, it keeps",
    "account edit": "of the account itself",
    "adopt load": "the rows are of many accounts: `status --all-accounts` shows their lights",
    "bulk stop": "it takes requests back",
    "catalogue load": "what it changes is provisioned again by people",
    "clock confirm": "what was held goes on by the clock",
    "connectors resume": "it asks for a check; what waited before goes on after it",
    "demo reset": "the sample has lights that never settle",
    "drift": "it only looks",
    "init": "it makes an account that has nothing yet",
    "orders decline": "nothing comes of the order",
    "renew": "the order itself makes the term longer",
    "requests reset": "its light is red at once",
    "restore": "the whole database is another one after it",
    "schedule add": "it is queued at its moment",
    "schedule cancel": "nothing is queued of it",
    "schedule change": "it is queued at its moment",
    "templates remove": "users keep what they have",
    "templates rename": "users keep what they have",
    "templates save": "users keep what they have",
    "users delete": "refused while a service is left",
    "users purge": "of the database alone",
    "users restore": "the user comes back without a service",
}
"""The commands that change something and take no `--wait`, and why."""

WAKE_ALL_THE_SAME = {
    *("adopt load", "bulk stop", "connectors resume", "demo reset", "schedule add"),
    "schedule change",
}
"""Those of them after which the worker has something to do."""


def commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(root)

    def walk(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                inner = command.get_command(context, name)
                assert inner is not None
                yield from walk(inner, (*words, name))
        else:
            yield " ".join(words), command

    yield from walk(root, ())


COMMANDS = dict(commands())


def flags(command: click.Command) -> set[str]:
    return {flag for parameter in command.params for flag in parameter.opts}


def codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code, and that of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def called(function: FunctionType) -> Iterator[FunctionType | str]:
    """The functions of the command line that a function may call, and the names of methods."""
    for code in codes(function.__code__):
        known: dict[str, object] = dict(function.__globals__)
        for name in code.co_names:
            if name.startswith(CLI):
                known |= vars(importlib.import_module(name))
        modules = [known[name] for name in code.co_names if isinstance(known.get(name), ModuleType)]
        for name in code.co_names:
            found = [known.get(name), *(vars(module).get(name) for module in modules)]
            yield from (
                unwrap(each)
                for each in found
                if isinstance(each, FunctionType) and each.__module__.startswith(CLI)
            )
            yield name


def asks(command: click.Command) -> bool:
    """Whether anything that the command calls asks for a yes."""
    assert isinstance(command.callback, FunctionType)
    seen, left = set[FunctionType](), [unwrap(command.callback)]
    while left:
        function = left.pop()
        if function in seen:
            continue
        seen.add(function)
        for each in called(function):
            if isinstance(each, FunctionType):
                left.append(each)
            elif each in ASKS:
                return True
    return False


def test_every_command_that_asks_takes_yes_and_no_other_does() -> None:
    asking = {words for words, command in COMMANDS.items() if asks(command)}
    assert {"users delete", "bulk start", "undo", "remove"} <= asking
    taking = {words for words, command in COMMANDS.items() if "--yes" in flags(command)}
    assert asking == taking - LOOKS_WITHOUT_YES


def test_every_command_that_changes_something_takes_wait_unless_it_queues_nothing() -> None:
    without = {
        words
        for words, command in COMMANDS.items()
        if "--dry-run" in flags(command) and "--wait" not in flags(command)
    }
    assert without == {*QUEUES_NOTHING}


@pytest.mark.parametrize("flag", ["--yes", "--wait"])
def test_a_flag_means_the_same_everywhere(flag: str) -> None:
    meanings = {
        (parameter.help, str(parameter.type), parameter.name)
        for command in COMMANDS.values()
        for parameter in command.params
        if flag in parameter.opts and isinstance(parameter, click.Option)
    }
    assert len(meanings) == 1
