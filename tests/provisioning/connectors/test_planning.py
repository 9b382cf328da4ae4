"""The pure difference: every row of its table, and that doing a plan leaves nothing to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.connect import (
    CAPABILITIES,
    LASTING_FENCE,
    LEVELS,
    OWNER_MARK,
    PASSWORD,
    SUSPEND,
    Change,
    ChangePlan,
    Declaration,
    DesiredState,
    FenceGrade,
    Limit,
    Mark,
    ObservedState,
)
from mission_control_tui.connect.planning import (
    Part,
    in_observe_mode,
    plan_difference,
    same,
)
from mission_control_tui.model.states import ErrorKind, PlanAction, Wish

MARK = Mark("here", "key", 3, 1)
LAYOUT = (
    Part("account"),
    Part("mailbox", ("level", "limits.*", "settings.*")),
    Part("addresses", ("attributes.addresses",)),
)
THERE = ObservedState(
    exists=True,
    mark=MARK,
    wish=Wish.PRESENT,
    level="basic",
    limits={"quota": 5},
    settings={"hide": False},
    attributes={"upn": "a@example.com"},
    secret_generation=3,
    secret_id="known",
)


def wanted(state: Wish = Wish.PRESENT, **more: Any) -> DesiredState:
    facts: dict[str, Any] = {
        "level": "basic",
        "limits": {"quota": 5},
        "settings": {"hide": False},
        "attributes": {"upn": "a@example.com"},
    }
    return DesiredState(MARK, "mail", "a", state, **(facts | more))


KEEPS_ALL = Declaration(
    capabilities=CAPABILITIES,
    fence=FenceGrade.LOCKED,
    options=None,
    limits=None,
    attributes=None,
)


def plan(desired: DesiredState, observed: ObservedState, **declared: Any) -> ChangePlan:
    return plan_difference(desired, observed, replace(KEEPS_ALL, **declared), layout=LAYOUT)


def whats(made: ChangePlan) -> dict[str, list[str]]:
    return {step.name: [change.what for change in step.changes] for step in made.steps}


def test_absent_is_created_in_the_layouts_order() -> None:
    made = plan(wanted(secret="s"), ObservedState(exists=False))
    assert made.action is PlanAction.CREATE
    assert whats(made) == {
        "account": ["account", "password", "attributes.upn"],
        "mailbox": ["mailbox", "level", "limits.quota", "settings.hide"],
        "addresses": ["addresses"],
    }


def test_equal_is_left_alone() -> None:
    assert plan(wanted(), THERE).action is PlanAction.NONE
    assert plan(wanted(secret="same", secret_id="known"), THERE).action is PlanAction.NONE


def test_a_difference_is_an_update_of_the_part_that_carries_it() -> None:
    made = plan(
        wanted(level="more", limits={"quota": 9}, attributes={"addresses": ["b@example.com"]}),
        THERE,
    )
    assert made.action is PlanAction.UPDATE
    assert whats(made) == {
        "account": ["attributes.upn"],
        "mailbox": ["level", "limits.quota"],
        "addresses": ["attributes.addresses"],
    }


def test_the_longest_pattern_says_which_part_carries_a_change() -> None:
    layout = (Part("account"), Part("mailbox", ("settings.*",)), Part("mail", ("settings.alias*",)))
    desired = wanted(settings={"hide": True, "aliases": ["b"]})
    made = plan_difference(desired, THERE, KEEPS_ALL, layout=layout)
    assert whats(made) == {"mailbox": ["settings.hide"], "mail": ["settings.aliases"]}


def test_suspended_is_a_state_that_is_created_reached_and_left() -> None:
    suspended = wanted(Wish.SUSPENDED)
    created = plan(suspended, ObservedState(exists=False))
    assert Change("state", "absent", "suspended") in created.changes
    assert plan(suspended, THERE).changes == (
        Change("state", "present", "suspended", takes_away=True),
    )
    assert plan(wanted(), replace(THERE, wish=Wish.SUSPENDED)).changes == (
        Change("state", "suspended", "present"),
    )


def test_a_disabled_user_is_suspended_unless_it_is_to_go() -> None:
    assert plan(wanted(disabled=True), THERE).changes[0].after == "suspended"
    assert plan(wanted(Wish.ABSENT, disabled=True), THERE).action is PlanAction.DELETE


@pytest.mark.parametrize(
    ("wish", "remedy"),
    [
        (wanted(Wish.SUSPENDED), "Deprovision it instead; that removes its data."),
        (
            wanted(Wish.ABSENT, retained=True),
            "Deprovision it with --now; that removes its data.",
        ),
    ],
)
def test_what_cannot_be_suspended_is_told_with_what_can_be_done(
    wish: DesiredState, remedy: str
) -> None:
    made = plan(wish, THERE, capabilities=CAPABILITIES - {SUSPEND})
    assert (made.kind, made.remedy) == (ErrorKind.UNSUPPORTED, remedy)


def test_wished_absent() -> None:
    absent = wanted(Wish.ABSENT)
    assert (
        plan(absent, ObservedState(exists=False), capabilities={OWNER_MARK}).action
        is PlanAction.NONE
    )
    removal = plan(absent, THERE)
    assert removal.action is PlanAction.DELETE
    assert [step.name for step in removal.steps] == ["addresses", "mailbox", "account"]
    half = plan(absent, replace(THERE, complete=False, missing=("mailbox", "addresses")))
    assert [step.name for step in half.steps] == ["account"]


@pytest.mark.parametrize("mark", [None, Mark("here", "other"), Mark("elsewhere", "key")])
@pytest.mark.parametrize("state", [Wish.PRESENT, Wish.SUSPENDED])
def test_what_is_not_ours_is_blocked_unless_adopted(mark: Mark | None, state: Wish) -> None:
    foreign = replace(THERE, mark=mark)
    refused = plan(wanted(state), foreign)
    assert (refused.action, refused.kind) == (PlanAction.BLOCKED, ErrorKind.CONFLICT)
    assert "adopt" in refused.remedy
    assert refused.steps == ()
    adopting = plan(wanted(state, adopt=True), foreign)
    assert adopting.action is PlanAction.UPDATE
    assert "owner" in whats(adopting)["account"]


@pytest.mark.parametrize("mark", [None, Mark("here", "other", 99), Mark("elsewhere", "key")])
@pytest.mark.parametrize("adopt", [False, True])
def test_what_is_not_ours_is_never_removed(mark: Mark | None, adopt: bool) -> None:
    foreign = replace(THERE, mark=mark)
    assert plan(wanted(Wish.ABSENT, adopt=adopt), foreign).action is PlanAction.NONE


def test_in_observe_mode_the_fence_alone_is_no_difference() -> None:
    behind = replace(THERE, mark=replace(MARK, generation=2))
    made = plan(wanted(), behind)
    assert {change.what for change in made.changes} == {"generation"}
    assert in_observe_mode(made, "here").action is PlanAction.NONE
    shown = in_observe_mode(plan(wanted(), ObservedState(exists=False)), "here")
    assert (shown.action, shown.observe_only) == (PlanAction.BLOCKED, True)


def test_without_owner_marks_an_object_of_the_name_is_ours() -> None:
    unmarked = replace(THERE, mark=None)
    assert plan(wanted(), unmarked, capabilities=CAPABILITIES - {OWNER_MARK}).action is (
        PlanAction.NONE
    )


@pytest.mark.parametrize("fence", [(4, 0), (3, 2)])
@pytest.mark.parametrize("exists", [True, False])
def test_a_newer_fence_blocks(fence: tuple[int, int], exists: bool) -> None:
    newer = Mark("here", "key", *fence)
    observed = replace(THERE, mark=newer) if exists else ObservedState(exists=False, mark=newer)
    for state in Wish:
        refused = plan(wanted(state), observed)
        assert (refused.action, refused.kind) == (PlanAction.BLOCKED, ErrorKind.STALE)


def test_a_wish_that_changes_nothing_writes_its_generation_but_not_its_attempt() -> None:
    behind = replace(THERE, mark=replace(MARK, generation=2))
    assert plan(wanted(), behind).changes == (Change("generation", 2, 3),)
    assert plan(wanted(level="more"), behind).changes == (Change("level", "basic", "more"),)
    retried = replace(wanted(), mark=replace(MARK, attempt=5))
    assert plan(retried, THERE).action is PlanAction.NONE


def test_an_absence_writes_its_fence_where_that_lasts() -> None:
    absent = wanted(Wish.ABSENT)
    left = plan(absent, ObservedState(exists=False, mark=replace(MARK, generation=2)))
    assert left.changes == (Change("generation", 2, 3),)
    assert plan(absent, ObservedState(exists=False, mark=MARK)).action is PlanAction.NONE
    forgetful = plan(
        absent, ObservedState(exists=False), capabilities=CAPABILITIES - {LASTING_FENCE}
    )
    assert forgetful.action is PlanAction.NONE


@pytest.mark.parametrize(
    ("lacking", "desired", "observed"),
    [
        (SUSPEND, wanted(Wish.SUSPENDED), THERE),
        (SUSPEND, wanted(Wish.SUSPENDED), ObservedState(exists=False)),
        (SUSPEND, wanted(disabled=True), THERE),
        (PASSWORD, wanted(secret="s"), ObservedState(exists=False)),
        (LEVELS, wanted(level="more"), THERE),
    ],
)
def test_what_the_back_end_cannot_do_is_blocked_before_anything_is_done(
    lacking: str, desired: DesiredState, observed: ObservedState
) -> None:
    refused = plan(desired, observed, capabilities=CAPABILITIES - {lacking})
    assert (refused.action, refused.kind) == (PlanAction.BLOCKED, ErrorKind.UNSUPPORTED)
    assert refused.remedy


def test_what_the_back_end_cannot_do_is_no_matter_when_nothing_asks_for_it() -> None:
    none = frozenset({OWNER_MARK})
    assert plan(wanted(), THERE, capabilities=none).action is PlanAction.NONE
    assert (
        plan(wanted(), ObservedState(exists=False), capabilities=none).action is PlanAction.CREATE
    )
    unlevelled = replace(THERE, level="")
    assert plan(wanted(), unlevelled, capabilities=none).action is PlanAction.NONE


def test_a_password_that_is_needed_must_be_given_to_create() -> None:
    refused = plan(wanted(), ObservedState(exists=False), needs_password=True)
    assert (refused.action, refused.kind) == (PlanAction.BLOCKED, ErrorKind.INVALID)
    half = replace(THERE, complete=False, missing=("account",), secret_generation=0)
    assert plan(wanted(), half, needs_password=True).kind is ErrorKind.INVALID
    assert plan(wanted(), THERE, needs_password=True).action is PlanAction.NONE


def test_a_half_made_object_is_finished_part_by_part() -> None:
    made = plan(wanted(), replace(THERE, complete=False, missing=("addresses",)))
    assert whats(made) == {"addresses": ["addresses"]}
    everything = plan(wanted(), replace(THERE, complete=False))
    assert list(whats(everything)) == ["account", "mailbox", "addresses"]


def test_only_the_keys_that_the_back_end_keeps_are_compared() -> None:
    desired = wanted(limits={"quota": 9, "imap": True}, settings={"hide": True})
    made = plan(
        desired, THERE, limits={"imap": Limit()}, options=frozenset(), attributes=frozenset()
    )
    assert [change.what for change in made.changes] == ["limits.imap"]


@pytest.mark.parametrize(
    ("before", "after", "takes_away"),
    [
        (9, 5, True),
        (5, 9, False),
        (True, False, False),
        (["a", "b"], ["b"], True),
        (["a"], ["a", "b"], False),
        ("x", None, True),
        (None, "x", False),
    ],
)
def test_a_change_that_takes_something_away_says_so(
    before: object, after: object, takes_away: bool
) -> None:
    observed = replace(THERE, settings={"it": before})
    (change,) = plan(wanted(settings={"it": after}), observed).changes
    assert change == Change("settings.it", before, after, takes_away)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (None, "", True),
        (None, [], True),
        ([], {}, True),
        (None, False, False),
        (None, 0, False),
        (True, 1, False),
        (1, 1.0, True),
        (["a"], ("a",), True),
        (["a", "b"], ["b", "a"], False),
        ({"a": None}, {}, True),
        ({"a": [1]}, {"a": [2]}, False),
    ],
)
def test_values_are_equal_as_json_is(one: object, other: object, equal: bool) -> None:
    assert same(one, other) is equal
    assert same(other, one) is equal


def test_observe_mode_keeps_the_differences_and_blocks_the_writing() -> None:
    shown = in_observe_mode(plan(wanted(), ObservedState(exists=False)), "connectors.x.mode")
    assert shown.action is PlanAction.BLOCKED
    assert shown.changes == plan(wanted(), ObservedState(exists=False)).changes
    assert 'connectors.x.mode = "enabled"' in shown.remedy
    assert in_observe_mode(plan(wanted(), THERE), "x").action is PlanAction.NONE


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.lists(st.text(max_size=2))
)
tables = st.dictionaries(st.sampled_from(["a", "b", "addresses"]), values, max_size=3)
generations = st.integers(1, 5)
wishes = st.builds(
    DesiredState,
    mark=st.builds(Mark, st.just("here"), st.just("key"), generations, st.integers(1, 3)),
    service=st.just("mail"),
    name=st.just("a"),
    wish=st.sampled_from(Wish),
    level=st.sampled_from(["basic", "more"]),
    settings=tables,
    attributes=tables,
    limits=tables,
    secret=st.none() | st.just("secret"),
    secret_id=st.sampled_from(["first", "second"]),
    adopt=st.booleans(),
    disabled=st.booleans(),
)
parts = st.lists(st.sampled_from([part.name for part in LAYOUT]), unique=True, max_size=2)
objects = st.builds(
    lambda missing, facts: replace(facts, missing=tuple(missing), complete=not missing),
    parts,
    st.builds(
        ObservedState,
        exists=st.just(True),
        mark=st.none()
        | st.builds(
            Mark, st.sampled_from(["here", "elsewhere"]), st.just("key"), generations, st.just(1)
        ),
        wish=st.sampled_from([Wish.PRESENT, Wish.SUSPENDED]),
        level=st.sampled_from(["", "basic", "more"]),
        settings=tables,
        attributes=tables,
        limits=tables,
        secret_generation=st.integers(0, 5),
        secret_id=st.sampled_from(["", "first", "second"]),
    ),
)


def carried_out(desired: DesiredState, observed: ObservedState, made: ChangePlan) -> ObservedState:
    """`observed` after an obedient back end did every change of the plan."""
    facts: dict[str, Any] = {
        "exists": True,
        "mark": desired.mark,
        "wish": observed.wish if observed.exists else Wish.PRESENT,
    }
    missing = set(observed.missing) if observed.exists else {part.name for part in LAYOUT}
    copies: dict[str, Any] = {
        name: dict(getattr(observed, name)) for name in ("settings", "attributes", "limits")
    }
    for change in made.changes:
        table, _, key = change.what.partition(".")
        if table in copies:
            copies[table][key] = change.after
        elif change.what == "state":
            facts["wish"] = Wish(str(change.after))
        elif change.what == "level":
            facts["level"] = change.after
        elif change.what == "password":
            facts["secret_generation"] = desired.mark.generation
            facts["secret_id"] = desired.secret_id
        elif change.after == "absent":
            missing.add(change.what)
        elif change.after == "present":
            missing.discard(change.what)
    if len(missing) == len(LAYOUT):
        return ObservedState(exists=False, mark=desired.mark)
    return replace(
        observed, **copies, **facts, missing=tuple(sorted(missing)), complete=not missing
    )


@given(wishes, st.just(ObservedState(exists=False)) | objects)
def test_doing_a_plan_leaves_nothing_to_do(desired: DesiredState, observed: ObservedState) -> None:
    made = plan(desired, observed)
    if made.action is PlanAction.BLOCKED:
        assert made.kind is not None
        assert made.reason
        assert made.remedy
        return
    assert (made.action is PlanAction.NONE) == (not made.steps)
    after = carried_out(desired, observed, made) if made.steps else observed
    again = plan(desired, after)
    assert again.action is PlanAction.NONE, again.changes
    left_alone = observed.exists and not desired.mark.same_owner(observed.mark)
    assert after.exists == (desired.state is not Wish.ABSENT or left_alone)


@given(wishes, objects)
def test_a_secret_is_in_no_plan(desired: DesiredState, observed: ObservedState) -> None:
    made = plan(replace(desired, secret="hunter2-unmistakable"), observed)
    assert "hunter2-unmistakable" not in repr(made)
