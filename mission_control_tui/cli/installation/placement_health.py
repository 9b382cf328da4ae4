"""What `doctor` finds of services that several connectors serve: how full each is, what is elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlalchemy import select

from mission_control_tui.cli.installation.findings import HealthFinding, note, ok, problem, warning
from mission_control_tui.model.placement import Placement, PlacementLoad
from mission_control_tui.model.services.placing import placed_counts
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.text.counting import counted

if TYPE_CHECKING:
    from mission_control_tui.model.catalogue.types import Service
    from mission_control_tui.model.store.database import Store


async def placement_findings(store: Store, services: Iterable[Service]) -> list[HealthFinding]:
    """Look at each service of [placement]; what of it is at another connector is told with what to do."""
    names = {service.id: service.name for service in services}
    findings: list[HealthFinding] = []
    for service, placement in sorted(store.placements.items()):
        check = f"placement {service}"
        if service not in names:
            remedy = f"Correct [placement.{service}] in the settings: mission-control services list"
            findings.append(problem(check, "The catalogue has no such service.", remedy))
            continue
        async with store.read() as session:
            samples = set(await session.scalars(select(AccountRow.id).where(AccountRow.is_sample)))
            counts = Counter[str]()
            for (connector, account), count in (await placed_counts(session, service)).items():
                counts[connector] += 0 if account in samples else count
        findings.append(_shared_out(check, placement, counts))
        findings += _elsewhere(check, service, placement, counts)
    return findings


def _shared_out(check: str, placement: Placement, counts: Counter[str]) -> HealthFinding:
    load = PlacementLoad(counts)
    refusals = {each: placement.refusal(each, load) for each in placement.connectors}
    said = ", ".join(
        f"{each} {counts[each]}" + (f" ({refusals[each]})" if refusals[each] else "")
        for each in placement.connectors
    )
    if all(refusals.values()):
        remedy = (
            "Open one, raise its `most`, or add another: see `mission-control docs connectors`."
        )
        return warning(check, f"No connector takes anything new: {said}", remedy)
    return ok(check, f"{placement.rule}: {said}")


def _elsewhere(
    check: str, service: str, placement: Placement, counts: Counter[str]
) -> Iterable[HealthFinding]:
    for connector in sorted(counts.keys() - {*placement.connectors}):
        if counts[connector]:
            said = f"{counted(counts[connector], 'service')} at {connector}, which is not among its connectors."
            to = placement.connectors[0]
            remedy = f"Move each: mission-control move USER {service} --to {to}"
            yield note(check, said, remedy)
