"""A hundred thousand people with likely names, and their rows, put into a database in bulk."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from itertools import islice
from typing import Any

from sqlalchemy import insert

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.catalogue import in_force
from mission_control_tui.model.catalogue.file.parse import parse
from mission_control_tui.model.catalogue.file.shipped import SHIPPED_NAME, shipped
from mission_control_tui.model.people.fields import UserDetails
from mission_control_tui.model.people.names import username_for
from mission_control_tui.model.search import index as search
from mission_control_tui.model.states import Light, SubjectKind, Wish, Word
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.base import Base
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import (
    AddressRow,
    SearchTermRow,
    SearchTextRow,
    UserRow,
)
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.users.creation import new_rows

CALLER = Caller("benchmark")
DOMAIN = "acme.example"
ROWS_AT_ONCE = 5_000

_FIRST_NAMES = (
    "James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph "
    "Jessica Thomas Karen Charles Sarah Daniel Nancy Matthew Lisa Anthony Betty Mark Sandra Donald Ashley Steven "
    "Emily Andrew Kimberly Paul Margaret Joshua Donna Kenneth Michelle Kevin Carol Brian Amanda George Melissa "
    "Ada Zoe Yusuf Xenia Quentin Uma Olga Ingrid Björn Zoë Łukasz Nguyễn"
)
_LAST_NAMES = (
    "Smith Johns Will Brown Jon Garc Mill Dav Rodrig Mart Hern Lop Gonz Wils Anders Thom Tayl Moor Jacks Lee Per "
    "Thomps Whit Harr Sanch Clark Ramir Lew Robins Walk Young All King Wright Scott Torr Nguy Hill Flor Green Adam "
    "Nels Bak Hall Riv Camp Mitch Cart Rob O'Bri Le-Ro Müll Zieg Xav Quinn Ull Ive Yat"
)
_FIRST = _FIRST_NAMES.split()
_STEMS = _LAST_NAMES.split()
_ENDINGS = ("", "son", "s", "er", "man", "ez", "ley", "ton", "ham", "field", "wood", "berg")
TABLES: tuple[type[Base], ...] = (
    UserRow,
    AddressRow,
    SearchTermRow,
    SearchTextRow,
    AssignmentRow,
)
_LIGHTS = {Light.GREEN: 95, Light.GREY: 3, Light.ORANGE: 1, Light.RED: 1}
_LEVELS = {"managed-exchange": "popx", "databases": "small"}
"""The services that are given, in this order, with levels that the catalogue has."""
_WORDS = {
    Light.GREEN: Word.PROVISIONED,
    Light.GREY: Word.NOT_PROVISIONED,
    Light.ORANGE: Word.QUEUED,
    Light.RED: Word.ERROR,
}


def people(count: int, seed: int = 1) -> Iterator[UserDetails]:
    """`count` users of the domain, all different, the same ones for the same seed."""
    dice = random.Random(seed)  # noqa: S311 (sample data)
    weights = [1 / (rank + 3) for rank in range(len(_FIRST))]
    usernames: set[str] = set()
    seen: dict[str, int] = {}
    for number in range(count):
        (first,) = dice.choices(_FIRST, weights)
        last = dice.choice(_STEMS) + dice.choice(_ENDINGS)
        local = username_for(f"{first}.{last}@").replace("'", "")
        seen[local] = seen.get(local, 0) + 1
        if seen[local] > 1:
            local = f"{local}{seen[local]}"
        upn = f"{local}@{DOMAIN}"
        username = username_for(upn, usernames)
        usernames.add(username)
        yield UserDetails(
            upn=upn,
            first_names=first,
            last_name=last,
            display_name=f"{first} {last}",
            username=username,
            title=dice.choice(("Engineer", "Clerk", "Manager", "")),
            department=dice.choice(("Engines", "Sales", "Support", "Board")),
            office_phone=f"+61 2 {9000 + number // 10000} {number % 10000:04}",
            mobile_phone=f"04{dice.randrange(10**8):08}" if number % 3 == 0 else "",
            city=dice.choice(("Sydney", "Perth", "Hobart")),
            country="AU",
            disabled=number % 50 == 7,
        )


async def make_account(store: Store, code: str = "acme", domain: str = DOMAIN) -> int:
    """An account with this domain, under the shipped catalogue."""
    async with store.write(CALLER) as tx:
        await in_force.put(tx, parse(shipped(), SHIPPED_NAME), SHIPPED_NAME)
        account = AccountRow(
            code=code,
            name=code,
            is_sample=False,
            time_zone="UTC",
            password_policy={},
            created_at=tx.now,
        )
        tx.session.add(account)
        await tx.session.flush()
        await tx.session.execute(
            insert(DomainRow).values(
                account_id=account.id,
                name=domain,
                bought=False,
                term_months=0,
                details={},
                added_at=tx.now,
            )
        )
        return account.id


async def fill(store: Store, account_id: int, count: int, services: int) -> None:
    """Put `count` users with `services` services in all into the account; every thousandth user is in the bin."""
    dice = random.Random(2)  # noqa: S311 (sample data)
    made = people(count)
    numbers = iter(range(count))
    extra = services - count
    while chunk := list(islice(made, ROWS_AT_ONCE)):
        async with store.write(CALLER, account_id) as tx:
            rows: list[list[dict[str, Any]]] = [[] for _ in TABLES]
            for details, number in zip(chunk, numbers, strict=False):
                doubled = 2 if number * extra // count != (number + 1) * extra // count else 1
                for table, more in zip(
                    rows, rows_of(tx, account_id, details, number, doubled, dice), strict=True
                ):
                    table.extend(more)
            for into, found in zip(TABLES, rows, strict=True):
                await tx.session.execute(insert(into), found)


def rows_of(
    tx: Transaction,
    account_id: int,
    details: UserDetails,
    number: int,
    services: int,
    dice: random.Random,
) -> tuple[list[dict[str, Any]], ...]:
    """The rows of one user with so many services, for each of TABLES."""
    user_id = uuid.UUID(int=dice.getrandbits(128), version=4).hex
    in_bin = number % 1000 == 999
    user, address = new_rows(account_id, user_id, details, None, None, tx.now)
    user |= {"in_bin": in_bin, "deleted_at": None, "version": 1}
    found_by = search.terms_of(details)
    terms = search.term_rows(account_id, user_id, user["sort_key"], in_bin, found_by)
    texts = [search.text_row(account_id, user_id, found_by)]
    given = [
        _assignment(tx, account_id, user_id, service, number, dice)
        for service in list(_LEVELS)[:services]
    ]
    return [user], [address], terms, texts, given


def _assignment(
    tx: Transaction,
    account_id: int,
    user_id: str,
    service: str,
    number: int,
    dice: random.Random,
) -> dict[str, Any]:
    (light,) = dice.choices(list(_LIGHTS), list(_LIGHTS.values()))
    wish = Wish.ABSENT if light is Light.GREY else Wish.PRESENT
    return {
        "id": uuid.UUID(int=dice.getrandbits(128), version=4).hex,
        "account_id": account_id,
        "subject_kind": SubjectKind.USER,
        "subject_id": user_id,
        "user_id": user_id,
        "service_id": service,
        "instance": "",
        "connector": "simulator",
        "backend_name": f"{service}_{number}",
        "wish": wish,
        "level_id": "" if wish is Wish.ABSENT else _LEVELS[service],
        "settings": {"quota": 51200, "hide-from-address-list": False, "spam-action": "junk"},
        "generation": 1,
        "light": light,
        "word": _WORDS[light],
        "error_said": "The mailbox server answered: 503 Service Unavailable"
        if light is Light.RED
        else "",
        "since": tx.now,
        "observed_wish": wish,
    }
