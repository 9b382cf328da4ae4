"""Reading and writing the rows of one object, within a transaction of the mail database."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mission_control_tui.connect import DesiredState, Listed, Mark, Wish
from mission_control_tui.provisioning.connectors.mail_sql.rows import (
    Kind,
    MailRows,
    Policy,
    addresses_of,
    login_of,
    primary_of,
    quota_of,
    roles_of,
)
from mission_control_tui.provisioning.connectors.mail_sql.tables import (
    addresses,
    objects,
    removed,
    roles,
    usage,
)

DAY = 86_400
SHORT_KEY = 12
"""Characters of an assignment's id in the name of its directory: no mailbox opens the mail of one before it."""


async def read(connection: AsyncConnection, desired: DesiredState, kind: Kind) -> MailRows:
    """Return all rows of the object that the wish names, and those that stand in its way."""
    row = (
        (await connection.execute(select(objects).where(objects.c.name == desired.name)))
        .mappings()
        .first()
    )
    taken = await _taken(connection, desired, kind)
    if row is None:
        return MailRows(None, taken=taken, removed=await _removed(connection, desired.mark))
    found = await connection.execute(
        select(addresses.c.address, addresses.c.is_primary)
        .where(addresses.c.object_id == row["id"])
        .order_by(addresses.c.address)
    )
    named: dict[str, list[str]] = {}
    for role, address in await connection.execute(
        select(roles.c.role, roles.c.address)
        .where(roles.c.object_id == row["id"])
        .order_by(roles.c.role, roles.c.address)
    ):
        named.setdefault(role, []).append(address)
    measured = (
        await connection.execute(
            select(usage.c.bytes, usage.c.measured_at).where(usage.c.name == desired.name)
        )
    ).first()
    return MailRows(
        dict(row),
        tuple((address, bool(primary)) for address, primary in found),
        named,
        (measured[0], measured[1]) if measured is not None else None,
        taken,
    )


async def remove(
    connection: AsyncConnection, desired: DesiredState, row: Any, keep_days: int
) -> None:
    """Remove the object; where its mail lies is kept for as long as the settings say, and its fence with it."""
    await connection.execute(delete(objects).where(objects.c.id == row["id"]))
    await connection.execute(delete(usage).where(usage.c.name == row["name"]))
    await _remember(connection, desired, home=row["home"], keep_days=keep_days)


async def fence_off(connection: AsyncConnection, desired: DesiredState, keep_days: int) -> None:
    """Write the wish's fence of an object that is not there."""
    gone = await _removed(connection, desired.mark)
    await _remember(connection, desired, home=gone["home"] if gone else None, keep_days=keep_days)


async def write(
    connection: AsyncConnection,
    desired: DesiredState,
    found: MailRows,
    policy: Policy,
    limits: Mapping[str, object],
    password: str | None,
) -> str:
    """Make or change the object as the wish says, with its mark and fence; return its id."""
    row, mark = found.row, desired.mark
    values = _state(desired, policy)
    if desired.wish is not Wish.ABSENT:
        values.update(_contents(desired, policy, limits, row))
    values.update(
        installation=mark.installation,
        key=mark.key,
        epoch=mark.epoch,
        generation=mark.generation,
        attempt=mark.attempt,
    )
    if row is not None and (row["installation"], row["key"]) != (mark.installation, mark.key):
        values.update(secret_generation=0, secret_id="")
    if password is not None:
        values.update(
            password=password, secret_generation=mark.generation, secret_id=desired.secret_id
        )
    if row is None:
        if values["kind"] != Kind.GROUP:
            gone = await _removed(connection, mark)
            home = gone["home"] if gone is not None else None
            values["home"] = home or f"{desired.name}-{mark.key[:SHORT_KEY]}"
        await connection.execute(
            delete(removed).where(
                removed.c.installation == mark.installation, removed.c.key == mark.key
            )
        )
        made = await connection.execute(
            insert(objects).values(name=desired.name, **values).returning(objects.c.id)
        )
        number = made.scalar_one()
    else:
        number = row["id"]
        await connection.execute(update(objects).where(objects.c.id == number).values(**values))
    if desired.wish is not Wish.ABSENT:
        await _write_addresses(connection, number, desired, found)
        await _write_roles(connection, number, desired, found)
    return str(number)


async def listed(
    connection: AsyncConnection, installation: str, after: str, size: int
) -> list[Listed]:
    """Return the next objects by name, of one installation or, where that is "", of all."""
    query = select(objects).where(objects.c.name > after).order_by(objects.c.name).limit(size)
    if installation:
        query = query.where(objects.c.installation == installation)
    return [
        Listed(
            row["name"],
            Mark(row["installation"], row["key"], row["generation"], row["attempt"], row["epoch"])
            if row["installation"]
            else None,
            str(row["id"]),
            state=Wish.PRESENT if row["active"] else Wish.SUSPENDED,
            level=row["level"],
        )
        for row in (await connection.execute(query)).mappings()
    ]


