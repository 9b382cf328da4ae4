"""What parameters are given: hostile values are refused by every one of them, clearly, before anything happens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mission_control_tui.cli.common.parameters import Argument, Option
from mission_control_tui.cli.main import root
from tests.cli.inprocess import Called, call, ok

TEXTS = {
    "long": "a" * 100_000,
    "escape": "a\x1b]0;owned\x07",
    "csi": "a\x9b31m",
    "bidi": "a\u202eb",
    "null": "a\0b",
    "bytes": os.fsdecode(b"a\xff\xfe"),
}
NUMBERS = ("9" * 10, str(2**31), str(-(2**31)), str(2**63), "9" * 5000, "nan", "inf", "1e999")
LEADING = {"pair": "a=", "when": ""}


def leaves(
    command: click.Command, context: click.Context, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            inner = click.Context(below, parent=context, info_name=name)
            yield from leaves(below, inner, (*path, name))


PARAMETERS = [
    (path, command, parameter)
    for path, command in leaves(root, click.Context(root), ())
    for parameter in command.params
]


def given(command: click.Command, parameter: click.Parameter, value: str) -> list[str]:
    """The words of a call whose one parameter is hostile; what else is compulsory is harmless."""
    words: list[str] = []
    positions: list[str] = []
    for other in command.params:
        stated = value if other is parameter else _plain(other)
        if isinstance(other, click.Argument):
            if (
                other is parameter
                or other.required
                or positions
                or _before(command, parameter, other)
            ):
                positions.append(stated)
        elif other is parameter or other.required:
            words += [other.opts[0], stated]
    return [*words, "--", *positions]


def _before(command: click.Command, parameter: click.Parameter, other: click.Parameter) -> bool:
    return isinstance(parameter, click.Argument) and command.params.index(
        other
    ) < command.params.index(parameter)


def _plain(parameter: click.Parameter) -> str:
    if isinstance(parameter.type, click.Choice):
        return str(parameter.type.choices[0])
    return "1"


def assert_refused(called: Called, what: object) -> None:
    assert called.code == 2, (what, called.code, called.err[:2000])
    assert "Traceback" not in called.err, what
    assert len(called.err) < 20_000, what
    for sign in ("\x1b", "\x07", "\x9b", "\u202e", "\0", "\udcff"):
        assert sign not in called.out + called.err, what


def test_every_parameter_is_looked_at() -> None:
    assert len(PARAMETERS) > 500  # shared ones are counted in each command
    for path, _command, parameter in PARAMETERS:
        if parameter.name != "version":
            assert isinstance(parameter, Option | Argument), (path, parameter)


@pytest.mark.parametrize(
    "kind",
    ["long", "escape", "bytes"]
    + [pytest.param(kind, marks=pytest.mark.proof) for kind in ("csi", "bidi", "null")],
)
def test_hostile_text_is_refused_by_every_parameter(kind: str) -> None:
    tried = set()
    for path, command, parameter in PARAMETERS:
        if isinstance(parameter, click.Option) and parameter.is_flag:
            continue
        # What many commands share is asked once, of the first of them.
        key = (*parameter.opts, type(parameter), parameter.nargs, str(parameter.type))
        if key in tried:
            continue
        tried.add(key)
        value = LEADING.get(parameter.type.name, "") + TEXTS[kind]
        assert_refused(call(*path, *given(command, parameter, value)), (path, parameter.name))
    assert len(tried) > 85


def test_numbers_that_no_column_holds_are_refused_by_every_parameter() -> None:
    tried = set()
    for path, command, parameter in PARAMETERS:
        if not isinstance(parameter.type, click.types.IntParamType | click.types.FloatParamType):
            continue
        if (key := (*parameter.opts, str(parameter.type))) in tried:
            continue
        tried.add(key)
        for number in NUMBERS:
            called = call(*path, *given(command, parameter, number))
            assert_refused(called, (path, parameter.name, number))
    assert len(tried) > 12


def test_what_is_refused_is_named_with_its_reason() -> None:
    for words, said in (
        (("--ticket", TEXTS["long"]), "it has 100,000 characters, and at most 128 may be"),
        (("--ticket", TEXTS["escape"]), "ESCAPE (U+001B)"),
        (("--ticket", TEXTS["bytes"]), "it is not UTF-8"),
    ):
        refused = call("users", "disable", "ada", *words)
        assert "--ticket" in refused.err
        assert said in refused.err
    assert "from -2147483647 to 2147483647" in call("orders", "show", "9999999999").err


@pytest.mark.proof
@pytest.mark.usefixtures("_no_worker")
@pytest.mark.parametrize("where", ["sqlite", "postgresql"])
def test_texts_as_long_as_they_may_be_are_no_defect(
    where: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if where == "postgresql":
        url = request.getfixturevalue("postgres_url")
        monkeypatch.setenv("MISSION_CONTROL_DATABASE", url)
        monkeypatch.setenv("MISSION_CONTROL_WORKER__KEY_FILE", str(tmp_path / "key"))
        ok("upgrade")
    long, most = "b" * 1024, str(2**31 - 1)
    ok("init", "--name", "Acme", "--code", "acme", "--domain", "acme.example")
    ok("buy", "databases", "--level", "small", "--quantity", "2")
    base = ("--last-name", "X", "--first-names", "X", "--password-stdin")
    ok("users", "create", "--upn", "ada@acme.example", *base, stdin="Kp7m-xR4w\n")
    give = (
        "provision",
        "ada@acme.example",
        "databases",
        "--passwords-out",
        str(tmp_path / "p.csv"),
    )
    ok(*give, "--instance", "i" * 64, "--ticket", "t" * 128)
    domain = ".".join(["d" * 60] * 3) + ".example"
    lengthy = f"{'l' * (254 - 1 - len(domain) - 4)}@{domain}"
    ok("account", "add-domain", domain)
    ok("users", "create", "--upn", lengthy, "--username", "lengthy", *base, stdin="Kp7m-xR4w\n")
    calls = [
        ("users", "edit", lengthy, "--display-name", "D" * 256, "--title", "T" * 128),
        (
            *give[:1],
            lengthy,
            "databases",
            "--passwords-out",
            str(tmp_path / "q.csv"),
            "--instance",
            "i" * 64,
        ),
        ("suspend", lengthy, "databases", "--instance", "i" * 64),
        ("schedule", "add", lengthy, "+2h", "resume", "databases", "--instance", "i" * 64),
        ("bulk", "start", "disable", lengthy, "--yes"),
        ("templates", "save", "s" * 200, "--like", lengthy),
        (
            "objects",
            "create",
            "distribution-group",
            "g" * 256,
            f"{'l' * 64}@{domain}",
            "--add",
            f"owner={lengthy}",
        ),
        ("users", "delete", lengthy, "--yes"),
        ("provision", "ada@acme.example", "databases", "--instance", "i" * 65),
        ("init", "--name", long, "--code", "other"),
        ("init", "--name", "Other", "--code", long),
        ("init", "--name", "Other", "--code", "other", "--time-zone", long),
        ("init", "--name", "Other", "--code", "other", "--domain", long),
        ("account", "edit", "--name", long),
        ("account", "edit", "--password-length", most),
        ("account", "edit", "--password-classes", most),
        ("account", "approval", "--above", "9" * 12),
        ("account", "contacts", "set", "billing", "--name", long, "--email", "a@b.example"),
        ("account", "contacts", "set", "billing", "--name", "A", "--email", f"{long}@b.example"),
        ("account", "contacts", "set", "billing", "--name", "A", "--phone", long),
        ("account", "add-domain", long),
        ("buy", "databases", "--level", "small", "--quantity", most),
        ("buy", "databases", "--level", long),
        ("buy", "domain-names", "--domain", f"{long}.com"),
        ("remove", "databases", "--level", "small", "--quantity", most, "--yes"),
        ("orders", "cancel", "1", "--reason", long, "--yes"),
        ("orders", "decline", "1", "--reason", long, "--yes"),
        ("orders", "approve", "1", "--note", long),
        ("orders", "list", "--find", long),
        ("users", "edit", "ada@acme.example", "--title", long),
        ("users", "alias", "add", "ada@acme.example", f"{long}@acme.example"),
        ("users", "list", long, "--offset", most),
        ("find", long),
        ("audit", "--user", long, "--ticket", long, "--session", long, "--operator", long),
        ("audit", "--request", most, "--bulk", most),
        ("audit", "--since", "0001-01-01"),
        ("audit", "--since", "9999-12-31T23:59:59-23:00"),
        ("audit", "--since", "999999999w"),
        ("requests", "list", "--before", most),
        ("bulk", "list", "--before", most),
        ("templates", "save", long, "--like", "ada@acme.example"),
        ("templates", "save", "staff", "--like", "ada@acme.example", "--field", f"title={long}"),
        ("templates", "rename", "staff", long),
        ("objects", "create", "distribution-group", long, "g@acme.example"),
        ("objects", "create", "distribution-group", "G", f"{long}@acme.example"),
        ("schedule", "add", "ada@acme.example", long, "disable"),
        ("schedule", "add", "ada@acme.example", "9999-12-31", "disable"),
        ("schedule", "add", "ada@acme.example", "+999999999d", "disable"),
        (
            "schedule",
            "add",
            "ada@acme.example",
            "+2h",
            "suspend",
            "databases",
            "--instance",
            "x" * 64,
        ),
        ("bulk", "start", "disable", long, "--yes"),
        ("bulk", "start", "suspend", "ada@acme.example", "--service", long, "--yes"),
        ("account", "statement", "--month", "9999-12"),
        ("account", "statement", "--month", "0001-01"),
        ("account", "statement", "--month", long),
        ("drafts", "show", most),
        ("undo", "audit", most),
        ("users", "show", long),
        ("account", "list", "--match", long),
        ("settings", "show", long),
        ("lights", long),
        *(
            (*words, "9" * 30)
            for words in (
                ("find",),
                ("users", "list"),
                ("users", "show"),
                ("orders", "list", "--find"),
                ("lights",),
                ("account", "list", "--match"),
                ("objects", "list"),
                ("audit", "--user"),
                ("users", "history"),
                ("templates", "show"),
                ("account", "show"),
                ("objects", "show"),
                ("users", "bin"),
                ("account", "approval", "--above"),
                ("docs",),
                ("catalogue", "show"),
            )
        ),
    ]
    defects = {}
    for words in calls:
        called = call(*words)
        if called.code in (1, 8):
            defects[words] = called.err
    assert not defects


@pytest.fixture
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
