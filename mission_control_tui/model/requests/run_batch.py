"""What several runs write at the same moment: one transaction, each behind its own fence, each kind of row at once.

A write is its run, the step that is over, and what is to be done with the run's locked rows; what it has to say beyond
these rows it tells the batch, which writes it for all of them at the end.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from sqlalchemy import Table, bindparam, delete, insert, update
from sqlalchemy.exc import DBAPIError, OperationalError

from mission_control_tui.model.errors import OutcomeUnknown
from mission_control_tui.model.requests.attempts import (
    Fenced,
    Learned,
    Run,
    RunLost,
    StepResult,
    StepStart,
    fenced,
    running,
)
from mission_control_tui.model.requests.batch_end import end_together
from mission_control_tui.model.requests.dependencies import settle_dependents, settle_these
from mission_control_tui.model.services import sealed_passwords, seats
from mission_control_tui.model.services.wishes import update_parents
from mission_control_tui.model.states import StepState, Word
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.engine import clock
from mission_control_tui.model.store.tables.requests import RequestRow, RequestStepRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.worker_transaction import worker_transaction

T = TypeVar("T")

NAME_LIMIT = 200
_STEPS = cast("Table", RequestStepRow.__table__)
_END_STEP = (
    update(_STEPS)
    .where(
        _STEPS.c.request_id == bindparam("of_request"),
        _STEPS.c.attempt == bindparam("of_attempt"),
        _STEPS.c.number == bindparam("of_number"),
    )
    .values(state=bindparam("new_state"), ended_at=bindparam("new_ended_at"))
)
_BEGIN_STEP = insert(_STEPS)
_ASSIGNMENTS = cast("Table", AssignmentRow.__table__)
_SHOW_STEP = (
    update(_ASSIGNMENTS)
    .where(_ASSIGNMENTS.c.id == bindparam("of_assignment"))
    .values(word=Word.PROVISIONING, step=bindparam("new_step"))
)
_FORGET_STEPS = delete(_STEPS).where(
    _STEPS.c.request_id == bindparam("of_request"), _STEPS.c.attempt == bindparam("of_attempt")
)


class RunBatch:
    """Gathers what the runs of one transaction write beside their own rows; `finish` writes it, each kind at once."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self._clock: float | None = None
        self._ended_steps: list[dict[str, object]] = []
        self._begun_steps: list[dict[str, object]] = []
        self._shown_steps: list[dict[str, object]] = []
        self._given_back: list[int] = []
        self._forgotten: list[dict[str, object]] = []
        self._kept_seats: dict[str, Collection[str]] = {}
        self._let_go: dict[bool, list[AssignmentRow]] = {True: [], False: []}
        self._ended: list[tuple[RequestRow, AssignmentRow]] = []

    async def clock(self) -> float:
        """Return the database's clock, asked once."""
        if self._clock is None:
            self._clock = await clock(self.tx.session)
        return self._clock

    def end_step(self, run: Fenced, result: StepResult) -> None:
        """Close the step's row and add its event."""
        self._ended_steps.append(
            {
                "of_request": run.request_id,
                "of_attempt": run.attempt,
                "of_number": result.number,
                "new_state": result.state,
                "new_ended_at": self.tx.now,
            }
        )
        self.tx.event(
            account_id=run.account_id,
            request_id=run.request_id,
            attempt=run.attempt,
            kind="step" if result.state is StepState.DONE else "step failed",
            step=result.name[:NAME_LIMIT],
            said=result.said,
            remedy=result.remedy,
            duration_ms=result.duration_ms,
            detail=dict(result.detail),
        )

    def begin_step(self, run: Fenced, start: StepStart) -> None:
        """Note that the step begins, beside the light, too."""
        self._begun_steps.append(
            {
                "request_id": run.request_id,
                "attempt": run.attempt,
                "number": start.number,
                "name": start.name[:NAME_LIMIT],
                "state": StepState.RUNNING,
                "started_at": self.tx.now,
            }
        )
        self._shown_steps.append(
            {"of_assignment": run.assignment_id, "new_step": start.shown[:NAME_LIMIT]}
        )

    def fail_running_steps(self, request: RequestRow) -> None:
        """Close the steps that nobody will end any more."""
        self._given_back.append(request.id)

    def forget_steps(self, request: RequestRow) -> None:
        """Delete the steps of an attempt that found nothing new."""
        self._forgotten.append({"of_request": request.id, "of_attempt": request.attempt})

    def release_seats(self, row: AssignmentRow, keep: Collection[str]) -> None:
        """Give back the seats of the service, save those of the levels in `keep`."""
        self._kept_seats[row.id] = keep

    def let_go_of_secret(self, row: AssignmentRow, *, delivered: bool) -> None:
        """Let go of a password that the back end has, or needs no more."""
        self._let_go[delivered].append(row)

    def ended(self, request: RequestRow, row: AssignmentRow) -> None:
        """Let what waits for this run's end be looked at again: its parent, and services that depend on it."""
        self._ended.append((request, row))

    async def finish(self) -> None:
        """Write what was gathered."""
        session = self.tx.session
        for delivered, rows in self._let_go.items():
            await sealed_passwords.let_go_all(self.tx, rows, delivered=delivered)
        await session.flush()
        if self._ended_steps and self.tx.is_sqlite:
            await session.execute(_END_STEP, self._ended_steps)
        if self._given_back:
            await session.execute(
                update(_STEPS)
                .where(
                    _STEPS.c.request_id.in_(self._given_back), _STEPS.c.state == StepState.RUNNING
                )
                .values(state=StepState.FAILED, ended_at=self.tx.now)
            )
        if self._forgotten:
            await session.execute(_FORGET_STEPS, self._forgotten)
        if self._begun_steps:
            await session.execute(_BEGIN_STEP, self._begun_steps)
            await session.execute(_SHOW_STEP, self._shown_steps)
        await update_parents(self.tx, [request for request, _ in self._ended])
        ended = [row.id for _, row in self._ended]
        if not self.tx.is_sqlite:
            seats_of = self._kept_seats
            dependents = await end_together(self.tx, self._ended_steps, seats_of, ended)
            await settle_these(self.tx, dependents)
            return
        if self._kept_seats:
            await seats.release_all(session, self._kept_seats)
        if ended:
            await settle_dependents(self.tx, ended)


