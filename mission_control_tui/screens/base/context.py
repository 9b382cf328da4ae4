"""The account that a screen works on, and how it reaches the store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mission_control_tui.model.caller import Caller
    from mission_control_tui.model.catalogue.in_force import InForce
    from mission_control_tui.model.catalogue.types import Catalogue
    from mission_control_tui.model.domains.registrar import AskRegistrar
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.store.scope import AccountScope
    from mission_control_tui.model.views import Account
    from mission_control_tui.settings.settings import Settings


NO_WORKER = {
    "absent": "no worker runs: ask the administrator to start `mission-control worker`",
    "suppressed": "no worker runs: MISSION_CONTROL_NO_WORKER is set; run `mission-control worker`",
    "failed": "no worker runs: it ends as it starts; run `mission-control worker` to see why",
}
"""What to say beside an orange light, by what `wake` answered, where nobody will do the work."""


@dataclass(slots=True)
class Context:
    """The session of this console. `account` and `in_force` are replaced when others change them.

    `wake` sees to it that a worker runs and answers running, started, absent, suppressed or failed.
    """

    store: Store
    caller: Caller
    account: Account
    settings: Settings
    in_force: InForce
    wake: Callable[[], Awaitable[str]]
    ask_registrar: AskRegistrar | None = None
    """Asks whether a domain name is free; None where no registrar is connected."""
    worker: str = ""
    order_keys: dict[str, str] = field(default_factory=dict)
    """Idempotency keys of orders that nobody knows of whether they were placed, by what is ordered."""

    @property
    def account_id(self) -> int:
        return self.account.id

    @property
    def scope(self) -> AccountScope:
        """Where, as whom and on which account: what functions of the model begin with."""
        from mission_control_tui.model.store.scope import AccountScope

        return AccountScope(self.store, self.caller, self.account_id)

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue in force; the last good one where a newer cannot be read."""
        return self.in_force.catalogue

    @property
    def no_worker(self) -> str:
        """Why nothing that is queued will be done, and what to do; empty while somebody does it."""
        return NO_WORKER.get(self.worker, "")

    async def refresh(self) -> None:
        """Read account and catalogue again, keeping the last good catalogue."""
        from mission_control_tui.model.accounts.editing import resolve_account
        from mission_control_tui.model.catalogue.in_force import current

        self.in_force = await current(self.store, self.in_force)
        self.account = await resolve_account(self.store, self.caller, self.account_id)


def is_real(context: Context) -> bool:
    """Tell whether any service is served by something else than a simulator."""
    settings = context.settings
    names = {
        name
        for service in context.catalogue.services
        for name in settings.serving(service.id, service.connector)
    }
    tables = settings.connectors
    return any(tables.get(name, {}).get("type", name) != "simulator" for name in names)
