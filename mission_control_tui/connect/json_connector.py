"""A connector to a back end that speaks the messages of `messages.py`, whatever carries them there and back.

The difference is planned here, as for every connector. Each step looks again before it acts, and hands over what was
seen: a conditional back end compares that with what is there, in the act.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import msgspec

from mission_control_tui.connect.context import Context
from mission_control_tui.connect.declaration import Declaration
from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.connect.marks import Note
from mission_control_tui.connect.messages import (
    MESSAGES,
    AnswerT,
    ApplyAnswer,
    AvailableAnswer,
    ChangeMessage,
    CheckAnswer,
    DeclarationMessage,
    DescribeAnswer,
    DesiredMessage,
    ListAnswer,
    MarkMessage,
    ObserveAnswer,
    Operation,
    RequestMessage,
    decode_answer,
)
from mission_control_tui.connect.planning import plan_difference, step_to_do
from mission_control_tui.connect.protocol import (
    Applied,
    ChangePlan,
    DesiredState,
    Health,
    Listed,
    ObservedState,
    Page,
    Step,
)
from mission_control_tui.connect.settings_reader import LevelLimits
from mission_control_tui.model.states import ErrorKind, Wish

DIFFERS = "what the back end tells to differ"
"""The attribute in which an observed state carries the back end's own differences to its plan."""


class Transport(Protocol):
    """What carries a message to the back end, and its answer back."""

    async def ask(self, message: RequestMessage, *, writes: bool) -> bytes:
        """Return the answer as it came. Raises ConnectorError where there is none."""

    async def aclose(self) -> None:
        """Let go of everything; again is harmless."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who asks: what is the same in every message of a connector."""

    context: Context
    transport: Transport
    configuration: Mapping[str, Any]

    async def ask(
        self, operation: Operation, shape: type[AnswerT], *, writes: bool = False, **more: Any
    ) -> AnswerT:
        """Ask the back end one question. Raises ConnectorError, also where it answers none."""
        message = RequestMessage(
            mission_control=MESSAGES,
            operation=operation,
            connector=self.context.name,
            installation=self.context.installation,
            configuration=self.configuration,
            **more,
        )
        return decode_answer(await self.transport.ask(message, writes=writes), shape, writes=writes)

    async def described(self) -> DeclarationMessage:
        """Return what the back end says of itself."""
        return (await self.ask(Operation.DESCRIBE, DescribeAnswer)).declares


