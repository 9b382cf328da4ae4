"""The connector mail-sql, proven by a real Dovecot and a real Postfix that look into its tables."""

from __future__ import annotations

import contextlib
import smtplib
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mission_control_tui.connect import PASSWORD as SETS_PASSWORDS
from mission_control_tui.connect import ConnectorError, DesiredState
from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.model.states import ErrorKind, PlanAction, Wish
from mission_control_tui.provisioning.converge import LookOutcome, apply_step, observe_and_plan
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.registry import load
from tests.mail_server import MailServer, mail_database, smtp_login
from tests.provisioning.connectors.mail_sql import PAGE
from tests.provisioning.connectors.support import (
    INSTALLATION,
    PASSWORD,
    check,
    list_marked,
    new_name,
    reach,
    wish,
)
from tests.support import require

PROTOCOLS = {
    "popx": ["pop", "web"],
    "pc-web": ["pop", "imap", "web", "mapi"],
}


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    """Dovecot on a SQLite file, for all tests of the module."""
    server = MailServer.start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def postfix(server: MailServer) -> MailServer:
    """The same with Postfix before it."""
    server.start_postfix()
    return server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A mail database of the test's own, that no server looks into."""
    return mail_database(tmp_path / "mail.db")


async def open_mail(path: Path, installation: str = INSTALLATION, **settings: object) -> Guarded:
    """The connector on a SQLite file."""
    table = {"type": "mail-sql", "path": str(path), "mode": "enabled", "adopt": "allow", **settings}
    return await load("mail", table, installation)


def mailbox(
    name: str, state: Wish = Wish.PRESENT, level: str = "pc-web", **more: Any
) -> DesiredState:
    """A wish for the mailbox `name`@acme.example."""
    attributes = {
        "upn": f"{name}@acme.example",
        "display_name": name.title(),
        "addresses": [f"{name}@acme.example"],
        "primary_address": f"{name}@acme.example",
        **more.pop("attributes", {}),
    }
    more = {"settings": {"quota": 100}, "secret": PASSWORD, **more}
    limits = {"protocols": PROTOCOLS.get(level, [])}
    return wish(
        name, state, level, service="managed-exchange", attributes=attributes, limits=limits, **more
    )


def object_wish(name: str, service: str, **more: Any) -> DesiredState:
    """A wish for a group or a shared mailbox `name`@acme.example."""
    attributes = {
        "display_name": name,
        "primary_address": f"{name}@acme.example",
        "domain": "acme.example",
        **more.pop("attributes", {}),
    }
    limits = {"protocols": ["web", "mapi"]} if service == "shared-mailbox" else {}
    return wish(
        name,
        level="standard",
        service=service,
        attributes=attributes,
        limits=limits,
        secret=None,
        **more,
    )


def rows(path: Path, query: str, *values: object) -> list[tuple[object, ...]]:
    """Read or change the tables by hand."""
    with contextlib.closing(sqlite3.connect(path, timeout=20)) as connection:
        found = connection.execute(query, values).fetchall()
        connection.commit()
        return found


async def test_each_level_lets_in_by_its_own_protocols(server: MailServer) -> None:
    connector, name = await open_mail(server.file), new_name("levels")
    login = f"{name}@acme.example"
    await reach(connector, mailbox(name, level="popx"))
    refused = "Protocol not in your mail level"
    assert server.why_not(login, PASSWORD, "pop") == ""
    assert refused in server.why_not(login, PASSWORD, "imap")
    assert server.why_not(login, PASSWORD, "web") == ""
    assert server.why_not(login, "another", "pop")
    without = {"quota": 100, "pop": False, "imap": True, "web": True}
    changed = await reach(connector, mailbox(name, generation=2, secret=None, settings=without))
    assert changed.outcome is LookOutcome.DONE
    assert server.why_not(login, PASSWORD, "imap") == ""
    assert refused in server.why_not(login, PASSWORD, "pop")


async def test_a_server_that_asks_a_directory_is_given_no_password(file: Path) -> None:
    connector = await open_mail(file, passwords="directory")
    assert SETS_PASSWORDS not in connector.declares.capabilities
    made = await reach(connector, mailbox("ann", secret=None))
    assert made.outcome is LookOutcome.DONE
    assert rows(file, "SELECT name, password FROM mail_object") == [("ann", None)]
    with_passwords = await open_mail(file)
    _, plan = await observe_and_plan(with_passwords, mailbox("ann", secret=None))
    assert (plan.kind, plan.field) == (ErrorKind.INVALID, "password")


