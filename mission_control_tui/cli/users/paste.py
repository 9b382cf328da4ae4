"""`users paste`: a list of names becomes users, with services, in one pass."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.bulk import output
from mission_control_tui.cli.bulk import running as bulk_running
from mission_control_tui.cli.common import passwords, waiting
from mission_control_tui.cli.common.options import Pair, changes, pairs, waits
from mission_control_tui.cli.common.output import attributes, line, say
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.users.templates import content_of, stated_content
from mission_control_tui.model.errors import ImportIncomplete, InvalidInput, UsageError
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.counting import counted

if TYPE_CHECKING:
    from mission_control_tui.model.bulk.views import BulkView
    from mission_control_tui.model.onboarding.paste import PasteChoices, PasteResult
    from mission_control_tui.model.onboarding.pasted_list import PastedList
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.views import RevealedPassword

PATTERNS = ("first.last", "flast", "first", "last.first", "firstlast")
NAMED = 50
"""How many problems an error names; JSON has them all."""


@click.command("paste")
@argument("file", type=click.Path(path_type=Path), metavar="[FILE]", default="-", required=False)
@option("--domain", metavar="DOMAIN", help="Where the UPNs are; without, what most users have.")
@option(
    "--pattern",
    type=click.Choice(PATTERNS),
    default="first.last",
    show_default=True,
    help="How UPNs are made of names.",
)
@option("--template", metavar="NAME", help="What everybody gets: a saved template.")
@option("--like", metavar="USER", help="What everybody gets: what this user has.")
@pairs(
    *(("--level", "levels"), "SERVICE=LEVEL", "A service that everybody gets; may be repeated."),
    Pair("--give {} is not SERVICE=LEVEL."),
)
@option("--no-services", is_flag=True, help="Of a template or user the fields alone.")
@option("--allow-short", is_flag=True, help="Where seats are short, the last go without.")
@passwords.passwords_out
@waits
@changes(
    "mission-control users paste new.txt --template Sales --passwords-out new.csv",
    "mission-control users paste - --level managed-exchange=popx --dry-run",
)
def paste(session: Session, file: Path, **given: Any) -> None:
    """Create users from a list of names in FILE ("-" is standard input), and give them services.

    One person a line, as "Ada Lovelace", "Lovelace, Ada", "Ada Lovelace <ada@acme.example>" or an
    address; numbered, bulleted, or a table with headings. An address at one of the account's domains
    becomes the UPN, others are made by --pattern. Users and one bulk for their services are committed
    together, after the passwords are in their file. Lines that cannot be used are told, all of them.
    """
    from mission_control_tui.model.onboarding.pasted_list import read_list

    pasted = read_list(_text(file))
    if not pasted.people:
        raise InvalidInput("There is nobody in this list.", hint="One person a line.")
    if not session.dry_run and session.passwords_out is None:
        raise UsageError(
            "New users get generated passwords, which have to go somewhere. Nothing was changed.",
            hint="Name a new file for them: --passwords-out FILE",
        )
    with passwords.named_file(session) as kept:
        outcome, bulk = session.query(_work, session, pasted, kept, given)
    if not session.printed(_json(outcome, bulk)):
        _print(outcome, bulk, pasted, session.passwords_out)
    _finish(outcome)


def _text(path: Path) -> str:
    from mission_control_tui.model.onboarding.files.detect import open_text
    from mission_control_tui.model.onboarding.files.read import contents, streamed

    data = streamed(sys.stdin.buffer) if str(path) == "-" else contents(path)
    return data.decode(open_text(data).encoding).removeprefix("\ufeff")


async def _choices(scope: AccountScope, given: Any) -> PasteChoices:
    from mission_control_tui.model.domains.address_registry import usual_domain
    from mission_control_tui.model.onboarding.paste import PasteChoices
    from mission_control_tui.model.onboarding.upn_proposals import Pattern

    if given["levels"] and (given["template"] is not None or given["like"] is not None):
        raise UsageError("Choose one: --template, --like or --level.")
    domain = given["domain"] or await usual_domain(scope)
    if not domain:
        raise UsageError("The account has no domain yet.", hint="Buy one, or add one, first.")
    if given["levels"]:
        content = stated_content(give=given["levels"])
    else:
        content = await content_of(
            scope, given["template"], given["like"], not given["no_services"]
        )
    return PasteChoices(domain, Pattern(given["pattern"]), content)


async def _work(
    scope: AccountScope,
    session: Session,
    pasted: PastedList,
    file: passwords.PasswordFile | None,
    given: Any,
) -> tuple[Outcome[PasteResult], BulkView | None]:
    from mission_control_tui.model.onboarding.paste import paste as paste_list

    choices = await _choices(scope, given)
    own = await _own_passwords(scope.store, choices)

    def keep(made: Sequence[RevealedPassword]) -> None:
        if file is not None:
            file.keep(made, passwords.OF_SERVICES if own else passwords.OF_USERS)

    outcome = await paste_list(
        scope, pasted, choices, keep=keep, allow_short=given["allow_short"], dry_run=session.dry_run
    )
    bulk = outcome.result.bulk
    if bulk is None:
        return outcome, None
    bulk = await bulk_running.see_through(session, scope, bulk, file)
    if session.wait is not None:
        await bulk_running.judge(scope, bulk, session.wait)
    return outcome, bulk


async def _own_passwords(store: Store, choices: PasteChoices) -> bool:
    """Tell whether any of the services has passwords of its own, so that the file needs their columns."""
    from mission_control_tui.model.catalogue.in_force import current
    from mission_control_tui.model.catalogue.types import PasswordUse

    catalogue = (await current(store)).catalogue
    return any(
        catalogue.service(given.service).password is PasswordUse.OWN
        for given in choices.content.services
    )


def _print(
    outcome: Outcome[PasteResult], bulk: BulkView | None, pasted: PastedList, out: Path | None
) -> None:
    result = outcome.result
    would = "" if outcome.applied else "would be "
    refused = f", {len(result.refused)} {would}refused" if result.refused else ""
    line(f"{len(result.created)} {would}created{refused}.")
    for row in result.created:
        note = f" ({row.note})" if row.note else ""
        line(f"  {row.upn:<40} {harmless(row.person.display_name)}{note}")
    for need in result.seats:
        short = f"; {need.short} missing" if need.short else ""
        line(
            f"seats   {need.service_id} {need.level_id}: {need.free} free, {need.needed} needed{short}"
        )
    if pasted.ignored:
        say(f"Not read: {', '.join(pasted.ignored)}.")
    if result.passwords:
        say(f"{counted(len(result.passwords), 'generated password')} written to {out}.")
    if bulk is not None:
        output.tell(bulk)
    if not outcome.applied:
        say("Dry run: nothing was changed.")


def _json(outcome: Outcome[PasteResult], bulk: BulkView | None) -> dict[str, object]:
    result = outcome.result
    return {
        "applied": outcome.applied,
        "created": [
            {"line": row.person.line, "upn": row.upn, **attributes(row.person, "display_name")}
            for row in result.created
        ],
        "refused": [
            {**attributes(row.person, "line", "text"), "problems": row.problems}
            for row in result.refused
        ],
        "seats": [
            {
                **attributes(need, service="service_id", level="level_id"),
                **attributes(need, "free", "needed", "short"),
            }
            for need in result.seats
        ],
        "bulk": output.bulk(bulk) if bulk is not None else None,
    }


def _finish(outcome: Outcome[PasteResult]) -> None:
    refused = outcome.result.refused
    if not refused:
        return
    problems = [problem for row in refused for problem in row.problems]
    count = f"{len(refused)} of {len(outcome.result.people)}"
    were = "would be" if not outcome.applied else "was" if len(refused) == 1 else "were"
    kind = ImportIncomplete if outcome.result.created else InvalidInput
    raise kind(
        f"{count} {were} refused.",
        problems=waiting.first_of(problems, NAMED),
        hint="Correct these lines and paste the list again: who is there already is left alone.",
    )