RunWork = Callable[[RunBatch, RequestRow, AssignmentRow], Awaitable[T]]
"""What a run does with its rows, which are locked; it may be asked again, with fresh rows.

A `StepStart` in its place begins the next step, unless the run must stop: then the answer is the StopReason.
"""


@dataclass(frozen=True, slots=True)
class RunWrite:
    """What one run has to write: `result` is the step that is over."""

    run: Run
    result: StepResult | None
    work: RunWork[object] | StepStart

    @property
    def needs_rows(self) -> bool:
        """Whether more than the step is written: a step alone is begun and ended without reading what it is for."""
        learned = self.result is not None and self.result.learned is not None
        step_alone = isinstance(self.work, StepStart) and self.work.lease_seconds is None
        return learned or not step_alone


async def write(store: Store, writes: Sequence[RunWrite]) -> list[object]:
    """Do them in one transaction; return what each has to say, or the exception that is its own: RunLost above all.

    Where one of them cannot be written each has a transaction to itself, so that it keeps none of the others. Raises
    what the database raises when it is away.
    """
    try:
        return await _write(store, writes)
    except Exception as error:
        if is_away(error):
            raise
        if len(writes) == 1:
            return [error]
    return [(await write(store, [single]))[0] for single in writes]


async def write_one(store: Store, run: Run, result: StepResult | None, work: RunWork[T]) -> T:
    """Do one run's write by itself. Raises RunLost."""
    (answer,) = await write(store, [RunWrite(run, result, work)])
    if isinstance(answer, Exception):
        raise answer
    return cast("T", answer)


def is_away(error: Exception) -> bool:
    """Tell whether the database is away, or was in the middle of the commit."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error, OperationalError)
    # What may have been written is not written once more, by each for itself.
    return isinstance(error, OSError | OutcomeUnknown)


@worker_transaction
async def _write(tx: Transaction, writes: Sequence[RunWrite]) -> list[object]:
    session = tx.session
    whole = {single.run for single in writes if single.needs_rows}
    if len(whole) == len(writes):
        rows = await running(session, whole, lock=True)
        found = {run: Fenced.of(*pair) for run, pair in rows.items()}
    else:
        found = await fenced(session, {single.run for single in writes})
        rows = await running(session, whole) if whole else {}
    batch = RunBatch(tx)
    answers = [await _write_single(batch, single, found, rows) for single in writes]
    await batch.finish()
    return answers


def _learn(row: AssignmentRow, result: StepResult) -> None:
    learned = result.learned or Learned()
    row.external_id = learned.external_id or row.external_id
    row.token = learned.token or row.token
    if not result.detail.get("outcome_unknown"):
        row.acting_until = 0.0


async def _write_single(
    batch: RunBatch,
    single: RunWrite,
    found: Mapping[Run, Fenced],
    rows: Mapping[Run, tuple[RequestRow, AssignmentRow]],
) -> object:
    run = single.run
    if run not in found:
        return RunLost(f"request {run.request_id}, attempt {run.attempt}")
    fence = found[run]
    batch.tx.heard_by.add(fence.account_id)
    if single.result is not None:
        batch.end_step(fence, single.result)
        if run in rows:
            _learn(rows[run][1], single.result)
    if not isinstance(single.work, StepStart):
        return await single.work(batch, *rows[run])
    if fence.stop_reason is None:
        batch.begin_step(fence, single.work)
        if single.work.lease_seconds:
            rows[run][1].acting_until = await batch.clock() + single.work.lease_seconds
    return fence.stop_reason
