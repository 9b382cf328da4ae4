"""The one guard around connectors: somebody else's code, which must hurt nobody but its own requests.

Every method runs in the connector's own thread, under a time limit; whatever it raises or answers becomes what the
protocol promises, or a ConnectorError that names the connector and is safe to show.
"""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar, runtime_checkable

from mission_control_tui.connect.adoption import changed_by_it
from mission_control_tui.connect.context import Context
from mission_control_tui.connect.declaration import CAPABILITIES, Declaration
from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.connect.planning import in_observe_mode, refuse_in_observe_mode
from mission_control_tui.connect.protocol import (
    Applied,
    ChangePlan,
    Connector,
    DesiredState,
    Health,
    Listed,
    ObservedState,
    Page,
    Pending,
    Step,
    Usage,
)
from mission_control_tui.connect.settings_reader import ALLOW, ENABLED, OBSERVE, REFUSE
from mission_control_tui.model.states import ErrorKind, PlanAction, Wish
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.provisioning.connector_thread import ConnectorThread, Escaped, TimeOver
from mission_control_tui.provisioning.redaction import without_secrets

T = TypeVar("T")

log = logging.getLogger(__name__)

SAID_LIMIT = 500  # characters of a back end's words that are kept
TIMED_OUT = "timeout"  # the code of an error that is our own time limit
EXTERNAL_ID_LIMIT = 256
TOKEN_LIMIT = 2000
CLOSE_SECONDS = 5.0
PAGES_LIMIT = 100_000

_NUMBER = (int, float, type(None))

_SHAPES: Mapping[type, Mapping[str, type | tuple[type, ...]]] = {
    Health: {"version": str, "detail": str, "warnings": tuple},
    ObservedState: {
        "exists": bool,
        "wish": Wish,
        "level": str,
        "settings": Mapping,
        "attributes": Mapping,
        "limits": Mapping,
        "external_id": str,
        "complete": bool,
        "pending": (Pending, type(None)),
        "missing": tuple,
        "secret_generation": int,
        "secret_id": str,
        "usage": Mapping,
        "kept": tuple,
        "unadoptable": str,
        "consents": bool,
    },
    ChangePlan: {"steps": tuple, "reason": str, "remedy": str, "field": str},
    Applied: {"external_id": str, "token": str, "look_again_after": _NUMBER},
    Page: {"rows": tuple, "cursor": str},
    Listed: {"name": str, "external_id": str, "service": str, "level": str},
    Pending: {
        "words": str,
        "progress": _NUMBER,
        "deadline": (datetime, type(None)),
        "look_again_after": _NUMBER,
    },
    Usage: {"value": (int, float), "limit": _NUMBER, "unit": str, "at": (datetime, type(None))},
}


@runtime_checkable
class MadeOfOthers(Connector, Protocol):
    """A connector whose parts are connectors behind guards of their own."""

    def with_parts(self, change: Callable[[Guarded], Guarded]) -> Connector:
        """Return the same with its parts' connectors changed."""


@runtime_checkable
class TellsAvailability(Protocol):
    """A connector that can say whether a domain name is free."""

    async def available(self, domain: str) -> tuple[bool | None, str]:
        """Return whether it is free, None where that is not known, and words for people."""


@runtime_checkable
class TakesCallbacks(Protocol):
    """A connector whose back end may call when a job that ran on there has ended."""

    async def called_back(self, headers: Mapping[str, str], body: bytes) -> str:
        """Return the key of the mark that it is about. Raises ConnectorError (auth) for whoever is not the back end."""


