"""`users`: the list of users and one user. What changes users is in modules beside this one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common import results
from mission_control_tui.cli.common.lazy_group import LazyGroup
from mission_control_tui.cli.common.lists import limited, say_cut
from mission_control_tui.cli.common.next_commands import as_called
from mission_control_tui.cli.common.options import OFFSET, exports, reads
from mission_control_tui.cli.common.output import attributes, lights, line, print_csv, say, table
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.states import Wish
from mission_control_tui.model.text.clean import harmless, safe_cell

if TYPE_CHECKING:
    from mission_control_tui.model.search.filters import UserFilter
    from mission_control_tui.model.search.results import FoundUser
    from mission_control_tui.model.search.user_list import UserPage
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.views import AssignmentView, UserLine, UserView

COMMANDS = {
    "list": ("List and find users.", "users.users:list_users"),
    "recent": ("Whom you looked at last.", "users.find:recent"),
    "show": ("Everything about one user.", "users.users:show"),
    "create": ("Create a user.", "users.change:create"),
    "edit": ("Change a user's details.", "users.change:edit"),
    "import": ("Create and update users from a file.", "users.import_file:import_file"),
    "export": ("All users with every field, to be imported.", "users.export:export"),
    "paste": ("Create users from a list of names.", "users.paste:paste"),
    "password": ("Set a user's or a database's password.", "users.password:password"),
    "disable": ("Suspend all that a user has.", "users.change:disable"),
    "enable": ("Undo disable.", "users.change:enable"),
    "unlock": ("End Mission Control's own lock of a user.", "users.change:unlock"),
    "alias": ("Further addresses: add, remove, primary.", "users.change:alias"),
    "deprovision": ("Take every service away.", "users.change:deprovision"),
    "delete": ("Put a user into the recycling bin.", "users.change:delete"),
    "restore": ("Bring a user back from the bin.", "users.change:restore"),
    "bin": ("The recycling bin.", "users.bin:recycling_bin"),
    "purge": ("Empty it of somebody, for good.", "users.bin:purge"),
    "history": ("What happened to a user.", "users.history:history"),
}
HEADINGS = ("UPN", "Display name", "Services", "Flags")
CSV_HEADINGS = ("upn", "display_name", "username", "flags", "lights")
LIGHTS = ("grey", "red", "orange", "green")


@click.group(cls=LazyGroup, lazy=COMMANDS)
def users() -> None:
    """Users: create, edit, import and more.

    A user is named by UPN, alias, username or id.
    """


@click.command("list")
@argument("query", required=False, default="")
@option("--light", type=click.Choice(LIGHTS), help="Only who has a service with this light.")
@option("--disabled/--enabled", default=None, help="Only who is disabled, or who is not.")
@option("--bin", "in_bin", is_flag=True, help="The recycling bin instead.")
@limited(50)
@OFFSET
@exports
@reads(
    "mission-control users list lovelace --light red",
    "mission-control users list --all-accounts --disabled --csv",
)
def list_users(
    session: Session,
    query: str,
    light: str | None,
    disabled: bool | None,
    in_bin: bool,
    limit: int,
    offset: int,
) -> None:
    """List users by display name; QUERY finds by the beginning of names, UPN, alias or phone.

    Those of all accounts are listed by the accounts' codes and their names.
    """
    session.require_one_format()

    from mission_control_tui.model.search.filters import UserFilter
    from mission_control_tui.model.search.user_list import page
    from mission_control_tui.model.states import Light

    lights = frozenset({Light(light)} if light else ())
    wanted = UserFilter(query, lights, disabled=disabled, in_bin=in_bin)
    if session.all_accounts:
        _of_all(session, wanted, limit, offset)
        return
    found = session.query(page, wanted, offset=offset, limit=limit)
    document = {
        "users": [_line(user) for user in found.rows],
        "total": found.total,
        "more": _is_cut(found, offset),
    }
    if session.printed(document):
        return
    if session.csv:
        _print_csv(found.rows)
        if _is_cut(found, offset):
            say_cut(len(found.rows))
    else:
        _print_table(found, offset, in_bin=in_bin)


def _of_all(session: Session, wanted: UserFilter, limit: int, offset: int) -> None:
    from mission_control_tui.model.search.all_users import users_of_all

    found = session.survey(users_of_all, wanted, limit=limit + 1, offset=offset)
    results.tell_survey(
        *(session, "users", found),
        CSV_HEADINGS if session.csv else HEADINGS,
        _csv_row if session.csv else _row,
        lambda user: {"id": user.user_id, **_about(user)},
        nothing="Nobody is in the recycling bin." if wanted.in_bin else "No users found.",
        limit=limit,
        offset=offset,
    )


def _is_cut(found: UserPage, offset: int) -> bool:
    return found.more or offset + len(found.rows) < found.total


def _line(user: UserLine) -> dict[str, object]:
    return {"id": user.id, **_about(user)}


def _about(user: UserLine | FoundUser) -> dict[str, object]:
    return {
        **attributes(user, "upn", "display_name", "username", "disabled", "locked"),
        "lights": [{"service": service, "light": light} for service, light in user.lights],
    }


def _flags(user: UserLine | FoundUser) -> str:
    return ", ".join(flag for flag in ("disabled", "locked") if getattr(user, flag))


def _row(user: UserLine | FoundUser) -> tuple[str, ...]:
    return user.upn, user.display_name, lights(user.lights), _flags(user)


def _csv_row(user: UserLine | FoundUser) -> tuple[str, ...]:
    shown = "; ".join(f"{service}={light}" for service, light in user.lights)
    return user.upn, user.display_name, user.username, _flags(user), shown


def _print_csv(rows: tuple[UserLine, ...]) -> None:
    cells = ([safe_cell(harmless(cell)) for cell in _csv_row(user)] for user in rows)
    print_csv([CSV_HEADINGS, *cells], line_end="\n")


def _print_table(found: UserPage, offset: int, *, in_bin: bool) -> None:
    if not found.rows:
        say("Nobody is in the recycling bin." if in_bin else "No users found.")
        return
    table(HEADINGS, [_row(user) for user in found.rows])
    last = offset + len(found.rows)
    if offset or _is_cut(found, offset):
        all_of_them = " All of them: --limit all" * _is_cut(found, offset)
        say(f"{offset + 1} to {last} of {found.total}{' or more' * found.more}.{all_of_them}")


async def _with_services(
    scope: AccountScope, user: str
) -> tuple[UserView, Sequence[AssignmentView]]:
    from mission_control_tui.model.services.kept_settings import with_not_kept
    from mission_control_tui.model.services.lights import status
    from mission_control_tui.model.users.queries import details

    view = await details(scope, user)
    if view.in_bin:
        return view, ()
    return view, await with_not_kept(scope.store, await status(scope, user=view.id))


@click.command()
@argument("user")
@reads("mission-control users show ada.lovelace@acme.example")
def show(session: Session, user: str) -> None:
    """Show everything about one user; what is empty is left out."""

    view, services = session.query(_with_services, user)
    usage = [
        {"service": service.service_id, "instance": service.instance, "name": name, **found}
        for service in services
        for name, found in sorted(service.usage.items())
        if isinstance(found, dict)
    ]
    not_kept = [
        {"service": service.service_id, "instance": service.instance, "option": name}
        for service in services
        for name in service.not_kept
    ]
    if session.printed({**results.user(view), "usage": usage, "not_kept": not_kept}):
        return
    from mission_control_tui.model.people.fields import FIELDS
    from mission_control_tui.model.people.values import text_of

    stated = ((field.label, getattr(view.details, field.name)) for field in FIELDS)
    rows = [(label, text_of(value)) for label, value in stated if value]
    rows += [("Alias", alias) for alias in view.aliases]
    rows.append(("Primary address", view.primary_address))
    if view.locked:
        rows.append(("Locked", "yes"))
    if view.in_bin:
        rows.append(("In the recycling bin since", f"{view.deleted_at:%Y-%m-%d %H:%M} UTC"))
    for setting in view.unsettled:
        rows += [
            ("To be settled", str(setting)),
            ("", f"To take it away: {as_called(setting.command)}"),
        ]
    for service in services:
        named = " ".join(filter(None, (service.service, service.instance)))
        if service.service_id in session.settings.placement and service.wish is not Wish.ABSENT:
            rows.append(("Connector", f"{named}: {service.connector}"))
        if used := results.usage_words(service):
            rows.append(("Used", f"{named}: {used}"))
        if service.not_kept:
            said = f"{named}: {', '.join(service.not_kept)}, by connector {service.connector}"
            rows.append(("Not kept", said))
        if service.kept_until is not None:
            rows.append(("Kept", f"{named}: suspended until {service.kept_until:%Y-%m-%d}"))
    if view.password_waiting:
        rows.append(("Password", "waits to be delivered"))
    rows += [("Created", f"{view.created_at:%Y-%m-%d %H:%M} UTC"), ("Id", view.id)]
    width = max(len(label) for label, _ in rows)
    for label, text in rows:
        line(f"{label:{width}}  {text}")