async def test_what_is_suspended_is_refused_with_the_reason_and_still_gets_mail_where_that_is_set(
    server: MailServer,
) -> None:
    connector, name = await open_mail(server.file), new_name("suspended")
    login = f"{name}@acme.example"
    await reach(connector, mailbox(name))
    await reach(connector, mailbox(name, Wish.SUSPENDED, generation=2, secret=None))
    for protocol in ("imap", "pop", "web"):
        assert "Account suspended" in server.why_not(login, PASSWORD, protocol)
    server.deliver(login, "while suspended")
    refusing = await open_mail(server.file, suspended_mail="refuse")
    changed = await reach(refusing, mailbox(name, Wish.SUSPENDED, generation=3, secret=None))
    assert changed.outcome is LookOutcome.DONE
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        server.deliver(login, "refused")
    await reach(refusing, mailbox(name, generation=4, secret=None))
    assert server.inbox(login, PASSWORD) == ["while suspended"]


async def test_aliases_and_the_new_upn_work_and_the_old_ones_do_not(server: MailServer) -> None:
    connector, name = await open_mail(server.file), new_name("alias")
    own, alias, new = (f"{word}@acme.example" for word in (name, f"{name}.alias", f"{name}.new"))
    await reach(connector, mailbox(name, attributes={"addresses": [own, alias.upper()]}))
    server.deliver(alias, "by alias")
    assert server.inbox(own, PASSWORD) == ["by alias"]
    renamed = {"upn": new, "addresses": [new], "primary_address": new}
    await reach(connector, mailbox(name, generation=2, secret=None, attributes=renamed))
    assert server.inbox(new, PASSWORD) == ["by alias"]
    assert server.why_not(own, PASSWORD)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        server.deliver(alias, "no more")


async def test_quota_is_kept_and_usage_is_read_back_with_its_time(server: MailServer) -> None:
    connector, name = await open_mail(server.file), new_name("quota")
    login = f"{name}@acme.example"
    await reach(connector, mailbox(name, settings={"quota": 1}))
    for number in range(3):
        server.deliver(login, f"large {number} " + "x" * 300_000)
    with pytest.raises(smtplib.SMTPDataError, match="Quota exceeded"):
        server.deliver(login, "too much " + "x" * 300_000)
    seen = await reach(connector, mailbox(name, settings={"quota": 1}))
    usage = seen.observed.usage["mailbox"]
    assert (usage.value, usage.limit, usage.unit) == (0.9, 1, "MB")
    assert usage.at is not None
    await reach(connector, mailbox(name, generation=2, secret=None, settings={"quota": 2}))
    server.deliver(login, "fits now " + "x" * 300_000)


@pytest.mark.proof
async def test_delegates_open_mailboxes_with_their_own_password(server: MailServer) -> None:
    connector = await open_mail(server.file)
    owner, helper, stranger = (new_name(word) for word in ("owner", "helper", "stranger"))
    logins = {name: f"{name}@acme.example" for name in (owner, helper, stranger)}
    await reach(connector, mailbox(helper, secret="Helpers-Own-1"))
    await reach(connector, mailbox(stranger, secret="Strangers-1"))
    delegates = {"quota": 100, "full-access": [logins[helper].upper()], "send-as": [logins[helper]]}
    made = await reach(connector, mailbox(owner, settings=delegates))
    assert made.outcome is LookOutcome.DONE
    shared = new_name("office")
    members = {"members.full-access": [logins[helper]], "members.send-as": [logins[helper]]}
    await reach(connector, object_wish(shared, "shared-mailbox", attributes=members))
    server.deliver(logins[owner], "for the owner")
    server.deliver(f"{shared}@acme.example", "for the office")
    assert server.inbox(f"{logins[owner]}*{logins[helper]}", "Helpers-Own-1") == ["for the owner"]
    assert server.inbox(f"{shared}@acme.example*{logins[helper]}", "Helpers-Own-1") == [
        "for the office"
    ]
    assert server.why_not(f"{logins[owner]}*{logins[stranger]}", "Strangers-1")
    assert server.why_not(f"{shared}@acme.example", "Helpers-Own-1")
    assert server.postmap("senders", logins[owner]) == sorted([owner, helper])
    assert server.postmap("senders", f"{shared}@acme.example") == [helper]
    await reach(connector, mailbox(helper, Wish.SUSPENDED, generation=2, secret=None))
    words = server.why_not(f"{logins[owner]}*{logins[helper]}", "Helpers-Own-1")
    assert "Account suspended" in words


