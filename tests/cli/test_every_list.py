"""What every command that lists promises: CSV and JSON, which exclude each other in one way, and words for nothing."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from mission_control_tui.cli.main import root
from tests.cli.command import Command
from tests.cli.inprocess import call

ARGUMENTS = {
    "find": ("nobody",),
    "users history": ("ada@acme.example",),
    "bulk show": ("1",),
    "account contacts list": (),
}
NO_LISTS = {"adopt load", "adopt scan", "users export"}
"""One reads a file and takes over what it says, the others' output is CSV by itself."""


def listing() -> Iterator[str]:
    """The commands that list: by their name, a limit, or by going through all accounts."""

    def walk(command: click.Command, words: tuple[str, ...]) -> Iterator[str]:
        flags = {flag for parameter in command.params for flag in parameter.opts}
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                inner = command.get_command(context, name)
                assert inner is not None
                yield from walk(inner, (*words, name))
        elif words[-1] == "list" or flags & {"--limit", "--all-accounts"}:
            yield " ".join(words)

    context = click.Context(root)
    yield from walk(root, ())


LISTS = sorted(set(listing()) - NO_LISTS)


def test_every_list_has_csv_and_json_which_exclude_each_other(inside: Command) -> None:
    assert len(LISTS) > 20
    inside.init()
    for words in LISTS:
        called = call(*words.split(), *ARGUMENTS.get(words, ()), "--csv", "--json")
        said = "--json and --csv contradict each other."
        assert (called.code, called.error["what"]) == (2, said), words


def test_every_list_says_in_words_that_it_is_empty(inside: Command) -> None:
    inside.init()
    inside.user("ada")
    for words in LISTS:
        flags = {flag for parameter in command(words).params for flag in parameter.opts}
        for all_accounts in (False, True)[: 1 + ("--all-accounts" in flags)]:
            asked = (*words.split(), *ARGUMENTS.get(words, ()), *["--all-accounts"] * all_accounts)
            called = call(*asked)
            lines = called.out.splitlines()
            assert called.err or len(lines) > 1, f"{asked} says nothing:\n{called.out}"


def command(words: str) -> click.Command:
    found: click.Command = root
    for word in words.split():
        assert isinstance(found, click.Group)
        inner = found.get_command(click.Context(root), word)
        assert inner is not None
        found = inner
    return found


@pytest.mark.parametrize("form", ["pdf", "text"])
def test_csv_of_a_statement_is_one_form(inside: Command, form: str) -> None:
    inside.init()
    wrong = call("account", "statement", "--csv", "--format", form, "--out", "x")
    assert (wrong.code, f"--format {form} contradict" in wrong.err) == (2, True)
