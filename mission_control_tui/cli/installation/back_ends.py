"""`init --back-ends`: asks which servers there are, and writes a settings file to start from."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path

import click

from mission_control_tui.cli.common.output import say
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import (
    Conflict,
    Denied,
    InvalidInput,
    NotFound,
    Problem,
    UsageError,
)
from mission_control_tui.model.text.characters import IDENTIFIER, name_of, refused_in
from mission_control_tui.model.text.clean import harmless

NAMES = "names"
"""The question by which a back end becomes several of its kind."""
_WHOLE = re.compile(r"exchange(-[0-9]+)?")
"""What a mail server and a directory are together."""
HEAD = """\
Settings of Mission Control, from `mission-control init --back-ends`.
Each connector only looks (mode = "observe") until you make that "enabled".
`mission-control docs connectors` says what each can be told beside this, and which rights it needs."""


@dataclass(frozen=True, slots=True)
class Question:
    """A setting of a connector that is asked for; with commas between, where the connector takes a list."""

    key: str
    words: str
    default: str
    is_list: bool = False
    is_directory: bool = False


@dataclass(frozen=True, slots=True)
class BackEnd:
    """A kind of server: the connector for it, what is asked, and the catalogue's services that it serves."""

    name: str
    words: str
    type: str
    questions: tuple[Question, ...]
    services: tuple[str, ...] = ()
    may_be_several: bool = False
    fixed: Mapping[str, object] = field(default_factory=dict)
    """Settings that go without asking."""


@dataclass(frozen=True, slots=True)
class ChosenServer:
    """One server: the name of its connector, its kind, and question -> answer."""

    connector: str
    back_end: BackEnd
    answers: Mapping[str, str]


def _login(name: str, host: str) -> tuple[Question, ...]:
    return (
        Question("host", "Its address", host),
        Question("user", "The user that Mission Control is there", "provisioner"),
        _secret(name, "password_file", "The file with that user's password"),
    )


def _secret(name: str, key: str, words: str) -> Question:
    return Question(key, words, f"/etc/mission-control/{name}.secret")


BACK_ENDS = (
    BackEnd(
        "directory",
        "A directory: Active Directory or Samba, by LDAPS",
        "ad",
        (
            Question(
                "host", "The name of a domain controller, as in its certificate", "dc1.corp.example"
            ),
            Question("user", "The user that Mission Control is there", "provisioner@corp.example"),
            _secret("directory", "password_file", "The file with that user's password"),
            Question(
                "ca_file",
                "The certificate to verify the server's with",
                "/etc/mission-control/ca.pem",
            ),
            Question("base", "The domain in which accounts are looked for", "DC=corp,DC=example"),
            Question("unit", "The unit of new accounts", "OU=Customers,DC=corp,DC=example"),
        ),
    ),
    BackEnd(
        "mail",
        "Mail servers: Dovecot and Postfix, their users in PostgreSQL",
        "mail-sql",
        _login("mail", "mail1.internal.example"),
        ("distribution-group", "shared-mailbox"),
        may_be_several=True,
    ),
    BackEnd(
        "dns",
        "Name servers: PowerDNS",
        "powerdns",
        (
            Question("url", "Where its API is", "https://dns1.internal.example"),
            _secret("dns", "api_key_file", "The file with the API's key"),
            Question(
                "name_servers",
                "The provider's name servers, with commas between",
                "ns1.provider.example, ns2.provider.example",
                is_list=True,
            ),
        ),
        ("domain-registration",),
    ),
    BackEnd(
        "web",
        "Web servers: nginx on this machine",
        "exec",
        (
            Question(
                "configuration.directory",
                "Where files of sites are",
                "/etc/nginx/conf.d",
                is_directory=True,
            ),
            Question(
                "configuration.roots",
                "Where the sites themselves are",
                "/srv/www",
                is_directory=True,
            ),
        ),
        ("web-hosting",),
        fixed={
            "program": [
                sys.executable,
                str(files("mission_control_tui") / "examples" / "nginx_sites.py"),
            ]
        },
    ),
    BackEnd(
        "databases",
        "PostgreSQL, for customers' databases",
        "postgresql",
        _login("databases", "db1.internal.example"),
        ("databases",),
    ),
    BackEnd(
        "mariadb",
        "MariaDB, for customers' databases",
        "mysql",
        _login("mariadb", "db2.internal.example"),
        ("mariadb-databases",),
    ),
)
BY_NAME: Mapping[str, BackEnd] = {each.name: each for each in BACK_ENDS}