@pytest.mark.proof
async def test_mail_goes_by_group_alias_and_forward_through_postfix(postfix: MailServer) -> None:
    connector = await open_mail(postfix.file)
    ann, ben, cas, team = (new_name(word) for word in ("ann", "ben", "cas", "team"))
    at = {name: f"{name}@acme.example" for name in (ann, ben, cas, team)}
    await reach(
        connector, mailbox(ann, attributes={"addresses": [at[ann], f"{ann}.alias@acme.example"]})
    )
    copies = {"quota": 100, "forward-to": at[ann], "keep-copy": True}
    await reach(connector, mailbox(ben, settings=copies))
    moves = {"quota": 100, "forward-to": at[ann], "keep-copy": False}
    await reach(connector, mailbox(cas, settings=moves))
    both = {"members.member": [at[ben], at[cas]], "members.owner": [at[ann]]}
    await reach(connector, object_wish(team, "distribution-group", attributes=both))
    for recipient in (f"{ann}.alias@acme.example", at[ben], at[cas], at[team]):
        postfix.deliver(recipient, recipient, by="SMTP")
        assert postfix.arrived(at[ann], PASSWORD, recipient)
    assert postfix.arrived(at[ben], PASSWORD, at[team])
    assert postfix.inbox(at[ben], PASSWORD) == [at[ben], at[team]]
    assert postfix.inbox(at[cas], PASSWORD) == []
    assert postfix.inbox(at[ann], PASSWORD).count(at[team]) == 1
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        postfix.deliver("nobody@acme.example", "nobody", by="SMTP")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        postfix.deliver("somebody@other.example", "relayed", by="SMTP")


async def test_one_sends_under_ones_own_addresses_and_those_one_was_given(
    postfix: MailServer,
) -> None:
    connector = await open_mail(postfix.file)
    owner, helper = new_name("boss"), new_name("aide")
    at = {name: f"{name}@acme.example" for name in (owner, helper)}
    await reach(connector, mailbox(helper))
    await reach(connector, mailbox(owner, settings={"quota": 100, "send-as": [at[helper]]}))

    def sends(login: str, sender: str) -> bool:
        with smtplib.SMTP("127.0.0.1", postfix.ports["SMTP"], timeout=20) as client:
            smtp_login(client, login, PASSWORD)
            client.mail(sender)
            return client.rcpt(at[owner])[0] == 250

    assert sends(at[helper], at[helper])
    assert sends(at[helper], at[owner])
    assert not sends(at[owner], at[helper])
    await reach(connector, mailbox(owner, Wish.SUSPENDED, generation=2, secret=None))
    assert postfix.why_not(at[owner], PASSWORD, "smtp")


async def test_a_server_that_was_stopped_has_everything_when_it_is_back(server: MailServer) -> None:
    connector, name = await open_mail(server.file), new_name("back")
    server.stop()
    try:
        assert (await reach(connector, mailbox(name))).outcome is LookOutcome.DONE
    finally:
        server.resume()
    assert server.why_not(f"{name}@acme.example", PASSWORD) == ""


async def test_a_mailbox_of_the_same_name_never_opens_the_mail_of_one_before(
    server: MailServer,
) -> None:
    connector, name = await open_mail(server.file, keep_days=3), new_name("heir")
    login = f"{name}@acme.example"
    await reach(connector, mailbox(name, key="first" * 6))
    server.deliver(login, "private")
    await reach(connector, mailbox(name, Wish.ABSENT, generation=2, secret=None, key="first" * 6))
    assert server.why_not(login, PASSWORD)
    home, days = rows(
        server.file,
        "SELECT home, (keep_until - removed_at) / 86400 FROM mail_removed WHERE name = ?",
        name,
    )[0]
    assert (server.directory / "mail" / str(home)).is_dir()
    assert days == 3
    await reach(connector, mailbox(name, key="second" * 5))
    assert server.inbox(login, PASSWORD) == []
    await reach(connector, mailbox(name, Wish.ABSENT, generation=2, secret=None, key="second" * 5))
    await reach(connector, mailbox(name, generation=3, key="first" * 6))
    assert server.inbox(login, PASSWORD) == ["private"]
    assert (
        rows(
            server.file, "SELECT home FROM mail_removed WHERE name = ? AND key LIKE 'first%'", name
        )
        == []
    )


