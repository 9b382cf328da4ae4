"""The tables. Rows never leave the model: what crosses its door is a frozen dataclass."""

from mission_control_tui.model.tables.accounts import (
    AccountRow,
    AuditRow,
    CatalogueVersionRow,
    ContactRow,
    DomainRow,
    InstallationRow,
    OrderLineRow,
    OrderRow,
    SeatPoolRow,
    SubscriptionRow,
)
from mission_control_tui.model.tables.base import Base
from mission_control_tui.model.tables.provisioning import (
    AssignmentRow,
    ConnectorStateRow,
    RequestDependencyRow,
    RequestEventRow,
    RequestRow,
    RequestStepRow,
    SeatHoldRow,
    WorkerRow,
)
from mission_control_tui.model.tables.users import (
    AddressRow,
    SearchTermRow,
    SecretRow,
    UserRow,
)

__all__ = [
    "AccountRow",
    "AddressRow",
    "AssignmentRow",
    "AuditRow",
    "Base",
    "CatalogueVersionRow",
    "ConnectorStateRow",
    "ContactRow",
    "DomainRow",
    "InstallationRow",
    "OrderLineRow",
    "OrderRow",
    "RequestDependencyRow",
    "RequestEventRow",
    "RequestRow",
    "RequestStepRow",
    "SearchTermRow",
    "SeatHoldRow",
    "SeatPoolRow",
    "SecretRow",
    "SubscriptionRow",
    "UserRow",
    "WorkerRow",
]
