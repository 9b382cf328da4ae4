"""The simulator: a back end on disk, with delays and errors by rule; needs nothing installed.

`create` is the connector's factory; `ledger` and `login` read the file without Mission Control.
"""

from mission_control_tui.provisioning.connectors.simulator.connector import (
    Simulator,
    create,
    forget,
    ledger,
    login,
)
from mission_control_tui.provisioning.connectors.simulator.store import Effect

__all__ = ["Effect", "Simulator", "create", "forget", "ledger", "login"]
