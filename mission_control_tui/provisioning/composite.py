"""A connector made of others: one service instance, one light, several parts, each at a back end of its own.

Parts are made in the order of the settings and removed in reverse; each has its own object, mark and steps there. A
part that cannot be reached stops those after it, not those before it, and the error says which part it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from mission_control_tui.connect.context import Context
from mission_control_tui.connect.declaration import (
    CAPABILITIES,
    LIST,
    LIST_UNMARKED,
    MEMBERS,
    PASSWORD,
    SUSPEND,
    Declaration,
    FenceGrade,
    Limit,
)
from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.connect.marks import Mark
from mission_control_tui.connect.planning import NOTHING_TO_DO, ROLE, step_to_do
from mission_control_tui.connect.protocol import (
    Applied,
    ChangePlan,
    DesiredState,
    Health,
    ObservedState,
    Page,
    Step,
    Usage,
)
from mission_control_tui.connect.table_reader import TableReader
from mission_control_tui.model.states import PlanAction, Wish
from mission_control_tui.provisioning.guard import Guarded

OF = ": "
"""Stands between a part's name and that of its step."""
TURN_SECONDS = 60.0
"""How much longer than its parts' time limits a call may take: they wait for their turns."""

_OF_ANY = frozenset({PASSWORD, MEMBERS})
_OF_NONE = frozenset({LIST, LIST_UNMARKED})  # the parts' own connectors list their objects
_WEAKEST_FIRST = (FenceGrade.ADVISORY, FenceGrade.CONDITIONAL, FenceGrade.LOCKED)

OpenPart = Callable[[str], Awaitable[Guarded]]
"""Returns the open connector of that name."""


