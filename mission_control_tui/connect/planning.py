"""The difference between what should be and what is, as a plan: pure, shared by connectors."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from mission_control_tui.connect.adoption import changed_by_it, gone
from mission_control_tui.connect.declaration import (
    ADOPT,
    LASTING_FENCE,
    LEVELS,
    MEMBERS,
    OWNER_MARK,
    PASSWORD,
    SUSPEND,
    Declaration,
)
from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.connect.marks import Mark
from mission_control_tui.connect.protocol import (
    Change,
    ChangePlan,
    DesiredState,
    ObservedState,
    Step,
)
from mission_control_tui.model.states import ErrorKind, PlanAction, Wish

WRITES = frozenset({PlanAction.CREATE, PlanAction.UPDATE, PlanAction.DELETE})
ROLE = "members."
"""Before a role's id in the attributes of an object that has members."""

NOTHING_TO_DO = ChangePlan(PlanAction.NONE)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an object, made and changed by the step of the same name.

    `carries` are patterns (`*`, `?`) of `Change.what`. A change belongs to the part whose matching
    pattern is the longest, and to the first part where none matches.
    """

    name: str
    carries: tuple[str, ...] = ()


ONE_PART = (Part("account"),)


def plan_difference(
    desired: DesiredState,
    observed: ObservedState,
    declares: Declaration,
    *,
    layout: Sequence[Part] = ONE_PART,
    limits: Mapping[str, object] | None = None,
    facts: Mapping[str, object] | None = None,
) -> ChangePlan:
    """Return the plan that turns `observed` into `desired`.

    `layout` are the parts in the order in which they are made; they are removed in reverse. What the declaration says
    is kept is compared: limits, options (settings) and attributes. `limits` stand in the place of the catalogue's, and
    `facts` are further attributes that the back end should have, all of them compared. Unset, None, "" and an empty
    list or table are the same.

    | desired | observed | plan |
    |---|---|---|
    | present or suspended | absent | create |
    | present or suspended | ours, equal | none |
    | present or suspended | ours, different or half made | update |
    | absent | absent | none; update of the fence where it outlives the object |
    | absent | ours | delete |
    | present or suspended | somebody else's, or unmarked | blocked (conflict) unless `desired.adopt` |
    | the same with `desired.adopt` | cannot be taken over | blocked (conflict, unsupported) |
    | the same with `desired.as_is` | would change by it, or absent | blocked (conflict) |
    | absent | somebody else's, or unmarked | none: nothing of ours is there |
    | any | ours with a newer fence | blocked (stale) |
    | needs what `capabilities` lack | any | blocked (unsupported) |
    | created without the password it needs | absent | blocked (invalid) |
    """
    capabilities = declares.capabilities
    present = observed.exists
    ours = present and (OWNER_MARK not in capabilities or desired.mark.same_owner(observed.mark))
    if present and not ours:
        if desired.wish is Wish.ABSENT:
            return ChangePlan(
                PlanAction.NONE, reason=f"{_whose(desired, observed)}: it is left alone"
            )
        refused = _not_taken_over(desired, observed, capabilities)
        if refused is not None:
            return refused
    refused = gone(desired, observed)
    if refused is not None:
        return refused
    if observed.mark is not None and observed.mark.is_ahead_of(desired.mark):
        return _superseded(desired, observed.mark)
    if desired.wish is Wish.ABSENT and not present:
        fence = _newer_fence(desired, observed) if LASTING_FENCE in capabilities else []
        update = ChangePlan(PlanAction.UPDATE, (Step(layout[0].name, tuple(fence)),))
        return update if fence else NOTHING_TO_DO
    if desired.state is Wish.ABSENT:
        return _removal(observed, layout)

    wanted_limits = desired.limits if limits is None else limits
    going = desired.wish is Wish.ABSENT
    refused = None if going else _unusable_limit(desired, declares, wanted_limits)
    if refused is not None:
        return refused
    level_is_kept = not present or LEVELS in capabilities or observed.level != ""
    changes = list(
        _differences(
            desired,
            observed,
            ours=ours,
            level_is_kept=level_is_kept and not going,
            # What is only kept until it is removed stays as it is.
            tables=()
            if going
            else _compared(desired, observed, declares, wanted_limits, facts or {}),
            sets=declares.sets,
        )
    )
    missing = () if going else _missing_parts(observed, layout)
    lacking = _unsupported(desired, observed, changes, capabilities)
    if lacking is not None:
        return lacking
    password_unset = not present or (bool(missing) and observed.secret_generation == 0)
    if declares.needs_password and desired.secret is None and password_unset:
        return blocked(
            ErrorKind.INVALID,
            f"{desired.name} needs a password and none was given",
            "Reset the password, then provision again.",
            field="password",
        )
    if not changes and not missing and OWNER_MARK in capabilities:
        changes += _newer_fence(desired, observed)
    steps = _steps(layout, missing, changes)
    if not steps:
        return NOTHING_TO_DO
    if present and not ours:
        made = [change for step in steps for change in step.changes]
        refused = changed_by_it(desired, made, steps)
        if refused is not None:
            return refused
    return ChangePlan(PlanAction.UPDATE if present else PlanAction.CREATE, steps)


def blocked(
    kind: ErrorKind, reason: str, remedy: str, steps: tuple[Step, ...] = (), *, field: str = ""
) -> ChangePlan:
    """Return a plan that may not be applied; `steps` are what it would do, for show, `field` what can be corrected."""
    return ChangePlan(
        PlanAction.BLOCKED, steps, reason=reason, remedy=remedy, kind=kind, field=field
    )


def in_observe_mode(plan: ChangePlan, setting: str) -> ChangePlan:
    """Return `plan` as a connector that may not write shows it: the differences stay, writing is blocked.

    `setting` names the setting that allows writing, for the remedy; it is empty where writing is allowed. An object
    that differs in nothing but the fence agrees: a connector that never writes needs none.
    """
    if plan.action not in WRITES or not setting:
        return plan
    if all(change.what == "generation" for change in plan.changes):
        return NOTHING_TO_DO
    shown = blocked(
        ErrorKind.CONFIG,
        "The connector is in observe mode: it shows what it would do and writes nothing",
        f'Set {setting} = "enabled"; the worker reads it at its next try.',
        plan.steps,
    )
    return replace(shown, observe_only=True)


def refuse_in_observe_mode(plan: ChangePlan, setting: str) -> None:
    """Raise what `apply` of a connector that may not write raises; return where `setting` is empty."""
    if setting:
        refused = in_observe_mode(plan, setting)
        raise ConnectorError(ErrorKind.CONFIG, refused.reason, remedy=refused.remedy)


def step_to_do(fresh: ChangePlan, name: str) -> Step | None:
    """Return what a plan that was made anew, under the object's lock, still has to do in a step.

    Raises ConnectorError where it is blocked by now.
    """
    if fresh.action is PlanAction.BLOCKED:
        kind = fresh.kind or ErrorKind.CONFLICT
        raise ConnectorError(
            kind, fresh.reason, remedy=fresh.remedy, code="blocked", field=fresh.field
        )
    return next((step for step in fresh.steps if step.name == name), None)


def same(one: object, other: object, *, as_sets: bool = False) -> bool:
    """Return True when two JSON values are equal; a missing value equals every empty one.

    With `as_sets` two lists are equal that hold the same, in any order and in any case of letters.
    """
    if _unset(one) and _unset(other):
        return True
    if as_sets and isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return {*map(_folded, one)} == {*map(_folded, other)}
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return all(same(one.get(key), other.get(key)) for key in {*one, *other})
    return one == other


def _folded(value: object) -> str:
    return value.casefold() if isinstance(value, str) else repr(value)


def _unset(value: object) -> bool:
    return value is None or (isinstance(value, (str, list, tuple, Mapping)) and len(value) == 0)


def _owner(mark: Mark | None) -> str:
    return f"{mark.installation}/{mark.key}" if mark else "nobody"


def _whose(desired: DesiredState, observed: ObservedState) -> str:
    whose = "carries no mark of ours" if observed.mark is None else "belongs to somebody else"
    owner = f" ({_owner(observed.mark)})" if observed.mark else ""
    return f"{desired.name} exists at the back end and {whose}{owner}"


def _not_taken_over(
    desired: DesiredState, observed: ObservedState, capabilities: Collection[str]
) -> ChangePlan | None:
    if desired.adopt and ADOPT not in capabilities:
        return blocked(
            ErrorKind.UNSUPPORTED,
            f"{_whose(desired, observed)}, and this back end hands nothing over",
            "Choose another name, or let the back end's administrator remove it.",
        )
    if desired.adopt and observed.unadoptable:
        return blocked(
            ErrorKind.CONFLICT,
            f"{desired.name} cannot be taken over as a whole: {observed.unadoptable}",
            "Mend that at the back end, then ask again with adopt.",
        )
    if desired.adopt:
        return None
    return blocked(
        ErrorKind.CONFLICT,
        _whose(desired, observed),
        "Find out whose it is; to take it over, ask again with adopt.",
    )


def _unusable_limit(
    desired: DesiredState, declares: Declaration, granted: Mapping[str, object]
) -> ChangePlan | None:
    for key, limit in (declares.limits or {}).items():
        value = granted.get(key)
        if (limit.needed and value is None) or (value is not None and not limit.takes(value)):
            bounds = ""
            if limit.low is not None or limit.high is not None:
                bounds = f" ({_bound(limit.low)} to {_bound(limit.high)})"
            return blocked(
                ErrorKind.INVALID,
                f"The level {desired.level} has no usable {key.replace('_', ' ')}",
                f"Give it limits.{key}{bounds} in the catalogue.",
                field="level",
            )
    return None


def _bound(number: float | None) -> str:
    return "any" if number is None else f"{number:.15g}"


def _compared(
    desired: DesiredState,
    observed: ObservedState,
    declares: Declaration,
    wanted: Mapping[str, object],
    facts: Mapping[str, object],
) -> list[tuple[str, Mapping[str, object], Mapping[str, object], Collection[str]]]:
    """Return (table, before, after, keys) of all that is kept."""
    attributes = {**desired.attributes, **facts}
    kept = declares.attributes
    return [
        ("limits", observed.limits, wanted, _keys(declares.limits, observed.limits, wanted)),
        (
            "settings",
            observed.settings,
            desired.settings,
            _keys(declares.options, observed.settings, desired.settings),
        ),
        (
            "attributes",
            observed.attributes,
            attributes,
            _keys(None if kept is None else {*kept, *facts}, observed.attributes, attributes),
        ),
    ]


def _keys(
    kept: Collection[str] | None, before: Mapping[str, object], after: Mapping[str, object]
) -> Collection[str]:
    return {*before, *after} if kept is None else kept


def _superseded(desired: DesiredState, newer: Mark) -> ChangePlan:
    return blocked(
        ErrorKind.STALE,
        f"{desired.name} carries a newer wish ({_fence_words(newer)}) than this one "
        f"({_fence_words(desired.mark)})",
        "Nothing to do: the newer request decides.",
    )


def _fence_words(mark: Mark) -> str:
    epoch = f"epoch {mark.epoch}, " if mark.epoch > 1 else ""
    return f"{epoch}generation {mark.generation}, attempt {mark.attempt}"


def _removal(observed: ObservedState, layout: Sequence[Part]) -> ChangePlan:
    there = [part.name for part in layout if part.name not in observed.missing]
    if not there:
        there = [layout[0].name]
    return ChangePlan(
        PlanAction.DELETE,
        tuple(
            Step(name, (Change(name, "present", "absent", takes_away=True),))
            for name in reversed(there)
        ),
    )


def _missing_parts(observed: ObservedState, layout: Sequence[Part]) -> tuple[str, ...]:
    if not observed.exists or (not observed.complete and not observed.missing):
        return tuple(part.name for part in layout)
    return observed.missing


def _unsupported(
    desired: DesiredState,
    observed: ObservedState,
    changes: Sequence[Change],
    capabilities: Collection[str],
) -> ChangePlan | None:
    whats = {change.what for change in changes}
    field = ""
    if desired.state is Wish.SUSPENDED and "state" in whats and SUSPEND not in capabilities:
        now = "Deprovision it with --now" if desired.retained else "Deprovision it instead"
        lacks, remedy = "cannot suspend", f"{now}; that removes its data."
    elif "password" in whats and PASSWORD not in capabilities:
        lacks, remedy = "cannot set a password", "Set it at the back end itself."
    elif MEMBERS not in capabilities and any(key.startswith(ROLE) for key in desired.attributes):
        lacks = "keeps no members"
        remedy = "Let another connector serve it, or take its members out."
    elif observed.exists and "level" in whats and LEVELS not in capabilities:
        lacks, field = "cannot change the level of what exists", "level"
        remedy = "Deprovision it, then provision the other level; its data is removed."
    else:
        return None
    reason = f"The back end of {desired.service} {lacks}"
    return blocked(ErrorKind.UNSUPPORTED, reason, remedy, field=field)


def _newer_fence(desired: DesiredState, observed: ObservedState) -> list[Change]:
    # A worker that still holds an older wish must find the newer generation, so even a wish that
    # changes nothing else writes it; a new attempt of the same wish need not.
    old = observed.mark.fence[:2] if observed.mark is not None else (0, 0)
    if old >= desired.mark.fence[:2]:
        return []
    return [Change("generation", old[1], desired.mark.generation)]


def _differences(
    desired: DesiredState,
    observed: ObservedState,
    *,
    ours: bool,
    level_is_kept: bool,
    tables: Sequence[tuple[str, Mapping[str, object], Mapping[str, object], Collection[str]]],
    sets: Collection[str],
) -> Iterator[Change]:
    if observed.exists and not ours:
        yield Change("owner", _owner(observed.mark), _owner(desired.mark))
    created_as_wished = not observed.exists and desired.state is Wish.PRESENT
    if observed.wish is not desired.state and not created_as_wished:
        loses = observed.exists and desired.state is Wish.SUSPENDED
        yield Change("state", str(observed.wish), str(desired.state), takes_away=loses)
    if level_is_kept and not same(observed.level, desired.level):
        yield Change("level", observed.level or None, desired.level)
    is_set = ours and observed.secret_id != "" and observed.secret_id == desired.secret_id
    if desired.secret is not None and not is_set:
        yield Change("password", None, "to be set")
    for table, before, after, keys in tables:
        for key in sorted(keys):
            what, old, new = f"{table}.{key}", before.get(key), after.get(key)
            as_sets = any(fnmatchcase(what, pattern) for pattern in sets)
            if not same(old, new, as_sets=as_sets):
                yield Change(what, old, new, takes_away=_takes_away(old, new))


def _takes_away(old: object, new: object) -> bool:
    if _unset(old):
        return False
    if _unset(new):
        return True
    if isinstance(old, bool) or isinstance(new, bool):
        return False
    if isinstance(old, (int, float)) and isinstance(new, (int, float)):
        return new < old
    if isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        return not {*map(_folded, old)} <= {*map(_folded, new)}
    return False


def _steps(
    layout: Sequence[Part], missing: Collection[str], changes: Sequence[Change]
) -> tuple[Step, ...]:
    by_part: dict[str, list[Change]] = {
        part.name: [Change(part.name, "absent", "present")] if part.name in missing else []
        for part in layout
    }
    for change in changes:
        by_part[_carrier(layout, change.what)].append(change)
    return tuple(Step(name, tuple(part)) for name, part in by_part.items() if part)


def _carrier(layout: Sequence[Part], what: str) -> str:
    matching = [
        (len(pattern), part.name)
        for part in layout
        for pattern in part.carries
        if fnmatchcase(what, pattern)
    ]
    return max(matching)[1] if matching else layout[0].name


def with_step(plan: ChangePlan, step: Step) -> ChangePlan:
    """Return `plan` with `step` done first; a plan without steps becomes an update."""
    action = PlanAction.UPDATE if plan.action is PlanAction.NONE else plan.action
    return replace(plan, action=action, steps=(step, *plan.steps))
