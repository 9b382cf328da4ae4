"""What a catalogue asks of a connector is held against all that it declares: `catalogue check` and `doctor` tell it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mission_control_tui.connect import CAPABILITIES, Context, Declaration, FenceGrade, Limit
from mission_control_tui.model.catalogue.file.parse import parse
from mission_control_tui.model.catalogue.file.shipped import shipped
from mission_control_tui.model.states import SubjectKind
from mission_control_tui.provisioning.connector_thread import ConnectorThread
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.kept import not_kept
from tests.provisioning.connectors.test_guard import Rogue

WHOLE = Declaration(
    capabilities=CAPABILITIES, fence=FenceGrade.LOCKED, options=None, limits=None, attributes=None
)


async def gaps(declares: Declaration, **service: Any) -> set[str]:
    """What is not kept of Managed Exchange by a connector that declares this."""
    catalogue = parse(shipped())
    exchange = replace(catalogue.service("managed-exchange"), **service)
    connector = Rogue("", lambda: None)
    connector.declares = declares
    thread = ConnectorThread("mail")
    try:
        found = not_kept(exchange, Guarded(Context("mail", {}, ""), "x", connector, thread, 1.0))
    finally:
        await thread.close()
    prefix = "Managed Exchange: "
    assert all(words.startswith(prefix) for words in found)
    return {words.removeprefix(prefix) for words in found}


async def test_every_part_of_the_declaration_counts() -> None:
    assert await gaps(WHOLE) == set()
    by = "connector mail"

    async def without(**changed: Any) -> set[str]:
        return await gaps(replace(WHOLE, **changed))

    assert await without(subjects=frozenset({SubjectKind.DOMAIN})) == {f"{by} serves no user"}
    assert await without(capabilities=CAPABILITIES - {"suspend"}) == {f"{by} cannot suspend"}
    assert await without(capabilities=CAPABILITIES - {"levels"}) == {
        f"{by} cannot change the level of what exists"
    }
    assert await without(capabilities=CAPABILITIES - {"password"}) == {f"{by} sets no password"}
    assert f"{by} does not know the level popx" in await without(levels=frozenset({"pc-web"}))
    assert any("quota" in words for words in await without(options=frozenset()))
    lacking = await without(limits={"seats": Limit(1, 9, needed=True)})
    assert f"level popx has no limit seats, which {by} needs" in lacking
    assert any("does not keep the limit" in words for words in lacking)
    kept = await gaps(replace(WHOLE, capabilities=CAPABILITIES - {"suspend"}), retention_days=30)
    assert kept == {f"{by} cannot suspend what is kept for 30 days (retention_days)"}