def write_settings(session: Session, out: Path | None, stated: Sequence[tuple[str, str]]) -> None:
    """Ask what is not stated, and write the settings file; one that is there is left alone.

    Raises Conflict where there is one, Denied without a terminal where nothing is stated.
    """
    from mission_control_tui.model.store.private_files import path_named, write_at_once
    from mission_control_tui.settings.settings import convert, parse, settings_file

    path = path_named(str(out)) if out is not None else settings_file()
    if path.exists():
        raise Conflict(
            f"There is a settings file already, and it is left alone: {path}.",
            hint="Write another one with --out FILE, and take from it what you need.",
        )
    chosen = _stated(stated) if stated else _asked()
    text = settings_text(chosen)
    convert(parse(text.encode(), path), path)
    if session.dry_run:
        click.echo(text, nl=False)
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_at_once(path, text.encode())
    if session.printed({"file": str(path), "connectors": [each.connector for each in chosen]}):
        return
    say(f"Written to {path}. What comes next:")
    for step in _next_steps(chosen):
        say(f"  {step}")


def _stated(stated: Sequence[tuple[str, str]]) -> list[ChosenServer]:
    """Return the servers that `--set NAME.KEY=VALUE` names, with the proposals for all that it does not say.

    `--set mail.names=mail-1,mail-2` makes two of a kind, whose keys are then `mail-1.host` and `mail-2.host`.
    """
    answers: dict[str, dict[str, str]] = {}
    for setting, value in stated:
        name, _, key = setting.partition(".")
        answers.setdefault(name, {})[key] = value
    chosen: list[ChosenServer] = []
    for back_end in BACK_ENDS:
        own = answers.pop(back_end.name, {})
        if back_end.may_be_several and NAMES in own:
            names = _names(own.pop(NAMES), back_end)
        else:
            names = [back_end.name] if own else []
        keys = {question.key: question.default for question in back_end.questions}
        for connector in names:
            given = own | (answers.pop(connector, {}) if connector != back_end.name else {})
            for key in given:
                if key not in keys:
                    raise NotFound(
                        f"{connector} is not asked for {key!r}.",
                        hint=f"It is asked for {', '.join(keys)}.",
                    )
            chosen.append(ChosenServer(connector, back_end, keys | given))
    for name in answers:
        raise NotFound(f"There is no back end {name!r}.", hint=f"One of {', '.join(BY_NAME)}.")
    if problems := [problem for server in chosen for problem in _problems(server)]:
        raise InvalidInput(
            "These answers cannot be used, and nothing was written", problems=problems
        )
    return chosen


