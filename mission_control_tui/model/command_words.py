"""What the command line calls a change, in words: the audit keeps them, so that a session can be done again.

No password is ever among them: a command that sets one makes a new one and names the file it goes to.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from mission_control_tui.model.people.fields import FIELDS, FieldKind, UserDetails, Value

Words = tuple[str, ...]


def command_line(*words: str) -> str:
    """Return a command as it is typed into a shell, each word quoted where it has to be."""
    return shlex.join(("mission-control", *words))


def flags(values: Mapping[str, object]) -> Words:
    """Return the options of `users create` and `users edit` that state these fields, in the order of the form."""
    words: list[str] = []
    for field in FIELDS:
        if field.name not in values:
            continue
        value = values[field.name]
        if field.kind is FieldKind.FLAG:
            words.append(field.flag if value else f"--no-{field.flag.removeprefix('--')}")
        else:
            words += [field.flag, "" if value is None else str(value)]
    return tuple(words)


def create_user(details: UserDetails) -> Words:
    """Return `users create`, with a generated password whatever it was."""
    stated: dict[str, Value] = {
        field.name: value
        for field in FIELDS
        if (value := getattr(details, field.name)) not in ("", None, False)
    }
    return ("users", "create", *flags(stated), *_file(details.username))


def edit_user(upn: str, after: Mapping[str, object]) -> Words:
    """Return `users edit`, or the shorter `users disable` and `users enable` where nothing else changes."""
    if set(after) == {"disabled"}:
        return ("users", "disable" if after["disabled"] else "enable", upn)
    return ("users", "edit", upn, *flags(after))


def addresses(upn: str, before: Mapping[str, object], after: Mapping[str, object]) -> list[Words]:
    """Return the `users alias` commands from one state (`aliases`, `primary_address`) to another."""
    had = _list(before.get("aliases")) if "aliases" in after else []
    has = _list(after.get("aliases"))
    words: list[Words] = [
        ("users", "alias", "add", upn, address) for address in has if address not in had
    ]
    if "primary_address" in after:
        words.append(("users", "alias", "primary", upn, str(after["primary_address"])))
    words += [("users", "alias", "remove", upn, address) for address in had if address not in has]
    return words


def password(upn: str, username: str, service: str = "", instance: str = "") -> Words:
    """Return `users password` with a generated one."""
    of = ("--service", service) if service else ()
    return ("users", "password", upn, *of, *instance_flag(instance), *_file(username))


def provision(
    who: Words,
    service: str,
    level: str,
    settings: Mapping[str, object],
    *,
    instance: str = "",
    adopt: bool = False,
    new_password: bool = False,
    on: str = "",
) -> Words:
    """Return `provision` with the settings that were stated; `who` is a UPN, or what names another subject."""
    return (
        *("provision", *who, service, "--level", level),
        *setting_flags(settings),
        *instance_flag(instance),
        *(("--adopt",) if adopt else ()),
        *(("--on", on) if on else ()),
        *(_file(f"{who[-1].partition('@')[0].strip('-')}-{service}") if new_password else ()),
    )


def turn(kind: str, who: Words, service: str, instance: str = "") -> Words:
    """Return `suspend`, `resume` or `deprovision`; `who` is a UPN, or what names another subject."""
    sure = ("--yes",) if kind == "deprovision" else ()
    return (kind, *who, service, *instance_flag(instance), *sure)


def move(
    who: Words,
    service: str,
    to: str,
    *,
    instance: str = "",
    at_once: bool = False,
    reset: bool = False,
    new_password: bool = False,
) -> Words:
    """Return `move`; `who` is a UPN, or what names another subject."""
    made = reset or new_password
    return (
        *("move", *who, service, "--to", to),
        *instance_flag(instance),
        *(("--now",) if at_once else ()),
        *(("--reset-password",) if reset else ()),
        *(_file(f"{who[-1].partition('@')[0].strip('-')}-{service}") if made else ()),
        "--yes",
    )


def buy(
    product: str, level: str, quantity: int, term: int, domain: str, answers: Mapping[str, object]
) -> Words:
    """Return `buy` with all its answers."""
    return (
        *("buy", product, "--level", level),
        *(("--quantity", str(quantity)) if quantity != 1 else ()),
        *(("--term", str(term)) if term else ()),
        *(("--domain", domain) if domain else ()),
        *setting_flags(answers),
    )


def renew(domain: str, term: int) -> Words:
    """Return `renew`."""
    return ("renew", domain, "--term", str(term))


def remove(product: str, level: str, quantity: int, domain: str) -> Words:
    """Return `remove`, of seats or of a bought domain."""
    what = ("--domain", domain) if domain else ("--level", level, "--quantity", str(quantity))
    return ("remove", product, *what, "--yes")


def edit_account(code: str, after: Mapping[str, object]) -> Words:
    """Return `account edit`."""
    words = ["account", "edit", code]
    for name, flag in (
        ("name", "--name"),
        ("time_zone", "--time-zone"),
        ("customer_number", "--customer-number"),
    ):
        if name in after:
            words += [flag, str(after[name])]
    policy = after.get("password_policy")
    if isinstance(policy, Mapping):
        words += ["--password-length", str(policy["min_length"])]
        words += ["--password-classes", str(policy["classes"])]
    return tuple(words)


def setting_flags(values: Mapping[str, object]) -> Words:
    """Return `--set NAME=VALUE` for each."""
    return tuple(
        word for name, value in values.items() for word in ("--set", f"{name}={option_text(value)}")
    )


def instance_flag(name: str) -> Words:
    """Return `--instance NAME`, or nothing."""
    return ("--instance", name) if name else ()


def _list(value: object) -> list[str]:
    return [str(address) for address in value] if isinstance(value, list | tuple) else []


def _file(name: str) -> Words:
    return ("--passwords-out", f"{name}.csv")


def option_text(value: object, *, yes: str = "true", no: str = "false") -> str:
    """Return a value as an option takes it: a list with commas, nothing for None."""
    if isinstance(value, bool):
        return yes if value else no
    if isinstance(value, list | tuple):
        return ",".join(str(item) for item in value)
    return "" if value is None else str(value)
