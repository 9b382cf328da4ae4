"""The five accounts of the day: 20,000 users put in in bulk, and the people of the tickets made by model and worker.

People of tickets have a mailbox that the simulator really has, made before the day by a real worker without delays, so
that a level change or a removal finds something to change. Their last names are nobody else's: a few letters of a
ticket find them.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import insert, update

from benchmarks.sample_users import people
from mission_control_tui.model.accounts.editing import create_account
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.domains.address_registry import AddressKind
from mission_control_tui.model.groups import editing as objects
from mission_control_tui.model.orders import buying
from mission_control_tui.model.people.address_syntax import upn_key
from mission_control_tui.model.people.fields import UserDetails
from mission_control_tui.model.people.names import username_for
from mission_control_tui.model.recycle_bin import deletion
from mission_control_tui.model.search import index as search
from mission_control_tui.model.states import Light, SubjectKind, Wish, Word
from mission_control_tui.model.store import upgrade
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import database_url
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.store.tables.services import AssignmentRow, SeatHoldRow, SeatPoolRow
from mission_control_tui.model.store.tables.users import (
    AddressRow,
    SearchTermRow,
    SearchTextRow,
    UserRow,
)
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.user_rows import to_columns
from mission_control_tui.model.users import creation, editing
from mission_control_tui.model.users import provisioning as provision
from mission_control_tui.model.users.actions.params import ActionParams

OPERATOR = "day.shift"
CALLER = Caller("night.shift", source="test")
MAIL, POPX, PC_WEB, MOBILE = "managed-exchange", "popx", "pc-web", "pc-web-mobile"
MOBILE_SEATS = 2
"""Bought by each customer of the dearest level, and all given: the next one is short."""

MOST_AT_ONCE = 1_000
"""Seats that one order may have."""

ROWS_AT_ONCE = 5_000
GROUPS = ("Reception", "All Staff")

RULES = """
seed = 4

[[step]]
service = "managed-exchange"
name = "directory account"

[[step]]
service = "managed-exchange"
name = "mailbox"
carries = ["level", "limits.*", "settings.*"]

[[step]]
service = "managed-exchange"
name = "addresses"
carries = [
    "attributes.addresses", "attributes.primary_address", "settings.primary-address",
    "settings.aliases", "settings.forward-to", "settings.keep-copy",
]

[[rule]]
id = "full-once"
upn = "*.full-once@*"
step = "mailbox"
fail = "quota"
fail_times = 1
said = "The mailbox store DB04 has no room for another mailbox"
remedy = "Provision again: another store is chosen."

[[rule]]
id = "no-pop"
upn = "*.no-pop@*"
step = "mailbox"
level = "popx"
state = "present"
fail = "invalid"
field = "level"
said = "POP is switched off for this user by policy"
remedy = "Choose a level without POP."

[[rule]]
id = "usual"
delay = 0.05
jitter = 0.05
"""
"""The simulator of the day: some mailboxes are refused once, some at one level for ever."""


@dataclass(frozen=True, slots=True)
class Customer:
    """An account of the day and how many users it has."""

    code: str
    name: str
    users: int

    @property
    def domain(self) -> str:
        return f"{self.code}.example"


CUSTOMERS = (
    Customer("harbour", "Harbour Freight Lines", 11_000),
    Customer("kestrel", "Kestrel Legal", 5_000),
    Customer("maple", "Maple Schools", 3_000),
    Customer("orchid", "Orchid Clinics", 800),
    Customer("quarry", "Quarry Tools", 200),
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom a ticket is about, and how they are in the morning.

    `level` is that of the mailbox, empty for none; `trouble` is part of the UPN and makes the mailbox fail; `morning`
    says what was done to them in the night: "" , "disabled", "binned".
    """

    customer: Customer
    first: str
    last: str
    phone: str
    level: str = PC_WEB
    trouble: str = ""
    morning: str = ""
    exists: bool = True

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def local(self) -> str:
        return username_for(f"{self.first}.{self.last}@").lower() + (
            f".{self.trouble}" if self.trouble else ""
        )

    @property
    def upn(self) -> str:
        return f"{self.local}@{self.customer.domain}"

    @property
    def details(self) -> UserDetails:
        return UserDetails(
            upn=self.upn,
            first_names=self.first,
            last_name=self.last,
            display_name=self.name,
            username=self.local[:20].rstrip("."),
            mobile_phone=self.phone,
        )


