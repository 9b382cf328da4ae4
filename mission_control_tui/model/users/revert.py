"""Stating a wish as it was before: the part that the undo of one change and of a bulk share."""

from __future__ import annotations

import json

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.errors import Conflict
from mission_control_tui.model.services.subjects import Subject
from mission_control_tui.model.states import Wish
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.documents import StoredWish
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.users.actions.base import ActionContext, ActionResult
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.wish import Deprovision, Resume, Suspend
from mission_control_tui.model.users.giving import provision_in

_NOTHING: tuple[object, ...] = (None, "", [])
"""What a setting holds where nothing is set: as good as one that is not there."""

FORCE_HINT = "Look at the history; to undo it all the same, force it."


def state_of(row: AssignmentRow) -> StoredWish:
    """Return the wish, as the items of bulks keep it."""
    return {
        "service": row.service_id,
        "instance": row.instance,
        "wish": str(row.wish),
        "level": row.level_id,
        "settings": dict(row.settings),
        "stated": row.stated,
    }


def same(first: StoredWish, second: StoredWish) -> bool:
    """Tell whether two states are the same wish; of what is absent, level and settings are memories."""
    return _compared(first) == _compared(second)


def _compared(state: StoredWish) -> str:
    if state["wish"] == Wish.ABSENT:
        return Wish.ABSENT
    settings = {key: value for key, value in state["settings"].items() if value not in _NOTHING}
    return json.dumps([state["wish"], state["level"], settings], sort_keys=True)


async def changed_since(
    session: AsyncSession, row: AssignmentRow, expected: StoredWish
) -> Conflict | None:
    """Return None where the wish is still `expected`, else the refusal that says by what and whom it was changed."""
    if same(state_of(row), expected):
        return None
    last = _last(AuditRow.assignment_id == row.id, AuditRow.account_id == row.account_id)
    return Conflict(f"It was changed since{by_whom(await session.scalar(last))}.", hint=FORCE_HINT)


def _last(*conditions: ColumnElement[bool]) -> Select[AuditRow]:
    return select(AuditRow).where(*conditions).order_by(AuditRow.id.desc()).limit(1)


def by_whom(row: AuditRow | None) -> str:
    """Return who made a change, with what and when, for the end of a sentence."""
    if row is None:
        return ""
    ticket = f", ticket {row.ticket}" if row.ticket else ""
    return f": {row.action} by {row.operator}{ticket}, {row.at:%Y-%m-%d %H:%M} UTC"


async def was_changed(
    session: AsyncSession, row: AuditRow, what: str = "", assignment_id: str | None = None
) -> Conflict:
    """Return the refusal for what was changed after `row`, by whom and with what."""
    later = _last(
        AuditRow.account_id == row.account_id, AuditRow.id > row.id, AuditRow.user_id == row.user_id
    )
    if assignment_id is not None:
        later = later.where(AuditRow.assignment_id == assignment_id)
    last = await session.scalar(later)
    return Conflict(
        f"{row.target} was changed since{by_whom(last)}{f' ({what})' if what else ''}.",
        hint=FORCE_HINT,
    )


async def restate_service(
    tx: Transaction,
    context: ActionContext,
    subject: Subject,
    row: AssignmentRow,
    target: StoredWish,
) -> ActionResult:
    """Wish the service as `target` says, by the verbs that an operator has. Raises as they do."""
    service = context.catalogue.service(row.service_id)
    if target["wish"] == Wish.ABSENT:
        return await Deprovision().turn(tx, subject, service, row)
    suspended = target["wish"] == Wish.SUSPENDED
    if row.wish != Wish.ABSENT and same({**state_of(row), "wish": target["wish"]}, target):
        action = Suspend() if suspended else Resume()
        return await action.turn(tx, subject, service, row)
    known = {option.id for option in service.options_for(target["level"])}
    settings = {name: value for name, value in target["settings"].items() if name in known}
    wanted = ActionParams(service.id, target["level"], settings, row.instance)
    differing = service.stated_settings(target["level"], settings, None)
    stated = {*(target.get("stated") or ()), *differing}
    return await provision_in(tx, context, subject, wanted, suspended=suspended, stated=stated)