async def test_what_was_changed_by_hand_is_found_and_mended(file: Path) -> None:
    connector = await open_mail(file)
    desired = mailbox("drift", settings={"quota": 100, "forward-to": "x@y.example", "imap": True})
    await reach(connector, desired)
    for change in (
        "UPDATE mail_object SET quota_mb = 999, imap = 0, forward_to = ''",
        "UPDATE mail_object SET protocols = 'imap', receives = 0, active = 0",
        "DELETE FROM mail_address",
        "UPDATE mail_object SET login = 'somebody@else.example'",
        "INSERT INTO mail_role SELECT id, 'full-access', 'eve@evil.example' FROM mail_object",
    ):
        rows(file, change)
        _, plan = await observe_and_plan(connector, desired)
        assert plan.action is PlanAction.UPDATE, change
        assert (await reach(connector, desired)).outcome is LookOutcome.DONE
        _, plan = await observe_and_plan(connector, desired)
        assert plan.action is PlanAction.NONE


@pytest.mark.parametrize("count", [20, pytest.param(300, marks=pytest.mark.proof)])
async def test_mailboxes_that_exist_are_taken_over_with_password_quota_and_home_untouched(
    file: Path, count: int
) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        for number in range(count):
            name = f"old{number:03}"
            connection.execute(
                "INSERT INTO mail_object (name, login, password, quota_mb, home, protocols)"
                " VALUES (?, ?, '{BLF-CRYPT}$2y$05$theirs', 7000, ?, 'imap,pop,smtp,web')",
                (name, f"{name}@acme.example", f"acme.example/{name}"),
            )
            connection.execute(
                "INSERT INTO mail_address SELECT ?, 'acme.example', id, 1 FROM mail_object WHERE name = ?",
                (f"{name}@acme.example", name),
            )
        connection.commit()
    kept = "SELECT name, password, quota_mb, home FROM mail_object ORDER BY name"
    before = rows(file, kept)
    connector = await open_mail(file)
    listed = [row async for row in connector.list(marked_only=False)]
    assert [row.name for row in listed] == [f"old{number:03}" for number in range(count)]
    assert all(row.mark is None for row in listed)
    assert [row async for row in connector.list()] == []
    refused = await reach(connector, mailbox("old007", secret=None, settings={}))
    assert (refused.outcome, refused.plan.kind) == (LookOutcome.BLOCKED, ErrorKind.CONFLICT)
    assert refused.observed.kept == ("password", "mail")
    for row in listed:
        taken = mailbox(row.name, secret=None, settings={}, adopt=True)
        assert (await reach(connector, taken)).outcome is LookOutcome.DONE
    assert rows(file, kept) == before
    assert len([name async for name, _ in list_marked(connector)]) == count


