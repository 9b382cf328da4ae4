"""What several tests of the model need: a valid user, seats without buying them, services that ended."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.domains.ownership import DomainView, domain_views
from mission_control_tui.model.people.fields import UserDetails
from mission_control_tui.model.states import Light, RequestState, Wish, Word
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatPoolRow
from mission_control_tui.model.store.tables.users import SecretRow
from mission_control_tui.model.users import creation
from mission_control_tui.model.views import Account, UserView

PASSWORD = "Kp7m-xR4w-9fTc"


def ada(**changes: Any) -> UserDetails:
    """Ada Lovelace of acme.example, valid as she is."""
    stated: dict[str, Any] = {
        "upn": "ada.lovelace@acme.example",
        "first_names": "Ada",
        "last_name": "Lovelace",
        "display_name": "Ada Lovelace",
        "username": "ada.lovelace",
    }
    return UserDetails(**(stated | changes))


def named(local: str, **changes: Any) -> UserDetails:
    """A valid user of acme.example with this local part and username."""
    return ada(upn=f"{local}@acme.example", username=local[:20], **changes)


async def create(
    store: Store, caller: Caller, account: Account, details: UserDetails | None = None
) -> UserView:
    """The user, created with a password."""
    made = await creation.create_user(
        AccountScope(store, caller, account.id), details or ada(), PASSWORD
    )
    return made.result.user


async def own_seats(
    store: Store, caller: Caller, account: Account, service: str, level: str, count: int = 10
) -> None:
    """The account owns seats, wherever they came from."""
    async with store.write(caller, account.id) as tx:
        await tx.session.execute(
            insert(SeatPoolRow).values(
                account_id=account.id, service_id=service, level_id=level, owned=count, held=0
            )
        )


async def finish(store: Store, caller: Caller, account: Account) -> None:
    """Let every service reach what is wished, as a worker would: all requests succeed, passwords are delivered."""
    async with store.write(caller, account.id) as tx:
        await tx.session.execute(
            update(RequestRow)
            .where(RequestRow.state.in_(["queued", "waiting", "running"]))
            .values(state=RequestState.SUCCEEDED, ended_at=tx.now)
        )
        for row in await tx.session.scalars(select(AssignmentRow)):
            gone = row.wish == Wish.ABSENT
            row.light = Light.GREY if gone else Light.GREEN
            row.word = Word.NOT_PROVISIONED if gone else Word.PROVISIONED
            row.observed_wish = row.wish
            row.observed_generation = row.generation
            row.observed_level = "" if gone else row.level_id
            row.password_delivered = not gone
            row.secret_id = None


async def secrets_kept(store: Store) -> int:
    """How many sealed passwords are there to be delivered."""
    async with store.read() as session:
        rows = await session.scalars(select(SecretRow).where(SecretRow.sealed.is_not(None)))
        return len(rows.all())


async def list_domains(store: Store, account_id: int) -> tuple[DomainView, ...]:
    """The account's domains by name."""
    async with store.read() as session:
        account = await session.get_one(AccountRow, account_id)
        return await domain_views(session, account, (await in_force(session)).catalogue)
