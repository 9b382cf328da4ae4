"""Passwords: every rule of the policy, and generated ones that always meet it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.model.people.password_policy import (
    PasswordPolicy,
    check,
    generate,
    problems_of,
)

POLICIES = st.builds(PasswordPolicy, st.integers(1, 256), st.integers(0, 4), st.booleans())


def broken(password: str, username: str = "ada.lovelace", **policy: int) -> set[str]:
    results = check(password, username, PasswordPolicy(**policy))  # type: ignore[arg-type]
    return {result.rule for result in results if not result.met}


@pytest.mark.parametrize(
    ("password", "rules"),
    [
        ("Kestrel-47", set()),
        ("kestrel47-", set()),
        ("Kestrel", {"length", "classes"}),
        ("kestrelkestrel", {"classes"}),
        ("Kestrelkestrel", {"classes"}),
        ("KESTREL47", {"classes"}),
        ("xAda.LOVELACE-47", {"username"}),
        ("", {"length", "classes"}),
        ("Kestrel-47\n", {"characters"}),
        ("Kestrel-47" * 26, {"length"}),
    ],
)
def test_each_rule_is_judged_on_its_own(password: str, rules: set[str]) -> None:
    assert broken(password) == rules


def test_accented_letters_count_in_their_class_and_spaces_as_symbols() -> None:
    assert broken("ÉCOLE-école", min_length=8) == set()
    assert broken("correct horse Battery") == set()


def test_usernames_of_two_characters_are_left_alone() -> None:
    assert broken("Jolly-Roger-47", username="jo") == set()
    assert broken("Jolly-Roger-47", username="jol") == {"username"}


def test_all_rules_come_in_the_same_order_whatever_is_typed() -> None:
    policy = PasswordPolicy()
    asked = [result.rule for result in check("", "ada", policy)]
    assert asked == [result.rule for result in check("Kestrel-47", "ada", policy)]
    assert all(result.text for result in check("", "ada", policy))


def test_problems_and_results_never_show_the_password() -> None:
    password = "sesame"
    assert problems_of(password, "x")
    assert password not in repr(problems_of(password, "x")) + repr(check(password, "x"))


@pytest.mark.parametrize("policy", [{"min_length": 0}, {"min_length": 300}, {"classes": 5}])
def test_a_policy_that_nobody_can_meet_is_refused(policy: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(policy))):
        PasswordPolicy(**policy)  # type: ignore[arg-type]


@given(policy=POLICIES, username=st.one_of(st.text(max_size=3), st.sampled_from("-.!#aZ7")))
def test_generated_passwords_meet_the_policy_and_can_be_read_out(
    policy: PasswordPolicy, username: str
) -> None:
    password = generate(policy, username)
    assert problems_of(password, username, policy) == ()
    assert not username or username.casefold() not in password.casefold()
    assert not set("0Oo1lI") & set(password)
    assert len(password) >= 16
    assert password[0].isalpha()


def test_generated_passwords_differ() -> None:
    assert len({generate() for _ in range(200)}) == 200
