"""Active Directory: a user account on a real domain controller for each service instance."""

from mission_control_tui.provisioning.connectors.ad.connector import ActiveDirectory, create

__all__ = ["ActiveDirectory", "create"]
