"""The ad connector against a real domain controller, with logins and memberships as the witness."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mission_control_tui.connect import ConnectorError, ErrorKind, PlanAction, Wish
from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.provisioning.connectors.ad import errors, session
from mission_control_tui.provisioning.converge import LookOutcome, observe_and_plan
from mission_control_tui.provisioning.registry import load
from tests.provisioning.connectors.ad import (
    GROUPS,
    LARGE,
    REMOVED,
    SMALL,
    STAFF,
    UNIT,
    DirectoryBackEnd,
)
from tests.provisioning.connectors.support import PASSWORD, MemoryJournal, check, new_name, reach
from tests.samba import BASE, make_certificates

LATER = (datetime.now(UTC) + timedelta(days=90)).isoformat(timespec="seconds")
BEFORE = (datetime.now(UTC) - timedelta(days=2)).isoformat(timespec="seconds")


def groups_of(directory: DirectoryBackEnd, name: str) -> set[str]:
    """The groups that an account is a member of, as the directory says."""
    entry = directory.server.user(name)
    assert entry is not None
    return {group.decode() for group in entry["memberOf"]}


async def test_a_user_logs_in_and_is_in_the_groups_of_the_level(
    directory: DirectoryBackEnd,
) -> None:
    connector, name = await directory.open(), new_name()
    person = {"display_name": "Dan Lee", "last_name": "Lee", "title": "Engineer", "country": "AU"}
    made = await reach(connector, directory.wish(name, attributes=person))
    assert made.outcome is LookOutcome.DONE
    assert await directory.can_log_in(name, PASSWORD)
    assert groups_of(directory, name) == {SMALL}
    entry = directory.server.user(name)
    assert entry is not None
    assert entry["dn"] == f"CN={name},{UNIT}"
    assert (entry["sn"], entry["title"], entry["c"]) == ([b"Lee"], [b"Engineer"], [b"AU"])
    larger = directory.wish(name, level="large", generation=2, secret=None, attributes=person)
    _, plan = await observe_and_plan(connector, larger)
    assert [step.name for step in plan.steps] == ["account", "groups"]
    assert (await reach(connector, larger)).outcome is LookOutcome.DONE
    assert groups_of(directory, name) == {LARGE, STAFF}
    suspended = directory.wish(
        name, Wish.SUSPENDED, "large", generation=3, secret=None, attributes=person
    )
    await reach(connector, suspended)
    assert not await directory.can_log_in(name, PASSWORD)
    await reach(connector, directory.wish(name, Wish.ABSENT, generation=4, secret=None))
    assert directory.server.user(name) is None


@pytest.mark.proof
async def test_what_is_removed_moves_aside_and_lets_go_of_its_names(
    directory: DirectoryBackEnd,
) -> None:
    connector, name = await directory.open(removed_unit=REMOVED), new_name()
    made = await reach(connector, directory.wish(name))
    removed = await reach(connector, directory.wish(name, Wish.ABSENT, generation=2, secret=None))
    assert not removed.observed.exists
    kept = [
        entry
        for entry in directory.server.find("(objectClass=user)", "*", "memberOf", base=REMOVED)
        if made.observed.external_id.replace("-", "")[:16] in entry["dn"]
    ]
    assert len(kept) == 1
    assert int(kept[0]["userAccountControl"][0]) & 2
    assert kept[0]["memberOf"] == []
    assert name not in {row.name async for row in connector.list(marked_only=False)}
    again = directory.wish(name, key="another", generation=1, external_id="")
    anew = await reach(connector, again)
    assert anew.outcome is LookOutcome.DONE
    assert anew.observed.external_id != made.observed.external_id
    assert await directory.can_log_in(name, PASSWORD)


@pytest.mark.proof
async def test_an_account_that_was_renamed_and_moved_is_found_by_its_id(
    directory: DirectoryBackEnd,
) -> None:
    connector, name, other = await directory.open(), new_name(), new_name()
    made = await reach(connector, directory.wish(name))
    with directory.server.connected() as connection:
        connection.modify_dn(f"CN={name},{UNIT}", f"CN={other}", new_superior=GROUPS)
        assert connection.result["result"] == 0
    moved = f"CN={other},{GROUPS}"
    directory.server.modify(moved, sAMAccountName=other)
    known: dict[str, Any] = {"external_id": made.observed.external_id, "secret": None}
    _, plan = await observe_and_plan(connector, directory.wish(name, generation=2, **known))
    assert {change.what: (change.before, change.after) for change in plan.changes} == {
        "attributes.account_name": (other, name)
    }
    await reach(connector, directory.wish(name, generation=2, **known))
    entry = directory.server.user(name)
    assert entry is not None
    assert entry["dn"] == moved
    assert await directory.can_log_in(name, PASSWORD)


@pytest.mark.proof
async def test_what_was_changed_by_hand_is_found_and_mended_and_other_groups_stay(
    directory: DirectoryBackEnd,
) -> None:
    connector, name = await directory.open(), new_name()
    own = f"CN=own-{name},{GROUPS}"
    directory.server.add(own, ["top", "group"], sAMAccountName=f"own-{name}")
    told = {"display_name": "Dan Lee", "first_names": "Dan", "password_never_expires": True}
    await reach(connector, directory.wish(name, attributes=told))
    dn = f"CN={name},{UNIT}"
    directory.server.modify(SMALL, member=[])
    for group in (own, STAFF):
        directory.server.modify(group, member=[dn])
    directory.server.modify(dn, userAccountControl="514", displayName="Other", title="By hand")
    again = directory.wish(name, generation=2, secret=None, attributes=told)
    _, plan = await observe_and_plan(connector, again)
    assert {change.what for change in plan.changes} == {
        *("state", "limits.groups", "attributes.display_name"),
        "attributes.password_never_expires",
    }
    assert (await reach(connector, again)).outcome is LookOutcome.DONE
    assert groups_of(directory, name) == {SMALL, own}
    entry = directory.server.user(name)
    assert entry is not None
    assert entry["title"] == [b"By hand"], "of what is not told nothing is compared"
    assert int(entry["userAccountControl"][0]) == 0x10200


@pytest.mark.proof
async def test_the_last_day_is_kept_by_the_directory_itself(directory: DirectoryBackEnd) -> None:
    connector, name = await directory.open(), new_name()
    await reach(connector, directory.wish(name, attributes={"expires_at": LATER}))
    assert await directory.can_log_in(name, PASSWORD)
    over = directory.wish(name, generation=2, secret=None, attributes={"expires_at": BEFORE})
    assert (await reach(connector, over)).outcome is LookOutcome.DONE
    assert not await directory.can_log_in(name, PASSWORD)
    never = directory.wish(name, generation=3, secret=None, attributes={"expires_at": ""})
    assert (await reach(connector, never)).outcome is LookOutcome.DONE
    assert await directory.can_log_in(name, PASSWORD)


@pytest.mark.proof
async def test_a_password_that_has_to_be_changed_lets_nobody_in_until_then(
    directory: DirectoryBackEnd,
) -> None:
    connector, name = await directory.open(), new_name()
    told = {"must_change_password": True}
    await reach(connector, directory.wish(name, attributes=told))
    assert not await directory.can_log_in(name, PASSWORD)
    entry = directory.server.user(name)
    assert entry is not None
    assert entry["pwdLastSet"] == [b"0"]
    changed = directory.wish(name, generation=2, secret="Chosen-2-Secret")
    await reach(connector, changed)
    assert await directory.can_log_in(name, "Chosen-2-Secret")


@pytest.mark.proof
async def test_the_policy_of_passwords_speaks_and_the_remedy_says_what_it_takes(
    directory: DirectoryBackEnd,
) -> None:
    connector, name = await directory.open(), new_name()
    with pytest.raises(ConnectorError, match="too short") as caught:
        await reach(connector, directory.wish(name, secret="Ab1!"))
    assert (caught.value.kind, caught.value.field) == (ErrorKind.INVALID, "password")
    assert "at least 7 characters" in caught.value.remedy
    assert "three of capitals" in caught.value.remedy
    assert directory.server.user(name) is None


@pytest.mark.proof
async def test_a_upn_that_somebody_in_the_forest_has_is_a_conflict_of_that_field(
    directory: DirectoryBackEnd,
) -> None:
    connector, name, other = await directory.open(), new_name(), new_name()
    await reach(connector, directory.wish(other))
    taken = {"upn": f"{other}@ACME.example"}
    for wished in (directory.wish(name, attributes=taken), directory.wish(name)):
        if not wished.attributes["upn"].endswith("ACME.example"):  # type: ignore[attr-defined]
            await reach(connector, wished)
            wished = directory.wish(name, generation=2, secret=None, attributes=taken)
        with pytest.raises(ConnectorError) as caught:
            await reach(connector, wished)
        assert (caught.value.kind, caught.value.field) == (ErrorKind.CONFLICT, "upn")


@pytest.mark.proof
async def test_what_cannot_be_seen_and_has_the_name_is_a_conflict(
    directory: DirectoryBackEnd,
) -> None:
    name = new_name()
    directory.server.add(f"CN={name},{GROUPS}", ["top", "group"], sAMAccountName=name)
    connector = await directory.open(base=UNIT)
    with pytest.raises(ConnectorError, match="Another object") as caught:
        await reach(connector, directory.wish(name))
    assert caught.value.kind is ErrorKind.CONFLICT
    named, same_cn = new_name(), new_name()
    directory.server.add(f"CN={named},{UNIT}", ["top", "group"], sAMAccountName=same_cn)
    with pytest.raises(ConnectorError, match="Another object") as caught:
        await reach(connector, directory.wish(named))
    assert caught.value.kind is ErrorKind.CONFLICT


@pytest.mark.proof
@pytest.mark.parametrize("name", ["x" * 21, "a@b", "a,b", "ends.", " a", "12.34", "a\tb"])
async def test_a_name_that_no_account_can_have_is_refused(
    directory: DirectoryBackEnd, name: str
) -> None:
    _, plan = await observe_and_plan(await directory.open(), directory.wish(name))
    assert (plan.action, plan.kind) == (PlanAction.BLOCKED, ErrorKind.INVALID)


@pytest.mark.proof
@pytest.mark.parametrize("sign", ["#", "(", ")", "'", "&", "!", "é", "{"])
async def test_signs_in_a_name_are_data(directory: DirectoryBackEnd, sign: str) -> None:
    connector, name = await directory.open(), f"{sign}a b{sign}{new_name()[-8:]}"
    made = await reach(
        connector, directory.wish(name, attributes={"upn": f"{new_name()}@a.example"})
    )
    assert made.outcome is LookOutcome.DONE
    assert (await reach(connector, directory.wish("*"))).plan.kind is ErrorKind.INVALID
    gone = await reach(connector, directory.wish(name, Wish.ABSENT, generation=2, secret=None))
    assert not gone.observed.exists


@pytest.mark.proof
async def test_each_account_gets_a_unit_of_its_own_where_the_settings_say_so(
    directory: DirectoryBackEnd,
) -> None:
    unit = f"OU={{account}},{UNIT}"
    connector, name = await directory.open(unit=unit), new_name()
    code = f"a+{name[-4:]}"
    for one in (name, new_name()):
        made = await reach(connector, directory.wish(one, attributes={"account": code}))
        assert made.outcome is LookOutcome.DONE
    entry = directory.server.user(name)
    assert entry is not None
    assert entry["dn"] == f"CN={name},OU=a\\+{name[-4:]},{UNIT}"


@pytest.mark.proof
async def test_a_base_that_is_not_there_makes_no_account_gone(directory: DirectoryBackEnd) -> None:
    connector, name = await directory.open(), directory.new_name()
    await reach(connector, directory.wish(name))
    base = f"OU=Nowhere,{BASE}"
    lost = await directory.open(base=base, unit=f"OU=Users,{base}", removed_unit=f"OU=Gone,{base}")
    with pytest.raises(ConnectorError, match="is not in the directory") as caught:
        await reach(lost, directory.wish(name, Wish.ABSENT, generation=2))
    assert caught.value.kind is ErrorKind.CONFIG


async def test_a_listing_has_all_pages_and_none_of_the_directorys_own(
    directory: DirectoryBackEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "PAGE", 2)
    connector = await directory.open()
    names = {new_name() for _ in range(5)}
    for name in names:
        await reach(connector, directory.wish(name))
    found = {row.name async for row in connector.list(marked_only=False)}
    assert names <= found
    assert not {"Administrator", "krbtgt", "Guest"} & found


@pytest.mark.proof
async def test_the_directorys_own_accounts_are_never_taken_over(
    directory: DirectoryBackEnd,
) -> None:
    wished = directory.wish("Administrator", secret=None, adopt=True)
    observed, plan = await observe_and_plan(await directory.open(), wished)
    assert "administrator's account" in observed.unadoptable
    assert plan.kind is ErrorKind.CONFLICT


@pytest.mark.proof
async def test_somebody_elses_account_is_taken_over_with_its_password_and_other_groups(
    directory: DirectoryBackEnd,
) -> None:
    connector, name = await directory.open(), new_name()
    dn = f"CN=Dan Lee ({name}),{GROUPS}"
    directory.server.add(
        dn,
        ["top", "person", "organizationalPerson", "user"],
        sAMAccountName=name,
        userPrincipalName=f"{name}@acme.example",
        unicodePwd='"Their-Own-Secret-5"'.encode("utf-16-le"),
        userAccountControl="512",
    )
    asked = directory.wish(name, secret=None, adopt=True)
    observed, plan = await observe_and_plan(connector, asked)
    assert observed.kept == ("password",)
    assert {change.what for change in plan.changes} == {"owner", "level", "limits.groups"}
    assert (await reach(connector, asked)).outcome is LookOutcome.DONE
    assert await directory.can_log_in(name, "Their-Own-Secret-5")
    assert groups_of(directory, name) == {SMALL}


@pytest.mark.proof
async def test_a_group_that_the_settings_do_not_name_is_never_changed(
    directory: DirectoryBackEnd,
) -> None:
    connector = await directory.open(levels={"small": {"groups": [SMALL]}})
    wished = directory.wish(new_name(), level="other", limits={"groups": [STAFF]})
    _, plan = await observe_and_plan(connector, wished)
    assert plan.kind is ErrorKind.CONFIG
    assert STAFF in plan.reason
    named = await directory.open(levels={}, groups=[STAFF.replace(",", ", ").upper()])
    assert (await reach(named, wished)).outcome is LookOutcome.DONE
    assert groups_of(directory, wished.name) == {STAFF}


@pytest.mark.proof
async def test_what_cannot_be_reached_says_why(directory: DirectoryBackEnd, tmp_path: Path) -> None:
    make_certificates(tmp_path / "other", directory.server.address)
    for settings, kind, words in (
        ({"host": "127.255.255.1"}, ErrorKind.UNREACHABLE, "reached"),
        ({"host": "nowhere.invalid"}, None, "name is not known"),
        ({"ca_file": str(tmp_path / "other" / "ca.pem")}, ErrorKind.CONFIG, "TLS"),
        ({"unit": f"OU=Nowhere,{BASE}"}, ErrorKind.CONFIG, "not in the directory"),
        ({"groups": [f"CN=nobody,{GROUPS}"]}, ErrorKind.CONFIG, "not in the directory"),
    ):
        with pytest.raises(ConnectorError, match=words) as caught:
            await check(await directory.open(**settings))
        assert caught.value.kind is kind or kind is None
        assert caught.value.remedy
    wrong = DirectoryBackEnd(directory.server, password="wrong")
    with pytest.raises(ConnectorError, match="refused") as caught:
        await check(await wrong.open())
    assert caught.value.kind is ErrorKind.AUTH


@pytest.mark.proof
async def test_the_name_in_the_certificate_is_checked(
    directory: DirectoryBackEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    ask, address = socket.getaddrinfo, directory.server.address
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: ask(address if host == "dc2.test" else host, *rest, **more),
    )
    with pytest.raises(ConnectorError, match="TLS") as caught:
        await check(await directory.open(host="dc2.test"))
    assert caught.value.kind is ErrorKind.CONFIG


@pytest.fixture
def frozen(directory: DirectoryBackEnd) -> Iterator[DirectoryBackEnd]:
    """The domain controller, which goes on at the test's end."""
    yield directory
    directory.server.thaw()


