"""What a catalogue says about objects of an account: groups, contacts, shared mailboxes."""

from __future__ import annotations

import re

import pytest

from mission_control_tui.model.catalogue.diff import diff
from mission_control_tui.model.catalogue.file.parse import parse
from mission_control_tui.model.catalogue.types import AddressUse
from mission_control_tui.model.errors import InvalidInput, NotFound, Problem
from mission_control_tui.model.states import SubjectKind
from tests.model.catalogue.support import SMALL, shipped_catalogue

GROUPS = """
[[services]]
id = "group"
name = "Group"
subject = "object"
connector = "simulator"
seats = false
included_with = ["mail"]
name_pattern = "{account}_{name}"

[[services.levels]]
id = "only"
name = "Only"

[[services.roles]]
id = "member"
name = "Member"
accepts = ["user", "group"]
requires = ["mail"]
maximum = 77
"""


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as caught:
        parse(text, connectors=["simulator"])
    return caught.value.problems


def test_a_kind_of_object_is_read_with_its_roles() -> None:
    kind = parse(SMALL + GROUPS).kind("Group")
    assert (kind.subject, kind.address, kind.seats) == (SubjectKind.OBJECT, AddressUse.OWN, False)
    role = kind.role("MEMBER")
    assert (role.accepts, role.requires, role.maximum) == (("user", "group"), ("mail",), 77)
    with pytest.raises(NotFound, match="no kind"):
        parse(SMALL + GROUPS).kind("mail")


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ('subject = "object"', 'subject = "objekt"', "subject", "one of"),
        ("seats = false", "seats = true", "seats", "no seats"),
        ("seats = false", "", "seats", "no seats"),
        ("seats = false", "seats = false\ninstances = 2", "instances", "once"),
        ("seats = false", 'seats = false\npassword = "user"', "password", "no password"),
        ("seats = false", 'seats = false\naddress = "mine"', "address", "own, external"),
        ('included_with = ["mail"]', 'included_with = ["mial"]', "included_with", "no service"),
        ('included_with = ["mail"]', 'included_with = ["group"]', "included_with", "no seats"),
        ("{account}_{name}", "{account}_{username}", "name_pattern", "no placeholder"),
        (
            'name = "Only"',
            'name = "Only"\n[[services.levels]]\nid = "b"\nname = "B"',
            "b",
            "one level",
        ),
        ('["user", "group"]', "[]", "role member > accepts", "at least one"),
        ('["user", "group"]', '["usr"]', "role member > accepts", "no kind of member"),
        ('["user", "group"]', '["mail"]', "role member > accepts", "no kind of member"),
        ('["user", "group"]', '["group"]', "role member > requires", "no users"),
        ('requires = ["mail"]', 'requires = ["group"]', "role member > requires", "of users"),
        ('requires = ["mail"]', 'requires = ["x"]', "role member > requires", "no service"),
        ("maximum = 77", "maximum = 0", "role member > maximum", "at least 1"),
        ('id = "member"', f'id = "{"m" * 17}"', "id", "at most 16"),
    ],
)
def test_an_error_about_objects_is_told_where_it_is_mended(
    old: str, new: str, where: str, what: str
) -> None:
    text = SMALL + GROUPS
    assert text.count(old) == 1, old
    found = problems_of(text.replace(old, new))
    assert any(where in one.where and what in one.what for one in found), [*map(str, found)]


def test_only_objects_have_roles_an_address_and_what_they_are_included_with() -> None:
    text = SMALL.replace('name = "Mail"', 'name = "Mail"\naddress = "own"\nincluded_with = []')
    text += '\n[[services.roles]]\nid = "member"\nname = "Member"\n'
    assert [re.sub(r".* > ", "", one.where) for one in problems_of(text)] == [
        "address",
        "included_with",
        "roles",
    ]


def test_a_changed_role_is_told_with_its_consequence() -> None:
    before = parse(SMALL + GROUPS)
    (change,) = diff(before, parse((SMALL + GROUPS).replace("maximum = 77", "maximum = 6")))
    assert (change.path, change.before, change.after) == (
        "service group > role member > maximum",
        "77",
        "6",
    )
    assert "present members stay" in change.consequence


def test_the_shipped_kinds_are_included_with_managed_exchange_and_need_no_seats() -> None:
    kinds = shipped_catalogue().kinds
    assert [one.name for one in kinds] == ["Distribution Group", "Shared Mailbox", "Mail Contact"]
    assert {one.included_with for one in kinds} == {("managed-exchange",)}
    assert [one.address for one in kinds] == [
        AddressUse.OWN,
        AddressUse.OWN,
        AddressUse.EXTERNAL,
    ]
    assert [role.id for role in kinds[0].roles] == ["member", "owner", "sender"]
    assert [role.id for role in kinds[1].roles] == ["full-access", "send-as"]


@pytest.mark.parametrize("kind", ["address", "addresses"])
def test_an_object_has_no_further_addresses(kind: str) -> None:
    option = f'\n[[services.options]]\nid = "also"\nname = "Also"\ntype = "{kind}"\n'
    (problem,) = problems_of(SMALL + GROUPS + option)
    assert f'only a service of users has options with type = "{kind}"' in problem.what
    assert "line" in problem.where


@pytest.mark.parametrize("kind", ["user", "users", "recipient", "domain"])
def test_only_whose_settings_somebody_states_names_people_and_domains(kind: str) -> None:
    option = f'\n[[services.options]]\nid = "also"\nname = "Also"\ntype = "{kind}"\n'
    assert parse(SMALL + GROUPS + option).kind("Group").option("also").type == kind
    of_account = """
[[services]]
id = "tenant"
name = "Tenant"
subject = "account"
connector = "simulator"
seats = false
name_pattern = "{account}"

[[services.levels]]
id = "only"
name = "Only"
"""
    (problem,) = problems_of(SMALL + GROUPS + of_account + option)
    assert "leave it out" in problem.hint


OF_OTHERS = """
[[services]]
id = "own"
name = "Own"
subject = "{subject}"
connector = "simulator"
seats = false
requires = [{requires}]
name_pattern = "{{account}}"
levels = [{{ id = "only", name = "Only" }}]

[[services]]
id = "login"
name = "Login"
subject = "directory"
connector = "simulator"
seats = false
name_pattern = "{{username}}"
levels = [{{ id = "only", name = "Only" }}]

[[services]]
id = "tenant"
name = "Tenant"
subject = "account"
connector = "simulator"
name_pattern = "{{account}}"
levels = [{{ id = "only", name = "Only" }}]
"""


def test_a_service_requires_what_is_there_for_its_subject_and_nothing_else() -> None:
    of_user = OF_OTHERS.format(subject="user", requires='"login", "tenant"')
    assert parse(SMALL + of_user).service("own").requires == ("login", "tenant")
    of_domain = OF_OTHERS.format(subject="domain", requires='"login", "tenant"')
    (problem,) = problems_of(SMALL + of_domain)
    assert problem.what == "login belongs to a directory, not to the same domain"
    assert problem.hint == "require one of an account or a domain"


@pytest.mark.parametrize("subject", ["domain", "account"])
def test_only_users_have_passwords(subject: str) -> None:
    other = OF_OTHERS.format(subject=subject, requires="")
    (problem,) = problems_of(SMALL + other.replace("requires = []", 'password = "own"', 1))
    assert "has no password" in problem.what