class WrongType(TypeError):
    """Raised for an answer that is not what the protocol promises."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """An open connector behind its guard. Every failure is a ConnectorError; `call_seconds` limit each call."""

    context: Context
    kind: str
    connector: Connector
    thread: ConnectorThread
    call_seconds: float
    may_write: bool = False
    """Whether somebody allowed what is to be done now, whatever the mode."""
    only_compares: bool = False
    """Whether what carries no mark of ours is compared as if it might be taken over: for show, it is never applied."""

    @property
    def name(self) -> str:
        """The connector's name in the settings."""
        return self.context.name

    @property
    def declares(self) -> Declaration:
        """What it says of itself."""
        return self.connector.declares

    @property
    def observe_setting(self) -> str:
        """The setting that would allow writing, "" where it is allowed."""
        if self.may_write:
            return ""
        default = ENABLED if self.declares.starts_enabled else OBSERVE
        mode = self.context.settings.get("mode", default)
        return "" if mode == ENABLED else f"connectors.{self.name}.mode"

    @property
    def adopt_setting(self) -> str:
        """The setting that would allow taking over what carries no mark of ours, "" where it is allowed."""
        if self.only_compares:
            return ""
        default = ALLOW if self.declares.starts_enabled else REFUSE
        consent = self.context.settings.get("adopt", default)
        return "" if consent == ALLOW else f"connectors.{self.name}.adopt"

    async def check(self) -> Health:
        """Reach the back end and log in."""
        health = self._checked("check", _health, await self._call("check", self.connector.check))
        exposed = [secret.exposure for secret in self.context.secrets]
        notes = ["observe mode: nothing is written"] if self.observe_setting else []
        warnings = (*health.warnings, *filter(None, exposed))
        return Health(
            self._words(health.version),
            "; ".join([*filter(None, [self._words(health.detail)]), *notes]),
            tuple(self._words(str(warning)) for warning in warnings),
        )

    async def look(self, desired: DesiredState) -> tuple[ObservedState, ChangePlan]:
        """Return what is true of one object, and what `apply` would do; blocked where the connector only observes."""

        async def looked() -> tuple[ObservedState, ChangePlan]:
            observed = self._observed(await self.connector.observe(desired), desired)
            return observed, self._plan(desired, observed)

        observed, plan = await self._call("observe", looked, desired)
        return observed, self._shown(plan, desired)

    def allowed(self) -> Guarded:
        """Return the same connector, and what it is made of, allowed to write whatever the mode."""
        return self._changed(lambda each: replace(each, may_write=True))

    def comparing(self) -> Guarded:
        """Return the same connector, and what it is made of, that only compares."""
        return self._changed(lambda each: replace(each, only_compares=True))

    def _changed(self, change: Callable[[Guarded], Guarded]) -> Guarded:
        connector = self.connector
        if isinstance(connector, MadeOfOthers):
            connector = connector.with_parts(change)
        return change(replace(self, connector=connector))

    def planned(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        """Return what `plan` does, for code that runs behind another connector's guard."""
        return self._shown(self._plan(desired, observed), desired)

    async def plan(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        """Return what `apply` would do about what was observed."""

        async def planned() -> ChangePlan:
            return self._plan(desired, observed)

        return self._shown(await self._call("plan", planned, desired, paces=False), desired)

    async def apply(self, desired: DesiredState, plan: ChangePlan, step: Step) -> Applied:
        """Do one step. A ConnectorError with `outcome_unknown` may have taken effect: observe next."""
        if self.only_compares:
            raise TypeError("what only compares applies nothing")
        refuse_in_observe_mode(plan, self.observe_setting)
        what = f"apply {step.name}"
        taken_over = any(change.what == "owner" for change in plan.changes)
        if desired.adopt and not taken_over:
            # Consent was asked for what was seen: what somebody else put in its place since is not taken over.
            desired = replace(desired, adopt=False)
        answer = await self._call(
            what, lambda: self.connector.apply(desired, plan, step), desired, writes=True
        )
        return self._checked(what, _applied, answer, desired)

    async def list(self, *, marked_only: bool = True) -> AsyncIterator[Listed]:
        """Yield from all pages; the time limit is that of one page."""
        cursor, seen = "", set[str]()
        for _ in range(PAGES_LIMIT):
            listed = partial(self.connector.list, cursor, marked_only)
            page = self._checked("list", _page, await self._call("list", listed))
            for row in page.rows:
                yield row
            cursor = page.cursor
            if not cursor:
                return
            if cursor in seen:
                break
            seen.add(cursor)
        raise self._unexpected("list", WrongType("its pages have no end"), None, writes=False)

    def _plan(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        withheld = self._lacks_consent(desired, observed)
        asked = replace(desired, adopt=False) if withheld else desired
        plan = _shaped(self.connector.plan(asked, observed), ChangePlan)
        for step in plan.steps:
            _shaped(step, Step)
        if withheld and plan.action is PlanAction.BLOCKED and plan.kind is ErrorKind.CONFLICT:
            remedy = f'Set {self.adopt_setting} = "allow", then ask again with adopt.'
            return replace(plan, remedy=remedy)
        if any(change.what == "owner" for change in plan.changes):
            return changed_by_it(asked, plan.changes, plan.steps) or plan
        return plan

    def _lacks_consent(self, desired: DesiredState, observed: ObservedState) -> bool:
        """Tell whether what is found may not be taken over: neither settings nor the object itself allow it."""
        found = observed.mark
        lost = found is not None and found.installation == desired.mark.installation
        strange = observed.exists and not lost and not observed.unadoptable
        return desired.adopt and strange and not observed.consents and bool(self.adopt_setting)

    def _shown(self, plan: ChangePlan, desired: DesiredState) -> ChangePlan:
        # A reason may repeat what somebody else wrote at the back end.
        shown = replace(
            plan,
            reason=self._words(plan.reason, desired),
            remedy=self._words(plan.remedy, desired),
        )
        return in_observe_mode(shown, self.observe_setting)

    async def available(self, domain: str) -> tuple[bool | None, str]:
        """Return whether a domain name is free, None where that is not known, and words. Raises ConnectorError."""
        connector = self.connector
        if not isinstance(connector, TellsAvailability):
            raise ConnectorError(ErrorKind.UNSUPPORTED, "This connector is no registrar")
        free, said = await self._call("available", lambda: connector.available(domain))
        return free if isinstance(free, bool) else None, self._words(str(said))

    async def called_back(self, headers: Mapping[str, str], body: bytes) -> str:
        """Return the key of the object that a back end's call is about. Raises ConnectorError where it is not good."""
        connector = self.connector
        if not isinstance(connector, TakesCallbacks):
            raise ConnectorError(ErrorKind.UNSUPPORTED, "This connector takes no callbacks")
        return await self._call(
            "callback", lambda: connector.called_back(headers, body), paces=False
        )

    async def aclose(self) -> None:
        """Close the connector and its thread, however it behaves."""
        try:
            await self.thread.call(self.connector.aclose, min(self.call_seconds, CLOSE_SECONDS))
        except TimeOver:
            log.warning("connector %s did not close in time", self.name)
        except Exception as error:  # noqa: BLE001 - a connector is somebody else's code
            log.warning("connector %s did not close: %s", self.name, _type_of(error))
        await self.thread.close()

    async def _call(
        self,
        what: str,
        begin: Callable[[], Awaitable[T]],
        desired: DesiredState | None = None,
        *,
        writes: bool = False,
        paces: bool = True,
    ) -> T:
        """Return a connector's answer; every failure becomes a ConnectorError that is safe to show."""

        async def paced() -> T:
            if paces and not self.declares.paces:
                await self.context.pace()
            return await begin()

        try:
            password = desired.secret if desired is not None else None
            return await self.thread.call(paced, self.call_seconds, password)
        except ConnectorError as error:
            raise self._presentable(error, desired) from None
        except TimeOver:
            raise ConnectorError(
                ErrorKind.UNREACHABLE,
                f"{what}: no answer within {self.call_seconds:g} seconds",
                remedy="See whether the back end is overloaded or hangs; it goes on by itself.",
                code=TIMED_OUT,
                outcome_unknown=writes,
            ) from None
        except Exception as error:  # noqa: BLE001 - a connector is somebody else's code
            raise self._unexpected(what, error, desired, writes=writes) from None

    def _checked(
        self,
        what: str,
        shape: Callable[[object], T],
        answer: object,
        desired: DesiredState | None = None,
    ) -> T:
        try:
            return shape(answer)
        except Exception as error:  # noqa: BLE001 - what a connector answers is somebody else's code, too
            raise self._unexpected(what, error, desired, writes=what.startswith("apply")) from None

    def _unexpected(
        self, what: str, error: BaseException, desired: DesiredState | None, *, writes: bool
    ) -> ConnectorError:
        name = _type_of(error)
        words = "" if isinstance(error, Escaped) else f": {error}"
        called = self.name if self.kind == self.name else f"{self.name} ({self.kind})"
        return ConnectorError(
            ErrorKind.TRANSIENT,
            self._words(f"Connector {called}: {what}: {name}{words}", desired),
            remedy="The connector did not foresee this error; it is tried again.",
            code=name,
            outcome_unknown=writes,
        )

    def _observed(self, answer: object, desired: DesiredState) -> ObservedState:
        observed = _shaped(answer, ObservedState)
        for usage in observed.usage.values():
            _shaped(usage, Usage)
        if observed.pending is not None:
            pending = _shaped(observed.pending, Pending)
            if pending.deadline is not None and pending.deadline.tzinfo is None:
                raise WrongType("Pending.deadline has no time zone")
            words = self._words(pending.words, desired)
            observed = replace(observed, pending=replace(pending, words=words))
        return replace(observed, external_id=observed.external_id[:EXTERNAL_ID_LIMIT])

    def _presentable(self, error: ConnectorError, desired: DesiredState | None) -> ConnectorError:
        return ConnectorError(
            ErrorKind(error.kind) if error.kind in set(ErrorKind) else ErrorKind.TRANSIENT,
            self._words(str(error.said), desired),
            remedy=self._words(str(error.remedy), desired),
            code=self._words(str(error.code), desired),
            retry_after=_seconds(error.retry_after),
            outcome_unknown=bool(error.outcome_unknown),
            field=self._words(str(error.field), desired),
        )

    def _words(self, text: str, desired: DesiredState | None = None) -> str:
        """Return words of a back end without secrets and control characters, cut."""
        password = desired.secret if desired is not None else None
        text = without_secrets(self.context, text, password)
        shown = harmless(text[: SAID_LIMIT * 4])
        return shown if len(shown) <= SAID_LIMIT else shown[: SAID_LIMIT - 3] + "..."


def _type_of(error: BaseException) -> str:
    return str(error) if isinstance(error, Escaped) else type(error).__name__


def _shaped(answer: object, shape: type[T]) -> T:
    """Return an answer that is of the protocol's shape, all the way down. Raises WrongType."""
    if not isinstance(answer, shape):
        raise WrongType(f"{type(answer).__name__} in the place of {shape.__name__}")
    expected = _SHAPES.get(shape, {})
    for field in fields(shape) if is_dataclass(shape) else ():
        wanted = expected.get(field.name)
        value = getattr(answer, field.name)
        if wanted is not None and not isinstance(value, wanted):
            raise WrongType(f"{shape.__name__}.{field.name} is {type(value).__name__}")
        if isinstance(value, float) and not math.isfinite(value):
            raise WrongType(f"{shape.__name__}.{field.name} is {value}")
    return answer


def _health(answer: object) -> Health:
    return _shaped(answer, Health)


def _applied(answer: object) -> Applied:
    if answer is None:
        return Applied()
    learned = _shaped(answer, Applied)
    if len(learned.external_id) > EXTERNAL_ID_LIMIT or len(learned.token) > TOKEN_LIMIT:
        raise WrongType("Applied holds a text that is too long")
    return learned


def _page(answer: object) -> Page:
    page = _shaped(answer, Page)
    for row in page.rows:
        _shaped(row, Listed)
    return page


def declared(connector: object) -> Declaration:
    """Return the connector's declaration. Raises WrongType when it has none, or names what there is not."""
    found = _shaped(getattr(connector, "declares", None), Declaration)
    unknown = found.capabilities - CAPABILITIES
    if unknown:
        raise WrongType(f"no such capabilities: {', '.join(sorted(unknown))}")
    return found


def _seconds(asked: object) -> float | None:
    return asked if isinstance(asked, (int, float)) and math.isfinite(asked) else None
