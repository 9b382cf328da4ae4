"""`templates`: what new users of an account are made like, saved under a name."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.common import options, results
from mission_control_tui.cli.common.lists import limited
from mission_control_tui.cli.common.output import attributes, line, when
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import NotFound, UsageError

if TYPE_CHECKING:
    from mission_control_tui.model.catalogue.types import Catalogue
    from mission_control_tui.model.onboarding.template_content import TemplateContent
    from mission_control_tui.model.onboarding.templates import Template
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.store.scope import AccountScope


@click.group()
def templates() -> None:
    """Templates: what new users are made like; fields and services, never identity or password."""


@templates.command("list")
@limited(200)
@options.OFFSET
@options.exports
@options.reads(
    "mission-control templates list", "mission-control templates list --all-accounts --csv"
)
def list_(session: Session, limit: int, offset: int) -> None:
    """The account's templates by name; those of all accounts too."""

    from mission_control_tui.model.onboarding.templates import list_templates

    results.tell_survey(
        *(session, "templates", session.survey(list_templates, limit=limit + 1, offset=offset)),
        ("Template", "Services", "Fields", "Saved"),
        *(_row, as_json),
        nothing="No templates yet: mission-control templates save NAME --like USER",
        limit=limit,
        offset=offset,
    )


def _row(template: Template) -> tuple[str, ...]:
    content = template.content
    services = ", ".join(f"{given.service} {given.level}" for given in content.services)
    return template.name, services, ", ".join(content.fields), when(template.updated_at)


@templates.command()
@argument("name")
@options.reads("mission-control templates show Sales")
def show(session: Session, name: str) -> None:
    """Everything in one template."""

    async def work(scope: AccountScope) -> tuple[Template, Catalogue]:
        from mission_control_tui.model.catalogue.in_force import current
        from mission_control_tui.model.onboarding.templates import show_template

        found = await show_template(scope, name)
        return found, (await current(scope.store)).catalogue

    found, catalogue = session.query(work)
    if session.printed({"template": as_json(found)}):
        return
    from mission_control_tui.model.onboarding.template_content import described

    line(f"{found.name}, saved by {found.operator} at {when(found.updated_at)}")
    for words in described(catalogue, found.content) or ("Nothing is in it.",):
        line(f"  {words}")


def stating(flag: str, name: str, shape: str, help_text: str) -> options.Decorator:
    """Return an option that says a part of a content, as `stated_content` takes it."""
    kind = options.Pair(f"{flag} {{}} is not {shape}.")
    return options.pairs((flag, name), shape, help_text, kind)


@templates.command()
@argument("name")
@option("--like", metavar="USER", help="What a new user like this one would get.")
@stating("--field", "fields", "FIELD=VALUE", "A field; may be repeated.")
@stating(
    "--give",
    "give",
    "SERVICE=LEVEL",
    "A service with its level; SERVICE/NAME=LEVEL for one of several. May be repeated.",
)
@stating(
    "--set",
    "settings",
    "SERVICE.OPTION=VALUE",
    "A setting of a service that is given; may be repeated.",
)
@option("--replace", is_flag=True, help="Replace the template of this name.")
@options.changes(
    "mission-control templates save Sales --like ada@acme.example",
    "mission-control templates save Kiosk --field department=Shop --give managed-exchange=popx",
)
def save(
    session: Session,
    name: str,
    like: str | None,
    fields: options.Pairs,
    give: options.Pairs,
    settings: options.Pairs,
    replace: bool,
) -> None:
    """Save a template, made like a user or of what is given.

    From a user come the fields of Organisation and Address, three flags of Account, and all services
    with levels and settings. What is one person's never does: names, UPN, username, phones, notes,
    aliases, forwarding and delegates.
    """
    if like is not None and (fields or give or settings):
        raise UsageError("Choose one: --like a user, or --field, --give and --set.")
    content = None if like is not None else stated_content(fields, give, settings)

    async def change(scope: AccountScope, *, dry_run: bool = False) -> Outcome[Template]:
        from mission_control_tui.model.onboarding.templates import save_template, show_template

        version = None
        if replace:
            with contextlib.suppress(NotFound):
                version = (await show_template(scope, name)).version
        return await save_template(
            scope, name, content, user=like, version=version, dry_run=dry_run
        )

    results.change_and_tell(session, _shown, change)


@templates.command()
@argument("name")
@argument("new_name")
@options.changes("mission-control templates rename Sales 'Sales Sydney'")
def rename(session: Session, name: str, new_name: str) -> None:
    """Call a template otherwise."""

    from mission_control_tui.model.onboarding.templates import rename_template

    results.change_and_tell(session, _shown, rename_template, name, new_name)


@templates.command()
@argument("name")
@options.destroys("mission-control templates remove Sales --yes")
def remove(session: Session, name: str) -> None:
    """Remove a template; users that were made from it stay as they are."""
    from mission_control_tui.model.onboarding.templates import remove_template

    session.confirm(f"Remove the template {name}?")
    results.change_and_tell(session, _shown, remove_template, name)


def _shown(template: Template) -> dict[str, object]:
    return {"template": as_json(template)}


def as_json(template: Template) -> dict[str, object]:
    """Return a template as JSON."""
    return {
        **attributes(template, "id", "name"),
        **template.content.to_json(),
        **attributes(template, "operator", "updated_at", "version"),
    }


def stated_content(
    fields: options.Pairs = (), give: options.Pairs = (), settings: options.Pairs = ()
) -> TemplateContent:
    """Return the content that --field, --give and --set state. Raises UsageError, InvalidInput."""
    from mission_control_tui.model.onboarding.template_content import (
        TemplateContent,
        TemplateService,
    )
    from mission_control_tui.model.people.fields import FIELD_BY_NAME, Value
    from mission_control_tui.model.people.values import parse_value

    stated: dict[str, Value] = {}
    for named, value in fields:
        name = named.replace("-", "_")
        if name not in FIELD_BY_NAME:
            raise UsageError(
                f"There is no field {name!r}.", hint=f"There are: {', '.join(FIELD_BY_NAME)}."
            )
        stated[name] = parse_value(FIELD_BY_NAME[name], value.strip())
    levels = {service: level.strip() for service, level in give}
    of: dict[str, dict[str, Any]] = {at: {} for at in levels}
    for where, value in settings:
        at, dot, name = where.rpartition(".")
        if not dot or at not in of:
            raise UsageError(
                f"--set {where}={value} is for no service that is given.",
                hint="Write it as SERVICE.OPTION=VALUE, with the same SERVICE as in --give.",
            )
        of[at][name] = value.strip()
    services = []
    for at, level in levels.items():
        service, _, instance = at.partition("/")
        services.append(TemplateService(service, level, of[at], instance))
    return TemplateContent(stated, tuple(services))


async def content_of(
    scope: AccountScope, template: str | None, like: str | None, services: bool = True
) -> TemplateContent:
    """Return what --template or --like says; nothing without either. Raises UsageError for both, NotFound."""
    from mission_control_tui.model.onboarding.template_content import TemplateContent
    from mission_control_tui.model.onboarding.template_content import like as like_user
    from mission_control_tui.model.onboarding.templates import show_template

    if template is not None and like is not None:
        raise UsageError("Choose one of --template and --like.")
    found = TemplateContent()
    if template is not None:
        found = (await show_template(scope, template)).content
    elif like is not None:
        found = await like_user(scope, like)
    return found if services else TemplateContent(found.fields)