async def test_the_list_goes_on_behind_a_full_page(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.executemany(
            "INSERT INTO mail_object (name) VALUES (?)",
            [(f"box{number:04}",) for number in range(1001)],
        )
        connection.commit()
    connector = await open_mail(file)
    assert len([row async for row in connector.list(marked_only=False)]) == 1001


async def test_an_address_of_another_mailbox_is_waited_for_or_refused(file: Path) -> None:
    connector = await open_mail(file)
    both = {"addresses": ["ann@acme.example", "sales@acme.example"]}
    await reach(connector, mailbox("ann", attributes=both))
    wanted = mailbox("ben", attributes={"addresses": ["ben@acme.example", "sales@acme.example"]})
    _, plan = await observe_and_plan(connector, wanted)
    assert (plan.action, plan.kind) == (PlanAction.BLOCKED, ErrorKind.STALE)
    assert "sales@acme.example (ann)" in plan.reason
    stranger = await open_mail(file, "another installation")
    theirs = replace(wanted, mark=replace(wanted.mark, installation="another installation"))
    _, plan = await observe_and_plan(stranger, theirs)
    assert (plan.action, plan.kind) == (PlanAction.BLOCKED, ErrorKind.CONFLICT)
    await reach(connector, mailbox("ann", generation=2, secret=None))
    assert (await reach(connector, wanted)).outcome is LookOutcome.DONE


async def test_a_name_is_no_other_mailboxs_address(file: Path) -> None:
    connector = await open_mail(file)
    name = "old@acme.example"
    await reach(connector, mailbox(name, attributes=_called("new@acme.example")))
    alias = _called("ben@acme.example", name)
    _, plan = await observe_and_plan(connector, mailbox("ben", attributes=alias))
    assert (plan.action, plan.kind) == (PlanAction.BLOCKED, ErrorKind.STALE)
    assert f"{name} ({name})" in plan.reason
    await reach(connector, mailbox("cem", attributes=_called("cem@acme.example", "x@acme.example")))
    late = mailbox("x@acme.example", attributes=_called("dan@acme.example"))
    assert (await observe_and_plan(connector, late)).plan.kind is ErrorKind.STALE
    group = object_wish("all", "distribution-group", attributes={"primary_address": name})
    assert (await reach(connector, group)).outcome is LookOutcome.DONE


def _called(upn: str, *aliases: str) -> dict[str, object]:
    return {"upn": upn, "primary_address": upn, "addresses": [upn, *aliases]}


async def test_a_create_that_comes_after_the_removal_is_refused(file: Path) -> None:
    connector, late = await open_mail(file), mailbox("late")
    _, plan = await observe_and_plan(connector, late)
    await reach(connector, mailbox("late", Wish.ABSENT, generation=2, secret=None))
    with pytest.raises(ConnectorError) as caught:
        await apply_step(connector, late, plan, plan.steps[0])
    assert caught.value.kind is ErrorKind.STALE
    assert rows(file, "SELECT name FROM mail_object") == []


async def test_only_a_salted_hash_of_the_password_is_kept(file: Path) -> None:
    connector = await open_mail(file)
    await reach(connector, mailbox("ann"))
    await reach(connector, mailbox("ben"))
    hashes = [str(row[0]) for row in rows(file, "SELECT password FROM mail_object")]
    assert all(hashed.startswith("{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$") for hashed in hashes)
    assert hashes[0] != hashes[1]
    assert PASSWORD.encode() not in b"".join(
        path.read_bytes() for path in file.parent.glob("mail.db*")
    )


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (replace(mailbox("ann"), name="../ann"), "directory"),
        (mailbox("ann", settings={"forward-to": "a@b.example, c@d.example"}), "no address"),
        (mailbox("ann", attributes={"addresses": ["ann"]}), "no address"),
        (mailbox("ann", secret=None), "needs a password"),
    ],
)
async def test_what_a_mail_server_could_not_keep_is_refused_beforehand(
    wrong: DesiredState, says: str, file: Path
) -> None:
    _, plan = await observe_and_plan(await open_mail(file), wrong)
    assert (plan.action, plan.kind) == (PlanAction.BLOCKED, ErrorKind.INVALID)
    assert says in plan.reason


async def test_a_database_that_is_missing_empty_or_older_says_what_to_do(tmp_path: Path) -> None:
    async def said(path: Path) -> ConnectorError:
        with pytest.raises(ConnectorError) as caught:
            await check(await open_mail(path))
        return caught.value

    missing = await said(tmp_path / "missing.db")
    assert (missing.kind, "not there" in missing.said) == (ErrorKind.CONFIG, True)
    assert not (tmp_path / "missing.db").exists()
    (tmp_path / "empty.db").touch()
    empty = await said(tmp_path / "empty.db")
    assert (empty.kind, "tables" in empty.remedy) == (ErrorKind.CONFIG, True)
    newer = mail_database(tmp_path / "newer.db")
    rows(newer, "UPDATE mail_version SET version = 2")
    assert "version 2, and 1" in (await said(newer)).said
    (tmp_path / "text.db").write_text("no database at all, but long enough to look like one " * 20)
    assert (await said(tmp_path / "text.db")).kind is ErrorKind.CONFIG


