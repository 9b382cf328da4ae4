"""Hostile text in every place of a store that people or back ends write to, and the way to every screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from mission_control_tui.console.base_app import MissionControlApp
from mission_control_tui.model.bulk.control import start
from mission_control_tui.model.bulk.queries import list_bulks
from mission_control_tui.model.bulk.slices import work_slice
from mission_control_tui.model.search.light_matrix import ids
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow, ContactRow, DomainRow
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow
from mission_control_tui.model.store.tables.requests import (
    RequestEventRow,
    RequestRow,
    RequestStepRow,
)
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.templates import TemplateRow
from mission_control_tui.model.store.tables.users import AddressRow, UserRow
from tests.screens import world
from tests.screens.users.driving import context_of

USER = "grace"
SHORT = "zq\x1b[2J\x9b\x07[/]\u202eש界e\u0301\r\n\u2028"
"""Something of every kind in so few cells that the narrowest column shows it all."""

_KINDS = {
    "control": "\x1b[2J\x9b3J\x1b]52;c;ZQ==\x07\x00\x9d0;t\x9c\x85\x90\x7f\x1bc\x1b[99;99H\x1b[5m\x1b(0",
    "markup": "[/] a\r\nb\n\tc\x0b\u2028d\x08 [/#abc][bold]x[/bold] [@click=app.quit]q[/] [link=x] \\[",
    "wide": "株式会社 e\u0301\u0301 👩‍👩‍👧 🇦🇺 ☎️ 1️⃣ 🧑🏽 \u0e33\u0e49 क्षि \u1100\u1161\u11a8 \uff21\uff22"
    + "界W" * 200,
    "bidi": "ש\u202eevil\u202c \u2066x\u2069 \u200f\u061cع \u200b\u2060\ufeff\u00ad\ue000\U000e0041\u3164\u034f",
}
TEXT = SHORT + _KINDS["wide"] + _KINDS["control"] + _KINDS["markup"] + _KINDS["bidi"]
"""Everything at once; most columns cut it within letters that take two cells."""


async def poison(path: Path, text: str) -> None:
    """Put `text` wherever a text that people or back ends wrote is kept, past the rules of the model."""
    store = await Store.open(path)
    try:
        async with store.write(world.CALLER) as tx:
            run = tx.session.execute
            await run(update(AccountRow).values(name=text))
            await run(update(ContactRow).values(name=text, email=text, phone=text))
            await run(update(UserRow).values(display_name=text, details=_details(text)))
            await run(
                update(AssignmentRow).values(
                    step=text, error_said=text, error_remedy=text, external_id=text
                )
            )
            await run(update(RequestRow).values(operator=text, ticket=text, waiting_for=text))
            said = {"decided_by": text, "reason": text, "decided_at": tx.now}
            await run(update(OrderRow).values(operator=text, ticket=text, note=text, **said))
            await run(update(OrderLineRow).values(label=text, domain=text))
            account = await tx.session.scalar(select(AccountRow.id))
            user = await tx.session.scalar(select(UserRow.id).where(UserRow.username == USER))
            await run(
                insert(AddressRow).values(
                    account_id=account,
                    user_id=user,
                    address=text,
                    key=text,
                    kind="alias",
                    is_primary=False,
                )
            )
            await run(
                insert(DomainRow).values(
                    account_id=account, name=text, bought=False, details={}, added_at=tx.now
                )
            )
            await run(
                insert(TemplateRow).values(
                    account_id=account,
                    name=text[:200],
                    name_key=text,
                    content={"fields": {"department": text, "street": text}, "services": []},
                    operator=text,
                    updated_at=tx.now,
                )
            )
            await run(
                insert(AuditRow).values(
                    account_id=account,
                    at=tx.now,
                    operator=text,
                    source="test",
                    ticket=text,
                    action="change user",
                    target=text,
                    user_id=user,
                    before={"notes": text},
                    after={text: text},
                )
            )
            for request in (await tx.session.scalars(select(RequestRow.id))).all():
                await run(
                    insert(RequestEventRow).values(
                        account_id=account,
                        request_id=request,
                        at=tx.now,
                        attempt=1,
                        kind="failed",
                        step=text,
                        said=text,
                        remedy=text,
                        duration_ms=1,
                        detail={"answer": text},
                    )
                )
                await run(
                    insert(RequestStepRow).values(
                        request_id=request,
                        attempt=1,
                        number=1,
                        name=text[:200],
                        state="failed",
                        started_at=tx.now,
                        ended_at=tx.now,
                    )
                )
    finally:
        await store.close()


def _details(text: str) -> dict[str, Any]:
    names = ("title", "department", "location", "street", "city", "notes", "office_phone")
    return {"first_names": text, "last_name": text, **dict.fromkeys(names, text)}


async def bulk_subject(app: MissionControlApp, place: str) -> Any:
    """A bulk, made where there is none, or the ids of all users to act on."""
    context = context_of(app)
    scope = AccountScope(context.store, world.CALLER, context.account_id)
    users = await ids(scope)
    if place == "bulk-new":
        return users
    if not await list_bulks(scope):
        await start(scope, users, "enable")
        await work_slice(context.store, 1, limit=2)
    return (await list_bulks(scope))[0].id


async def subject(app: MissionControlApp, place: str) -> tuple[Any, ...]:
    """What the screen is about, where it needs to be told."""
    if place in ("product", "buy"):
        return ("email",)
    if place == "order":
        return (1,)
    if place in ("bulk", "bulk-new"):
        return (await bulk_subject(app, place),)
    async with context_of(app).store.read() as session:
        if place in ("provision", "user", "edit-user"):
            return (await session.scalar(select(UserRow.id).where(UserRow.username == USER)),)
        if place == "request":
            red = select(RequestRow.id).where(RequestRow.state == "failed")
            return (await session.scalar(red),)
    return ()