@pytest.mark.proof
async def test_an_answer_that_does_not_come_is_an_unknown_outcome_of_a_write(
    frozen: DirectoryBackEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "ANSWER_SECONDS", 1)
    connector, name = await frozen.open(), new_name()
    add = session.Session.add

    def add_frozen(self: session.Session, *given: object) -> None:
        if self.opened:
            monkeypatch.setattr(session.Session, "add", add)
            frozen.server.freeze()
        add(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(session.Session, "add", add_frozen)
    journal = MemoryJournal()
    with pytest.raises(ConnectorError):
        await reach(connector, frozen.wish(name), journal)
    assert (journal.errors[0].kind, journal.errors[0].outcome_unknown) == (
        ErrorKind.UNREACHABLE,
        True,
    )
    frozen.server.thaw()
    assert (await reach(connector, frozen.wish(name, attempt=2))).outcome is LookOutcome.DONE
    assert await frozen.can_log_in(name, PASSWORD)


@pytest.mark.proof
async def test_a_session_that_slept_writes_no_more(
    directory: DirectoryBackEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "WRITING_SECONDS", -1.0)
    name = new_name()
    with pytest.raises(ConnectorError) as caught:
        await reach(await directory.open(), directory.wish(name))
    assert caught.value.kind is ErrorKind.STALE
    assert directory.server.user(name) is None


@pytest.mark.parametrize(
    ("code", "message", "kind", "words"),
    [
        # As Windows says it.
        (49, "80090308: LdapErr: DSID-0C0903A9, data 52e, v1db1", "auth", "password is wrong"),
        (49, "80090308: LdapErr: DSID-0C0903A9, data 775, v1db1", "auth", "locked out"),
        (53, "0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0", "invalid", "password policy"),
        (19, "000021C8: AtrErr: DSID-03200BBA, #1: 0: 000021C8: DSID-03200BBA, problem 1005", "conflict", "this UPN"),
        (50, "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0", "denied", "INSUFF"),
        (51, "", "throttled", "busy"),
        (52, "", "unreachable", "unavailable"),
        (8, "00002028: LdapErr: DSID-0C090202", "config", "00002028"),
        (16, "", "stale", "noSuch"),
    ],
)  # fmt: skip
def test_results_become_kinds(code: int, message: str, kind: str, words: str) -> None:
    from ldap3.core.results import RESULT_CODES

    error = errors.refused(code, message, RESULT_CODES[code])
    assert error.kind == kind
    assert words in error.said
    assert error.remedy


async def test_wrong_settings_are_refused_all_at_once() -> None:
    os.environ.pop("TEST_AD_PASSWORD", None)
    with pytest.raises(InvalidInput) as caught:
        await load(
            "dir",
            {
                "type": "ad",
                "port": 0,
                "base": "nothing",
                "unit": "CN={account},OU={x}",
                "mark_attribute": "a b",
                "levels": {"small": {"groups": "CN=x"}},
                "groups": ["none"],
                "verify": False,
            },
            "here",
        )
    wheres = {problem.where.removeprefix("connectors.dir.") for problem in caught.value.problems}
    assert wheres == {
        *("host", "user", "password_file", "port", "base", "unit", "mark_attribute"),
        *("levels.small.groups", "groups", "verify"),
    }