@dataclass(frozen=True, slots=True)
class CompositePart:
    """One part of a composite: what it is called in front of people, and the connector that serves it."""

    name: str
    backend: Guarded

    def share_of(self, desired: DesiredState) -> DesiredState:
        """Return what this part is asked for: of password, options, limits and members what its back end keeps."""
        declares = self.backend.declares
        keeps = declares.capabilities
        suspends = SUSPEND in keeps
        attributes = desired.attributes
        if MEMBERS not in keeps:
            attributes = {
                key: value for key, value in attributes.items() if not key.startswith(ROLE)
            }
        return replace(
            desired,
            wish=Wish.PRESENT if desired.wish is Wish.SUSPENDED and not suspends else desired.wish,
            disabled=desired.disabled and suspends,
            retained=desired.retained and suspends,
            settings=_kept(desired.settings, declares.options),
            limits=_kept(desired.limits, declares.limits),
            attributes=attributes,
            secret=desired.secret if PASSWORD in keeps else None,
            external_id=_by_part(desired.external_id).get(self.name, ""),
            token=_by_part(desired.token).get(self.name, ""),
        )

    def plan(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        """Return the part's own plan, its reason with the part's name.

        What cannot be suspended stays as it is while the whole is retained.
        """
        if self._stays(desired):
            return NOTHING_TO_DO
        plan = self.backend.planned(self.share_of(desired), observed)
        return replace(plan, reason=self.named(plan.reason)) if plan.reason else plan

    def _stays(self, desired: DesiredState) -> bool:
        kept = desired.retained and desired.wish is Wish.ABSENT
        return kept and SUSPEND not in self.backend.declares.capabilities

    def named(self, said: str) -> str:
        """Return words with the part's name before them."""
        return f"{self.name} ({self.backend.name}): {said}"

    def error(self, error: ConnectorError) -> ConnectorError:
        """Return the error with the part's name before the back end's words."""
        return ConnectorError(
            error.kind,
            self.named(error.said),
            remedy=error.remedy,
            code=error.code,
            retry_after=error.retry_after,
            outcome_unknown=error.outcome_unknown,
            field=error.field,
        )


@dataclass(frozen=True, slots=True)
class CompositeState(ObservedState):
    """The state of all parts: what each was found to be, or why it could not be looked at."""

    parts: Mapping[str, ObservedState] = field(default_factory=dict)
    failed: Mapping[str, ConnectorError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CompositePlan(ChangePlan):
    """The plans of all parts, by the part's name."""

    parts: Mapping[str, ChangePlan] = field(default_factory=dict)


class Composite:
    """A connector whose object is the sum of its parts' objects. With `owns` its parts are closed with it."""

    def __init__(self, parts: Sequence[CompositePart], *, owns: bool = False) -> None:
        self.parts = tuple(parts)
        self._owns = owns
        self.declares = declared_sum([part.backend.declares for part in parts])

    @property
    def call_seconds(self) -> float:
        """The time limit of a call, in seconds: that of all parts, and their waits for their turns."""
        return sum(part.backend.call_seconds for part in self.parts) + TURN_SECONDS

    def with_parts(self, change: Callable[[Guarded], Guarded]) -> Composite:
        """Return the same with its parts' connectors changed."""
        return Composite([replace(part, backend=change(part.backend)) for part in self.parts])

    async def check(self) -> Health:
        """Check all parts at the same time. Raises the first part's error, with its name."""
        checks = (part.backend.check() for part in self.parts)
        versions, warnings = list[str](), list[str]()
        for part, health in zip(
            self.parts, await asyncio.gather(*checks, return_exceptions=True), strict=True
        ):
            if isinstance(health, ConnectorError):
                raise part.error(health)
            if isinstance(health, BaseException):
                raise health
            versions.append(f"{part.name}: {health.version}")
            warnings += [f"{part.name}: {warning}" for warning in health.warnings]
        return Health("; ".join(versions), warnings=tuple(warnings))

    async def observe(self, desired: DesiredState) -> CompositeState:
        """Look at all parts at the same time. Raises the first part's error where none could be looked at."""
        looks = (part.backend.look(part.share_of(desired)) for part in self.parts)
        found, failed = dict[str, ObservedState](), dict[str, ConnectorError]()
        for part, look in zip(
            self.parts, await asyncio.gather(*looks, return_exceptions=True), strict=True
        ):
            if isinstance(look, ConnectorError):
                failed[part.name] = part.error(look)
            elif isinstance(look, BaseException):
                raise look
            else:
                found[part.name] = look[0]
        if not found:
            raise next(iter(failed.values()))
        return _sum_of(desired, self.parts, found, failed)

    def plan(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        """Return the parts' plans one after the other, up to the first part that could not be looked at.

        That part comes last, as one step which looks again. Raises its error where there is nothing to do before it.
        """
        if not isinstance(observed, CompositeState):
            raise TypeError("a composite plans what it has observed itself")
        plans, steps = dict[str, ChangePlan](), list[Step]()
        for part in self.parts[::-1] if desired.state is Wish.ABSENT else self.parts:
            error = observed.failed.get(part.name)
            if error is not None and not steps:
                raise error
            if error is not None:
                steps.append(Step(part.name))
                break
            plans[part.name] = part.plan(desired, observed.parts[part.name])
            steps += [
                replace(step, name=f"{part.name}{OF}{step.name}") for step in plans[part.name].steps
            ]
        blocked = [plan for plan in plans.values() if plan.action is PlanAction.BLOCKED]
        if blocked:
            # A part that may only be looked at stops nothing that could be done without it.
            first = min(blocked, key=lambda plan: plan.observe_only)
            return replace(first, steps=tuple(steps))
        reasons = [plan.reason for plan in plans.values() if plan.reason]
        action = _action(observed, {plan.action for plan in plans.values()})
        return CompositePlan(action, tuple(steps), reason="; ".join(reasons), parts=plans)

    async def apply(self, desired: DesiredState, plan: ChangePlan, step: Step) -> Applied:
        """Do one step of one part, or all that is left of a part which could not be looked at before."""
        name, _, inner = step.name.partition(OF)
        part = next(part for part in self.parts if part.name == name)
        share = part.share_of(desired)
        try:
            if inner and isinstance(plan, CompositePlan):
                done = [
                    await part.backend.apply(share, plan.parts[name], replace(step, name=inner))
                ]
            else:
                _, fresh = await part.backend.look(share)
                step_to_do(fresh, inner)
                done = [await part.backend.apply(share, fresh, each) for each in fresh.steps]
        except ConnectorError as error:
            raise part.error(error) from None
        return _learned(desired, name, done)

    async def list(self, cursor: str, marked_only: bool) -> Page:
        """Return nothing: the parts' own connectors list their objects."""
        return Page(())

    async def aclose(self) -> None:
        """Close the parts that it owns."""
        if self._owns:
            await asyncio.gather(*(part.backend.aclose() for part in self.parts))


def part_names(context: Context) -> dict[str, str]:
    """Return the connector of each part that the settings table names, in order.

    Raises InvalidInput with every problem of the table.
    """
    reader = context.reader()
    found: dict[str, str] = {}
    for name, table in reader.mapping("parts").items():
        inner = TableReader(
            f"{reader.where}.parts.{name}",
            table if isinstance(table, Mapping) else {},
            reader.problems,
        )
        found[name] = inner.text("connector")
        if not name.replace("-", "").isalnum():
            inner.note("", "is called with letters, digits and dashes")
        if found[name] == context.name:
            inner.note("connector", "cannot be the composite itself")
        inner.note_unknown_keys()
    if not found:
        reader.note("parts", "is missing", f"one table a part: [{reader.where}.parts.PART]")
    reader.finish()
    return found


def declared_sum(parts: Sequence[Declaration]) -> Declaration:
    """Return what the sum of the parts keeps and can do."""
    all_of = frozenset.intersection(*(part.capabilities for part in parts))
    any_of = frozenset().union(*(part.capabilities for part in parts))
    suspends = {SUSPEND} & any_of  # what cannot be suspended stays as it is meanwhile
    return Declaration(
        capabilities=CAPABILITIES & ((all_of | any_of & _OF_ANY | suspends) - _OF_NONE),
        fence=min((part.fence for part in parts), key=_WEAKEST_FIRST.index),
        subjects=frozenset.intersection(*(part.subjects for part in parts)),
        levels=_common([part.levels for part in parts]),
        options=_united([part.options for part in parts]),
        limits=_limits([part.limits for part in parts]),
        attributes=_united([part.attributes for part in parts]),
        sets=frozenset().union(*(part.sets for part in parts)),
        usage=frozenset().union(*(part.usage for part in parts)),
        needs_password=any(part.needs_password for part in parts),
        paces=True,
        starts_enabled=True,
    )


def _common(sets: Sequence[frozenset[str] | None]) -> frozenset[str] | None:
    stated = [each for each in sets if each is not None]
    return frozenset.intersection(*stated) if stated else None


def _united(sets: Sequence[frozenset[str] | None]) -> frozenset[str] | None:
    stated = [each for each in sets if each is not None]
    return frozenset().union(*stated) if len(stated) == len(sets) else None


def _limits(tables: Sequence[Mapping[str, Limit] | None]) -> Mapping[str, Limit] | None:
    stated = [each for each in tables if each is not None]
    if len(stated) < len(tables):
        return None
    return {key: limit for table in stated for key, limit in table.items()}


def _kept(table: Mapping[str, object], keys: Collection[str] | None) -> Mapping[str, object]:
    return table if keys is None else {key: table[key] for key in table if key in keys}


def _sum_of(
    desired: DesiredState,
    parts: Sequence[CompositePart],
    found: Mapping[str, ObservedState],
    failed: Mapping[str, ConnectorError],
) -> CompositeState:
    there = {name: state for name, state in found.items() if state.exists}
    able = {part.name for part in parts if SUSPEND in part.backend.declares.capabilities}
    wishes = {state.wish for name, state in there.items() if name in able or not able & {*there}}
    levels = [state.level for state in there.values() if state.level]
    with_password = [state for state in there.values() if state.secret_id]
    waiting = [(name, state.pending) for name, state in found.items() if state.pending]
    return CompositeState(
        exists=bool(there),
        mark=_mark(desired.mark, [state.mark for state in found.values()]),
        wish=next((wish for wish in (Wish.PRESENT, Wish.SUSPENDED) if wish in wishes), Wish.ABSENT),
        level=next((level for level in levels if level != desired.level), "".join(levels[:1])),
        settings=_merged(state.settings for state in there.values()),
        attributes=_merged(state.attributes for state in there.values()),
        limits=_merged(state.limits for state in there.values()),
        external_id=ids_text({name: state.external_id for name, state in there.items()}),
        complete=len(there) == len(parts) and all(state.complete for state in there.values()),
        pending=replace(waiting[0][1], words=f"{waiting[0][0]}{OF}{waiting[0][1].words}")
        if waiting
        else None,
        secret_generation=max((state.secret_generation for state in there.values()), default=0),
        secret_id=with_password[0].secret_id if with_password else "",
        usage=_usage(there),
        kept=tuple(f"{name}{OF}{words}" for name, state in there.items() for words in state.kept),
        unadoptable="; ".join(
            f"{name}{OF}{state.unadoptable}" for name, state in there.items() if state.unadoptable
        ),
        consents=all(state.consents for state in there.values()),
        parts=found,
        failed=failed,
    )


def _merged(tables: Iterator[Mapping[str, object]]) -> dict[str, object]:
    return {key: value for table in tables for key, value in table.items()}


def _usage(found: Mapping[str, ObservedState]) -> dict[str, Usage]:
    usage: dict[str, Usage] = {}
    for name, state in found.items():
        for key, used in state.usage.items():
            usage[f"{name}-{key}" if key in usage else key] = used
    return usage


def _mark(asking: Mark, marks: Sequence[Mark | None]) -> Mark | None:
    """Return the newest mark of ours, or else one of somebody else's."""
    there = [mark for mark in marks if mark is not None]
    ours = [mark for mark in there if asking.same_owner(mark)]
    return max(ours, key=lambda mark: mark.fence) if ours else next(iter(there), None)


def _action(observed: ObservedState, actions: Collection[PlanAction]) -> PlanAction:
    writes = {*actions} - {PlanAction.NONE}
    if len(writes) == 1:
        return (
            PlanAction.UPDATE if observed.exists and writes == {PlanAction.CREATE} else writes.pop()
        )
    return PlanAction.UPDATE if writes else PlanAction.NONE


def _learned(desired: DesiredState, name: str, done: Sequence[Applied]) -> Applied:
    ids, tokens = _by_part(desired.external_id), _by_part(desired.token)
    waits = [each.look_again_after for each in done if each.look_again_after is not None]
    for each in done:
        ids[name] = each.external_id or ids.get(name, "")
        tokens[name] = each.token or tokens.get(name, "")
    return Applied(ids_text(ids), ids_text(tokens), max(waits, default=None))


def ids_text(by_part: Mapping[str, str]) -> str:
    """Return back ends' own ids, or tokens, by part as one text; "" where there are none."""
    said = {name: value for name, value in by_part.items() if value}
    return msgspec.json.encode(said).decode() if said else ""


def _by_part(text: str) -> dict[str, str]:
    return msgspec.json.decode(text, type=dict[str, str]) if text else {}
