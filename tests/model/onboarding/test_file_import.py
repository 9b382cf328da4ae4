"""Importing files into the store: what is good comes in, what is bad is told, and the same again is nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import func, select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.errors import InvalidInput, StoreError
from mission_control_tui.model.onboarding.file_import import (
    ImportResult,
    Passwords,
    run_import,
)
from mission_control_tui.model.onboarding.files.read import ImportFile, read_users
from mission_control_tui.model.onboarding.import_slices import (
    ImportSlice,
    SliceResult,
    SliceWriter,
)
from mission_control_tui.model.plan import Outcome
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.requests import queries
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.search.user_list import page
from mission_control_tui.model.store import sealing, upgrade
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.users import AddressRow, SecretRow, UserRow
from mission_control_tui.model.users import editing
from mission_control_tui.model.users import queries as users
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.provisioning import provision
from mission_control_tui.model.views import Account, RevealedPassword
from tests.model.conftest import make_account
from tests.model.helpers import PASSWORD, ada, create, finish, named, own_seats
from tests.model.onboarding.files.support import csv_bytes

pytestmark = pytest.mark.any_database

HEADINGS = ("UPN", "Display Name", "Last Name", "Username", "Manager", "Title", "Password")


def file_of(*rows: Sequence[str], headings: Sequence[str] = HEADINGS) -> ImportFile:
    """A file with a row for each user; short rows are filled up."""
    filled = [[*row, *[""] * (len(headings) - len(row))] for row in rows]
    return read_users(csv_bytes([headings, *filled]), source="users.csv")


async def load(
    store: Store, caller: Caller, account: Account, file: ImportFile, *, update: bool = False
) -> ImportResult:
    outcome = await run_import(
        AccountScope(store, caller, account.id), file, update=update, passwords=Passwords.GENERATE
    )
    assert outcome.applied
    return outcome.result


async def counts(store: Store) -> tuple[int, ...]:
    async with store.read() as session:
        tables = (UserRow, AddressRow, AuditRow, SecretRow)
        found = [await session.scalar(select(func.count()).select_from(one)) for one in tables]
        return tuple(int(count or 0) for count in found)


def told(result: ImportResult) -> dict[int, str]:
    """By row: everything that is wrong with it."""
    return {
        one.row.row: " | ".join(str(problem) for problem in one.problems) for one in result.refused
    }


async def test_a_microsoft_file_becomes_users(store: Store, scope: AccountScope) -> None:
    headings = ("User Name", "First Name", "Last Name", "Display Name", "Office Phone")
    file = file_of(
        ("ada.lovelace@acme.example", "Ada", "Lovelace", "Ada Lovelace", "(02) 9876 5432"),
        ("Grace.Hopper@ACME.example", "Grace", "Hopper", "Grace Hopper", "12"),
        headings=headings,
    )
    heard: list[tuple[int, int]] = []
    outcome = await run_import(
        scope,
        file,
        passwords=Passwords.GENERATE,
        progress=lambda done, rows: heard.append((done, rows)),
    )
    result = outcome.result
    assert result.created == ("ada.lovelace@acme.example", "Grace.Hopper@acme.example")
    assert (result.unchanged, result.differing, result.refused) == (0, (), ())
    assert [str(one) for one in result.warnings if "row 3" in one.where]
    assert heard[-1] == (2, 2)
    assert heard == sorted(heard)
    user = await users.details(scope, "grace.hopper@acme.example")
    assert user.details.first_names == "Grace"
    assert user.details.username == "grace.hopper"
    assert user.details.office_phone == "12"
    assert user.password_waiting
    found = await page(scope, UserFilter("029876"))
    assert [row.upn for row in found.rows] == ["ada.lovelace@acme.example"]
    assert [one.upn for one in result.passwords] == list(result.created)
    assert len({one.password for one in result.passwords}) == 2
    assert all(one.password not in repr(outcome) for one in result.passwords)
    async with store.read() as session:
        secret = await session.get_one(UserRow, user.id)
        sealed = (await session.get_one(SecretRow, secret.secret_id)).sealed
        actions = list(await session.scalars(select(AuditRow.action)))
    assert actions == ["create user"] * 2
    if store.is_sqlite:
        opened = sealing.unseal(upgrade.key_path(store.url), bytes(sealed or b""))
        assert opened == result.passwords[1].password


async def test_the_same_file_again_changes_nothing(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    file = file_of(
        ("boss@acme.example", "Boss", "", "", "", "Chief"),
        ("ada@acme.example", "Ada", "", "", "boss@acme.example", ""),
        ("b@acme.example", "Ben", "", "", "ADA@acme.example", ""),
    )
    first = await load(store, caller, account, file)
    before = await counts(store)
    again = await run_import(scope, file, update=True)
    assert (again.result.created, again.result.unchanged) == ((), 3)
    assert again.result.differing == ()
    assert not again.plan.changes_anything
    assert await counts(store) == before
    assert first.passwords
    assert again.result.passwords == ()
    ben = await users.details(scope, "b")
    assert ben.details.manager == "ada@acme.example"


async def test_a_dry_run_tells_the_same_and_writes_nothing(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    file = file_of(("ada@acme.example", "Ada"), ("nonsense", "N"))
    before = await counts(store)
    tried = await run_import(scope, file, passwords=Passwords.GENERATE, dry_run=True)
    assert not tried.applied
    assert await counts(store) == before
    assert tried.result.created == ("ada@acme.example",)
    assert tried.result.passwords == (), "passwords that nobody will have are not shown"
    assert [line.name for line in tried.plan.lines] == ["ada@acme.example"]
    real = await load(store, caller, account, file)
    assert real.created == tried.result.created
    assert told(real) == told(tried.result)


async def test_every_problem_of_every_row_is_told_and_the_good_rows_come_in(
    store: Store, caller: Caller, account: Account, scope: AccountScope, catalogue: Catalogue
) -> None:
    other = await make_account(store, caller, catalogue, "rival", "rival.example")
    await create(store, caller, other, ada(upn="x@rival.example", username="x"))
    await create(store, caller, account, named("taken"))
    await editing.add_alias(scope, "taken", "al@acme.example")
    gone = await create(store, caller, account, named("gone"))
    await deletion.delete_user(scope, gone.id)
    file = file_of(
        ("good@acme.example", "Good", "", "good", "other@acme.example"),
        ("other@acme.example", "Other"),
        ("bad@@acme.example", "\x1b[31m", "", "a/b"),
        ("al@acme.example", "Al"),
        ("gone@acme.example", "Gone"),
        ("new1@acme.example", "New", "", "TAKEN"),
        ("new2@acme.example", "New", "", "Good"),
        ("GOOD@acme.example", "Good again"),
        ("m1@acme.example", "M", "", "", "nobody@acme.example"),
        ("m2@acme.example", "M", "", "", "m1@acme.example"),
        ("m3@acme.example", "M", "", "", "m2@acme.example"),
        ("m4@acme.example", "M", "", "", "m4@acme.example"),
        ("x@rival.example", "X"),
        ("y@nowhere.example", ""),
        ("z@rival.example", "Z"),
        ("taken@acme.example", "Ada Lovelace", "", "renamed"),
        ("p@acme.example", "P", "", "", "", "", "short"),
    )
    result = await load(store, caller, account, file)
    assert result.created == ("good@acme.example", "other@acme.example")
    problems = told(result)
    expected = {
        4: ("UPN", "Display Name", "ESCAPE", "Username"),
        5: ("is an alias of Ada Lovelace (taken@acme.example)",),
        6: ("recycling bin", "restore"),
        7: ("Username: TAKEN is taken", "is free"),
        8: ("Good stands in row 2 already",),
        9: ("stands in row 2 already",),
        10: ("Manager: nobody@acme.example is no user",),
        11: ("m1@acme.example stands in row 10, which is refused",),
        12: ("m2@acme.example stands in row 11, which is refused",),
        13: ("cannot be their own manager",),
        14: ("rival.example is not a domain of this account",),
        15: ("Display Name: is compulsory", "nowhere.example is not a domain"),
        16: ("rival.example is not a domain of this account",),
        17: ("Username: is fixed",),
        18: ("Password: does not meet the rule",),
    }
    assert problems.keys() == expected.keys()
    for row, words in expected.items():
        assert f"row {row}, " in problems[row]
        assert not [word for word in words if word not in problems[row]]
    assert "another account" not in problems[14]
    assert "short" not in "".join(problems.values())
    assert dict(result.missing_domains) == {
        "rival.example": (14, 16),
        "nowhere.example": (15,),
    }
    (domains, *others) = result.problems
    assert domains.where == "domains"
    assert not [one for one in others if "is not a domain" in one.what]
    good = await users.details(scope, "good")
    assert good.details.manager == "other@acme.example"


async def test_usernames_are_derived_and_free_in_store_and_file(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await create(store, caller, account, named("ann"))
    await editing.edit_user(scope, "ann", {"upn": "renamed@acme.example"})
    await editing.remove_alias(scope, "ann", "ann@acme.example")
    long = "maximilian.featherstonehaugh"
    file = file_of(
        (f"{long}@acme.example", "A"),
        (f"{long}2@acme.example", "B"),
        ("ann@acme.example", "C"),
        ("ann3@acme.example", "D", "", "ann2"),
    )
    result = await load(store, caller, account, file)
    assert result.refused == ()
    names = [(await users.details(scope, upn)).details.username for upn in result.created]
    assert len({name.casefold() for name in names}) == 4
    assert all(len(name) <= 20 for name in names)
    assert names[3] == "ann2"
    assert names[2] not in ("ann", "ann2")


async def test_new_users_without_a_password_are_refused_before_anything_is_written(
    store: Store, scope: AccountScope
) -> None:
    before = await counts(store)
    file = file_of(
        ("a@acme.example", "A", "", "", "", "", PASSWORD), ("b@acme.example", "B"), ("", "C")
    )
    for source, rows in ((Passwords.FILE, "row 3"), (Passwords.NONE, "rows 2, 3")):
        with pytest.raises(InvalidInput) as caught:
            await run_import(scope, file, passwords=source)
        assert [problem.where for problem in caught.value.problems] == [rows]
    assert await counts(store) == before
    whole = file_of(("a@acme.example", "A", "", "", "", "", PASSWORD))
    outcome = await run_import(scope, whole)
    assert outcome.result.created == ("a@acme.example",)
    assert outcome.result.passwords == ()
    assert PASSWORD not in repr(outcome)
    async with store.read() as session:
        for row in await session.scalars(select(AuditRow)):
            assert PASSWORD not in repr(vars(row))


async def test_what_differs_is_listed_and_changes_only_when_asked(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await own_seats(store, caller, account, "managed-exchange", "popx")
    boss = await create(store, caller, account, named("boss"))
    user = await create(
        store, caller, account, ada(title="Countess", notes="n", manager="boss@acme.example")
    )
    await provision(scope, user.id, [ActionParams("managed-exchange", "popx")])
    await finish(store, caller, account)
    before = await counts(store)
    file = file_of(
        ("ADA.LOVELACE@acme.example", "Ada King", "", "Ada.Lovelace", "boss@acme.example", ""),
        ("boss@acme.example", "Ada Lovelace", "", "", "", ""),
    )
    listed = await load(store, caller, account, file)
    (one,) = listed.differing
    assert (one.row, one.upn, one.changed) == (2, user.upn, False)
    assert (dict(one.before), dict(one.after)) == (
        {"display_name": "Ada Lovelace"},
        {"display_name": "Ada King"},
    )
    assert (listed.unchanged, listed.changed) == (1, 0)
    assert await counts(store) == before
    updated = await run_import(scope, file, update=True)
    assert updated.result.changed == 1
    now = await users.details(scope, user.id)
    assert now.details == ada(
        display_name="Ada King", title="Countess", notes="n", manager=boss.upn
    )
    listed_requests = await queries.list_requests(scope)
    bulk = [one.kind for one in listed_requests if one.kind == "edit"]
    assert bulk == ["edit", "edit"], "a parent and the mailbox"
    again = await run_import(scope, file, update=True)
    assert (again.result.unchanged, again.result.differing) == (2, ())


@pytest.mark.parametrize(
    "headings",
    [
        ("UPN", "Mobile Phone"),
        ("User principal name", "Mobile phone"),
        ("userPrincipalName", "mobilePhone"),
        ("UPN", "Mobile Phone", "Display Name"),
    ],
)
async def test_who_is_there_needs_no_display_name_and_who_is_new_does(
    store: Store, caller: Caller, account: Account, scope: AccountScope, headings: Sequence[str]
) -> None:
    user = await create(store, caller, account, ada(title="Countess"))
    phone = "+61 412 345 678"
    file = file_of((user.upn, phone), ("new@acme.example", phone), headings=headings)
    result = await load(store, caller, account, file, update=True)
    assert (result.changed, result.created) == (1, ())
    assert (await users.details(scope, user.id)).details == ada(
        title="Countess", mobile_phone=phone
    )
    assert [*told(result)] == [3]
    assert "Display Name" in told(result)[3]
    assert "is compulsory" in told(result)[3]


async def test_who_is_stopped_half_way_goes_on_and_no_password_is_lost(
    store: Store, scope: AccountScope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mission_control_tui.model.onboarding.import_slices.SLICE_USERS", 2)
    monkeypatch.setattr("mission_control_tui.model.onboarding.import_slices.LEAST_SHARE", 1.0)
    monkeypatch.setattr("mission_control_tui.model.onboarding.import_slices.FIRST_SHARE", 1.0)
    # u0 and u6 manage each other, over slices; u5 manages u1, who stands before.
    managers = {0: "u6@acme.example", 6: "u0@acme.example", 1: "u5@acme.example"}
    file = file_of(
        *[(f"u{number}@acme.example", "U", "", "", managers.get(number, "")) for number in range(7)]
    )
    kept: list[str] = []

    def full_disk(made: Sequence[RevealedPassword]) -> None:
        if len(kept) >= 4:
            raise StoreError("The passwords could not be written.", hint="Use another file.")
        kept.extend(new.upn for new in made)

    with pytest.raises(StoreError) as stopped:
        await run_import(scope, file, passwords=Passwords.GENERATE, keep=full_disk)
    assert "4 users were created before, and stay" in stopped.value.hint
    there = {row.upn for row in (await page(scope, UserFilter())).rows}
    assert there == set(kept)
    assert (await counts(store))[0] == 4
    rest: list[RevealedPassword] = []
    again = await run_import(scope, file, passwords=Passwords.GENERATE, keep=rest.extend)
    assert set(again.result.created) == {new.upn for new in rest}
    assert {*kept, *again.result.created} == {f"u{number}@acme.example" for number in range(7)}
    assert len(kept) + len(rest) == 7
    assert (await users.details(scope, "u1")).details.manager == "u5@acme.example"
    assert (await users.details(scope, "u6")).details.manager == "u0@acme.example"


async def test_managers_of_one_file_find_each_other_over_slices(
    scope: AccountScope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mission_control_tui.model.onboarding.import_slices.SLICE_USERS", 2)
    names = [f"u{number}@acme.example" for number in range(9)]
    file = file_of(*[(upn, "U", "", "", names[n - 1]) for n, upn in enumerate(names)])
    outcome = await run_import(scope, file, passwords=Passwords.GENERATE)
    assert outcome.result.created == tuple(names)
    for number, upn in enumerate(names):
        assert (await users.details(scope, upn)).details.manager == names[number - 1]


async def test_what_others_do_between_two_slices_is_seen(
    store: Store,
    caller: Caller,
    account: Account,
    scope: AccountScope,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mission_control_tui.model.onboarding.import_slices.SLICE_USERS", 2)
    file = file_of(*[(f"u{number}@acme.example", "U") for number in range(6)])
    waiting: list[float] = []

    async def others(seconds: float) -> None:
        if not waiting:
            await create(store, caller, account, ada(upn="u4@acme.example", username="u5"))
        waiting.append(seconds)

    monkeypatch.setattr("mission_control_tui.model.onboarding.import_slices.breathe", others)
    outcome = await run_import(scope, file, passwords=Passwords.GENERATE)
    if store.is_sqlite:
        assert set(outcome.result.created) == {f"u{number}@acme.example" for number in range(6)} - {
            "u4@acme.example"
        }
        assert len(outcome.result.differing) == 1
        assert (await users.details(scope, "u5@acme.example")).details.username != "u5"
        assert all(seconds > 0 for seconds in waiting)


async def test_a_slice_ends_when_its_time_is_over_and_the_next_goes_on(
    scope: AccountScope, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"u{number}@acme.example" for number in range(5)]
    await run_import(scope, file_of(*[(upn, "U") for upn in names]), passwords=Passwords.GENERATE)
    titled = file_of(
        *[(upn, "Head", names[0]) for upn in names[1:]], headings=("UPN", "Title", "Manager")
    )
    monkeypatch.setattr("mission_control_tui.model.onboarding.import_slices.SLICE_SECONDS", 0.0)
    written: list[int] = []
    write = SliceWriter.write

    async def watched(writer: SliceWriter, part: ImportSlice) -> Outcome[SliceResult] | None:
        outcome = await write(writer, part)
        assert outcome is not None
        written.append(len(part.known) - len(outcome.result.left))
        return outcome

    monkeypatch.setattr(SliceWriter, "write", watched)
    outcome = await run_import(scope, titled, update=True)
    assert written == [1, 1, 1, 1]
    assert outcome.result.changed == 4
    for upn in names[1:]:
        details = (await users.details(scope, upn)).details
        assert (details.title, details.manager) == ("Head", names[0])


async def test_a_dry_run_needs_no_passwords_and_says_so(scope: AccountScope) -> None:
    tried = await run_import(scope, file_of(("a@acme.example", "A")), dry_run=True)
    assert tried.result.created == ("a@acme.example",)
    assert "1 new user would have no password" in tried.plan.warnings[0]


async def test_google_s_derived_names_do_not_undo_an_edit(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    headings = ("First Name [Required]", "Last Name [Required]", "Email Address [Required]")
    file = file_of(("Ada", "Lovelace", "ada@acme.example"), headings=headings)
    await load(store, caller, account, file)
    await editing.edit_user(scope, "ada", {"display_name": "Countess"})
    again = await load(store, caller, account, file)
    assert (again.unchanged, again.differing) == (1, ())
