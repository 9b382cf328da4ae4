"""`users create`, `edit`, `disable`, `enable`, `unlock`, `deprovision`, `delete`, `restore` and `alias`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec

import click

from mission_control_tui.cli.common import passwords, results
from mission_control_tui.cli.common.options import NOW, changes, changes_user, destroys, waits
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.common.user_fields import field_options, stated
from mission_control_tui.cli.users.templates import content_of
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.people.fields import UserDetails

if TYPE_CHECKING:
    from mission_control_tui.model.onboarding.new_user import NewUserResult
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.views import UserView

P = ParamSpec("P")


@click.command()
@field_options
@option("--template", metavar="NAME", help="Make it like this saved template.")
@option("--like", metavar="USER", help="Make it like this user.")
@option("--no-services", is_flag=True, help="Of a template or user the fields alone.")
@passwords.password_stdin
@passwords.passwords_out
@waits
@changes(
    "mission-control users create --upn ada@acme.example --first-names Ada \\",
    "    --last-name Lovelace --like grace@acme.example --passwords-out ada.csv",
)
def create(
    session: Session,
    template: str | None,
    like: str | None,
    no_services: bool,
    password_stdin: bool,
    **options: Any,
) -> None:
    """Create a user.

    Without --display-name it is "First Last", without --username one is made from the UPN. The
    password comes from standard input or is generated into a file; nothing is created without one.
    With --like or --template the user also gets those fields, where none are given, and services
    with levels and settings, all in one transaction.
    """
    given = passwords.chosen_source(session, password_stdin)
    fields = stated(options)

    async def change(scope: AccountScope, *, dry_run: bool = False) -> Outcome[NewUserResult]:
        from mission_control_tui.model.onboarding.new_user import create_with
        from mission_control_tui.model.people.names import display_name_for
        from mission_control_tui.model.users.queries import free_username

        upn = str(fields.get("upn", ""))
        if not fields.get("display_name"):
            names = str(fields.get("first_names", "")), str(fields.get("last_name", ""))
            fields["display_name"] = display_name_for(*names)
        if not fields.get("username") and upn:
            fields["username"] = await free_username(scope, upn)
        content = await content_of(scope, template, like, not no_services)
        details = content.fill(UserDetails(**fields), stated=fields)  # type: ignore[arg-type]
        scope = passwords.kept_in(scope, file)
        return await create_with(
            scope, details, given, content.services, generate=given is None, dry_run=dry_run
        )

    with passwords.named_file(session) as file:
        outcome, lights = results.carry_out_and_wait(session, lambda made: made.user.id, change)
    results.tell(session, outcome, {"user": results.user(outcome.result.user)}, lights)


@click.command()
@argument("user")
@field_options
@waits
@changes("mission-control users edit ada@acme.example --title Analyst --manager bob@acme.example")
def edit(session: Session, user: str, **options: Any) -> None:
    """Change a user's details; "" empties a field.

    Services that have to know are told. A changed UPN keeps the old one as an alias.
    """
    fields = stated(options)
    if not fields:
        raise UsageError(
            "There is nothing to change.", hint="Name a field, as in --title Analyst; see --help."
        )
    from mission_control_tui.model.users.editing import edit_user

    change_user(session, edit_user, user, fields)


def change_user(
    session: Session, change: results.Change[P, UserView], /, *args: P.args, **options: P.kwargs
) -> None:
    """Make one change of one user, wait for the user's lights with --wait, and tell it."""
    results.change_and_wait(session, _shown, lambda view: view.id, change, *args, **options)


def _shown(view: UserView) -> dict[str, object]:
    return {"user": results.user(view)}


@click.command()
@changes_user("mission-control users disable ada@acme.example --ticket T-1042")
def disable(session: Session, user: str) -> None:
    """Suspend all that a user has; data and seats stay. Undone by `users enable`."""
    from mission_control_tui.model.users.editing import disable_user

    change_user(session, disable_user, user)


@click.command()
@changes_user("mission-control users enable ada@acme.example")
def enable(session: Session, user: str) -> None:
    """Undo `users disable`; a service that was suspended by itself stays so."""
    from mission_control_tui.model.users.editing import enable_user

    change_user(session, enable_user, user)


@click.command()
@changes_user("mission-control users unlock ada@acme.example")
def unlock(session: Session, user: str) -> None:
    """Let a user in again who is locked in Mission Control.

    A lock that a back end set by itself, as a directory does after wrong passwords, is neither seen nor ended by this.
    """
    from mission_control_tui.model.users.editing import unlock_user

    change_user(session, unlock_user, user)


@click.command()
@argument("user")
@NOW
@waits
@destroys("mission-control users deprovision ada@acme.example --yes --wait 60")
def deprovision(session: Session, user: str, now: bool) -> None:
    """Take every service away from a user, with its data."""
    from mission_control_tui.model.users.provisioning import deprovision_all

    session.confirm(f"Take every service away from {user}, with its data?")
    shown = results.under("given")
    results.change_and_wait(session, shown, lambda _: user, deprovision_all, user, at_once=now)


@click.command()
@argument("user")
@destroys("mission-control users delete ada@acme.example --yes")
def delete(session: Session, user: str) -> None:
    """Put a user into the recycling bin, once no service is left.

    UPN, aliases and username stay reserved; `users restore` brings the user back.
    """
    from mission_control_tui.model.recycle_bin.deletion import delete_user

    session.confirm(f"Put {user} into the recycling bin?")
    change_user(session, delete_user, user)


@click.command()
@argument("user")
@changes("mission-control users restore ada@acme.example")
def restore(session: Session, user: str) -> None:
    """Bring a user back from the recycling bin, without any service."""
    from mission_control_tui.model.recycle_bin.deletion import restore_user

    change_user(session, restore_user, user)


@click.group()
def alias() -> None:
    """A user's further addresses, and which one recipients see."""


@alias.command()
@changes_user("mission-control users alias add ada@acme.example countess@acme.example")
@argument("address")
def add(session: Session, user: str, address: str) -> None:
    """Give a user a further address."""
    from mission_control_tui.model.users.editing import add_alias

    change_user(session, add_alias, user, address)


@alias.command()
@changes_user("mission-control users alias remove ada@acme.example countess@acme.example")
@argument("address")
def remove(session: Session, user: str, address: str) -> None:
    """Take an alias or a former UPN away, which frees it."""
    from mission_control_tui.model.users.editing import remove_alias

    change_user(session, remove_alias, user, address)


@alias.command()
@changes_user("mission-control users alias primary ada@acme.example countess@acme.example")
@argument("address")
def primary(session: Session, user: str, address: str) -> None:
    """Make one of the user's addresses the one that recipients see and reply to."""
    from mission_control_tui.model.users.editing import set_primary

    change_user(session, set_primary, user, address)
