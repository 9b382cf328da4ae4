"""What runs shall do: read for several at a time, in one snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.errors import Conflict, MissionControlError
from mission_control_tui.model.requests.attempts import (
    Job,
    Run,
    RunLost,
    running,
    stop_reason,
    wished_of,
)
from mission_control_tui.model.requests.attributes import attributes_of
from mission_control_tui.model.requests.drift import known_keys
from mission_control_tui.model.requests.planned_changes import PlannedChanges
from mission_control_tui.model.requests.request_plans import plans_agreed_to
from mission_control_tui.model.services.setting_references import sent_settings
from mission_control_tui.model.states import Wish
from mission_control_tui.model.store import epochs
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import SecretRow, UserRow

_USERS = select(UserRow).where(UserRow.id.in_(bindparam("ids", expanding=True)))
_SECRETS = select(SecretRow).where(SecretRow.id.in_(bindparam("ids", expanding=True)))


async def load(store: Store, runs: Sequence[Run]) -> list[Job | MissionControlError | RunLost]:
    """Return for each run what it shall do, or RunLost, or NotFound where the catalogue lacks service or level."""
    async with store.read() as session:
        found = await running(session, runs)
        catalogue = (await in_force(session)).catalogue
        users = await _users(session, [row for _, row in found.values()])
        secrets = await _secrets(session, [row for _, row in found.values()])
        epoch = await epochs.present(session)
        agreed = await plans_agreed_to(session, [request for request, _ in found.values()])
        acts = any(row.acting_until for _, row in found.values())
        again = [await _known_again(session, request) for request, _ in found.values()]
        known = {run for run, is_known in zip(found, again, strict=True) if is_known}
        now = await clock(session) if acts else 0.0
        facts = await attributes_of(
            session, [(row, users.get(row.user_id or "")) for _, row in found.values()]
        )
        jobs: list[Job | MissionControlError | RunLost] = []
        for run in runs:
            if run not in found:
                jobs.append(RunLost(f"request {run.request_id}, attempt {run.attempt}"))
                continue
            request, row = found[run]
            if run in known:
                name = request.previous["orphan_name"]
                jobs.append(
                    Conflict(
                        f"{name} is no orphan any more: a service here knows it.",
                        hint="Nothing to do. Deprovision that service to remove it.",
                    )
                )
                continue
            try:
                service = catalogue.service(row.service_id)
                settings = await sent_settings(session, service, row)
                jobs.append(
                    _job(
                        service,
                        request,
                        row,
                        users.get(row.user_id or ""),
                        settings,
                        facts[row.id],
                        epoch,
                        secrets.get(row.secret_id or 0),
                        now,
                        agreed.get(request.id),
                    )
                )
            except MissionControlError as error:
                jobs.append(error)
    return jobs


async def _known_again(session: AsyncSession, request: RequestRow) -> bool:
    """Tell whether what a request removes as an orphan became a service's own meanwhile."""
    key = str(request.previous.get("orphan", ""))
    connectors = request.previous.get("orphan_of", ())
    return bool(key) and bool(await known_keys(session, connectors, [key]))


async def _users(session: AsyncSession, rows: Sequence[AssignmentRow]) -> dict[str, UserRow]:
    ids = {row.user_id for row in rows if row.user_id is not None}
    if not ids:
        return {}
    found = await session.scalars(_USERS, {"ids": list(ids)})
    return {user.id: user for user in found}


async def _secrets(session: AsyncSession, rows: Sequence[AssignmentRow]) -> dict[int, SecretRow]:
    ids = {row.secret_id for row in rows if row.secret_id is not None}
    if not ids:
        return {}
    found = await session.scalars(_SECRETS, {"ids": list(ids)})
    return {secret.id: secret for secret in found}


def _job(
    service: Service,
    request: RequestRow,
    row: AssignmentRow,
    user: UserRow | None,
    settings: Mapping[str, Any],
    attributes: Mapping[str, object],
    epoch: int,
    secret: SecretRow | None,
    now: float,
    agreed: PlannedChanges | None,
) -> Job:
    return Job(
        assignment_id=row.mark_key,
        generation=request.generation,
        failures=request.failures,
        created_at=request.created_at,
        connector=row.connector,
        backend_name=str(request.previous.get("orphan_name", row.backend_name)),
        service_id=row.service_id,
        wished=wished_of(service, row.wish, row.level_id, settings),
        previous=wished_of(
            service,
            request.previous.get("wish", Wish.ABSENT),
            request.previous.get("level_id", ""),
            request.previous.get("settings", {}),
        ),
        attributes=attributes,
        disabled=user is not None and user.disabled,
        adopt=bool(request.previous.get("adopt")),
        as_is=bool(request.previous.get("as_is")),
        orphan=str(request.previous.get("orphan", "")),
        stop_reason=stop_reason(request, row),
        epoch=epoch,
        sealed=secret.sealed if secret is not None else None,
        secret_id=secret.mark if secret is not None else "",
        external_id=row.external_id,
        token=row.token,
        agreed=agreed,
        retained=row.kept_until > 0,
        was_retained=bool(request.previous.get("kept_until")),
        acting_for=max(0.0, row.acting_until - now) if row.acting_until else 0.0,
    )
