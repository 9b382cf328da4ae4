"""Exports: every field and alias, in the import's own format, which reads back exactly what was written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.onboarding.export import ExportedUser, as_csv, export_users
from mission_control_tui.model.onboarding.file_import import Passwords, run_import
from mission_control_tui.model.onboarding.files.check import check_rows
from mission_control_tui.model.onboarding.files.read import read_users
from mission_control_tui.model.people.fields import FIELDS, FieldKind, UserDetails, UserField
from mission_control_tui.model.people.validation import validate_details
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users import editing
from mission_control_tui.model.views import Account
from tests.model.helpers import ada, create, named

pytestmark = pytest.mark.any_database

TEXT = st.text(
    st.one_of(st.sampled_from("'=+-@\t,;\"| "), st.characters(exclude_categories=["Cs"])),
    max_size=12,
)


def value_of(field: UserField) -> st.SearchStrategy[object]:
    if field.kind is FieldKind.FLAG:
        return st.booleans()
    if field.kind is FieldKind.DATE:
        return st.none() | st.dates(date(2030, 1, 1))
    if field.kind is FieldKind.UPN:
        return st.just("ada@acme.example")
    if field.kind is FieldKind.LINES:
        return st.lists(TEXT, max_size=3).map("\n".join)
    return TEXT


PEOPLE = st.builds(UserDetails, **{field.name: value_of(field) for field in FIELDS})


@given(stated=PEOPLE)
def test_what_is_exported_is_read_back_exactly(stated: UserDetails) -> None:
    judged = validate_details(stated, domains=None, compulsory=frozenset())
    wrong = {problem.where for problem in judged.problems}
    kept = {name: getattr(UserDetails(), name) for name in wrong if name != "upn"}
    details = replace(judged.details, **kept)
    details = replace(details, display_name=details.display_name or "Ada")
    aliases = ("al@acme.example", "a.l@acme.example")
    (row,) = read_users(as_csv([ExportedUser(details, aliases)]).encode()).rows
    damaged = [str(problem) for problem in row.damaged.values()]
    assert [str(problem) for problem in row.problems] == damaged
    (checked,) = check_rows(
        read_users(as_csv([ExportedUser(details, aliases)]).encode()), domains=None
    )
    assert checked.details == details
    assert row.aliases == aliases


async def test_an_export_imported_again_changes_nobody(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await create(store, caller, account, named("boss"))
    nasty = ada(
        title="'=1+1",
        notes='one\n; "two"',
        manager="boss@acme.example",
        mobile_phone="6.14E+10",
        department="#N/A",
        disabled=True,
        expires_on=date(2031, 1, 2),
    )
    user = await create(store, caller, account, nasty)
    await editing.add_alias(scope, user.id, "al@acme.example")
    exported = await export_users(scope)
    assert {one.details.upn: one.aliases for one in exported} == {
        nasty.upn: ("al@acme.example",),
        "boss@acme.example": (),
    }
    file = read_users(as_csv(exported).encode("utf-8-sig"))
    assert file.notices == ()
    for update in (False, True):
        again = (await run_import(scope, file, update=update)).result
        assert (again.unchanged, again.differing, again.refused, again.created) == (2, (), (), ())
    await editing.edit_user(scope, user.id, {"department": "Research"})
    changed = (await run_import(scope, file, update=True)).result
    assert [str(row.problems[0].what) for row in changed.refused] == [
        "holds a spreadsheet's error instead of a value"
    ]


async def test_aliases_come_in_with_the_rows(
    store: Store, caller: Caller, account: Account, scope: AccountScope
) -> None:
    await create(store, caller, account, named("taken"))
    text = (
        "UPN,Display Name,Aliases\n"
        "a@acme.example,A,al@acme.example; smtp:a.l@acme.example a@acme.example\n"
        "b@acme.example,B,taken@acme.example\n"
        "c@acme.example,C,AL@acme.example\n"
        "d@acme.example,D,d@elsewhere.example\n"
        "e@acme.example,E,a@acme.example\n"
        "taken@acme.example,,t@acme.example\n"
    )
    file = read_users(
        text.replace("taken@acme.example,,", "taken@acme.example,Ada Lovelace,").encode()
    )
    outcome = await run_import(scope, file, passwords=Passwords.GENERATE)
    result = outcome.result
    assert result.created == ("a@acme.example",)
    assert [row.row.row for row in result.refused] == [3, 4, 5, 6]
    assert all("Aliases" in row.problems[0].where for row in result.refused)
    (different,) = result.differing
    assert dict(different.after) == {"aliases": ["t@acme.example"]}
    exported = {one.details.upn: one.aliases for one in await export_users(scope)}
    assert exported["a@acme.example"] == ("a.l@acme.example", "al@acme.example")
    assert exported["taken@acme.example"] == ()
    await run_import(scope, file, passwords=Passwords.GENERATE, update=True)
    exported = {one.details.upn: one.aliases for one in await export_users(scope)}
    assert exported["taken@acme.example"] == ("t@acme.example",)
    again = await run_import(scope, file, passwords=Passwords.GENERATE, update=True)
    assert (again.result.unchanged, again.result.differing) == (2, ())