def settings_text(directory: Path, *, delays: float) -> str:
    """The settings file of the day; the simulator's file and rules are in `directory`."""
    return (
        f'[connectors.simulator]\npath = "{directory / "simulator.db"}"\n'
        f'rules = "{directory / "rules.toml"}"\ndelay_factor = {delays}\n'
    )


def environment(directory: Path) -> dict[str, str]:
    """Where programs of the day find their settings, and nothing of this machine's."""
    return {
        "HOME": str(directory),
        "XDG_CONFIG_HOME": str(directory / "config"),
        "XDG_DATA_HOME": str(directory / "data"),
        "XDG_STATE_HOME": str(directory / "state"),
        "USER": OPERATOR,
        "LOGNAME": OPERATOR,
    }


def write_settings(directory: Path, *, delays: float) -> None:
    (directory / "rules.toml").write_text(RULES)
    file = directory / "config" / "mission-control" / "settings.toml"
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.write_text(settings_text(directory, delays=delays))


async def make(directory: Path, cast: Sequence[Person], scale: int = 1) -> Path:
    """The database of the day in `directory`; with a `scale` of n the accounts have 1/n of their users."""
    path = directory / "day.db"
    await upgrade.upgrade(database_url(path))
    store = await Store.open(path)
    write_settings(directory, delays=0)
    try:
        made = people(sum(one.users for one in CUSTOMERS) // scale)
        for customer in CUSTOMERS:
            mine = [one for one in cast if one.customer == customer and one.exists]
            await _open(store, customer)
            crowd = customer.users // scale - len(mine)
            await _fill(store, customer, islice(made, max(crowd, 0)))
            for one in mine:
                await _make(store, one)
    finally:
        await store.close()
    work(directory)
    await _night(path, cast)
    work(directory)
    write_settings(directory, delays=1)
    return path


def work(directory: Path) -> None:
    """Have a real worker do everything that is queued."""
    subprocess.run(
        [
            *(sys.executable, "-m", "mission_control_tui", "worker", "--once"),
            *("--database", str(directory / "day.db")),
        ],
        check=True,
        capture_output=True,
        timeout=300,
        env={**os.environ, **environment(directory)},
    )


async def _open(store: Store, customer: Customer) -> None:
    """The account, with seats for all but a few."""
    await create_account(
        store, CALLER, code=customer.code, name=customer.name, domains=[customer.domain]
    )
    for level in (POPX, PC_WEB):
        for start in range(0, customer.users, MOST_AT_ONCE):
            count = min(MOST_AT_ONCE, customer.users - start)
            await buying.buy(
                AccountScope(store, CALLER, customer.code), "email", level=level, quantity=count
            )
    await buying.buy(
        AccountScope(store, CALLER, customer.code), "email", level=MOBILE, quantity=MOBILE_SEATS
    )


async def _make(store: Store, one: Person) -> None:
    """A person of a ticket, with the mailbox asked for."""
    made = await creation.create_user(
        AccountScope(store, CALLER, one.customer.code), one.details, "Correct-Horse-7-Staple"
    )
    if one.level:
        await provision.provision(
            AccountScope(store, CALLER, one.customer.code),
            made.result.user.id,
            [ActionParams(MAIL, one.level)],
        )


async def _night(path: Path, cast: Iterable[Person]) -> None:
    """What the night shift did: groups, people disabled or deleted."""
    store = await Store.open(path)
    try:
        for customer in CUSTOMERS:
            for name in GROUPS:
                address = f"{name.lower().replace(' ', '.')}@{customer.domain}"
                await objects.create_object(
                    AccountScope(store, CALLER, customer.code), "distribution-group", name, address
                )
        for one in cast:
            at = (AccountScope(store, CALLER, one.customer.code), one.upn)
            if one.morning == "disabled":
                await editing.disable_user(*at)
            elif one.morning == "binned":
                await deletion.delete_user(*at)
    finally:
        await store.close()


async def _fill(store: Store, customer: Customer, crowd: Iterable[UserDetails]) -> None:
    """Put the crowd in, two of three with a green mailbox."""
    dice = random.Random(customer.code)
    left = iter(crowd)
    while chunk := list(islice(left, ROWS_AT_ONCE)):
        async with store.write(CALLER) as tx:
            account = await _account(tx, customer)
            pools = {one.level_id: one for one in await _pools(tx, account)}
            rows: dict[Any, list[dict[str, Any]]] = {
                table: []
                for table in (
                    *(UserRow, AddressRow, SearchTermRow, SearchTextRow),
                    *(AssignmentRow, SeatHoldRow),
                )
            }
            for one in chunk:
                local = one.upn.partition("@")[0]
                details = replace(one, upn=f"{local}@{customer.domain}", disabled=False)
                _rows_of(tx, account, details, dice, pools, rows)
            for table, found in rows.items():
                await tx.session.execute(insert(table), found)
            for level, pool in pools.items():
                held = sum(one["level_id"] == level for one in rows[AssignmentRow])
                await tx.session.execute(
                    update(SeatPoolRow)
                    .where(SeatPoolRow.id == pool.id)
                    .values(held=SeatPoolRow.held + held)
                )


async def _account(tx: Transaction, customer: Customer) -> int:
    from mission_control_tui.model.store.lookups import account_row

    return (await account_row(tx.session, CALLER, customer.code)).id


async def _pools(tx: Transaction, account: int) -> Sequence[SeatPoolRow]:
    from sqlalchemy import select

    found = await tx.session.scalars(
        select(SeatPoolRow).where(SeatPoolRow.account_id == account, SeatPoolRow.service_id == MAIL)
    )
    return found.all()


def _rows_of(
    tx: Transaction,
    account: int,
    details: UserDetails,
    dice: random.Random,
    pools: Mapping[str, SeatPoolRow],
    rows: dict[Any, list[dict[str, Any]]],
) -> None:
    """Add the rows of one of the crowd."""
    user_id = _id(dice)
    columns = to_columns(details)
    rows[UserRow].append(
        {
            "id": user_id,
            "account_id": account,
            **columns,
            "manager_id": None,
            "locked": False,
            "in_bin": False,
            "deleted_at": None,
            "created_at": tx.now,
            "updated_at": tx.now,
            "secret_id": None,
            "version": 1,
        }
    )
    rows[AddressRow].append(
        {
            "account_id": account,
            "user_id": user_id,
            "address": details.upn,
            "key": upn_key(details.upn),
            "kind": AddressKind.UPN,
            "is_primary": True,
        }
    )
    found_by = search.terms_of(details)
    rows[SearchTermRow] += search.term_rows(account, user_id, columns["sort_key"], False, found_by)
    rows[SearchTextRow].append(search.text_row(account, user_id, found_by))
    given = len(rows[AssignmentRow])
    if pools[MOBILE].held == 0 and given < MOBILE_SEATS:
        level = MOBILE
    elif dice.random() < 1 / 3:
        return
    else:
        level = dice.choice((POPX, PC_WEB))
    assignment = _id(dice)
    rows[AssignmentRow].append(
        {
            "id": assignment,
            "account_id": account,
            "subject_kind": SubjectKind.USER,
            "subject_id": user_id,
            "user_id": user_id,
            "service_id": MAIL,
            "instance": "",
            "connector": "simulator",
            "backend_name": f"crowd_{assignment}",
            "wish": Wish.PRESENT,
            "level_id": level,
            "settings": {},
            "generation": 1,
            "light": Light.GREEN,
            "word": Word.PROVISIONED,
            "since": tx.now,
            "observed_wish": Wish.PRESENT,
            "observed_level": level,
            "observed_generation": 1,
            "password_delivered": True,
        }
    )
    rows[SeatHoldRow].append({"assignment_id": assignment, "pool_id": pools[level].id})


def _id(dice: random.Random) -> str:
    return uuid.UUID(int=dice.getrandbits(128), version=4).hex
