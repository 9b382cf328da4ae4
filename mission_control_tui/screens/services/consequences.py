"""What a change takes away, in words: a plan as the lines of a question."""

from __future__ import annotations

from collections.abc import Iterable

from mission_control_tui.model.catalogue.types import Catalogue, Service
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.plan import Plan, PlanLine, PlanVerb
from mission_control_tui.model.states import RequestKind
from mission_control_tui.model.text.instances import with_instance
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.views import AssignmentView, Seats

MOST_SETTINGS = 6
MONEY = "Money: nothing is charged or refunded; the seats stay bought until you remove them."


def level_name(service: Service, level_id: object) -> str:
    """Return a level as people call it, its id where the catalogue no longer has it."""
    try:
        return service.level(str(level_id)).name
    except NotFound:
        return str(level_id)


def setting_words(service: Service, name: str, value: object) -> str:
    """Return a setting's value as people read it."""
    try:
        option = service.option(name)
    except NotFound:
        return str(value)
    if value is None or value in ("", []):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(option.told(value))


def setting_name(service: Service, name: str) -> str:
    """Return an option as people call it."""
    try:
        return service.option(name).name
    except NotFound:
        return name


def settings_lines(service: Service, line: PlanLine) -> list[str]:
    """Return what becomes of the settings: lost, changed, gained; the level left aside."""
    lost, changed, gained = [], [], []
    for name in sorted({*line.before, *line.after} - {"level"}):
        label = setting_name(service, name)
        if name not in line.after:
            if line.before[name] not in (None, "", [], False):
                had = setting_words(service, name, line.before[name])
                lost.append(label if line.before[name] is True else f"{label} ({had})")
        elif name not in line.before:
            gained.append(label)
        else:
            before = setting_words(service, name, line.before[name])
            changed.append(f"{label}: {before} -> {setting_words(service, name, line.after[name])}")
    lines = []
    for title, items in (("Lost", lost), ("Changes", changed), ("New", gained)):
        if items:
            more = f" and {len(items) - MOST_SETTINGS} more" if len(items) > MOST_SETTINGS else ""
            lines.append(f"{title}: {'; '.join(items[:MOST_SETTINGS])}{more}.")
    return lines


def level_change(
    account: str, who: str, service: Service, line: PlanLine, plan: Plan, seats: Iterable[Seats]
) -> list[str]:
    """Return the question before a level change: account, user, service, what is lost, seats and money."""
    old, new = line.before.get("level"), line.after.get("level")
    question = (
        f"{account}: change {service.name} of {who} from {level_name(service, old)} "
        f"to {level_name(service, new)}?"
    )
    lines = [question, *settings_lines(service, line)]
    words = [
        f"{level_name(service, new)} {taken.free_before} -> {taken.free_after} free"
        for taken in plan.seats
        if (taken.service, taken.level) == (service.id, new)
    ]
    words += [
        f"{level_name(service, old)} {back.free} -> {back.free + 1} free once the light is green"
        for back in seats
        if (back.service_id, back.level_id) == (service.id, old)
    ]
    if words:
        lines.append(f"Seats: {'; '.join(words)}.")
    return [*lines, MONEY]


def shrink_question(account: str, who: str, plan: Plan) -> list[str]:
    """Return the question before settings of services change by which something shrinks or goes."""
    return [f"{account}: change this for {who}?", f"Lost: {'; '.join(plan.lost)}.", MONEY]


def level_question(
    account: str,
    changing: Iterable[tuple[Service, AssignmentView]],
    plan: Plan,
    seats: Iterable[Seats],
) -> list[str]:
    """Return the question before levels of one user change; `plan` is that of the dry run."""
    have = tuple(seats)
    lines: list[str] = []
    for service, view in changing:
        for line in changed_lines(plan):
            ours = line.name.startswith(f"{view.subject} {service.name}")
            if ours and line.before.get("level") == view.level_id:
                found = level_change(account, view.subject, service, line, plan, have)
                lines += [said for said in found if said not in lines]
                break
    return lines


def turn_question(
    account: str, catalogue: Catalogue, view: AssignmentView, kind: RequestKind
) -> list[str]:
    """Return the question before one service is suspended or deprovisioned."""
    named = with_instance(view.service, view.instance)
    if kind is RequestKind.SUSPEND:
        return [
            f"{account}: suspend {named} ({view.level}) of {view.subject}?",
            "Lost: the access, until it is resumed. The data stays, and so does the seat.",
            "Money: nothing changes.",
        ]
    given = [(view.service_id, view.level_id)]
    what = f"deprovision {named} of"
    of = "this user" if view.user_id else f"this {view.subject_kind}"
    return removal(account, view.subject, catalogue, given, what=what, of=of)


def left_question(account: str, view: AssignmentView, plan: Plan) -> list[str]:
    """Return the question before what a move has left is removed at once, with what its plan says is lost."""
    return [
        f"{account}: remove {view.service} of {view.subject}, {view.instance}?",
        "Lost: what is in it there, with all data that the back end keeps, at once.",
        *(f"Lost: {said}." for said in plan.lost),
        *(f"Removed {line.after['removed']}." for line in plan.lines if "removed" in line.after),
        "Seats and money: nothing changes.",
    ]


def move_question(
    account: str, view: AssignmentView, wanted: ActionParams, plan: Plan
) -> list[str]:
    """Return the question before a service goes to another connector, with what its plan says is lost."""
    lines = [
        f"{account}: move {view.service} of {view.subject} from {view.connector} to {wanted.on}?",
        *(f"Lost: {said}" for said in plan.lost),
        *plan.warnings,
    ]
    if wanted.new_password:
        lines.append("The user gets a new password for all services that use it: Reveal shows it.")
    return [*lines, "Seats and money: nothing changes."]


def adopt_question(account: str, view: AssignmentView) -> list[str]:
    """Return the question before an object at the back end is taken over."""
    return [
        f"{account}: take over what {view.service} has for {view.subject}?",
        f"Lost: {view.backend_name} becomes what is wished here, whoever made it.",
        "Seats and money: nothing changes.",
    ]


def removal(
    account: str,
    who: str,
    catalogue: Catalogue,
    services: Iterable[tuple[str, str]],
    *,
    what: str,
    of: str = "this user",
) -> list[str]:
    """Return the question before services, (service id, level id), are taken away; `of` is whose they are."""
    names: list[str] = []
    kept: list[str] = []
    back: list[str] = []
    for service_id, level_id in services:
        service = catalogue.service(service_id)
        level = level_name(service, level_id)
        (kept if service.retention_days else names).append(f"{service.name} ({level})")
        if service.seats:
            back.append(level)
    lines = [f"{account}: {what} {who}?"]
    if names:
        lines.append(f"Lost: {', '.join(names)}, with all data that the back ends keep for {of}.")
    elif kept:
        lines.append("Lost: the access at once, the data when its time is over.")
    if names or kept:
        lines.append(
            f"Seats: {len(back)} free again once the lights are grey ({', '.join(back)})."
            if back
            else "Seats: none are held."
        )
    else:
        lines.append("Lost: nothing, there are no services.")
    return [*lines, MONEY]


def changed_lines(plan: Plan) -> list[PlanLine]:
    """Return the lines of services that change."""
    return [
        line
        for line in plan.lines
        if line.kind == "service" and line.verb is not PlanVerb.UNCHANGED
    ]
