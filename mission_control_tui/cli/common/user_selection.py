"""Who a command for many is about: names in the call, in a file, or whoever has something."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from mission_control_tui.cli.common.parameters import option
from mission_control_tui.model.catalogue.lookup import did_you_mean
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.search.filters import UserFilter
from mission_control_tui.model.states import Light

_KEYS = ("service", "level", "light", "disabled", "domain")


users_from = option(
    "--users-from",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="All users in FILE: UPNs or usernames one a line, or a file as for `users import`.",
)
domains_from = option(
    "--domains-from",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="All domains in FILE, one a line or in a column Domain; for services of domains.",
)
where = option(
    "--where",
    "conditions",
    multiple=True,
    metavar="KEY=VALUE",
    help=f"Everybody with this; may be repeated. Keys: {', '.join(_KEYS)}.",
)


def picked(
    names: Sequence[str], path: Path | None, domains: Path | None, conditions: Sequence[str]
) -> list[str] | UserFilter:
    """Return the users or domains that a call names, in one of four ways. Raises UsageError and InvalidInput."""
    if sum(map(bool, (names, path, domains, conditions))) != 1:
        raise UsageError(
            "Say who it is for in one way: names, --users-from FILE, --domains-from FILE, or --where KEY=VALUE."
        )
    if conditions:
        return _where(conditions)
    if domains is not None:
        return domains_in(domains)
    return users_in(path) if path is not None else list(dict.fromkeys(names))


def _where(conditions: Sequence[str]) -> UserFilter:
    given: dict[str, str] = {}
    for condition in conditions:
        key, _, value = condition.partition("=")
        if key not in _KEYS or not value:
            guess = did_you_mean(key, _KEYS) if key not in _KEYS else ""
            hint = f"Write --where light=red. Keys: {', '.join(_KEYS)}."
            raise UsageError(
                f"--where {condition} cannot be understood.", hint=f"{guess} {hint}".strip()
            )
        given[key] = value
    light, disabled = given.get("light"), given.get("disabled")
    if light is not None and light not in set(Light):
        guess = did_you_mean(light, Light)
        hint = f"{guess} There are: {', '.join(Light)}.".strip()
        raise UsageError(f"There is no light {light}.", hint=hint)
    if disabled not in (None, "yes", "no"):
        raise UsageError("--where disabled= takes yes or no.")
    service, level = given.get("service", ""), given.get("level", "")
    return UserFilter(
        lights=frozenset({Light(light)} if light is not None else ()),
        services=frozenset({service} if service and not level else ()),
        levels=frozenset({(service, level)} if level else ()),
        disabled=None if disabled is None else disabled == "yes",
        domain=given.get("domain", ""),
    )


def domains_in(path: Path) -> list[str]:
    """Return the domains in a list or in a column of a file, each once. Raises UsageError and InvalidInput."""
    from mission_control_tui.model.onboarding.files.domain_names import domain_names
    from mission_control_tui.model.onboarding.files.read import contents

    return domain_names(contents(path), str(path))


def users_in(path: Path) -> list[str]:
    """Return the names in a list, or in a file of users, each once. Raises UsageError and InvalidInput."""
    from mission_control_tui.model.onboarding.files.read import contents
    from mission_control_tui.model.onboarding.files.user_names import user_names

    return user_names(contents(path), str(path))