def _asked() -> list[ChosenServer]:
    """Return what a person answers on the terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Denied(
            "This asks which servers there are, and there is no terminal to ask on.",
            hint="State them: --set dns.url=https://dns1.internal.example --set databases.host=db1.internal.example",
        )
    say(
        "Which servers are there? Enter takes what stands in brackets. No server is asked anything yet."
    )
    chosen: list[ChosenServer] = []
    for back_end in BACK_ENDS:
        if not click.confirm(f"{back_end.words}?", default=False, err=True):
            continue
        names = [back_end.name]
        if back_end.may_be_several:
            names = _asked_names(back_end)
        for connector in names:
            if len(names) > 1:
                say(f"  {connector}")
            proposed = {question.key: question.default for question in back_end.questions}
            server = ChosenServer(connector, back_end, proposed)
            for question in back_end.questions:
                server = _answered(server, question)
            chosen.append(server)
    if not chosen:
        raise Denied("Nothing was chosen, and nothing was written.")
    return chosen


def _asked_names(back_end: BackEnd) -> list[str]:
    """Return what several servers of a kind are called, asked until the names can be used."""
    question = Question(NAMES, "Their names, with commas between", f"{back_end.name}-1")
    while True:
        try:
            return _names(_answer(question), back_end)
        except UsageError as error:
            say(f"  {error.in_a_line}")


def _answered(server: ChosenServer, question: Question) -> ChosenServer:
    """Return the server with an answer, asked until its connector can use it."""
    place = _place(server, question)
    while True:
        answers = {**server.answers, question.key: _answer(question)}
        answered = replace(server, answers=answers)
        wrong = [problem for problem in _problems(answered) if problem.where == place]
        if not wrong:
            return answered
        for problem in wrong:
            say(f"  It cannot be used: {harmless(str(replace(problem, where='')))}.")


def _problems(server: ChosenServer) -> list[Problem]:
    """Return what its connector, and for directories this machine, has against the answers."""
    from mission_control_tui.provisioning.registry import ConnectorUnavailable, load

    async def opened() -> None:
        await (await load(server.connector, _connector(server), "")).aclose()

    found = []
    for question in server.back_end.questions:
        path = Path(server.answers[question.key])
        if question.is_directory and (not path.is_absolute() or path.is_file()):
            what = "must be an absolute path of a directory"
            found.append(Problem(_place(server, question), what, "such as " + question.default))
    try:
        asyncio.run(opened())
    except InvalidInput as error:
        found += error.problems
    except ConnectorUnavailable:
        # What it needs and is not installed is no fault of an answer; doctor tells of it.
        return found
    return found


def _place(server: ChosenServer, question: Question) -> str:
    return f"connectors.{server.connector}.{question.key}"


def _answer(question: Question) -> str:
    while True:
        given = str(click.prompt(f"  {question.words}", default=question.default, err=True)).strip()
        refused = refused_in(given)
        if not refused:
            return given
        say(f"  It has a character that cannot be here: {name_of(refused)}.")


def settings_text(chosen: Sequence[ChosenServer]) -> str:
    """Return the settings file (TOML) for these servers."""
    import tomlkit

    document = tomlkit.document()
    for row in HEAD.splitlines():
        document.add(tomlkit.comment(row))
    document.add(tomlkit.nl())
    connectors: dict[str, object] = {}
    services: dict[str, str] = {}
    for server in chosen:
        connectors[server.connector] = _connector(server)
        for service in server.back_end.services:
            services.setdefault(service, server.connector)
    mailboxes = _mailboxes(chosen, connectors)
    if len(mailboxes) == 1:
        services["managed-exchange"] = mailboxes[0]
    document["services"] = services
    if len(mailboxes) > 1:
        document["placement"] = {"managed-exchange": {"connectors": mailboxes, "rule": "fewest"}}
    document["connectors"] = connectors
    return tomlkit.dumps(document)


def _connector(server: ChosenServer) -> dict[str, object]:
    from mission_control_tui.settings.settings import put

    kind = server.back_end
    table: dict[str, object] = {"type": kind.type, **kind.fixed, "mode": "observe"}
    for question in kind.questions:
        given = server.answers[question.key]
        put(table, question.key.split("."), _listed(given) if question.is_list else given)
    return table


def _mailboxes(chosen: Sequence[ChosenServer], connectors: dict[str, object]) -> list[str]:
    """Return the connectors of Managed Exchange: mail servers, with a directory one whole of both for each of them."""
    mail = [server.connector for server in chosen if server.back_end.name == "mail"]
    directory = [server.connector for server in chosen if server.back_end.name == "directory"]
    if not (mail and directory):
        return mail or directory
    wholes = [
        "exchange" if len(mail) == 1 else f"exchange-{number + 1}" for number in range(len(mail))
    ]
    for whole, server in zip(wholes, mail, strict=True):
        parts = {"directory": {"connector": directory[0]}, "mailbox": {"connector": server}}
        connectors[whole] = {"type": "composite", "parts": parts}
    return wholes


def _names(text: str, back_end: BackEnd) -> list[str]:
    """Return the names with commas between. Raises UsageError for none, one twice, or one that cannot be."""
    names = _listed(text)
    others = BY_NAME.keys() - {back_end.name}
    for name in names or [""]:
        if names.count(name) > 1 or not IDENTIFIER.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot be the name of a server here.",
                hint="Each name once, in lower-case letters, digits and hyphens: mail-1, mail-2.",
            )
        if name in others or _WHOLE.fullmatch(name) or name == "simulator":
            raise UsageError(
                f"{name!r} is the name of another connector here.", hint="Take another name."
            )
    return names


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _next_steps(chosen: Sequence[ChosenServer]) -> Iterator[str]:
    secrets = {
        answer: None
        for server in chosen
        for key, answer in server.answers.items()
        if key in {"password_file", "api_key_file"}
    }
    if secrets:
        yield f"Put the secrets where the file says they are, for you alone (0600): {', '.join(secrets)}"
    yield 'mission-control init --name "Acme Pty Ltd" --code acme --domain acme.example'
    yield "mission-control catalogue export --shipped real --out catalogue.toml"
    yield "mission-control catalogue load catalogue.toml    sells what these servers keep"
    yield "mission-control doctor                            says what is missing where"
    yield 'mode = "enabled"                                  once its plans are what you want'