class JsonConnector:
    """Objects of one back end that speaks JSON."""

    def __init__(self, sender: Sender, declared: DeclarationMessage, levels: LevelLimits) -> None:
        """`levels` win over the catalogue's limits."""
        self._sender = sender
        self._declared = declared
        self._layout = declared.layout()
        self._levels = levels
        self.declares: Declaration = declared.declaration()

    async def check(self) -> Health:
        """Ask whether all is well, and whether the back end still says of itself what it is opened with."""
        found = await self._sender.ask(Operation.CHECK, CheckAnswer)
        described = await self._sender.described()
        if described != self._declared:
            keys = [
                key
                for key in described.__struct_fields__
                if getattr(described, key) != getattr(self._declared, key)
            ]
            raise ConnectorError(
                ErrorKind.CONFIG,
                f"The back end declares something else than was told before: {', '.join(keys)}",
                remedy="Correct what is declared, then start the worker anew.",
            )
        return Health(found.version, found.detail, found.warnings)

    async def observe(self, desired: DesiredState) -> ObservedState:
        """Return what the back end tells of the object."""
        return _observed(await self._look(desired))

    def plan(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        """Return the difference, and with it what the back end itself tells to differ."""
        attributes = dict(observed.attributes)
        told = attributes.pop(DIFFERS, ())
        facts: dict[str, object] = {}
        if isinstance(told, tuple):
            for change in told:
                facts[change["what"]] = change["after"]
                attributes[change["what"]] = change["before"]
        return plan_difference(
            desired,
            replace(observed, attributes=attributes),
            self.declares,
            layout=self._layout,
            limits=self._limits(desired),
            facts=facts,
        )

    async def apply(self, desired: DesiredState, plan: ChangePlan, step: Step) -> Applied | None:
        """Look again, and have done what still differs of one step."""
        seen = await self._look(desired)
        observed = _observed(seen)
        fresh = self.plan(desired, observed)
        todo = step_to_do(fresh, step.name)
        if todo is None:
            return None
        whats = {change.what for change in todo.changes}
        note = _note(desired, observed, whats)
        told = self._message(desired, note)
        if "password" in whats:
            told = msgspec.structs.replace(told, password=desired.secret)
        done = await self._sender.ask(
            Operation.APPLY,
            ApplyAnswer,
            writes=True,
            desired=told,
            action=str(fresh.action),
            step=todo.name,
            changes=tuple(
                ChangeMessage(
                    what=change.what,
                    before=change.before,
                    after=change.after,
                    takes_away=change.takes_away,
                )
                for change in todo.changes
            ),
            seen=seen.seen,
        )
        return Applied(done.external_id, done.token, done.look_again_after)

    async def list(self, cursor: str, marked_only: bool) -> Page:
        """Return a page of the back end's own."""
        page = await self._sender.ask(
            Operation.LIST, ListAnswer, cursor=cursor, marked_only=marked_only
        )
        rows = []
        for row in page.objects:
            note = Note.from_text(row.note)
            mark = note.mark if note else None
            if not marked_only or (mark and mark.installation == self._sender.context.installation):
                rows.append(
                    Listed(
                        row.name,
                        mark,
                        row.external_id,
                        row.service,
                        Wish(row.state) if row.state else None,
                        row.level or (note.level if note else ""),
                    )
                )
        return Page(tuple(rows), page.cursor)

    async def available(self, domain: str) -> tuple[bool | None, str]:
        """Return whether a domain name is free, and words; None where the back end declares that it cannot tell."""
        if not self._declared.availability:
            return None, "it declares no availability"
        told = await self._sender.ask(Operation.AVAILABLE, AvailableAnswer, domain=domain)
        return told.available, told.said

    async def aclose(self) -> None:
        """Let go of what carries the messages."""
        await self._sender.transport.aclose()

    async def _look(self, desired: DesiredState) -> ObserveAnswer:
        told = self._message(desired, "")
        return await self._sender.ask(Operation.OBSERVE, ObserveAnswer, desired=told)

    def _limits(self, desired: DesiredState) -> dict[str, object]:
        return self._levels.of(desired.level, desired.limits)

    def _message(self, desired: DesiredState, note: str) -> DesiredMessage:
        mark = desired.mark
        return DesiredMessage(
            service=desired.service,
            name=desired.name,
            state=desired.state.value,
            level=desired.level,
            limits=self._limits(desired),
            settings=desired.settings,
            attributes=desired.attributes,
            mark=MarkMessage(
                installation=mark.installation,
                key=mark.key,
                epoch=mark.epoch,
                generation=mark.generation,
                attempt=mark.attempt,
            ),
            note=note,
            adopt=desired.adopt,
            external_id=desired.external_id,
            token=desired.token,
        )


def _note(desired: DesiredState, observed: ObservedState, whats: set[str]) -> str:
    """Return what the back end keeps beside the object once the step is done."""
    password = (observed.secret_generation, observed.secret_id)
    if "owner" in whats:
        password = (0, "")
    if "password" in whats:
        password = (desired.mark.generation, desired.secret_id)
    level = desired.level if "level" in whats else observed.level
    return Note(desired.mark, level, *password).to_text()


def _observed(found: ObserveAnswer) -> ObservedState:
    note = Note.from_text(found.note)
    attributes = dict(found.attributes)
    if found.differs:
        attributes[DIFFERS] = tuple(msgspec.to_builtins(change) for change in found.differs)
    level = found.level if found.level is not None else (note.level if note else "")
    return ObservedState(
        exists=found.exists,
        mark=note.mark if note else None,
        wish=Wish(found.state) if found.exists else Wish.ABSENT,
        level=level if found.exists else "",
        settings=found.settings,
        attributes=attributes,
        external_id=found.external_id,
        complete=found.complete,
        pending=found.pending.pending() if found.pending else None,
        limits=found.limits,
        missing=found.missing,
        secret_generation=note.secret_generation if note else 0,
        secret_id=note.secret_id if note else "",
        usage={name: usage.usage() for name, usage in found.usage.items()},
        kept=found.kept,
        unadoptable=found.unadoptable,
        consents=found.consents,
    )
