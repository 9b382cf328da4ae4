"""`provision`: give a service to one user or to many."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.commands import passwords, results, waiting
from mission_control_tui.cli.commands.turning import deprovision, resume, suspend
from mission_control_tui.cli.options import changes, example, waits
from mission_control_tui.cli.output import say
from mission_control_tui.cli.session import Session, pass_session
from mission_control_tui.model.errors import InvalidInput, Problem, UsageError

if TYPE_CHECKING:
    from mission_control_tui.model.bulk import GivenTo
    from mission_control_tui.model.database import Store
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.views import AssignmentView

__all__ = ["deprovision", "provision", "resume", "suspend"]


@click.command()
@click.argument("names", nargs=-1, metavar="[USER] SERVICE")
@click.option("--level", metavar="LEVEL", help="The level to give, by name or id.")
@click.option(
    "--set", "settings", multiple=True, metavar="OPTION=VALUE", help="A setting; may be repeated."
)
@click.option("--instance", default="", metavar="NAME", help="Which of several of this service.")
@click.option("--adopt", is_flag=True, help="Take over what is there already at the back end.")
@click.option(
    "--users-from",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Give it to all users in FILE: UPNs one a line, or a file as for `users import`.",
)
@passwords.passwords_out
@waits
@changes
@pass_session
@example(
    'mission-control provision ada@acme.example "Managed Exchange" --level popx --wait 60',
    "mission-control provision ada@acme.example databases --level small \\",
    "    --passwords-out ada-db.csv",
)
def provision(
    session: Session,
    names: tuple[str, ...],
    level: str | None,
    settings: tuple[str, ...],
    instance: str,
    adopt: bool,
    users_from: Path | None,
    passwords_out: Path | None,
    wait: float | None,
) -> None:
    """Give a service to USER, change its level or settings, or try again what is red.

    What is so already is left alone. A service with a password of its own (a database) gets a
    generated one, written to the file of --passwords-out.
    """
    users, service = _who_and_what(names, users_from)
    options = settings_of(settings)

    async def work(
        store: Store, stack: contextlib.ExitStack
    ) -> tuple[Outcome[tuple[GivenTo, ...]], tuple[AssignmentView, ...]]:
        from mission_control_tui.model.bulk import provision_many
        from mission_control_tui.model.provision import Wanted
        from mission_control_tui.model.states import Priority

        account = await session.account_id(store)
        wanted = Wanted(service, level, options, instance, adopt)
        priority = Priority.BULK if users_from else Priority.INTERACTIVE

        async def give(dry_run: bool) -> Outcome[tuple[GivenTo, ...]]:
            return await provision_many(
                store, session.caller, account, users, wanted, priority=priority, dry_run=dry_run
            )

        tried = await give(True)
        file = _password_file(session, tried.result, passwords_out, stack)
        if session.dry_run:
            return tried, ()
        outcome = await give(False)
        _keep_passwords(outcome.result, instance, file)
        if outcome.plan.requests:
            await waiting.wake(session, store)
        if wait is None:
            return outcome, ()
        ids = [one.given.assignment_id for one in outcome.result]
        lights = await waiting.until_settled_ids(session, store, account, ids, wait)
        return outcome, lights

    with contextlib.ExitStack() as stack:
        outcome, lights = session.run(lambda store: work(store, stack))
    given = [results.given(one.upn, instance, one.given) for one in outcome.result]
    results.tell(session, outcome, {"given": given}, lights, wait)


def _who_and_what(names: Sequence[str], users_from: Path | None) -> tuple[list[str], str]:
    if users_from is None:
        if len(names) != 2:
            raise UsageError(
                "Say who gets what: mission-control provision USER SERVICE.",
                hint="A name with spaces needs quotes. `mission-control services list` names services.",
            )
        return [names[0]], names[1]
    if len(names) != 1:
        raise UsageError("With --users-from only the service is named: provision SERVICE.")
    return _users_in(users_from), names[0]


def _users_in(path: Path) -> list[str]:
    """The UPNs in a list, or in a file of users, each once. Raises UsageError and InvalidInput."""
    from mission_control_tui.model.imports.detect import open_text
    from mission_control_tui.model.imports.read import contents, read_users

    data = contents(path)
    records = [record.cells for record in open_text(data).records() if any(record.cells)]
    if (
        records
        and all(len([cell for cell in cells if cell]) == 1 for cells in records)
        and ("@" in records[0][0])
    ):
        found = [cells[0].strip() for cells in records]
    else:
        rows = read_users(data, source=str(path)).rows
        missing = [row.row for row in rows if not row.fields.get("upn")]
        if missing:
            raise InvalidInput(
                f"{path} names no user in some rows. Nothing was changed.",
                problems=[Problem(f"row {row}", "has no UPN") for row in missing],
            )
        found = [str(row.fields["upn"]) for row in rows]
    if not found:
        raise InvalidInput(f"{path} names nobody.", hint="It needs one UPN a line.")
    return list(dict.fromkeys(found))


def settings_of(given: Sequence[str]) -> dict[str, object]:
    """The settings of `--set OPTION=VALUE`. Raises UsageError."""
    options: dict[str, object] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {one} is no setting.", hint="Write --set quota=2048.")
        options[name.strip()] = value
    return options


def _password_file(
    session: Session,
    tried: Sequence[GivenTo],
    path: Path | None,
    stack: contextlib.ExitStack,
) -> passwords.PasswordFile | None:
    """The file for the passwords that will be made. Raises UsageError when none is named."""
    if not any(one.given.password for one in tried):
        if path is not None:
            say(f"No password is generated: {path} is not needed.")
        return None
    if path is None:
        raise UsageError(
            "This generates a password, which has to go somewhere. Nothing was changed.",
            hint="Name a new file for it: --passwords-out FILE",
        )
    if session.dry_run:
        passwords.refuse_existing(path)
        return None
    return stack.enter_context(passwords.reserved(path))


def _keep_passwords(
    given: Sequence[GivenTo], instance: str, file: passwords.PasswordFile | None
) -> None:
    made = [
        (one.upn, one.given.service_id, instance, one.given.backend_name, one.given.password)
        for one in given
        if one.given.password is not None
    ]
    if made and file is not None:
        file.write(passwords.OF_SERVICES, made)
    elif made:
        say(
            "A password was generated and nobody knows it. Set another: mission-control users "
            f"password {made[0][0]} --service {made[0][1]} --passwords-out FILE"
        )