def _state(desired: DesiredState, policy: Policy) -> dict[str, object]:
    active = desired.state is not Wish.SUSPENDED
    return {
        "active": int(active),
        "receives": int(active or policy.suspended_receives),
    }


def _contents(
    desired: DesiredState, policy: Policy, limits: Mapping[str, object], row: Any
) -> dict[str, object]:
    kind = policy.kind(desired.service)
    settings = desired.settings
    quota = quota_of(desired, limits)
    if quota is None and row is not None:
        quota = row["quota_mb"]
    return {
        "kind": str(kind),
        "login": login_of(desired) if kind is Kind.MAILBOX else None,
        "display_name": str(desired.attributes.get("display_name") or ""),
        "level": desired.level,
        "protocols": ",".join(policy.protocols(limits.get("protocols"))),
        "pop": _flag(settings.get("pop")),
        "imap": _flag(settings.get("imap")),
        "web": _flag(settings.get("web")),
        "quota_mb": quota,
        "forward_to": str(settings.get("forward-to") or "").lower(),
        "keep_copy": _flag(settings.get("keep-copy")),
    }


def _flag(value: object) -> int | None:
    return None if value is None else int(bool(value))


async def _taken(
    connection: AsyncConnection, desired: DesiredState, kind: Kind
) -> tuple[tuple[str, str, bool], ...]:
    if desired.wish is Wish.ABSENT:
        return ()
    mine = objects.c.name != desired.name
    wanted = addresses_of(desired)
    query = (
        select(addresses.c.address, objects.c.name, objects.c.installation)
        .join(objects, objects.c.id == addresses.c.object_id)
        .where(mine)
    )
    found = [
        tuple(row) for row in await connection.execute(query.where(addresses.c.address.in_(wanted)))
    ]
    if kind is not Kind.GROUP:
        # Dovecot looks for a name and for an address in one place, and would open either's mail.
        has_mail = objects.c.kind != Kind.GROUP
        called = addresses.c.address == desired.name.lower()
        found += [tuple(row) for row in await connection.execute(query.where(has_mail, called))]
        names = select(objects.c.name, objects.c.name, objects.c.installation)
        named = names.where(mine, has_mail, objects.c.name.in_(wanted))
        found += [tuple(row) for row in await connection.execute(named)]
    if kind is Kind.MAILBOX:
        login = login_of(desired)
        rows = await connection.execute(
            select(objects.c.login, objects.c.name, objects.c.installation).where(
                mine, or_(objects.c.login == login, objects.c.name == login)
            )
        )
        found += [(login, name, installation) for _, name, installation in rows]
    ours = desired.mark.installation
    return tuple(sorted({(what, name, whose == ours) for what, name, whose in found}))


async def _removed(connection: AsyncConnection, mark: Mark) -> Any:
    query = select(removed).where(
        removed.c.installation == mark.installation, removed.c.key == mark.key
    )
    return (await connection.execute(query)).mappings().first()


async def _remember(
    connection: AsyncConnection, desired: DesiredState, *, home: str | None, keep_days: int
) -> None:
    mark, now = desired.mark, int(time.time())
    key = {"installation": mark.installation, "key": mark.key}
    values = {
        "name": desired.name,
        "home": home,
        "epoch": mark.epoch,
        "generation": mark.generation,
        "attempt": mark.attempt,
    }
    gone = await _removed(connection, mark)
    if gone is None:
        values.update(removed_at=now, keep_until=now + keep_days * DAY)
        await connection.execute(insert(removed).values(**key, **values))
        return
    await connection.execute(
        update(removed)
        .where(removed.c.installation == mark.installation, removed.c.key == mark.key)
        .values(**values)
    )


async def _write_addresses(
    connection: AsyncConnection, number: int, desired: DesiredState, found: MailRows
) -> None:
    primary = primary_of(desired)
    wanted = {address: address == primary for address in addresses_of(desired)}
    if dict(found.addresses) == wanted:
        return
    await connection.execute(delete(addresses).where(addresses.c.object_id == number))
    if wanted:
        await connection.execute(
            insert(addresses),
            [
                {
                    "address": address,
                    "domain": address.rpartition("@")[2],
                    "object_id": number,
                    "is_primary": int(is_primary),
                }
                for address, is_primary in wanted.items()
            ],
        )


async def _write_roles(
    connection: AsyncConnection, number: int, desired: DesiredState, found: MailRows
) -> None:
    wanted = roles_of(desired)
    if found.roles == wanted:
        return
    await connection.execute(delete(roles).where(roles.c.object_id == number))
    rows = [
        {"object_id": number, "role": role, "address": address}
        for role, named in wanted.items()
        for address in named
    ]
    if rows:
        await connection.execute(insert(roles), rows)


async def versions_of(connection: AsyncConnection, table: Any) -> int | None:
    """Return the number of the tables' version, None where none is written."""
    return await connection.scalar(select(func.max(table.c.version)))
