"""`--users-from`: lists and files of users, and nothing of a row that is no name."""

from __future__ import annotations

import openpyxl
import pytest

from tests.cli.command import Command

PLAN = ("bulk", "plan", "disable", "--users-from")


@pytest.mark.parametrize(
    "text",
    [
        "ada@acme.example\nbob@acme.example\n",
        "UPN\nada@acme.example\nbob@acme.example\n",
        "ada\nBOB\n",
        '# leavers, "as agreed\n\nada@acme.example\n# and\nbob\n',
        "Username\nada\nbob\n",
        "SamAccountName\nada\nbob\n",
        "\ufeffUPN;Department\nada@acme.example;Sales\nbob@acme.example;\n",
        '#TYPE Selected.User\n"SamAccountName","UserPrincipalName"\n"x","ada@acme.example"\n"y","bob@acme.example"\n',
        "version:v1.0\nUser name [userPrincipalName] Required\nada@acme.example\nbob@acme.example\n",
        '"ada@acme.example"\n"bob@acme.example"\n',
        "Name,Email\nAda,ada@acme.example\nBob,bob@acme.example\n",
        "Mail\nada@acme.example\nbob@acme.example\n",
    ],
)
def test_users_are_named_in_many_ways(acme: Command, text: str) -> None:
    for name in ("ada", "bob"):
        acme.user(name)
    (acme.directory / "list.csv").write_text(text)
    assert acme.json(*PLAN, "list.csv")["plan"]["total"] == 2


@pytest.mark.parametrize(
    "text",
    [
        '"ada@acme.example,Ada,Correct-Horse-7"\n',
        'UPN,Display Name,Password\n"ada@acme.example,Ada,Correct-Horse-7",,\n',
        "ada@acme.example Correct-Horse-7\n",
        'UPN\n"ada@acme.example;Correct-Horse-7"\n',
        "UPN\n#REF!\n",
        "",
        "ada@acme.example,Correct-Horse-7\n",
    ],
)
def test_what_is_no_name_is_told_by_row_and_never_shown(acme: Command, text: str) -> None:
    acme.user("ada")
    (acme.directory / "list.csv").write_text(text)
    for form in ((), ("--json",)):
        refused = acme.run(*PLAN, "list.csv", *form)
        assert refused.code in {2, 3}
        assert "Correct-Horse-7" not in refused.out + refused.err
        if text.count("\n") and "," not in text:
            assert "row " in refused.err


def test_a_workbook_names_users_as_for_an_import(acme: Command) -> None:
    for name in ("ada", "bob"):
        acme.user(name)
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (("Display Name", "UPN"), ("Ada", "ada@acme.example"), ("Bob", "bob@acme.example")):
        book.active.append(row)
    book.save(acme.directory / "t.xlsx")
    assert acme.json(*PLAN, "t.xlsx")["plan"]["total"] == 2
