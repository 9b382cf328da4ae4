"""`password = "directory"`: users sign in with their directory account, which has to be required and to have one."""

from __future__ import annotations

from mission_control_tui.model.catalogue.file.parse import parse
from tests.directory_catalogue import directory_catalogue
from tests.model.catalogue.file.test_parse import problems_of


def test_a_service_may_leave_signing_in_to_the_directory() -> None:
    catalogue = parse(directory_catalogue())
    web, account = catalogue.service("web-hosting"), catalogue.service("directory-account")
    assert web.sign_in == "Web Hosting: users sign in with their directory account."
    assert not web.gets_password
    assert account.gets_password
    assert account.sign_in == ""


def test_what_is_required_by_what_is_required_counts() -> None:
    text = directory_catalogue().replace(
        'requires = ["domain-registration", "directory-account"]\npassword = "directory"\ninst',
        'requires = ["managed-exchange"]\npassword = "directory"\ninst',
    )
    assert parse(text).service("web-hosting").sign_in


def test_without_a_directory_account_nobody_could_sign_in() -> None:
    wrong = problems_of(directory_catalogue(requires=False))
    assert [problem.what for problem in wrong] == [
        "users would sign in with a directory account, and none is required"
    ] * 2
    assert 'subject = "directory"' in wrong[0].hint
    unsaid = directory_catalogue().replace(
        'connector = "simulator"\npassword = "user"\nseats', 'connector = "simulator"\nseats'
    )
    assert len(problems_of(unsaid)) == 2, "an account without a password lets nobody sign in"


def test_the_directory_account_itself_has_the_password() -> None:
    text = directory_catalogue().replace(
        'password = "user"\nseats', 'password = "directory"\nseats'
    )
    said = [problem.what for problem in problems_of(text)]
    assert "users sign in with this very account: it has their password" in said
