"""2,000 accounts that have something of everything that is listed, put into a database in bulk."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from benchmarks.finding import fill, make_accounts
from benchmarks.sample_users import CALLER, ROWS_AT_ONCE
from mission_control_tui.model.states import (
    BulkState,
    Light,
    OrderKind,
    OrderState,
    Priority,
    RequestState,
    ScheduleState,
    SubjectKind,
    Wish,
    Word,
)
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.accounts import ContactRow, DomainRow
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.store.tables.base import Base
from mission_control_tui.model.store.tables.bulk import BulkRow
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.orders import OrderLineRow, OrderRow, SubscriptionRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.schedules import ScheduleRow
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatHoldRow, SeatPoolRow
from mission_control_tui.model.store.tables.templates import TemplateRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction

Rows = dict[type[Base], list[dict[str, Any]]]

LEVEL = {"service_id": "managed-exchange", "level_id": "popx"}
BOUGHT = {"product_id": "email", "level_id": "popx"}
ACCOUNTS_AT_ONCE = 200


async def build(store: Store, accounts: int, users: int) -> list[int]:
    """Make everything; return the accounts' ids. Every fiftieth service is red, and as many are orange."""
    made = await make_accounts(store, accounts)
    await fill(store, made, users)
    await _trouble(store)
    for some in batches(made, ACCOUNTS_AT_ONCE):
        await _beside(store, some)
    return made


async def _trouble(store: Store) -> None:
    async with store.write(CALLER) as tx:
        count = await tx.session.scalar(select(func.count()).select_from(AssignmentRow)) or 0
        for place, light in enumerate((Light.RED, Light.ORANGE)):
            few = select(AssignmentRow.id).order_by(func.substr(AssignmentRow.id, 20))
            some = few.offset(place * (count // 50)).limit(count // 50)
            await tx.session.execute(
                update(AssignmentRow).where(AssignmentRow.id.in_(some)).values(light=light)
            )


async def _beside(store: Store, accounts: Sequence[int]) -> None:
    """Give these accounts what stands beside users."""
    async with store.write(CALLER) as tx:
        held = await tx.session.execute(
            select(UserRow.account_id, UserRow.id, AssignmentRow.id)
            .join(AssignmentRow, AssignmentRow.user_id == UserRow.id)
            .where(UserRow.account_id.in_(accounts))
        )
        services: dict[int, list[tuple[str, str]]] = {}
        for account_id, user_id, assignment_id in held:
            services.setdefault(account_id, []).append((user_id, assignment_id))
        rows: Rows = {}
        for account_id in accounts:
            for table, more in _of_account(tx, account_id, services.get(account_id, [])).items():
                rows.setdefault(table, []).extend(more)
        for table, found in rows.items():
            for some in batches(found, ROWS_AT_ONCE):
                await tx.session.execute(insert(table), list(some))


def _of_account(tx: Transaction, account_id: int, services: Sequence[tuple[str, str]]) -> Rows:
    """One account's rows by table: twelve orders, a seat for each service, a request and two audit entries for each."""
    by = {"operator": CALLER.operator, "ticket": ""}
    of = {"account_id": account_id}
    owned = len(services) + 5
    money = {"net_minor": 1000, "tax_minor": 100}
    orders = [
        {
            "id": account_id * 12 + n,
            "kind": OrderKind.PURCHASE,
            "state": OrderState.COMPLETE,
            "placed_at": tx.now,
            "catalogue_number": 1,
            "currency": "AUD",
            "total_minor": 1100,
            **of,
            **by,
            **money,
        }
        for n in range(12)
    ]
    lines = [
        {
            "order_id": order["id"],
            "label": "POPX",
            "quantity": 1,
            "term_months": 1,
            "unit_minor": 1000,
            "domain": "",
            "details": {},
            **BOUGHT,
            **money,
        }
        for order in orders
    ]
    requests = [
        {
            "kind": "provision",
            "user_id": user,
            "assignment_id": service,
            "generation": 1,
            "state": RequestState.SUCCEEDED,
            "priority": Priority.BULK,
            "created_at": tx.now,
            "previous": {},
            **of,
            **by,
        }
        for user, service in services
    ]
    audit = [
        {
            "at": tx.now,
            "source": "cli",
            "action": action,
            "target": user,
            "user_id": user,
            "before": {},
            "after": {},
            "request_id": None,
            "version": 1,
            **of,
            **by,
        }
        for user, _service in services
        for action in ("create user", "provision managed-exchange")
    ]
    schedules = [
        {
            "user_id": user,
            "action": "disable",
            "params": {},
            "time_zone": "UTC",
            "due_at": tx.now + timedelta(days=days),
            "state": ScheduleState.WAITING,
            "said": "",
            "session": "",
            "created_at": tx.now,
            **of,
            **by,
        }
        for days, (user, _service) in enumerate(services[:5], 1)
    ]
    bulks = [
        {
            "action": "disable",
            "state": BulkState.DONE,
            "params": {},
            "session": "",
            "total": 0,
            "created_at": tx.now,
            **of,
            **by,
        }
        for _ in range(3)
    ]
    hold = [{"assignment_id": service, "pool_id": account_id} for _user, service in services]
    objects, groups = _objects(tx, account_id)
    return {
        OrderRow: orders,
        OrderLineRow: lines,
        SubscriptionRow: [{"quantity": owned, "term_months": 1, **of, **BOUGHT}],
        SeatPoolRow: [{"id": account_id, "owned": owned, "held": len(services), **of, **LEVEL}],
        SeatHoldRow: hold,
        RequestRow: requests,
        AuditRow: audit,
        ScheduleRow: schedules,
        BulkRow: bulks,
        ObjectRow: objects,
        AssignmentRow: groups,
        TemplateRow: [
            {
                "name": name,
                "name_key": name,
                "content": {"fields": {}, "services": []},
                "operator": CALLER.operator,
                "updated_at": tx.now,
                **of,
            }
            for name in ("kiosk", "staff")
        ],
        ContactRow: [
            {"role": role, "name": "Rita Field", "email": "", "phone": "", **of}
            for role in ("primary", "billing")
        ],
        DomainRow: [
            {
                "name": f"more{account_id}.example",
                "bought": True,
                "term_months": 12,
                "details": {},
                "added_at": tx.now,
                **of,
            }
        ],
    }


def _objects(tx: Transaction, account_id: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Five groups of an account, with their services."""
    objects, services = [], []
    for n in range(5):
        ident = uuid.UUID(int=(account_id << 8) + n).hex
        objects.append(
            {
                "id": ident,
                "account_id": account_id,
                "service_id": "distribution-group",
                "name": f"Group {n}",
                "sort_key": f"group {n}",
                "details": {},
                "address": f"g{n}@a{account_id}.example",
                "created_at": tx.now,
            }
        )
        services.append(
            {
                "id": uuid.UUID(int=(account_id << 8) + n + (1 << 64)).hex,
                "instance": "",
                "account_id": account_id,
                "subject_kind": SubjectKind.OBJECT,
                "subject_id": ident,
                "object_id": ident,
                "service_id": "distribution-group",
                "connector": "simulator",
                "backend_name": f"group_{ident}",
                "settings": {},
                "wish": Wish.PRESENT,
                "level_id": "standard",
                "generation": 1,
                "since": tx.now,
                "light": Light.GREEN,
                "word": Word.PROVISIONED,
                "observed_wish": Wish.PRESENT,
            }
        )
    return objects, services
