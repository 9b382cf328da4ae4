"""`connectors`: what they are and what waits for them, whether their back ends answer, everything of one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common import results
from mission_control_tui.cli.common.next_commands import as_called
from mission_control_tui.cli.common.options import AS_CSV, changes, reads
from mission_control_tui.cli.common.output import attributes, line, say, when, wrapped
from mission_control_tui.cli.common.parameters import argument
from mission_control_tui.cli.common.results import tell_csv, tell_list
from mission_control_tui.cli.common.session import Session
from mission_control_tui.cli.installation.doctor import PATIENCE, UNHEALTHY, print_findings
from mission_control_tui.model.errors import NotFound, UsageError

if TYPE_CHECKING:
    from mission_control_tui.connect.declaration import Declaration, Limit
    from mission_control_tui.model.catalogue.types import Service
    from mission_control_tui.model.requests.connector_activity import ConnectorActivity
    from mission_control_tui.model.requests.connector_pauses import Pause
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.views import AssignmentView
    from mission_control_tui.provisioning.connector_description import ConnectorDescription
    from mission_control_tui.provisioning.connector_health import ConnectorHealth

NAMED = 5
"""Services near a limit that are named."""
_ANY = "any"


@dataclass(frozen=True, slots=True)
class _KnownConnectors:
    """What is known without asking a back end: of the settings, the catalogue and the database."""

    served: Mapping[str, Sequence[Service]]
    activity: Mapping[str, ConnectorActivity]
    installation: str = ""

    def of(self, name: str) -> ConnectorActivity:
        from mission_control_tui.model.requests.connector_activity import NO_ACTIVITY

        return self.activity.get(name, NO_ACTIVITY)


def _known(session: Session, names: Sequence[str] = ()) -> _KnownConnectors:
    """Return what is known of the connectors, or of those named. Raises NotFound.

    Before the first command that needs a database has made it, its catalogue is the shipped one.
    """
    from mission_control_tui.settings.served import served_by_connector

    if not session.settings.database and not Path(session.where).exists():
        from mission_control_tui.model.catalogue.file.parse import parse
        from mission_control_tui.model.catalogue.file.shipped import shipped

        services = parse(shipped()).services
        found = _KnownConnectors(served_by_connector(services, session.settings), {})
    else:
        found = session.run(lambda store: _of_store(session, store), create=False, sample=False)
    if missing := [name for name in names if name not in found.served]:
        raise NotFound(
            f"There is no connector {missing[0]!r}.",
            hint=f"There are: {', '.join(sorted(found.served))}.",
        )
    chosen = {name: found.served[name] for name in sorted(set(names) or found.served)}
    return _KnownConnectors(chosen, found.activity, found.installation)


async def _of_store(session: Session, store: Store) -> _KnownConnectors:
    from mission_control_tui.model.catalogue.in_force import current
    from mission_control_tui.model.requests.connector_activity import connector_activity
    from mission_control_tui.model.store.scope import AllAccounts
    from mission_control_tui.settings.served import served_by_connector

    services = (await current(store)).catalogue.services
    activity = await connector_activity(AllAccounts(store, session.caller))
    return _KnownConnectors(
        served_by_connector(services, session.settings), activity, store.installation
    )


@click.group()
def connectors() -> None:
    """Connectors to back ends: list, check, show."""


@connectors.command("list")
@AS_CSV
@reads("mission-control connectors list", "mission-control connectors list --csv")
def list_(session: Session) -> None:
    """Every connector: type, mode, pause and when it is checked again, queue, last success, what it serves.

    No back end is asked. The queue is of requests that wait or run, in the accounts that you may see.
    """
    from mission_control_tui.provisioning.connector_description import describe_connectors

    session.require_one_format()
    known = _known(session)
    found = asyncio.run(describe_connectors(known.served, session.settings))
    headings = (
        "Connector",
        "Type",
        "Mode",
        "Paused until",
        "Queue",
        "Rate",
        "Services",
        "Near full",
        "Last success",
        "Why",
        "Serves",
    )
    rows = [_row(session, connector, known.of(connector.name)) for connector in found]
    if session.csv:
        tell_csv(headings, rows)
        return
    document = [_summary(session, connector, known.of(connector.name)) for connector in found]
    tell_list(session, {"connectors": document}, headings, rows, nothing="No connectors.")


def _limits(session: Session, connector: ConnectorDescription) -> tuple[int, float] | None:
    """Return how many requests at a time and how many calls a second; None where the settings lack it."""
    try:
        found = session.settings.connector(connector.name)
    except UsageError:
        return None
    return found.concurrency, found.rate_per_second


def _row(
    session: Session, connector: ConnectorDescription, activity: ConnectorActivity
) -> tuple[object, ...]:
    pause = activity.pause
    limits = _limits(session, connector)
    return (
        connector.name,
        connector.type,
        connector.mode or "unknown",
        when(_until(pause)),
        activity.queue,
        f"{limits[0]}, {limits[1]:g}/s" if limits else "",
        activity.services or "",
        activity.near_full or "",
        when(activity.last_success),
        connector.problem or (pause.said if pause else ""),
        _serves(connector),
    )


def _serves(connector: ConnectorDescription) -> str:
    """Say what it serves, and of what it is a part."""
    parts = [f"part of {name}" for name in connector.part_of]
    return ", ".join([*(service.id for service in connector.serves), *parts])


def _summary(
    session: Session, connector: ConnectorDescription, activity: ConnectorActivity
) -> dict[str, object]:
    limits = _limits(session, connector)
    return {
        "connector": connector.name,
        "type": connector.type,
        "mode": connector.mode or None,
        "serves": [service.id for service in connector.serves],
        "part_of": connector.part_of,
        "paused": _pause(activity.pause),
        "waiting": activity.waiting,
        "running": activity.running,
        "concurrency": limits[0] if limits else None,
        "rate_per_second": limits[1] if limits else None,
        "services": activity.services,
        "near_full": activity.near_full,
        "version": activity.version or None,
        "last_success": activity.last_success,
        "problem": connector.problem,
        "remedy": as_called(connector.remedy),
    }


def _until(pause: Pause | None) -> datetime | None:
    return None if pause is None else datetime.fromtimestamp(pause.next_check_at, UTC)


def _pause(pause: Pause | None) -> dict[str, object] | None:
    if pause is None:
        return None
    return {**attributes(pause, "kind", "said", "remedy"), "next_check_at": _until(pause)}


@connectors.command()
@argument("names", nargs=-1, metavar="[NAME]...")
@PATIENCE
@reads("mission-control connectors check", "mission-control connectors check customer-databases")
@click.pass_context
def check(context: click.Context, session: Session, names: tuple[str, ...], timeout: float) -> None:
    """Reach the back ends, all at the same time or those named: version, warnings, what to do.

    Changes nothing at the back ends, and no pause ends by it: the worker checks by itself. Which options each connector
    keeps is noted in the database. The exit code is 1 when there is a problem; warnings leave it 0.
    """
    from mission_control_tui.cli.installation.findings import connector_finding
    from mission_control_tui.provisioning.connector_health import (
        check_connectors,
        keep_declarations,
    )
    from mission_control_tui.settings.served import holders_of

    known = _known(session, names)
    found = [
        replace(health, remedy=as_called(health.remedy))
        for health in asyncio.run(
            check_connectors(known.served, session.settings, known.installation, timeout)
        )
    ]
    if known.installation and session.caller.may_write:
        session.run(lambda store: keep_declarations(store, found), create=False, sample=False)
    findings = [
        connector_finding(
            health,
            known.served[health.name],
            holders_of(health.name, session.settings),
            known.of(health.name).pause,
        )
        for health in found
    ]
    healthy = all(health.reached for health in found)
    document = [
        _health(health, finding.level, known)
        for health, finding in zip(found, findings, strict=True)
    ]
    if not session.printed({"healthy": healthy, "connectors": document}):
        print_findings(findings)
    if not healthy:
        context.exit(UNHEALTHY)


def _health(health: ConnectorHealth, level: str, known: _KnownConnectors) -> dict[str, object]:
    return {
        "connector": health.name,
        "level": level,
        **attributes(health, "reached", "version", "detail", "warnings", "not_kept"),
        **attributes(health, "said", "remedy"),
        "serves": [service.id for service in known.served[health.name]],
        "paused": _pause(known.of(health.name).pause),
    }


@connectors.command()
@argument("name")
@reads("mission-control connectors show simulator")
def show(session: Session, name: str) -> None:
    """One connector: settings, what it keeps and can do, pause, queue, last success and failure, what is not kept.

    No back end is asked. Of a secret only the setting's name is shown.
    """
    from mission_control_tui.provisioning.connector_description import describe_connectors
    from mission_control_tui.settings.served import placed_words

    known = _known(session, (name,))
    (found,) = asyncio.run(describe_connectors(known.served, session.settings))
    activity = known.of(name)
    if session.printed(
        {
            **_summary(session, found, activity),
            "last_failure": activity.last_failure,
            "placement": [*placed_words(session.settings, name, activity.services)],
            "settings": found.settings,
            "declares": _declared(found.declares) if found.declares else None,
            "not_kept": found.not_kept,
        }
    ):
        return
    _print(found, activity, [*placed_words(session.settings, name, activity.services)])
    if activity.near_full:
        for view in _near_full(session, name):
            words = results.usage_words(view)
            service = f"{view.service_id} {view.instance}".rstrip()
            _tell("Near full", f"{view.subject} {service}: {words}")
        if activity.near_full > NAMED:
            _tell("", as_called(f"all of them: mission-control attention full {name}"))


def _near_full(session: Session, name: str) -> Sequence[AssignmentView]:
    from mission_control_tui.model.services.near_full import near_full
    from mission_control_tui.model.store.scope import AllAccounts

    async def work(store: Store) -> Sequence[AssignmentView]:
        return await near_full(AllAccounts(store, session.caller), name, limit=NAMED)

    return session.run(work)


@connectors.command()
@argument("name")
@changes("mission-control connectors resume simulator")
def resume(session: Session, name: str) -> None:
    """Have the worker check a connector now, paused or not: once it answers, what waits for it goes on."""
    from mission_control_tui.cli.common.waiting import wake
    from mission_control_tui.model.requests.connector_pauses import ask_for_check

    _known(session, (name,))

    async def work(store: Store) -> None:
        await ask_for_check(store, session.caller, name, dry_run=session.dry_run)
        if not session.dry_run:
            await wake(session, store)

    session.run(work)
    if not session.printed({"connector": name}):
        will = "would be" if session.dry_run else "is"
        say(f"{name} {will} checked now: mission-control connectors show {name}")


@connectors.command()
@reads("mission-control connectors schema")
def schema(session: Session) -> None:
    """The messages that the connectors exec and webhook speak, as JSON Schema."""
    from mission_control_tui.cli.common.output import print_json
    from mission_control_tui.connect.messages import schema as of_messages

    print_json(of_messages())


def _declared(declares: Declaration) -> dict[str, object]:
    """Return a declaration as JSON; None says "any"."""
    return {
        "subjects": sorted(declares.subjects),
        "fence": declares.fence,
        "needs_password": declares.needs_password,
        **{
            name: None if (values := getattr(declares, name)) is None else sorted(values)
            for name in ("capabilities", "levels", "options", "attributes", "usage")
        },
        "limits": declares.limits,
    }


def _print(found: ConnectorDescription, activity: ConnectorActivity, placed: Sequence[str]) -> None:
    pause, failure = activity.pause, activity.last_failure
    _tell("Connector", found.name)
    _tell("Type", found.type)
    _tell("Mode", found.mode or "unknown")
    _tell("Serves", _serves(found) or "nothing")
    for words in placed:
        _tell("Placed", words)
    _tell("Services", str(activity.services))
    if found.problem:
        _tell("Problem", found.problem)
        _tell("To do", as_called(found.remedy))
    if pause is not None:
        _tell("Paused", f"{pause.said} (checked again at {when(_until(pause))})")
        _tell("To do", pause.remedy)
    _tell("Queue", f"{activity.waiting} wait, {activity.running} run")
    _tell("Succeeded", when(activity.last_success) or "nothing yet")
    if failure is not None:
        _tell("Failed", f"{when(failure.at)}, request {failure.request}: {failure.said}")
        _tell("To do", failure.remedy)
    for key, value in found.settings.items():
        _tell("Setting", f"{key} = {'(not shown)' if value is None else value}")
    if found.declares is not None:
        limits = found.declares.limits
        for name, values in _declared(found.declares).items():
            if name != "limits" or not limits:
                _tell(name.replace("_", " ").capitalize(), _listed(values))
        for key, limit in (limits or {}).items():
            _tell("Limit", f"{key}: {_range(limit)}")
    for words in found.not_kept:
        _tell("Not kept", words)


def _tell(label: str, text: str) -> None:
    if text:
        wrapped(f"{label:<14}  ", text, 16)
    elif label != "To do":
        line(f"{label:<14}  none")


def _listed(values: object) -> str:
    if values is None:
        return _ANY
    if isinstance(values, bool):
        return "yes" if values else "no"
    if isinstance(values, str):
        return values
    return ", ".join(map(str, values)) if isinstance(values, (list, Mapping)) else str(values)


def _range(limit: Limit) -> str:
    ends = [
        f"{word} {end:g}"
        for word, end in (("from", limit.low), ("to", limit.high))
        if end is not None
    ]
    words = [" ".join(ends) or "any value"]
    words += ["or unlimited"] * limit.unlimited + ["needed"] * limit.needed
    return ", ".join(words)
