"""The tables, a module for each domain. Rows never leave the model: what crosses its door is a frozen dataclass.

Their modules have no `from __future__ import annotations`: SQLAlchemy would compile each of 330 texts at every start.
"""

# Importing the package registers every table with the metadata, whichever of them is asked for first.
from mission_control_tui.model.store.tables import (  # noqa: F401
    accounts,
    audit,
    billing,
    bulk,
    groups,
    installation,
    operators,
    orders,
    requests,
    schedules,
    services,
    templates,
    users,
    workers,
)
