"""`account contacts`: whom of an account to call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.common.lists import limited
from mission_control_tui.cli.common.options import OFFSET, changes, destroys, exports, reads
from mission_control_tui.cli.common.output import attributes
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.results import change_and_tell, tell_survey, under
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import UsageError

if TYPE_CHECKING:
    from mission_control_tui.model.accounts.contacts import Contact

ROLES = click.Choice(("primary", "secondary", "billing", "technical"))
CONTACT_HEADINGS = ("CONTACT", "NAME", "E-MAIL", "PHONE")


@click.group()
def contacts() -> None:
    """Contacts: whom of the account to call, the primary one first."""


@contacts.command("list")
@limited(200)
@OFFSET
@exports
@reads(
    "mission-control account contacts list",
    "mission-control account contacts list --all-accounts --csv",
)
def list_(session: Session, limit: int, offset: int) -> None:
    """The account's contacts; those of all accounts too."""
    from mission_control_tui.model.accounts.contacts import contacts_of_all

    tell_survey(
        *(session, "contacts", session.survey(contacts_of_all, limit=limit + 1, offset=offset)),
        CONTACT_HEADINGS,
        lambda contact: contact_row(contact.item),
        lambda contact: attributes(contact.item),
        nothing="No contacts yet: mission-control account contacts set primary --name NAME",
        limit=limit,
        offset=offset,
    )


def contact_row(contact: Contact) -> tuple[str, ...]:
    """Return the cells of a contact below CONTACT_HEADINGS."""
    return contact.role, contact.name, contact.email, contact.phone


@contacts.command("set")
@argument("role", type=ROLES)
@option("--name", help="Who; needed for a new contact.")
@option("--email", help="Empty for none.")
@option("--phone", help="With + and the country's code; empty for none.")
@changes(
    "mission-control account contacts set primary --name 'Rita Field' --phone '+61 2 9374 4000'"
)
def set_(session: Session, role: str, **stated: Any) -> None:
    """Set or change the contact with this role; what is left out stays."""
    from mission_control_tui.model.accounts.contacts import ContactRole, set_contact

    if all(value is None for value in stated.values()):
        raise UsageError("Nothing is to be set.", hint="Give --name, --email or --phone.")

    change_and_tell(session, under("contacts"), set_contact, ContactRole(role), **stated)


@contacts.command("clear")
@argument("role", type=ROLES)
@destroys("mission-control account contacts clear secondary --yes")
def clear(session: Session, role: str) -> None:
    """Let the account have no contact with this role."""
    from mission_control_tui.model.accounts.contacts import ContactRole, clear_contact

    session.confirm(f"Take the {role} contact away?")

    change_and_tell(session, under("contacts"), clear_contact, ContactRole(role))
