"""Passwords: the account's policy, each of its rules shown live, and passwords that can be read out on the phone."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass

from mission_control_tui.model.errors import InvalidInput, Problem

MAX_LENGTH = 256

_CLASSES = ("lower case", "upper case", "digits", "symbols")
_SHORTEST_NAME = 3
_GROUP = 4
_SHORTEST_GENERATED = 16
_READABLE = "".join(sorted(set(string.ascii_letters + string.digits) - set("0Oo1lI")))
_SEPARATORS = "-.!#"


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """What an account asks of passwords: `min_length` characters, `classes` of the four classes of characters.

    `forbid_username` refuses passwords that contain the username in any case; like Windows, it leaves usernames of
    fewer than three characters alone.
    """

    min_length: int = 8
    classes: int = 3
    forbid_username: bool = True

    def __post_init__(self) -> None:
        problems = []
        if not 1 <= self.min_length <= MAX_LENGTH:
            problems.append(Problem("min_length", f"must be 1 to {MAX_LENGTH}"))
        if not 0 <= self.classes <= len(_CLASSES):
            problems.append(Problem("classes", f"must be 0 to {len(_CLASSES)}"))
        if problems:
            raise InvalidInput("This password policy cannot be met.", problems=problems)


DEFAULT_POLICY = PasswordPolicy()


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule of the policy: its stable id, whether the password meets it, and the text to show. Holds no password."""

    rule: str
    met: bool
    text: str


def check(
    password: str, username: str, policy: PasswordPolicy = DEFAULT_POLICY
) -> tuple[RuleResult, ...]:
    """Return every rule of `policy` with its result, always the same rules in the same order."""
    results = [
        RuleResult(
            "length",
            policy.min_length <= len(password) <= MAX_LENGTH,
            f"At least {policy.min_length} characters",
        )
    ]
    if policy.classes:
        enough = len(_classes_of(password)) >= policy.classes
        text = f"At least {policy.classes} of: {', '.join(_CLASSES)}"
        results.append(RuleResult("classes", enough, text))
    if policy.forbid_username:
        name = username.casefold()
        apart = len(name) < _SHORTEST_NAME or name not in password.casefold()
        results.append(RuleResult("username", apart, "Does not contain the username"))
    text = "No line breaks or other characters that cannot be seen"
    return (*results, RuleResult("characters", password.isprintable(), text))


def problems_of(
    password: str, username: str, policy: PasswordPolicy = DEFAULT_POLICY
) -> tuple[Problem, ...]:
    """Return the rules that `password` breaks, for an error; none repeats the password."""
    return tuple(
        Problem("password", f"does not meet the rule: {result.text}")
        for result in check(password, username, policy)
        if not result.met
    )


def generate(policy: PasswordPolicy = DEFAULT_POLICY, username: str = "") -> str:
    """A random password of at least 16 characters that meets `policy` and does not contain `username` in any case.

    Groups of four letters and digits, none of which looks like another (no 0 O o 1 l I), as in Kp7m-xR4w-9fTc-Jh3n.
    """
    separator = next((mark for mark in _SEPARATORS if mark not in username), _SEPARATORS[0])
    size = max(_SHORTEST_GENERATED, policy.min_length)
    forbidden = username.casefold()
    while True:
        plain = "".join(secrets.choice(_READABLE) for _ in range(size))
        groups = (plain[start : start + _GROUP] for start in range(0, size, _GROUP))
        password = separator.join(groups)[:MAX_LENGTH]
        if (
            password[0].isalpha()  # a spreadsheet takes a leading sign for a formula
            and len(_classes_of(password)) == len(_CLASSES)
            and (not forbidden or forbidden not in password.casefold())
        ):
            return password


def _classes_of(password: str) -> set[str]:
    return {_class_of(char) for char in password}


def _class_of(char: str) -> str:
    if char.islower():
        return "lower case"
    if char.isupper():
        return "upper case"
    return "digits" if char.isdecimal() else "symbols"