async def test_a_write_that_another_holds_up_is_tried_again(file: Path) -> None:
    connector = await open_mail(file)
    await reach(connector, mailbox("ann"))
    desired = mailbox("ann", generation=2, secret=None, settings={"quota": 200})
    _, plan = await observe_and_plan(connector, desired)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("UPDATE mail_version SET version = 1")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "mission_control_tui.provisioning.connectors.mail_sql.database.WAIT_SECONDS", 0.1
            )
            impatient = await open_mail(file)
        with pytest.raises(ConnectorError) as caught:
            await apply_step(impatient, desired, plan, plan.steps[0])
    assert caught.value.kind is ErrorKind.STALE


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "path"),
        ({"path": "/x", "host": "h"}, "path"),
        ({"path": "/x", "user": "u"}, "user"),
        ({"host": "h"}, "user"),
        ({"host": "h", "user": "u", "password": "p"}, "password"),
        ({"host": "h", "user": "u", "schema": 'a"b'}, "schema"),
        ({"path": "/x", "suspended_mail": "bounce"}, "suspended_mail"),
    ],
)
async def test_wrong_settings_are_named(settings: dict[str, object], says: str) -> None:
    with pytest.raises((InvalidInput, ConnectorError)) as caught:
        await load("mail", {"type": "mail-sql", **settings}, INSTALLATION)
    assert says in str(caught.value) + str(getattr(caught.value, "problems", ""))


async def test_what_is_retained_is_kept_suspended_and_then_removed(file: Path) -> None:
    connector = await open_mail(file)
    await reach(connector, mailbox("ann"))
    gone = mailbox("ann", Wish.ABSENT, generation=2, secret=None)
    kept = await reach(connector, replace(gone, retained=True))
    assert (kept.outcome, kept.observed.wish) == (LookOutcome.DONE, Wish.SUSPENDED)
    assert rows(file, "SELECT quota_mb, active FROM mail_object") == [(100, 0)]
    assert (await reach(connector, gone)).outcome is LookOutcome.DONE
    assert rows(file, "SELECT name FROM mail_object") == []


async def test_a_quota_may_be_the_levels_and_the_settings_win_over_the_catalogue(
    file: Path,
) -> None:
    settings: dict[str, Any] = {"levels": {"popx": {"quota_mb": 512}}, "smtp_by_level": True}
    connector = await open_mail(file, **settings)
    for level in ("popx", "pc-web"):
        made = await reach(connector, mailbox(level, level=level, settings={}))
        assert made.outcome is LookOutcome.DONE
    assert rows(file, "SELECT name, quota_mb, protocols FROM mail_object ORDER BY name") == [
        ("pc-web", None, "imap,pop,web"),
        ("popx", 512, "pop,web"),
    ]
    rows(file, "UPDATE mail_object SET quota_mb = 1")
    _, plan = await observe_and_plan(connector, mailbox("popx", level="popx", settings={}))
    assert [change.what for change in plan.changes] == ["limits.quota_mb"]
    _, plan = await observe_and_plan(connector, mailbox("pc-web", settings={}))
    assert plan.action is PlanAction.NONE


@pytest.mark.proof
def test_the_pages_own_job_removes_the_mail_whose_time_is_over_and_no_other(
    file: Path, tmp_path: Path
) -> None:
    require("sqlite3", "apt-get install -y sqlite3")
    script = PAGE.read_text().split("<!-- run: mail-sql-removal -->\n```sh\n")[1].split("```")[0]
    for home, until in (("over", 1), ("kept", 2**40), ("back", 1)):
        (tmp_path / "mail" / home / "Maildir").mkdir(parents=True)
        rows(
            file,
            "INSERT INTO mail_removed (installation, key, name, home, removed_at, keep_until)"
            " VALUES ('i', ?, ?, ?, 0, ?)",
            *(home, home, home, until),
        )
    rows(file, "INSERT INTO mail_object (name, home) VALUES ('back', 'back')")
    subprocess.run(["sh", "-euc", script], cwd=tmp_path, check=True, timeout=30)
    assert sorted(path.name for path in (tmp_path / "mail").iterdir()) == ["back", "kept"]
    assert rows(file, "SELECT name FROM mail_removed WHERE home IS NULL") == [("over",)]
