"""Unfinished forms, each private to its operator and never with a password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.lookups import account_row
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.operators import DraftRow
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.views import view_of

KEPT = 50
"""Drafts of an operator; the oldest beyond them are forgotten."""

SECRET = frozenset({"password", "confirm", "confirm_password", "secret"})
"""Names of values that no draft keeps."""

_TITLE_LIMIT = 320


@dataclass(frozen=True, slots=True)
class Draft:
    """One unfinished form: `kind` is its screen, `subject` a user's id or empty, `content` what was typed."""

    id: int
    account_id: int
    account_code: str
    kind: str
    subject: str
    title: str
    content: Mapping[str, object]
    updated_at: datetime


async def save_draft(
    scope: AccountScope,
    kind: str,
    content: Mapping[str, object],
    *,
    subject: str = "",
    title: str = "",
) -> int:
    """Keep what was typed in a form, in place of what was kept of the same form before; returns the draft's id.

    Passwords in `content` are left out, at any depth. Raises NotFound and Denied for the account.
    """
    async with scope.store.private() as session:
        account_id = (await scope.row(session)).id
        row = await session.scalar(
            select(DraftRow)
            .where(DraftRow.operator == scope.caller.operator, DraftRow.account_id == account_id)
            .where(DraftRow.kind == kind, DraftRow.subject == subject)
            .with_for_update()
        )
        if row is None:
            row = DraftRow(
                operator=scope.caller.operator, account_id=account_id, kind=kind, subject=subject
            )
            session.add(row)
        row.title = harmless(title)[:_TITLE_LIMIT]
        row.content = _without_secrets(content)
        row.updated_at = datetime.now(UTC)
        await session.flush()
        old = (
            select(DraftRow.id)
            .where(DraftRow.operator == scope.caller.operator)
            .order_by(DraftRow.updated_at.desc(), DraftRow.id.desc())
            .offset(KEPT)
        )
        await session.execute(
            delete(DraftRow)
            .where(DraftRow.id.in_((await session.scalars(old)).all()))
            .execution_options(synchronize_session=False)
        )
        return row.id


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            str(name): _without_secrets(item) for name, item in value.items() if name not in SECRET
        }
    if isinstance(value, list | tuple):
        return [_without_secrets(item) for item in value]
    return value


async def list_drafts(
    store: Store,
    caller: Caller,
    *,
    account: int | str | None = None,
    kind: str | None = None,
    subject: str | None = None,
) -> tuple[Draft, ...]:
    """Return the operator's own drafts in accounts that the caller may see, the newest first."""
    async with store.read() as session:
        statement = (
            select(DraftRow, AccountRow.code)
            .join(AccountRow, AccountRow.id == DraftRow.account_id)
            .where(DraftRow.operator == caller.operator)
            .order_by(DraftRow.updated_at.desc(), DraftRow.id.desc())
        )
        if account is not None:
            account_id = (await account_row(session, caller, account)).id
            statement = statement.where(DraftRow.account_id == account_id)
        if kind is not None:
            statement = statement.where(DraftRow.kind == kind)
        if subject is not None:
            statement = statement.where(DraftRow.subject == subject)
        return tuple(
            view_of(Draft, row, account_code=code)
            for row, code in await session.execute(statement)
            if caller.may_see(row.account_id)
        )


async def show_draft(store: Store, caller: Caller, draft_id: int) -> Draft:
    """Return one of the operator's own drafts. Raises NotFound, for another's too."""
    for draft in await list_drafts(store, caller):
        if draft.id == draft_id:
            return draft
    raise NotFound(
        f"You have no draft {draft_id}.", hint="`mission-control drafts list` shows yours."
    )


async def discard_draft(store: Store, caller: Caller, draft_id: int) -> None:
    """Forget one of the operator's own drafts. Raises NotFound, for another's too."""
    await show_draft(store, caller, draft_id)
    async with store.private() as session:
        await session.execute(
            delete(DraftRow).where(DraftRow.id == draft_id, DraftRow.operator == caller.operator)
        )


async def discard_drafts_of(scope: AccountScope, kind: str, subject: str = "") -> None:
    """Forget the operator's draft of this form, if there is one: it was saved or thrown away."""
    async with scope.store.private() as session:
        account_id = (await scope.row(session)).id
        await session.execute(
            delete(DraftRow).where(
                DraftRow.operator == scope.caller.operator,
                DraftRow.account_id == account_id,
                DraftRow.kind == kind,
                DraftRow.subject == subject,
            )
        )
