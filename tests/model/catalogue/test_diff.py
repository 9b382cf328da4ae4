"""What another catalogue changes, for whom, and what it must not do."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.model.catalogue.compatibility import UsedIds, refusals
from mission_control_tui.model.catalogue.diff import CatalogueChange, ChangeKind, diff
from mission_control_tui.model.catalogue.file.parse import parse
from mission_control_tui.model.catalogue.types import Catalogue
from tests.model.catalogue.support import SMALL, small
from tests.model.catalogue.test_codec import CATALOGUES, SERVICES

ARCHIVE = """
[[services]]
id = "archive"
name = "Archive"
connector = "simulator"
name_pattern = "{username}"
levels = [{ id = "all", name = "All" }]
"""


def changed(*replacements: tuple[str, str]) -> Catalogue:
    text = SMALL
    for old, new in replacements:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return parse(text)


def only(new: Catalogue) -> CatalogueChange:
    (change,) = diff(small(), new)
    return change


@given(CATALOGUES)
def test_nothing_changes_between_equals(catalogue: Catalogue) -> None:
    assert diff(catalogue, catalogue) == ()
    assert refusals(catalogue, catalogue, UsedIds()) == ()


@given(CATALOGUES, CATALOGUES)
def test_whatever_differs_is_told(first: Catalogue, second: Catalogue) -> None:
    assert bool(diff(first, second)) is (first != second)


@given(CATALOGUES, st.data())
def test_any_single_difference_is_told(catalogue: Catalogue, data: st.DataObject) -> None:
    services = list(catalogue.services)
    if not services:
        return
    at = data.draw(st.integers(0, len(services) - 1))
    other = data.draw(SERVICES)
    services[at] = dataclasses.replace(other, id=services[at].id)
    new = dataclasses.replace(catalogue, services=tuple(services))
    changes = diff(catalogue, new)
    assert bool(changes) is (catalogue != new)
    assert all(change.path.startswith("service ") for change in changes)


@pytest.mark.parametrize(
    ("old", "new", "path", "before", "after", "touches"),
    [
        ('name = "Mail"', 'name = "Post"', "service mail > name", "Mail", "Post", ()),
        (
            'connector = "simulator"',
            'connector = "other"',
            "service mail > connector",
            "simulator",
            "other",
            (("mail", "basic"), ("mail", "full")),
        ),
        (
            'name = "Full"',
            'name = "Full"\nlimits = { size = 5 }',
            "service mail > level full > limits",
            "none",
            "size = 5",
            (("mail", "full"),),
        ),
        (
            "default = 100",
            "default = 150",
            "service mail > option quota > default",
            "100",
            "150",
            (("mail", "basic"), ("mail", "full")),
        ),
        (
            'levels = ["full"]',
            'levels = ["full"]\nrequired = true',
            "service mail > option extras > required",
            "no",
            "yes",
            (("mail", "full"),),
        ),
        (
            "{ maximum = 200 }",
            "{ maximum = 300 }",
            "service mail > option quota > per_level",
            "basic = {maximum = 200}",
            "basic = {maximum = 300}",
            (("mail", "basic"), ("mail", "full")),
        ),
        (
            "12 = 3000",
            "12 = 3500",
            "product email > level basic > prices",
            "1 = 300, 12 = 3000",
            "1 = 300, 12 = 3500",
            (),
        ),
        ("basis_points = 1000", "basis_points = 1500", "tax_basis_points", "1000", "1500", ()),
    ],
)
def test_a_change_names_what_and_whom(
    old: str,
    new: str,
    path: str,
    before: str,
    after: str,
    touches: tuple[tuple[str, str], ...],
) -> None:
    change = only(changed((old, new)))
    assert (change.kind, change.path) == (ChangeKind.CHANGED, path)
    assert (change.before, change.after, change.touches) == (before, after, touches)
    assert change.consequence


def test_a_withdrawn_level_stays_for_its_holders_and_can_come_back() -> None:
    new = changed(('name = "Full"', 'name = "Full"\nwithdrawn = true'))
    change = only(new)
    assert (change.kind, change.path) == (ChangeKind.WITHDRAWN, "service mail > level full")
    assert change.touches == (("mail", "full"),)
    assert "holders keep it" in change.consequence
    assert refusals(small(), new, UsedIds(levels=frozenset({("mail", "full")}))) == ()
    (back,) = diff(new, small())
    assert back.kind is ChangeKind.OFFERED_AGAIN


def test_added_things_are_told_with_whom_they_concern() -> None:
    option = '[[services.options]]\nid = "new"\nname = "New"\ntype = "bool"\nlevels = ["basic"]\n\n'
    with_option = changed(("[[products]]", option + "[[products]]"))
    change = only(with_option)
    assert (change.kind, change.path) == (ChangeKind.ADDED, "service mail > option new")
    assert change.touches == (("mail", "basic"),)
    added = only(parse(SMALL + ARCHIVE))
    assert (added.kind, added.path, added.after) == (
        ChangeKind.ADDED,
        "service archive",
        "Archive",
    )
    (removed,) = diff(parse(SMALL + ARCHIVE), small())
    assert (removed.kind, removed.touches) == (ChangeKind.REMOVED, (("archive", "all"),))


def test_another_order_is_told_as_such() -> None:
    swapped = changed(
        ('id = "basic"\nname = "Basic"\n', 'id = "fill"\nname = "Fill"\n'),
        ('id = "full"\nname = "Full"\n', 'id = "basic"\nname = "Basic"\n'),
        ('id = "fill"\nname = "Fill"\n', 'id = "full"\nname = "Full"\n'),
    )
    changes = {change.path: change for change in diff(small(), swapped)}
    assert set(changes) == {
        "service mail > order of levels",
        "service mail > level full > rank",
        "service mail > level basic > rank",
    }


@pytest.mark.parametrize(
    ("in_use", "replacements", "where", "what"),
    [
        (
            UsedIds(levels=frozenset({("mail", "full")})),
            [
                ('[[services.levels]]\nid = "full"\nname = "Full"\n', ""),
                ('levels = ["full"]', ""),
            ],
            "service mail > level full",
            "cannot vanish",
        ),
        (
            UsedIds(levels=frozenset({("mail", "full")})),
            [('id = "mail"', 'id = "post"'), ('service = "mail"', 'service = "post"')],
            "service mail",
            "cannot vanish",
        ),
        (
            UsedIds(options=frozenset({("mail", "extras")})),
            [('id = "extras"', 'id = "more"')],
            "service mail > option extras",
            "cannot vanish",
        ),
        (
            UsedIds(options=frozenset({("mail", "extras")})),
            [('type = "bool"', 'type = "text"')],
            "service mail > option extras > type",
            "cannot become text",
        ),
        (
            UsedIds(levels=frozenset({("mail", "basic")})),
            [
                ('name = "Mail"', 'name = "Mail"\nsubject = "account"'),
                ("{account}_{username}", "{account}"),
            ],
            "service mail > subject",
            "cannot become account",
        ),
        (
            UsedIds(product_levels=frozenset({("email", "basic")})),
            [('id = "basic"\nname = "Basic Mail"', 'id = "plain"\nname = "Basic Mail"')],
            "product email > level basic",
            "cannot vanish",
        ),
        (
            UsedIds(product_levels=frozenset({("email", "basic")})),
            [('grants_level = "basic"', 'grants_level = "full"')],
            "product email > level basic",
            "cannot grant mail full",
        ),
        (
            UsedIds(product_levels=frozenset({("email", "basic")})),
            [('id = "email"', 'id = "e-mail"')],
            "product email",
            "cannot vanish",
        ),
    ],
)
def test_what_is_in_use_is_protected(
    in_use: UsedIds, replacements: list[tuple[str, str]], where: str, what: str
) -> None:
    new = changed(*replacements)
    (problem,) = refusals(small(), new, in_use)
    assert problem.where == where
    assert what in problem.what
    assert problem.hint
    assert refusals(small(), new, UsedIds()) == ()


@pytest.mark.parametrize(
    ("subject", "seats", "said"),
    [
        ("user", "true", "once a product that grants it was bought"),
        ("user", "false", "to users at once"),
        ("directory", "false", "with the first service of a user that requires it"),
        ("domain", "false", "to domains at once"),
        ("account", "true", "Provisioned when a product that grants it is bought"),
        ("account", "false", "to accounts at once"),
    ],
)
def test_a_new_service_is_said_to_come_as_its_subject_gets_it(
    subject: str, seats: str, said: str
) -> None:
    added = ARCHIVE.replace(
        'connector = "simulator"',
        f'connector = "simulator"\nsubject = "{subject}"\nseats = {seats}',
    ).replace("{username}", "{account}")
    (change,) = diff(parse(SMALL), parse(SMALL + added))
    assert said in change.consequence
