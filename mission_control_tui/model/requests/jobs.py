"""What runs shall do: read for several at a time.

What changes between two of the statements is a newer wish, at which the run stops before its next step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from mission_control_tui.model.catalogue.in_force import NEWEST_DIGEST, of_digest
from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.requests.attempts import (
    Job,
    OrphanMark,
    Run,
    RunLost,
    stop_reason,
    wished_of,
)
from mission_control_tui.model.requests.attributes import attributes_of
from mission_control_tui.model.requests.planned_changes import PlannedChanges
from mission_control_tui.model.requests.request_plans import plans_agreed_to
from mission_control_tui.model.services.setting_references import sent_settings
from mission_control_tui.model.states import RequestState, Wish
from mission_control_tui.model.store.any_of import any_of
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.installation import InstallationRow
from mission_control_tui.model.store.tables.requests import RequestRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import SecretRow, UserRow

_RUNNING = (
    select(
        AssignmentRow,
        RequestRow,
        UserRow,
        SecretRow,
        AccountRow.code,
        select(InstallationRow.epoch).scalar_subquery(),
        NEWEST_DIGEST,
    )
    .join(RequestRow, RequestRow.assignment_id == AssignmentRow.id)
    .join(AccountRow, AccountRow.id == AssignmentRow.account_id)
    .outerjoin(UserRow, UserRow.id == AssignmentRow.user_id)
    .outerjoin(SecretRow, SecretRow.id == AssignmentRow.secret_id)
    .where(any_of(RequestRow.id, "requests"))
)


async def load(store: Store, runs: Sequence[Run]) -> list[Job | MissionControlError | RunLost]:
    """Return for each run what it shall do, or RunLost, or NotFound where the catalogue lacks service or level."""
    async with store.glance() as session:
        rows = [
            row
            for row in await session.execute(
                _RUNNING, {"requests": [run.request_id for run in runs]}
            )
            if row[1].state == RequestState.RUNNING
        ]
        found = {Run(row[1].id, row[1].attempt, row[1].worker_id): row for row in rows}
        if not rows:
            return [_lost(run) for run in runs]
        catalogue = await of_digest(session, rows[0][-1])
        agreed = await plans_agreed_to(session, [row[1] for row in rows])
        acts = any(row[0].acting_until for row in rows)
        now = await clock(session) if acts else 0.0
        codes = {row[0].account_id: row.code for row in rows}
        facts = await attributes_of(session, [(row[0], row[2]) for row in rows], codes)
        jobs: list[Job | MissionControlError | RunLost] = []
        for run in runs:
            if run not in found:
                jobs.append(_lost(run))
                continue
            row, request, user, secret, _, epoch, _ = found[run]
            try:
                service = catalogue.service(row.service_id)
                settings = await sent_settings(session, service, row)
                jobs.append(
                    _job(
                        service,
                        request,
                        row,
                        user,
                        settings,
                        facts[row.id],
                        int(epoch or 1),
                        secret,
                        now,
                        agreed.get(request.id),
                    )
                )
            except MissionControlError as error:
                jobs.append(error)
    return jobs


def _lost(run: Run) -> RunLost:
    return RunLost(f"request {run.request_id}, attempt {run.attempt}")


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
        orphan=OrphanMark.of(request.previous),
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
